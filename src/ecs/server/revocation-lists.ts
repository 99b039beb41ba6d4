import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Issuer } from '../../certificates/authority.ts'
import { issueCrl } from '../../certificates/crl.ts'
import { lastCrlNumber, recordCrlNumber, revokedSince } from '../adapters/certificate-store.ts'
import type { OpenEcs } from '../adapters/open-ecs.ts'
import { type Authorities, revocationListOf } from '../certificate-authority/authorities.ts'
import {
  keepRevocationList,
  type RevocationList,
  type RevocationListPorts,
} from '../certificate-authority/revocation-list.ts'

export interface RevocationLists {
  /** Resolves when every revocation of an EES that was recorded before the call is published. */
  publish(): Promise<void>
  /** @param file - `NAME.crl` of any of our authorities, by its role or by the identifier of its key */
  read(file: string): Promise<Buffer | undefined>
  /** Keeps lists of the authorities as they are now. */
  refresh(): Promise<void>
  stop(): void
}

/** The lists of one root and what is below it. */
interface DomainLists {
  readonly ees: RevocationList
  readonly read: ReadonlyMap<string, () => Promise<Buffer | undefined>>
  stop(): void
}

const BY_ROLE = ['root.crl', 'ees-issuer.crl', 'ecs-issuer.crl']

export function keepRevocationLists(ecs: OpenEcs): RevocationLists {
  let domains = new Map(ecs.ca.trusted().map((each) => [each.id, listsOf(ecs, each)]))
  const publish = async () => {
    await Promise.all([...domains.values()].map(({ ees }) => ees.publish()))
  }
  return {
    publish,
    async read(file) {
      if (file === 'operator-issuer.crl') return readOffline(join(ecs.folder, 'ca', file))
      // By role: the authority that the ECS was made with has never had another name for its lists.
      const first = domains.get('') ?? domains.get(ecs.ca.present().id)
      if (BY_ROLE.includes(file)) return first?.read.get(file)?.()
      for (const { read } of domains.values()) if (read.has(file)) return read.get(file)?.()
      return undefined
    },
    async refresh() {
      const before = domains
      domains = new Map(ecs.ca.trusted().map((each) => [each.id, before.get(each.id) ?? listsOf(ecs, each)]))
      for (const [id, lists] of before) if (!domains.has(id)) lists.stop()
      await publish()
    },
    stop() {
      for (const lists of domains.values()) lists.stop()
    },
  }
}

function listsOf(ecs: OpenEcs, { id, root, eesIssuer, ecsIssuer }: Authorities): DomainLists {
  const { revocationList } = ecs.configuration
  const schedule = { lifetime: revocationList.lifetime * 1000, refresh: revocationList.refresh * 1000 }
  const failed = (error: unknown) => ecs.log.error({ err: error }, 'the revocation list could not be renewed')
  const keep = (role: string, issuer: Issuer, revoked: RevocationListPorts['revokedSince']) =>
    keepRevocationList(listPorts(ecs, join(id, role), issuer, revoked), schedule, ecs.timers, failed)
  const ees = keep('ees-issuer', eesIssuer, (notAfter) => revokedSince(ecs.store, id, notAfter))
  // The ECS's own certificates live as long as the process: there is none to revoke, and a list that says so.
  const own = keep('ecs-issuer', ecsIssuer, async () => [])
  const sources = [() => readOffline(ecs.ca.files.at(id, 'root.crl')), () => ees.current(), () => own.current()]
  const names = [root, eesIssuer.certificate, ecsIssuer.certificate].map(revocationListOf)
  return {
    ees,
    read: new Map(sources.flatMap((source, at) => [BY_ROLE[at], names[at]].map((name = '') => [name, source]))),
    stop() {
      ees.stop()
      own.stop()
    },
  }
}

/** What an authority whose key is somewhere else has revoked stands in a file. @returns DER, or undefined without one */
const readOffline = (file: string): Promise<Buffer | undefined> => readFile(file).catch(() => undefined)

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
