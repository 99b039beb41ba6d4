/** The signals that end a server, for as long as they are waited for. */
export interface StopSignals {
  /** resolves at the first SIGTERM or SIGINT */
  readonly stopped: Promise<void>
  release(): void
}

/** @param reload - called at SIGHUP */
export function stopSignals({ reload }: { reload?: () => Promise<void> } = {}): StopSignals {
  const { promise, resolve } = Promise.withResolvers<void>()
  // Signals alone do not keep a process alive.
  const alive = setInterval(() => {}, 2 ** 30)
  const hangUp = () => {
    reload?.().catch((error: unknown) => {
      process.stderr.write(`not reloaded: ${error instanceof Error ? error.message : 'unknown reason'}\n`)
    })
  }
  const stop = () => resolve()
  process.on('SIGTERM', stop).on('SIGINT', stop).on('SIGHUP', hangUp)
  return {
    stopped: promise,
    release() {
      clearInterval(alive)
      process.off('SIGTERM', stop).off('SIGINT', stop).off('SIGHUP', hangUp)
    },
  }
}

/**
 * Says on standard output that a server is ready, and waits for SIGTERM or SIGINT; a SIGHUP meanwhile reloads what can
 * be reloaded. Whoever reads the line may send a signal at once: it is heard by then.
 */
export async function untilStopped(ready: object, options: { reload?: () => Promise<void> } = {}): Promise<void> {
  const signals = stopSignals(options)
  process.stdout.write(`${JSON.stringify(ready)}\n`)
  await signals.stopped
  signals.release()
}
