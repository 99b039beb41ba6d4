import type { MetricsSetting } from '../http/metrics-setting.ts'

interface Server {
  close(): Promise<void>
}

/**
 * Serves, and beside it what is measured of this process if the configuration says so. Nothing serves if that cannot.
 *
 * @throws as {@link serve}, and Error with code EADDRINUSE, EACCES or EADDRNOTAVAIL
 */
export async function measured<Serving extends Server>(
  setting: MetricsSetting | undefined,
  serve: () => Promise<Serving>,
): Promise<Serving> {
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

interface Opened extends Server {
  readonly configuration: { readonly metrics?: MetricsSetting }
}

/** Serves and measures what has opened its store, which is closed if nothing serves. @throws as {@link measured} */
export async function serveOpened<Serving extends Server>(
  opened: Opened,
  serve: () => Promise<Serving>,
): Promise<Serving> {
  try {
    return await measured(opened.configuration.metrics, serve)
  } catch (error) {
    await opened.close()
    throw error
  }
}
