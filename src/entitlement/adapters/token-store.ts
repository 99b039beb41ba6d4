import type { Selectable } from 'kysely'
import { encodeBase64url } from '../../octets/base64url.ts'
import { sha256, sha256Base64url } from '../../octets/digest.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Random } from '../../ports/random.ts'
import { Refusal } from '../../spec/refusal.ts'
import type { Supi } from '../../spec/subscriber-identifiers.ts'
import { GuardFailed } from '../../store/errors.ts'
import { queriesOn, statement } from '../../store/queries.ts'
import type { Store } from '../../store/store.ts'
import type { AuditEvent } from '../audit.ts'
import type { AuthenticationTokenPorts } from '../authentication/authentication-token.ts'
import type { Grant } from '../operator-token/acquire.ts'
import type { EntitlementTables } from '../tables.ts'
import type { Terminal } from '../ts43/request.ts'

const db = queriesOn<EntitlementTables>()

export interface TokenStore {
  readonly store: Store
  readonly clock: Clock
  readonly random: Pick<Random, 'octets'>
}

interface Lifetimes {
  /** milliseconds */
  readonly authenticationTokenLifetime: number
  readonly temporaryTokenLifetime: number
}

const newToken = ({ random }: TokenStore) => encodeBase64url(random.octets(32))

/** Fast authentication and temporary tokens, of which only the hash is kept. */
export function authenticationTokens(ent: TokenStore, lifetimes: Lifetimes): AuthenticationTokenPorts {
  const { store, clock } = ent
  return {
    now: clock.now,
    authenticationTokenLifetime: lifetimes.authenticationTokenLifetime,
    async newAuthenticationToken(supi, terminal) {
      const token = newToken(ent)
      const expiresAt = clock.now() + lifetimes.authenticationTokenLifetime
      const row = {
        hash: sha256(token),
        supi,
        ...columnsOf(terminal),
        app_name: terminal.appName,
        expires_at: expiresAt,
      }
      await store.commit([statement(db.insertInto('authentication_token').values(row)), forgetOldest(supi)])
      return { token, expiresAt }
    },
    async findAuthenticationToken(token, terminal) {
      const query = db.selectFrom('authentication_token').selectAll().where('hash', '=', sha256(token))
      const [row] = await store.read<Selectable<EntitlementTables['authentication_token']>>(query.compile())
      const isTheirs = row !== undefined && isOf(row, terminal) && row.app_name === terminal.appName
      return isTheirs ? { supi: row.supi as Supi, expiresAt: row.expires_at } : undefined
    },
    async newTemporaryToken(supi, terminal, targets) {
      const token = newToken(ent)
      const expiresAt = clock.now() + lifetimes.temporaryTokenLifetime
      const row = {
        hash: sha256(token),
        supi,
        ...columnsOf(terminal),
        targets: targets.join(','),
        expires_at: expiresAt,
      }
      await store.commit([statement(db.insertInto('temporary_token').values(row))])
      return { token, expiresAt }
    },
    takeTemporaryToken: (token, terminal) => takeTemporaryToken(ent, sha256(token), terminal),
  }
}

/** Fast authentication tokens that one subscriber has at a time; a terminal without one authenticates in full. */
const MOST_TOKENS = 32

function forgetOldest(supi: Supi) {
  const youngest = db
    .selectFrom('authentication_token')
    .select('hash')
    .where('supi', '=', supi)
    .orderBy('expires_at', 'desc')
    .limit(MOST_TOKENS)
  return statement(db.deleteFrom('authentication_token').where('supi', '=', supi).where('hash', 'not in', youngest))
}

async function takeTemporaryToken({ store, clock }: TokenStore, hash: Buffer, terminal: Terminal) {
  const query = db.selectFrom('temporary_token').selectAll().where('hash', '=', hash)
  const [row] = await store.read<Selectable<EntitlementTables['temporary_token']>>(query.compile())
  if (row === undefined) return undefined
  try {
    await store.commit([
      statement(db.deleteFrom('temporary_token').where('hash', '=', hash), { rows: 1, otherwise: 'TAKEN' }),
    ])
  } catch (error) {
    if (error instanceof GuardFailed) return undefined
    throw error
  }
  const isGood = isOf(row, terminal) && row.expires_at > clock.now()
  return isGood ? { supi: row.supi as Supi, targets: row.targets.split(',') } : undefined
}

const columnsOf = ({ terminalId, app }: Terminal) => ({ terminal_id: terminalId, app })

function isOf(row: { readonly terminal_id: string; readonly app: string }, { terminalId, app }: Terminal): boolean {
  return row.terminal_id === terminalId && row.app === app
}

/**
 * Notes an operator token before it leaves, in the same commit that sees that its entitlement still stands.
 *
 * @throws Refusal NOT_ENTITLED
 */
export async function noteOperatorToken(
  { store, clock }: TokenStore,
  { entitlement, aud }: Grant,
  { jti, expiresAt }: { readonly jti: string; readonly expiresAt: number },
): Promise<void> {
  const { supi, eecId } = entitlement
  const standing = db
    .selectFrom('entitlement')
    .select(({ val }) => [val(jti).as('jti'), 'supi' as const, 'eec_id' as const, val(expiresAt).as('expires_at')])
    .where('eec_id', '=', eecId)
    .where('supi', '=', supi)
  const insertion = db
    .insertInto('operator_token')
    .columns(['jti', 'supi', 'eec_id', 'expires_at'])
    .expression(standing)
  const entry: AuditEvent = { event: 'operator-token-issued', eecId, aud, token: sha256Base64url(jti) }
  try {
    await store.commit([statement(insertion, { rows: 1, otherwise: 'NOT_ENTITLED' })], [{ at: clock.now(), entry }])
  } catch (error) {
    if (!(error instanceof GuardFailed)) throw error
    throw new Refusal('NOT_ENTITLED', 'the subscription does not entitle to this EEC ID')
  }
}

/** Whether a token that was issued has not been ended since. */
export async function isOperatorTokenGood({ store }: Pick<TokenStore, 'store'>, jti: string): Promise<boolean> {
  const query = db.selectFrom('operator_token').select('jti').where('jti', '=', jti)
  return (await store.read(query.compile())).length === 1
}

export async function removeExpiredTokens({ store }: Pick<TokenStore, 'store'>, now: number): Promise<void> {
  const tables = ['authentication_token', 'temporary_token', 'operator_token'] as const
  await store.commit(tables.map((table) => statement(db.deleteFrom(table).where('expires_at', '<=', now))))
}
