import type { MetricsSetting } from '../http/metrics-setting.ts'

/**
 * Serves, and beside it what is measured of this process if the configuration says so. Nothing serves if that cannot.
 *
 * @throws as {@link serve}, and Error with code EADDRINUSE, EACCES or EADDRNOTAVAIL
 */
export async function measured<Server extends { close(): Promise<void> }>(
  setting: MetricsSetting | undefined,
  serve: () => Promise<Server>,
): Promise<Server> {
  if (setting === undefined) return serve()
  const { serveMetrics } = await import('../http/metrics-server.ts')
  const metrics = await serveMetrics(setting)
  try {
    const server = await serve()
    return { ...server, close: () => server.close().finally(() => metrics.close()) }
  } catch (error) {
    await metrics.close()
    throw error
  }
}
