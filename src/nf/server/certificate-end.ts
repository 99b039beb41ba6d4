import type { Certificate } from '../../certificates/certificate.ts'
import type { Log } from '../../http/log.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Timers } from '../../ports/timers.ts'
import { nowAndRegularly } from './upkeep.ts'

const DAY = 86_400_000
/** An operator has this long to renew a certificate after the first warning. */
export const RENEWAL_NOTICE = 30 * DAY

/** What the operator renews: nothing does it by itself. */
export interface WatchedCertificate {
  /** for people: whose it is */
  readonly name: string
  readonly certificate: Pick<Certificate, 'notAfter'>
  /** that renews it */
  readonly command: string
}

/**
 * Says in the log that a certificate ends within 30 days, or has ended: now, and each day.
 *
 * @param watched - as they are on disk now
 * @returns how to stop it
 */
export async function warnOfEnd(
  nf: { readonly clock: Clock; readonly timers: Timers; readonly log: Log },
  watched: () => Promise<readonly WatchedCertificate[]>,
): Promise<() => void> {
  const look = async () => {
    const now = nf.clock.now()
    for (const { name, certificate, command } of await watched()) {
      if (certificate.notAfter - now > RENEWAL_NOTICE) continue
      const until = new Date(certificate.notAfter).toISOString()
      const has = certificate.notAfter < now ? 'has ended' : 'ends soon'
      nf.log.warn({ until, run: command }, `the certificate of ${name} ${has}: renew it`)
    }
  }
  return nowAndRegularly(nf, DAY, 'end of certificates', look)
}
