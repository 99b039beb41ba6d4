import { createHmac, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto'
import { type Kedge, takeKey, withOctets } from '../../keys/key.ts'
import { openSecret, sealSecret } from '../../nf/sealing.ts'
import type { Random } from '../../ports/random.ts'
import { type KedgeId, kedgeIdParts } from '../../spec/kedge-id.ts'
import { type HomeNetwork, plmnDomain, type Supi } from '../../spec/subscriber-identifiers.ts'
import { GuardFailed } from '../../store/errors.ts'
import type { Statement, Store } from '../../store/store.ts'
import type { EdgeKeys } from '../edge-key/edge-keys.ts'
import type { KedgeRow } from '../tables.ts'

/** The Kedges of an AUSF: sealed, under identifiers that say nothing of the subscriber (THREATS KE-01). */
export interface KedgeStore {
  /**
   * A new Kedge takes the place of the one before, which stays good for its grace: in one commit.
   *
   * @returns false if the Kedge ID is taken; then nothing changed
   */
  replace(
    supi: Supi,
    keys: EdgeKeys,
    times: { readonly now: number; readonly lifetime: number; readonly grace: number },
  ): Promise<boolean>
  /** @returns a key in any case; `until` only if it is good now (THREATS KE-07) */
  find(kedgeId: KedgeId, now: number): Promise<{ kedge: Kedge; until: number | undefined }>
  /** Deletes all of a subscriber. */
  remove(supi: Supi): Promise<void>
  /** Deletes what has ended, some at a time. */
  removeExpired(now: number): Promise<void>
}

type Row = Omit<KedgeRow, 'is_current'>

interface KedgeStoreOptions {
  readonly store: Store
  readonly dataKey: KeyObject
  readonly random: Pick<Random, 'octets'>
  readonly homeNetwork: HomeNetwork
}

const INSERT =
  'insert into kedge (kid, subject, sealed, routing_indicator, expires_at, is_current) values (?, ?, ?, ?, ?, 1)'
const FORGET_OLDER = 'delete from kedge where subject = ? and is_current = 0'
const END_CURRENT =
  'update kedge set is_current = 0, expires_at = min(expires_at, ?) where subject = ? and is_current = 1'
/** One row in any case, and always as long: the one that is asked for, or the one that is given. */
const FIND =
  'select coalesce(found.kid, ?) as kid, coalesce(found.subject, ?) as subject, coalesce(found.sealed, ?) as sealed, ' +
  'coalesce(found.routing_indicator, ?) as routing_indicator, coalesce(found.expires_at, 0) as expires_at ' +
  'from (select ? as asked) left join kedge as found on found.kid = asked'
const REMOVE = 'delete from kedge where subject = ?'
const REMOVE_EXPIRED = 'delete from kedge where kid in (select kid from kedge where expires_at <= ? limit 1000)'

export function kedgeStore({ store, dataKey, random, homeNetwork }: KedgeStoreOptions): KedgeStore {
  const subjectOf = subjects(dataKey)
  const seal = (kedge: Kedge, kid: Uint8Array, subject: Uint8Array) =>
    withOctets(kedge, (octets) => sealSecret(dataKey, octets, Buffer.concat([kid, subject]), random.octets(12)))
  const nobody = nobodysRow(random, seal)
  const ours = realmOf(homeNetwork)

  return {
    async replace(supi, { kedge, kedgeId }, { now, lifetime, grace }) {
      const [kid, subject] = [kidOf(kedgeId), subjectOf(supi)]
      const { routingIndicator } = kedgeIdParts(kedgeId)
      const row = [kid, subject, seal(kedge, kid, subject), routingIndicator, now + lifetime]
      const unit: Statement[] = [
        { sql: FORGET_OLDER, parameters: [subject] },
        { sql: END_CURRENT, parameters: [now + grace, subject] },
        { sql: INSERT, parameters: row },
      ]
      try {
        await store.commit(unit)
        return true
      } catch (error) {
        if (error instanceof GuardFailed && error.guard === 'kedge.kid') return false
        throw error
      }
    },
    async find(kedgeId, now) {
      const { routingIndicator, homeNetwork: asked } = kedgeIdParts(kedgeId)
      const parameters = [nobody.kid, nobody.subject, nobody.sealed, routingIndicator, kidOf(kedgeId)]
      const [row = nobody] = await store.read<Row>({ sql: FIND, parameters })
      const kedge = takeKey('Kedge', openSecret(dataKey, row.sealed, Buffer.concat([row.kid, row.subject])))
      const same = row.routing_indicator === routingIndicator && realmOf(asked) === ours
      const good = same && row.expires_at > now
      return { kedge, until: good ? row.expires_at : undefined }
    },
    remove: (supi) => store.commit([{ sql: REMOVE, parameters: [subjectOf(supi)] }]),
    removeExpired: (now) => store.commit([{ sql: REMOVE_EXPIRED, parameters: [now] }]),
  }
}

/** A row like any other, of no subscriber: what is not found is opened like what is. */
function nobodysRow(
  random: Pick<Random, 'octets'>,
  seal: (kedge: Kedge, kid: Uint8Array, subject: Uint8Array) => Buffer,
): Row {
  const [kid, subject] = [random.octets(16), random.octets(16)]
  const sealed = seal(takeKey('Kedge', random.octets(32)), kid, subject)
  return { kid, subject, sealed, routing_indicator: '', expires_at: 0 }
}

/** What stands for a SUPI: nobody without the data key can tell which. */
function subjects(dataKey: KeyObject): (supi: Supi) => Buffer {
  const key = createSecretKey(new Uint8Array(hkdfSync('sha256', dataKey, '', 'edgeward subject', 32)))
  return (supi) => createHmac('sha256', key).update(supi).digest().subarray(0, 16)
}

const kidOf = (kedgeId: KedgeId) => Buffer.from(kedgeIdParts(kedgeId).kid, 'hex')

/** With an MNC of 2 or of 3 digits it is the same realm. */
const realmOf = ({ nid = '', ...plmn }: HomeNetwork) => `${nid} ${plmnDomain(plmn)}`
