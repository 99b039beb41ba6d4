import { type Crl, readCrl } from '../../certificates/crl.ts'
import type { Timers } from '../../ports/timers.ts'

export interface RevocationWatchPorts {
  /** DER */
  readonly fetch: () => Promise<Buffer>
  readonly timers: Pick<Timers, 'every'>
  /** hears of each failure to fetch; what was fetched before stays good until its own end */
  readonly failed?: (error: unknown) => void
  /** hears of each new list */
  readonly changed?: () => void
}

/** The newest list of an issuer. */
export interface RevocationWatch {
  /** undefined until the first one is there; whether it is current is for `checkChain` to say */
  current(): Crl | undefined
  /** Fetches at once. Never throws. */
  refresh(): Promise<void>
  stop(): void
}

/**
 * Fetches a CRL again and again, often enough that a revoked EES is refused within 5 s (THREATS CA-06). A list with a
 * smaller number than one that was seen is passed over (THREATS CA-07); the one before it then runs out, and with it
 * every client.
 *
 * @param period - milliseconds between two fetches
 */
export function watchRevocation(ports: RevocationWatchPorts, period: number): RevocationWatch {
  const { fetch, timers, failed, changed } = ports
  let crl: Crl | undefined
  let underWay: Promise<void> | undefined

  const look = async () => {
    try {
      const octets = await fetch()
      if (crl?.der.equals(octets)) return
      const next = readCrl(octets)
      if (crl !== undefined && next.number < crl.number) throw new Error('a CRL that is older than the last one')
      crl = next
      changed?.()
    } catch (error) {
      failed?.(error)
    }
  }
  const refresh = () => {
    underWay ??= look().finally(() => {
      underWay = undefined
    })
    return underWay
  }
  const stop = timers.every(period, () => void refresh())
  return { current: () => crl, refresh, stop }
}
