/** What an EES keeps. Times are milliseconds since 1970, members named `*_json` are JSON text. */
export interface EesTables {
  eec_registration: EecRegistrationTable
  received_context: ReceivedContextTable
  eas_registration: EasRegistrationTable
  subscription: SubscriptionTable
}

/** An EEC at this EES, and its context: one row for each EEC. */
interface EecRegistrationTable {
  registration_id: string
  eec_id: string
  context_id: string
  gpsi: string | null
  /** EECRegistration, without what stands in the other columns */
  content_json: string
  /** what only an EES says of an EEC: the rest of EECContext */
  carried_json: string
  /** counts the changes */
  version: number
  expires_at: number
  /** `https://FQDN[:PORT]` of the EES that the context is on its way to; null: it is on no way */
  moving_to: string | null
}

/** A context that another EES has pushed: the same push again is answered alike, whatever became of the EEC since. */
interface ReceivedContextTable {
  /** FQDN of the EES that pushed it */
  source: string
  context_id: string
  eec_id: string
  registration_id: string
  expires_at: number
}

interface EasRegistrationTable {
  registration_id: string
  eas_id: string
  /** EASProfile */
  profile_json: string
  expires_at: number
}

interface SubscriptionTable {
  subscription_id: string
  eec_id: string
  /** EasDiscoverySubscription, without its end */
  content_json: string
  /** what each notification shows, sealed under the data key for this subscription */
  sealed_secret: Uint8Array
  expires_at: number
}

export const EES_MIGRATIONS = [
  {
    name: '001-services',
    statements: [
      `create table eec_registration (
         registration_id text primary key, eec_id text not null unique, context_id text not null unique, gpsi text,
         content_json text not null, carried_json text not null, version integer not null, expires_at integer not null,
         moving_to text) strict`,
      `create index eec_registration_expiry on eec_registration (expires_at)`,
      `create table received_context (
         source text not null, context_id text not null, eec_id text not null, registration_id text not null,
         expires_at integer not null, primary key (source, context_id)) strict`,
      `create table eas_registration (
         registration_id text primary key, eas_id text not null unique, profile_json text not null,
         expires_at integer not null) strict`,
      `create table subscription (
         subscription_id text primary key, eec_id text not null, content_json text not null,
         sealed_secret blob not null, expires_at integer not null) strict`,
      `create index subscription_eec on subscription (eec_id)`,
    ],
  },
] as const
