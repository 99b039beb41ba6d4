import { type Selectable, sql } from 'kysely'
import type { EesId, Fqdn, RegistrationId } from '../../spec/identifiers.ts'
import type { EESProfile } from '../../spec/messages/ees-registration.ts'
import { Refusal } from '../../spec/refusal.ts'
import { GuardFailed } from '../../store/errors.ts'
import { prepared, queriesOn, statement } from '../../store/queries.ts'
import type { LedgerEntry, Statement, Store } from '../../store/store.ts'
import type { AuditEvent } from '../audit.ts'
import type { IndexedRegistration } from '../provisioning/registration-index.ts'
import type { Admission, Registration } from '../registrar/registration.ts'
import type { EcsTables, RegistrationState } from '../tables.ts'

export const db = queriesOn<EcsTables>()

/** What the guards of the statements, and the unique indexes, mean to the peer. */
const REFUSALS: Record<string, () => Refusal> = {
  'onboarding_token.jti': () => new Refusal('ONBOARDING_TOKEN_USED', 'the onboarding token was used before'),
  'registration.ees_id': () => new Refusal('EES_ALREADY_REGISTERED', 'an EES of this identity is registered already'),
  'registration.fqdn': () => new Refusal('EES_ALREADY_REGISTERED', 'an EES of this name is registered already'),
  PUBLIC_KEY_IN_USE: () => new Refusal('PUBLIC_KEY_IN_USE', 'the public key belongs to another registration'),
  PRECONDITION_FAILED: () => new Refusal('PRECONDITION_FAILED', 'the registration has changed'),
  REGISTRATION_NOT_FOUND: () => new Refusal('REGISTRATION_NOT_FOUND', 'the registration has ended'),
  CLOCK_BEHIND: () => new Refusal('NF_CONGESTION', 'the clock of the ECS is behind what it has signed'),
  CERTIFICATE_REVOKED: () => new Refusal('CERTIFICATE_REVOKED', 'the certificate was revoked before it was handed out'),
  ONBOARDING_TOKEN_INVALID: () => new Refusal('ONBOARDING_TOKEN_INVALID', 'the onboarding token is withdrawn'),
}

/** One unit of work with its entries in the audit trail; what a guard says becomes the refusal of its name. */
export async function commit(
  store: Store,
  at: number,
  unit: readonly Statement[],
  ...events: AuditEvent[]
): Promise<void> {
  const entries: LedgerEntry[] = events.map((entry) => ({ at, entry }))
  try {
    await store.commit(unit, entries)
  } catch (error) {
    const refusal = error instanceof GuardFailed ? REFUSALS[error.guard]?.() : undefined
    throw refusal ?? error
  }
}

export type RegistrationRow = Selectable<EcsTables['registration']>

export function toRegistration(row: RegistrationRow): Registration {
  return {
    registrationId: row.registration_id as RegistrationId,
    eesId: row.ees_id as EesId,
    fqdn: row.fqdn as Fqdn,
    ...(row.admission_json !== null && { admission: JSON.parse(row.admission_json) as Admission }),
    eesProf: JSON.parse(row.profile_json) as EESProfile,
    ...(row.supp_feat !== null && { suppFeat: row.supp_feat }),
    version: row.version,
    state: row.state,
    ...(row.asked_until !== null && { askedUntil: row.asked_until }),
    expiresAt: row.expires_at,
  }
}

/** An identity is a registration identifier or else an EES ID, of which the live registration is meant, or else the last. */
export async function findRegistration(store: Store, id: string): Promise<Registration | undefined> {
  return (await findByRegistrationId(store, id)) ?? findByEesId(store, id)
}

const byRegistrationId = prepared(({ registrationId }: { registrationId: string }) =>
  db.selectFrom('registration').selectAll().where('registration_id', '=', registrationId),
)

export async function findByRegistrationId(store: Store, registrationId: string): Promise<Registration | undefined> {
  const [row] = await store.read<RegistrationRow>(byRegistrationId({ registrationId }))
  return row && toRegistration(row)
}

async function findByEesId(store: Store, eesId: string): Promise<Registration | undefined> {
  const query = db
    .selectFrom('registration')
    .selectAll()
    .where('ees_id', '=', eesId)
    .orderBy((by) => by.case().when('state', '=', 'live').then(0).else(1).end())
    .orderBy('created_at', 'desc')
    .limit(1)
  const [row] = await store.read<RegistrationRow>(query.compile())
  return row && toRegistration(row)
}

/** Oldest first, a page at a time. */
export async function listRegistrations(store: Store, after: string, limit: number): Promise<Registration[]> {
  const query = db
    .selectFrom('registration')
    .selectAll()
    .where('registration_id', '>', after)
    .orderBy('registration_id')
    .limit(limit)
  return (await store.read<RegistrationRow>(query.compile())).map(toRegistration)
}

/** All that live now in the order in which they were stored, page by page: there may be many, and a start waits for them. */
export async function* liveRegistrations(store: Store, now: number): AsyncIterable<IndexedRegistration[]> {
  const limit = 500
  let last = 0
  for (;;) {
    const query = db
      .selectFrom('registration')
      .select([
        'registration_id',
        'ees_id',
        'fqdn',
        'profile_json',
        'state',
        'expires_at',
        sql<number>`rowid`.as('row'),
      ])
      .where(sql<number>`rowid`, '>', last)
      .where('state', '=', 'live')
      .where('expires_at', '>', now)
      .orderBy(sql`rowid`)
      .limit(limit)
    const rows = await store.read<RegistrationRow & { row: number }>(query.compile())
    yield rows.map((row) => ({
      registrationId: row.registration_id as RegistrationId,
      eesId: row.ees_id as EesId,
      fqdn: row.fqdn as Fqdn,
      eesProf: JSON.parse(row.profile_json) as EESProfile,
      state: row.state,
      expiresAt: row.expires_at,
    }))
    if (rows.length < limit) return
    last = rows.at(-1)?.row ?? last
  }
}

const liveByFqdn = prepared(({ fqdn }: { fqdn: string }) =>
  db
    .selectFrom('registration')
    .select(['ees_id', 'fqdn', 'state', 'expires_at'])
    .where('fqdn', '=', fqdn)
    .where('state', '=', sql.lit('live')),
)

/** Without its profile: it is looked for whenever another EES wants a token for it. */
export async function findLiveByFqdn(
  store: Store,
  fqdn: string,
): Promise<Pick<Registration, 'eesId' | 'fqdn' | 'state' | 'expiresAt'> | undefined> {
  const [row] = await store.read<RegistrationRow>(liveByFqdn({ fqdn }))
  return row && { eesId: row.ees_id as EesId, fqdn: row.fqdn as Fqdn, state: row.state, expiresAt: row.expires_at }
}

/** @returns live registrations whose time has passed, the oldest first */
export async function expiredRegistrations(store: Store, now: number, limit: number): Promise<Registration[]> {
  const query = db
    .selectFrom('registration')
    .selectAll()
    .where('state', '=', 'live')
    .where('expires_at', '<=', now)
    .orderBy('expires_at')
    .limit(limit)
  return (await store.read<RegistrationRow>(query.compile())).map(toRegistration)
}

const insertion = prepared((row: RegistrationRow) => db.insertInto('registration').values(row))

/** The row of a registration that is new. */
export function insertRegistration(registration: Registration, now: number): Statement {
  return insertion({
    registration_id: registration.registrationId,
    ees_id: registration.eesId,
    fqdn: registration.fqdn,
    admission_json: registration.admission === undefined ? null : JSON.stringify(registration.admission),
    profile_json: JSON.stringify(registration.eesProf),
    supp_feat: registration.suppFeat ?? null,
    version: registration.version,
    state: registration.state,
    asked_until: registration.askedUntil ?? null,
    expires_at: registration.expiresAt,
    created_at: now,
    updated_at: now,
  })
}

/**
 * The next version of a registration, unless it changed or ended since it was read.
 *
 * @param end - of its newest certificate, from which its own end was made: a newer one is a change as well
 */
export function updateRegistration(next: Registration, end: number, now: number): Statement {
  return statement(nextVersion(next, 'live', end, now), { rows: 1, otherwise: 'PRECONDITION_FAILED' })
}

/** An expired registration lives again, unless somebody was faster. */
export function reviveRegistration(next: Registration, end: number, now: number): Statement {
  return statement(nextVersion(next, 'expired', end, now), { rows: 1, otherwise: 'PRECONDITION_FAILED' })
}

function nextVersion(next: Registration, before: RegistrationState, end: number, now: number) {
  const newestEnd = db
    .selectFrom('certificate')
    .select((select) => select.fn.max('not_after').as('end'))
    .where('registration_id', '=', next.registrationId)
    .where('state', '=', 'issued')
  return db
    .updateTable('registration')
    .set({
      state: next.state,
      profile_json: JSON.stringify(next.eesProf),
      supp_feat: next.suppFeat ?? null,
      version: next.version,
      asked_until: next.askedUntil ?? null,
      expires_at: next.expiresAt,
      updated_at: now,
    })
    .where('registration_id', '=', next.registrationId)
    .where('version', '=', next.version - 1)
    .where('state', '=', before)
    .where(newestEnd, '=', end)
}
