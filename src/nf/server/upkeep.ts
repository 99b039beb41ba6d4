import type { Log } from '../../http/log.ts'
import type { Timers } from '../../ports/timers.ts'

/**
 * Work that happens without being asked for, never twice at once; a failure waits for the next time.
 *
 * @returns how to stop it
 */
export function regularly(
  { timers, log }: { readonly timers: Timers; readonly log: Log },
  period: number,
  name: string,
  work: () => Promise<unknown>,
): () => void {
  let busy = false
  return timers.every(period, () => {
    if (busy) return
    busy = true
    work()
      .catch((error: unknown) => log.error({ err: error, work: name }, 'upkeep failed; it is tried again'))
      .finally(() => {
        busy = false
      })
  })
}
