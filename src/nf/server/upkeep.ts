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
    attempt({ log }, name, work).finally(() => {
      busy = false
    })
  })
}

/** The same at the start of a server, which goes on whether it succeeds or not. */
export async function nowAndRegularly(...upkeep: Parameters<typeof regularly>): Promise<() => void> {
  const [nf, , name, work] = upkeep
  await attempt(nf, name, work)
  return regularly(...upkeep)
}

function attempt({ log }: { readonly log: Log }, name: string, work: () => Promise<unknown>): Promise<unknown> {
  return work().catch((error: unknown) => log.error({ err: error, work: name }, 'upkeep failed; it is tried again'))
}
