/** Waits for SIGTERM or SIGINT; a SIGHUP meanwhile reloads what can be reloaded. */
export function untilStopped({ reload }: { reload?: () => Promise<void> } = {}): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  // The signals alone do not keep a process alive.
  const alive = setInterval(() => {}, 2 ** 30)
  const stop = () => {
    clearInterval(alive)
    process.off('SIGTERM', stop).off('SIGINT', stop).off('SIGHUP', hangUp)
    resolve()
  }
  const hangUp = () => {
    reload?.().catch((error: unknown) => {
      process.stderr.write(`not reloaded: ${error instanceof Error ? error.message : 'unknown reason'}\n`)
    })
  }
  process.on('SIGTERM', stop).on('SIGINT', stop).on('SIGHUP', hangUp)
  return promise
}
