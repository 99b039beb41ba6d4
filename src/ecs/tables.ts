import type { CrlReason } from '../certificates/crl.ts'

/** What an ECS keeps. Times are milliseconds since 1970, members named `*_json` are JSON text. */
export interface EcsTables {
  registration: RegistrationTable
  onboarding_token: OnboardingTokenTable
  certificate: CertificateTable
  registered_key: RegisteredKeyTable
  ees_bar: EesBarTable
  revoked_token: RevokedTokenTable
  provisioning_subscription: ProvisioningSubscriptionTable
  crl: CrlTable
  peer: PeerTable
  setting: SettingTable
}

/** live: may use the ECS. The other states are final, kept for the record. */
export type RegistrationState = 'live' | 'expired' | 'deregistered' | 'revoked'

interface RegistrationTable {
  registration_id: string
  ees_id: string
  fqdn: string
  profile_json: string
  supp_feat: string | null
  /** counts the changes; the ETag is made of it */
  version: number
  state: RegistrationState
  /** what the EES asked for; null: as long as its certificate */
  asked_until: number | null
  /** never after the end of the newest certificate (D-6) */
  expires_at: number
  /** what else the operator admitted it with; null: nothing */
  admission_json: string | null
  created_at: number
  updated_at: number
}

/** A row exists once an onboarding token was used: its identifier is what makes the token single use (D-2). */
interface OnboardingTokenTable {
  jti: string
  registration_id: string
  spki_sha256: string
  used_at: number
}

/** intended: the serial is spoken for, the signature may or may not exist yet (THREATS CA-04). */
export type CertificateState = 'intended' | 'issued' | 'revoked'

interface CertificateTable {
  /** 32 lower case hexadecimal digits */
  serial: string
  registration_id: string
  spki_sha256: string
  state: CertificateState
  /** the authority that signs it, by the name of its folder; empty: the first one */
  issuer: string
  /** PEM, once it is issued */
  pem: string | null
  thumbprint: string | null
  not_after: number
  recorded_at: number
  revoked_at: number | null
  /** CRLReason of RFC 5280 5.3.1 by its name; null: unspecified */
  reason: CrlReason | null
}

/** A public key belongs to one registration, for good once that registration was revoked (THREATS ON-04). */
interface RegisteredKeyTable {
  spki_sha256: string
  registration_id: string
}

/** Onboarding tokens for this EES that were issued until then are no longer taken. */
interface EesBarTable {
  ees_id: string
  barred_until: number
}

interface RevokedTokenTable {
  jti: string
  expires_at: number
}

/** An EEC that wants to be told when its EESs change (TS 24.558 5.3). */
interface ProvisioningSubscriptionTable {
  subscription_id: string
  eec_id: string
  message_json: string
  /** what the subscriber wants to see in each notification, sealed */
  sealed_secret: Uint8Array
  /** counts what the subscriber changed */
  version: number
  /** digest of what the subscriber knows */
  told: string
  expires_at: number
  created_at: number
}

interface CrlTable {
  issuer: string
  number: number
}

/** Another ECS that the operator trusts, with what was learned of it. */
interface PeerTable {
  fqdn: string
  api_root: string
  roots_json: string
  name_space_json: string
  via: string | null
  /** the last trust bundle that changed something: compact JWS */
  bundle: string | null
}

interface SettingTable {
  name: string
  value: string
}

export const ECS_MIGRATIONS = [
  {
    name: '001-registrations-and-certificates',
    statements: [
      `create table registration (
         registration_id text primary key, ees_id text not null, fqdn text not null, profile_json text not null,
         supp_feat text, version integer not null, state text not null, asked_until integer,
         expires_at integer not null, created_at integer not null, updated_at integer not null)`,
      `create unique index registration_live_ees_id on registration (ees_id) where state = 'live'`,
      `create unique index registration_live_fqdn on registration (fqdn) where state = 'live'`,
      `create index registration_expiry on registration (expires_at) where state = 'live'`,
      `create table onboarding_token (
         jti text primary key, registration_id text not null, spki_sha256 text not null, used_at integer not null)`,
      `create table certificate (
         serial text primary key, registration_id text not null, spki_sha256 text not null, state text not null,
         pem text, thumbprint text, not_after integer not null, recorded_at integer not null,
         revoked_at integer, reason text)`,
      `create index certificate_registration on certificate (registration_id)`,
      `create index certificate_thumbprint on certificate (thumbprint)`,
      `create index certificate_revoked on certificate (not_after) where state = 'revoked'`,
      `create index certificate_intended on certificate (serial) where state = 'intended'`,
      `create table registered_key (spki_sha256 text primary key, registration_id text not null)`,
      `create index registered_key_registration on registered_key (registration_id)`,
      `create table ees_bar (ees_id text primary key, barred_until integer not null)`,
      `create table revoked_token (jti text primary key, expires_at integer not null)`,
      `create table crl (issuer text primary key, number integer not null)`,
      `create table setting (name text primary key, value text not null)`,
    ],
  },
  {
    name: '002-admission-and-times',
    statements: [
      `alter table registration add column admission_json text`,
      `create index registration_ees_id on registration (ees_id)`,
      `create index certificate_recorded on certificate (recorded_at) where state <> 'revoked'`,
    ],
  },
  {
    name: '003-peers',
    statements: [
      `create table peer (
         fqdn text primary key, api_root text not null, roots_json text not null, name_space_json text not null,
         via text, bundle text)`,
    ],
  },
  {
    name: 'provisioning-subscriptions',
    statements: [
      `create table provisioning_subscription (
         subscription_id text primary key, eec_id text not null, message_json text not null,
         sealed_secret blob not null, version integer not null, told text not null, expires_at integer not null,
         created_at integer not null)`,
      `create index provisioning_subscription_eec on provisioning_subscription (eec_id, expires_at)`,
      `create index provisioning_subscription_expiry on provisioning_subscription (expires_at)`,
    ],
  },
  {
    name: 'certificate-authorities',
    statements: [`alter table certificate add column issuer text not null default ''`],
  },
] as const
