import type { RevokedCertificate } from '../../certificates/crl.ts'
import type { Timers } from '../../ports/timers.ts'

export interface RevocationListPorts {
  now(): number
  /** the next number, recorded before it is used, so that none is used twice (THREATS CA-07) */
  nextCrlNumber(): Promise<number>
  /** every certificate that was revoked and had not ended by then */
  revokedSince(notAfter: number): Promise<readonly RevokedCertificate[]>
  signCrl(
    number: number,
    times: { thisUpdate: number; nextUpdate: number },
    entries: readonly RevokedCertificate[],
  ): Promise<Buffer>
}

export interface RevocationListSchedule {
  /** milliseconds for which one list is good */
  readonly lifetime: number
  /** milliseconds after which a new one replaces it */
  readonly refresh: number
}

const BACKDATED_BY = 300_000

/** The list that is published, made anew after every revocation and long before it ends. */
export interface RevocationList {
  /** @returns DER of a list that is good now, and never one that a finished revocation is missing from */
  current(): Promise<Buffer>
  /** Resolves when everything recorded before the call is published. */
  publish(): Promise<void>
  stop(): void
}

export function keepRevocationList(
  ecs: RevocationListPorts,
  { lifetime, refresh }: RevocationListSchedule,
  timers: Timers,
  failed: (error: unknown) => void,
): RevocationList {
  let latest: { der: Buffer; thisUpdate: number; nextUpdate: number } | undefined
  let running: Promise<void> | undefined
  let waiting: Promise<void> | undefined

  const make = async () => {
    const number = await ecs.nextCrlNumber()
    const now = ecs.now()
    // An entry stays until one list after its certificate has ended (RFC 5280 3.3).
    const entries = await ecs.revokedSince(now - lifetime)
    // As certificates are: whose clock is behind can use the list at once.
    const thisUpdate = now - BACKDATED_BY
    const nextUpdate = now + lifetime
    latest = { der: await ecs.signCrl(number, { thisUpdate, nextUpdate }, entries), thisUpdate, nextUpdate }
  }
  /** One list at a time; whoever asks while one is made waits for the next, which all who wait share. */
  const publish = (): Promise<void> => {
    if (running === undefined) {
      running = make().finally(() => {
        running = undefined
      })
      return running
    }
    waiting ??= running
      .catch(() => {})
      .then(() => {
        waiting = undefined
        return publish()
      })
    return waiting
  }
  /** After a clock that was ahead, the list of then is not valid yet (THREATS CA-08). */
  const isCurrent = (now: number) => latest !== undefined && latest.thisUpdate <= now && now < latest.nextUpdate
  const stop = timers.every(refresh, () => publish().catch(failed))
  return {
    async current() {
      if (!isCurrent(ecs.now())) await publish()
      if (latest === undefined) throw new Error('there is no revocation list')
      return latest.der
    },
    publish,
    stop,
  }
}
