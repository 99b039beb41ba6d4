/**
 * What an entitlement configuration server keeps. Times are milliseconds since 1970; tokens stand here as SHA-256 only.
 */
export interface EntitlementTables {
  entitlement: EntitlementTable
  authentication_token: AuthenticationTokenTable
  temporary_token: TemporaryTokenTable
  operator_token: OperatorTokenTable
  signing_key: SigningKeyTable
}

/** Which EEC IDs a subscriber may use: the operator says so. */
interface EntitlementTable {
  eec_id: string
  supi: string
  gpsi: string | null
  allowed_at: number
}

/** For fast authentication: TS.43 2.8.5. */
interface AuthenticationTokenTable {
  hash: Uint8Array
  supi: string
  terminal_id: string
  app: string
  app_name: string
  expires_at: number
}

/** TS.43 2.8.6. */
interface TemporaryTokenTable {
  hash: Uint8Array
  supi: string
  terminal_id: string
  app: string
  /** names of operations, separated by commas */
  targets: string
  expires_at: number
}

/** What was issued and is still good: a row that is gone ends its token (THREATS EN-06). */
interface OperatorTokenTable {
  jti: string
  supi: string
  eec_id: string
  expires_at: number
}

interface SigningKeyTable {
  /** RFC 7638 thumbprint */
  kid: string
  /** PKCS#8, sealed under the data key for this kid; null once it signs no more */
  sealed_key: Uint8Array | null
  /** PEM; null until it is certified */
  certificate_chain: string | null
  signs_from: number | null
  /** null while no other key takes its place */
  published_until: number | null
}

export const ENTITLEMENT_MIGRATIONS = [
  {
    name: '001-entitlements',
    statements: [
      `create table entitlement (
         eec_id text primary key, supi text not null, gpsi text, allowed_at integer not null)`,
      `create index entitlement_supi on entitlement (supi)`,
      `create table authentication_token (
         hash blob primary key, supi text not null, terminal_id text not null, app text not null,
         app_name text not null, expires_at integer not null)`,
      `create index authentication_token_supi on authentication_token (supi)`,
      `create index authentication_token_end on authentication_token (expires_at)`,
      `create table temporary_token (
         hash blob primary key, supi text not null, terminal_id text not null, app text not null,
         targets text not null, expires_at integer not null)`,
      `create index temporary_token_supi on temporary_token (supi)`,
      `create index temporary_token_end on temporary_token (expires_at)`,
      `create table operator_token (
         jti text primary key, supi text not null, eec_id text not null, expires_at integer not null)`,
      `create index operator_token_supi on operator_token (supi)`,
      `create index operator_token_end on operator_token (expires_at)`,
      `create table signing_key (
         kid text primary key, sealed_key blob, certificate_chain text, signs_from integer, published_until integer)`,
    ],
  },
] as const
