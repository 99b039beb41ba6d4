import type { Issuer } from '../../certificates/authority.ts'
import { issueCrl } from '../../certificates/crl.ts'
import { lastCrlNumber, recordCrlNumber, revokedSince } from '../adapters/certificate-store.ts'
import { type OpenEcs, readOfflineCrl } from '../adapters/open-ecs.ts'
import {
  keepRevocationList,
  type RevocationList,
  type RevocationListPorts,
} from '../certificate-authority/revocation-list.ts'

export interface RevocationLists {
  /** of the EES certificates */
  readonly ees: RevocationList
  /** @param file - `NAME.crl` of any of our authorities */
  read(file: string): Promise<Buffer | undefined>
  stop(): void
}

export function keepRevocationLists(ecs: OpenEcs): RevocationLists {
  const { revocationList } = ecs.configuration
  const schedule = { lifetime: revocationList.lifetime * 1000, refresh: revocationList.refresh * 1000 }
  const failed = (error: unknown) => ecs.log.error({ err: error }, 'the revocation list could not be renewed')
  const keep = (name: string, issuer: Issuer, revoked: RevocationListPorts['revokedSince']) =>
    keepRevocationList(listPorts(ecs, name, issuer, revoked), schedule, ecs.timers, failed)
  const ees = keep('ees-issuer', ecs.eesIssuer, (notAfter) => revokedSince(ecs.store, notAfter))
  // The ECS's own certificates live as long as the process: there is none to revoke, and a list that says so.
  const own = keep('ecs-issuer', ecs.ecsIssuer, async () => [])
  return {
    ees,
    async read(file) {
      if (file === 'ees-issuer.crl') return ees.current()
      if (file === 'ecs-issuer.crl') return own.current()
      return file === 'root.crl' || file === 'operator-issuer.crl' ? readOfflineCrl(ecs.folder, file) : undefined
    },
    stop() {
      ees.stop()
      own.stop()
    },
  }
}

function listPorts(
  { store, clock }: OpenEcs,
  name: string,
  issuer: Issuer,
  revoked: RevocationListPorts['revokedSince'],
): RevocationListPorts {
  return {
    now: clock.now,
    async nextCrlNumber() {
      const number = (await lastCrlNumber(store, name)) + 1
      await store.commit([recordCrlNumber(name, number)])
      return number
    },
    revokedSince: revoked,
    signCrl: (number, times, entries) => issueCrl({ issuer, number: BigInt(number), ...times, entries }),
  }
}
