import { PeerUnavailable } from '../http/client.ts'
import { RefusedByServer } from '../http/response.ts'
import type { Random } from '../ports/random.ts'

/** Milliseconds. */
export interface Backoff {
  readonly first: number
  readonly longest: number
}

/**
 * How long to wait after the given number of failures: twice as long each time, and somewhere between half and all of
 * it, so that many clients of one server that went down do not come back at once.
 */
export function delayAfter(failures: number, { first, longest }: Backoff, random: Pick<Random, 'fraction'>): number {
  const ceiling = Math.min(longest, first * 2 ** Math.min(failures - 1, 30))
  return Math.round(ceiling * (0.5 + random.fraction() / 2))
}

/** The server took the message but its answer was lost, or it asked to come back later. */
function mayRepeat(error: unknown): boolean {
  if (error instanceof PeerUnavailable) return error.phase === 'answer'
  return error instanceof RefusedByServer && error.isTransient
}

export interface Patience {
  readonly attempts: number
  readonly backoff: Backoff
  /** unlike a timer, keeps the process alive @param milliseconds */
  readonly wait: (milliseconds: number) => Promise<void>
  readonly random: Pick<Random, 'fraction'>
}

/** Repeats what can be repeated without harm. @throws what the last attempt threw */
export async function persist<T>(attempt: () => Promise<T>, { attempts, backoff, wait, random }: Patience): Promise<T> {
  for (let failures = 1; ; failures++) {
    try {
      return await attempt()
    } catch (error) {
      if (failures === attempts || !mayRepeat(error)) throw error
      const asked = error instanceof RefusedByServer ? (error.retryAfter ?? 0) * 1000 : 0
      await wait(Math.max(Math.min(asked, backoff.longest), delayAfter(failures, backoff, random)))
    }
  }
}
