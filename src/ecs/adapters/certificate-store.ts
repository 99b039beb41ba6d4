import type { Selectable } from 'kysely'
import { sql } from 'kysely'
import type { CrlReason, RevokedCertificate } from '../../certificates/crl.ts'
import type { EesId, RegistrationId } from '../../spec/identifiers.ts'
import { prepared, statement } from '../../store/queries.ts'
import type { Statement, Store } from '../../store/store.ts'
import type { Intent, IssuedCertificate, ProvenKey } from '../certificate-authority/certify.ts'
import type { Ending } from '../registrar/end-registration.ts'
import type { Registration } from '../registrar/registration.ts'
import type { EcsTables, RegistrationState } from '../tables.ts'
import { db, type RegistrationRow, toRegistration } from './registration-store.ts'

export type CertificateRow = Selectable<EcsTables['certificate']>

const REASONS: Record<Ending, CrlReason> = {
  revoked: 'privilegeWithdrawn',
  deregistered: 'cessationOfOperation',
  expired: 'cessationOfOperation',
}

const keyReservation = prepared((values: { spki: string; registration: string }) =>
  db
    .insertInto('registered_key')
    .values({ spki_sha256: values.spki, registration_id: values.registration })
    .onConflict((conflict) =>
      conflict
        .column('spki_sha256')
        .doUpdateSet({ registration_id: values.registration })
        .where('registered_key.registration_id', '=', values.registration),
    ),
)

/** A key is the registration's from now on, unless it is another's. */
export function reserveKey({ spkiSha256 }: ProvenKey, registrationId: RegistrationId): Statement {
  const query = keyReservation({ spki: spkiSha256, registration: registrationId })
  return { ...query, expect: { rows: 1, otherwise: 'PUBLIC_KEY_IN_USE' } }
}

const intention = prepared(
  (values: { serial: string; registration: string; spki: string; issuer: string; notAfter: number; now: number }) =>
    db.insertInto('certificate').values({
      serial: values.serial,
      registration_id: values.registration,
      spki_sha256: values.spki,
      state: 'intended',
      issuer: values.issuer,
      pem: null,
      thumbprint: null,
      not_after: values.notAfter,
      recorded_at: values.now,
      revoked_at: null,
      reason: null,
    }),
)

export function insertIntent(intent: Intent, registrationId: RegistrationId, key: ProvenKey, now: number): Statement {
  const { serial, notAfter, issuer } = intent
  return intention({ serial, registration: registrationId, spki: key.spkiSha256, issuer, notAfter, now })
}

/** Holds only while the registration lives, so that no renewal outruns a revocation (THREATS ON-12). */
export function guardLive(registrationId: RegistrationId): Statement {
  return { ...liveRegistration({ registrationId }), expect: { rows: 1, otherwise: 'REGISTRATION_NOT_FOUND' } }
}

const liveRegistration = prepared(({ registrationId }: { registrationId: string }) =>
  db
    .updateTable('registration')
    .set((values) => ({ state: values.ref('state') }))
    .where('registration_id', '=', registrationId)
    .where('state', '=', 'live'),
)

/** How far the clock may go back before nothing is signed any more. */
const TOLERATED = 10 * 60_000

const recordedAfter = prepared(({ time }: { time: number }) =>
  db
    .selectFrom('certificate')
    .select(['serial', 'registration_id'])
    .where('recorded_at', '>', time)
    .where('state', '!=', 'revoked')
    .limit(1),
)

/**
 * Holds unless a certificate was recorded in what this clock calls the future: then the clock is wrong, or was
 * (THREATS CA-08). Revoked ones do not count, so an ECS whose clock was ahead signs again when what it signed then is revoked.
 */
export function guardClock(now: number): Statement {
  return { ...recordedAfter({ time: now + TOLERATED }), expect: { rows: 0, otherwise: 'CLOCK_BEHIND' } }
}

/** @returns a certificate that {@link guardClock} finds, for the operator to see */
export async function recordedAhead(store: Store, now: number) {
  type Row = Pick<CertificateRow, 'serial' | 'registration_id'>
  const [row] = await store.read<Row>(recordedAfter({ time: now + TOLERATED }))
  return row && { serial: row.serial, registrationId: row.registration_id }
}

const issue = prepared((values: { serial: string; pem: string; thumbprint: string; now: number }) =>
  db
    .updateTable('certificate')
    .set({ state: 'issued', pem: values.pem, thumbprint: values.thumbprint, recorded_at: values.now })
    .where('serial', '=', values.serial)
    .where('state', '=', 'intended'),
)

export function markIssued({ serial, chain, thumbprint }: IssuedCertificate, now: number): Statement {
  const query = issue({ serial, pem: chain, thumbprint, now })
  return { ...query, expect: { rows: 1, otherwise: 'CERTIFICATE_REVOKED' } }
}

const extension = prepared((values: { registration: string; notAfter: number; now: number }) => {
  const { notAfter } = values
  const end = sql<number>`case when asked_until is null or asked_until > ${notAfter} then ${notAfter} else asked_until end`
  return db
    .updateTable('registration')
    .set({ expires_at: end, version: sql<number>`version + (expires_at <> ${end})`, updated_at: values.now })
    .where('registration_id', '=', values.registration)
    .where('state', '=', 'live')
})

/** The registration lives as long as it asked to, but never longer than its newest certificate (D-6). */
export function extendRegistration(registrationId: RegistrationId, notAfter: number, now: number): Statement {
  const query = extension({ registration: registrationId, notAfter, now })
  return { ...query, expect: { rows: 1, otherwise: 'REGISTRATION_NOT_FOUND' } }
}

export function revokeIntent(serial: string, now: number): Statement {
  return statement(
    db
      .updateTable('certificate')
      .set({ state: 'revoked', revoked_at: now, reason: null })
      .where('serial', '=', serial)
      .where('state', '=', 'intended'),
  )
}

/** At start: what was intended before and not finished shall never be valid (THREATS CA-04). */
export async function unfinishedIntents(store: Store): Promise<string[]> {
  const query = db.selectFrom('certificate').select('serial').where('state', '=', 'intended')
  return (await store.read<{ serial: string }>(query.compile())).map(({ serial }) => serial)
}

/** The registration ends, with it its certificates, and its keys are set free unless they are distrusted. */
export function endRegistration({ registrationId, eesId }: Registration, ending: Ending, now: number): Statement[] {
  const end = statement(endOf(registrationId, ending, now), { rows: 1, otherwise: 'REGISTRATION_NOT_FOUND' })
  const revocation = revocationOf(ending, now)
  if (ending === 'revoked') {
    // An earlier registration that has expired may have left the EES a certificate as well.
    const all = db.selectFrom('registration').select('registration_id').where('ees_id', '=', eesId)
    return [end, statement(revocation.where('registration_id', 'in', all)), statement(barOf(eesId, now))]
  }
  const free = db.deleteFrom('registered_key').where('registration_id', '=', registrationId)
  return [end, statement(revocation.where('registration_id', '=', registrationId)), statement(free)]
}

/** The registration is over for now; its EES keeps certificate and key (D-8). */
export function suspendRegistration({ registrationId }: Registration, now: number): Statement[] {
  return [statement(endOf(registrationId, 'expired', now), { rows: 1, otherwise: 'REGISTRATION_NOT_FOUND' })]
}

/** An expired registration may have kept its certificate, and with it the way back: only a revocation takes both. */
export function endableStates(ending: Ending): readonly RegistrationState[] {
  return ending === 'revoked' ? ['live', 'expired'] : ['live']
}

function endOf(registrationId: RegistrationId, ending: Ending, now: number) {
  return db
    .updateTable('registration')
    .set({ state: ending, updated_at: now, version: sql<number>`version + 1` })
    .where('registration_id', '=', registrationId)
    .where('state', 'in', endableStates(ending))
}

function revocationOf(ending: Ending, now: number) {
  return db
    .updateTable('certificate')
    .set({ state: 'revoked', revoked_at: now, reason: REASONS[ending] })
    .where('state', '!=', 'revoked')
}

function barOf(eesId: string, now: number) {
  return db
    .insertInto('ees_bar')
    .values({ ees_id: eesId, barred_until: now })
    .onConflict((conflict) => conflict.column('ees_id').doUpdateSet({ barred_until: now }))
}

export interface KnownCertificate {
  readonly certificate: Pick<CertificateRow, 'state' | 'thumbprint'>
  readonly registration: Registration
}

const certificateWithRegistration = prepared(({ serial }: { serial: string }) =>
  db
    .selectFrom('certificate')
    .innerJoin('registration', 'registration.registration_id', 'certificate.registration_id')
    .selectAll('registration')
    .select(['certificate.state as certificate_state', 'certificate.thumbprint as thumbprint'])
    .where('certificate.serial', '=', serial),
)

/** What is on record of a certificate, and the registration it was issued for: asked at every request. */
export async function findCertificate(store: Store, serial: string): Promise<KnownCertificate | undefined> {
  type Row = RegistrationRow & Pick<CertificateRow, 'thumbprint'> & { certificate_state: CertificateRow['state'] }
  const [row] = await store.read<Row>(certificateWithRegistration({ serial }))
  if (row === undefined) return undefined
  const { certificate_state: state, thumbprint } = row
  return { certificate: { state, thumbprint }, registration: toRegistration(row) }
}

export async function certificatesOf(store: Store, registrationId: string): Promise<CertificateRow[]> {
  const query = db
    .selectFrom('certificate')
    .selectAll()
    .where('registration_id', '=', registrationId)
    .orderBy('recorded_at', 'desc')
  return store.read<CertificateRow>(query.compile())
}

/** @returns when the newest certificate of the registration ends, in milliseconds */
export async function newestEnd(store: Store, registrationId: RegistrationId): Promise<number> {
  const query = db
    .selectFrom('certificate')
    .select((select) => select.fn.max('not_after').as('end'))
    .where('registration_id', '=', registrationId)
    .where('state', '=', 'issued')
  const [row] = await store.read<{ end: number | null }>(query.compile())
  return row?.end ?? 0
}

/**
 * Revoked certificates that had not ended by then, as the revocation list wants them.
 *
 * @param issuer - the authority that signed them
 */
export async function revokedSince(store: Store, issuer: string, notAfter: number): Promise<RevokedCertificate[]> {
  const query = db
    .selectFrom('certificate')
    .select(['serial', 'revoked_at', 'reason'])
    .where('state', '=', 'revoked')
    .where('not_after', '>=', notAfter)
    .where('issuer', '=', issuer)
  const rows = await store.read<Pick<CertificateRow, 'serial' | 'revoked_at' | 'reason'>>(query.compile())
  return rows.map(({ serial, revoked_at, reason }) => ({
    serial,
    revokedAt: revoked_at ?? 0,
    ...(reason !== null && { reason }),
  }))
}

/** Milliseconds: what an EES has asked with its last certificate is answered by then. */
const CHANGED = 10_000

/** EESs with a certificate of this authority that is good, and none of another one, or not long enough to be used alone. */
export async function holdersOf(store: Store, issuer: string, now: number): Promise<EesId[]> {
  const good = db
    .selectFrom('certificate')
    .select('registration_id')
    .where('state', '=', 'issued')
    .where('not_after', '>', now)
  const query = db
    .selectFrom('registration')
    .select('ees_id')
    .where('registration_id', 'in', good.where('issuer', '=', issuer))
    .where('registration_id', 'not in', good.where('issuer', '!=', issuer).where('recorded_at', '<=', now - CHANGED))
    .orderBy('ees_id')
  const rows = await store.read<{ ees_id: string }>(query.compile())
  return rows.map(({ ees_id }) => ees_id as EesId)
}

export async function lastCrlNumber(store: Store, issuer: string): Promise<number> {
  const query = db.selectFrom('crl').select('number').where('issuer', '=', issuer)
  const [row] = await store.read<{ number: number }>(query.compile())
  return row?.number ?? 0
}

export function recordCrlNumber(issuer: string, number: number): Statement {
  return statement(
    db
      .insertInto('crl')
      .values({ issuer, number })
      .onConflict((conflict) => conflict.column('issuer').doUpdateSet({ number })),
  )
}

/** By the thumbprint that a token is bound to. */
export async function findByThumbprint(store: Store, thumbprint: string): Promise<KnownCertificate | undefined> {
  const query = db.selectFrom('certificate').select('serial').where('thumbprint', '=', thumbprint)
  const [row] = await store.read<{ serial: string }>(query.compile())
  return row && findCertificate(store, row.serial)
}
