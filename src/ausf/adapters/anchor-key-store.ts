import type { KeyObject } from 'node:crypto'
import { type Kakma, type Kedge, type Key, takeKey, withOctets } from '../../keys/key.ts'
import { openSecret, sealSecret } from '../../nf/sealing.ts'
import type { Random } from '../../ports/random.ts'
import { type AKid, aKidParts } from '../../spec/a-kid.ts'
import { type KedgeId, kedgeIdParts } from '../../spec/kedge-id.ts'
import { type HomeNetwork, plmnDomain, type RoutingIndicator, type Supi } from '../../spec/subscriber-identifiers.ts'
import { GuardFailed } from '../../store/errors.ts'
import type { Statement, Store } from '../../store/store.ts'
import type { AnchorKeyRow } from '../tables.ts'
import { keyedTags, TAG_LENGTH } from './keyed-tag.ts'

/**
 * The keys that an AUSF keeps in the place of KAUSF, one of each kind for a subscriber: sealed, under identifiers that
 * say nothing of the subscriber (THREATS KE-01).
 */
export interface AnchorKeyStore<Id, AnchorKey> {
  /**
   * A new key takes the place of the one before, which stays good for its grace: in one commit.
   *
   * @returns false if the identifier is taken; then nothing changed
   */
  replace(supi: Supi, anchor: AnchorKeyOf<Id, AnchorKey>, times: AnchorKeyTimes): Promise<boolean>
  /** @returns a key in any case; `until` only if it is good now (THREATS KE-07) */
  find(id: Id, now: number): Promise<FoundKey<AnchorKey>>
  /** Deletes all of a subscriber. */
  remove(supi: Supi): Promise<void>
  /** Deletes what has ended, some at a time. */
  removeExpired(now: number): Promise<void>
}

interface AnchorKeyOf<Id, AnchorKey> {
  readonly id: Id
  readonly key: AnchorKey
  /** `EecIdLists` makes it; nobody can change it without the data key */
  readonly eecIds?: Uint8Array
}

interface FoundKey<AnchorKey> {
  readonly key: AnchorKey
  readonly until: number | undefined
  /** as it was stored; empty if none was */
  readonly eecIds: Uint8Array
}

export type KedgeStore = AnchorKeyStore<KedgeId, Kedge>
export type KakmaStore = AnchorKeyStore<AKid, Kakma>

/** In milliseconds. */
interface AnchorKeyTimes {
  readonly now: number
  readonly lifetime: number
  readonly grace: number
}

interface AnchorKeyStoreOptions {
  readonly store: Store
  readonly dataKey: KeyObject
  readonly random: Pick<Random, 'octets'>
  readonly homeNetwork: HomeNetwork
}

/** What one kind of key differs in from the next. */
interface Kind<Id, Name extends 'Kedge' | 'KAKMA'> {
  readonly table: 'kedge' | 'kakma'
  readonly keyName: Name
  /** octets of the secret-looking part of its identifier */
  readonly idLength: number
  partsOf(id: Id): {
    readonly routingIndicator: RoutingIndicator
    readonly homeNetwork: HomeNetwork
    readonly octets: Buffer
  }
}

export const kedgeStore = (options: AnchorKeyStoreOptions): KedgeStore =>
  anchorKeyStore(
    {
      table: 'kedge',
      keyName: 'Kedge',
      idLength: 16,
      partsOf(kedgeId: KedgeId) {
        const { kid, ...parts } = kedgeIdParts(kedgeId)
        return { ...parts, octets: Buffer.from(kid, 'hex') }
      },
    },
    options,
  )

export const kakmaStore = (options: AnchorKeyStoreOptions): KakmaStore =>
  anchorKeyStore(
    {
      table: 'kakma',
      keyName: 'KAKMA',
      idLength: 32,
      partsOf(aKid: AKid) {
        const { aTid, ...parts } = aKidParts(aKid)
        return { ...parts, octets: Buffer.from(aTid, 'hex') }
      },
    },
    options,
  )

function statementsOn(table: string) {
  return {
    insert:
      `insert into ${table} (kid, subject, sealed, eec_ids, routing_indicator, expires_at, is_current) ` +
      'values (?, ?, ?, ?, ?, ?, 1)',
    forgetOlder: `delete from ${table} where subject = ? and is_current = 0`,
    endCurrent: `update ${table} set is_current = 0, expires_at = min(expires_at, ?) where subject = ? and is_current = 1`,
    /** One row in any case, and always as long: the one that is asked for, or the one that is given. */
    find:
      'select coalesce(found.kid, ?) as kid, coalesce(found.subject, ?) as subject, coalesce(found.sealed, ?) as sealed, ' +
      "coalesce(found.eec_ids, x'') as eec_ids, " +
      'coalesce(found.routing_indicator, ?) as routing_indicator, coalesce(found.expires_at, 0) as expires_at ' +
      `from (select ? as asked) left join ${table} as found on found.kid = asked`,
    remove: `delete from ${table} where subject = ?`,
    removeExpired: `delete from ${table} where kid in (select kid from ${table} where expires_at <= ? limit 1000)`,
  }
}

type Row = Omit<AnchorKeyRow, 'is_current'>

const NO_LIST = new Uint8Array()
/** Keeps a Kedge with a list from being taken for a KAKMA, whose kid is longer. */
const LIST_LABEL = Buffer.from('EEC IDs')

/** What a sealed key is good for. Without a list it is as before there were any. */
function boundOf({ kid, subject, eec_ids: eecIds }: Pick<Row, 'kid' | 'subject' | 'eec_ids'>): Buffer {
  return Buffer.concat([kid, subject, eecIds.length === 0 ? NO_LIST : LIST_LABEL, eecIds])
}

function anchorKeyStore<Id, Name extends 'Kedge' | 'KAKMA'>(
  { table, keyName, idLength, partsOf }: Kind<Id, Name>,
  { store, dataKey, random, homeNetwork }: AnchorKeyStoreOptions,
): AnchorKeyStore<Id, Key<Name>> {
  const sql = statementsOn(table)
  const subjectOf = keyedTags(dataKey, 'edgeward subject')
  const seal = (key: KeyObject, row: Parameters<typeof boundOf>[0]) =>
    withOctets(key, (octets) => sealSecret(dataKey, octets, boundOf(row), random.octets(12)))
  /** A row like any other, of no subscriber: what is not found is opened like what is. */
  const nobody = ((): Row => {
    const named = { kid: random.octets(idLength), subject: random.octets(TAG_LENGTH), eec_ids: NO_LIST }
    const sealed = seal(takeKey(keyName, random.octets(32)), named)
    return { ...named, sealed, routing_indicator: '', expires_at: 0 }
  })()
  const ours = realmOf(homeNetwork)

  return {
    async replace(supi, { key, id, eecIds = NO_LIST }, { now, lifetime, grace }) {
      const { routingIndicator, octets: kid } = partsOf(id)
      const subject = subjectOf(supi)
      const sealed = seal(key, { kid, subject, eec_ids: eecIds })
      const unit: Statement[] = [
        { sql: sql.forgetOlder, parameters: [subject] },
        { sql: sql.endCurrent, parameters: [now + grace, subject] },
        { sql: sql.insert, parameters: [kid, subject, sealed, eecIds, routingIndicator, now + lifetime] },
      ]
      try {
        await store.commit(unit)
        return true
      } catch (error) {
        if (error instanceof GuardFailed && error.guard === `${table}.kid`) return false
        throw error
      }
    },
    async find(id, now) {
      const { routingIndicator, homeNetwork: asked, octets } = partsOf(id)
      const parameters = [nobody.kid, nobody.subject, nobody.sealed, routingIndicator, octets]
      const [row = nobody] = await store.read<Row>({ sql: sql.find, parameters })
      const key = takeKey(keyName, openSecret(dataKey, row.sealed, boundOf(row)))
      const same = row.routing_indicator === routingIndicator && realmOf(asked) === ours
      const good = same && row.expires_at > now
      return { key, until: good ? row.expires_at : undefined, eecIds: row.eec_ids }
    },
    remove: (supi) => store.commit([{ sql: sql.remove, parameters: [subjectOf(supi)] }]),
    removeExpired: (now) => store.commit([{ sql: sql.removeExpired, parameters: [now] }]),
  }
}

/** With an MNC of 2 or of 3 digits it is the same realm. */
const realmOf = ({ nid = '', ...plmn }: HomeNetwork) => `${nid} ${plmnDomain(plmn)}`
