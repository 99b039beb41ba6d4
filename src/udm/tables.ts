/** What a UDM keeps. Times are milliseconds since 1970; there are no booleans, so 1 is yes. */
export interface UdmTables {
  subscriber: SubscriberTable
  eec_id: EecIdTable
  auth_status: AuthStatusTable
}

interface SubscriberTable {
  supi: string
  gpsi: string | null
  /** K || OPc, sealed under the data key for this SUPI */
  sealed_keys: Uint8Array
  amf: number
  /** the last SQN that left in a vector */
  sqn_he: number
  routing_indicator: string
  auth_method: '5G_AKA' | 'EAP_AKA_PRIME'
  edge: 0 | 1
  akma: 0 | 1
}

/** Whose an EEC ID is; of a subscriber without one here, nothing is known. */
interface EecIdTable {
  eec_id: string
  supi: string
}

/** The latest confirmed authentication: TS 33.501 6.1.4.1a. */
interface AuthStatusTable {
  supi: string
  auth_event_id: string
  /** of the AUSF that confirmed it */
  nf_instance_id: string
  success: 0 | 1
  at: number
  auth_type: string
  serving_network_name: string
}

export const UDM_MIGRATIONS = [
  {
    name: '001-subscribers',
    statements: [
      `create table subscriber (
         supi text primary key, gpsi text, sealed_keys blob not null, amf integer not null, sqn_he integer not null,
         routing_indicator text not null, auth_method text not null, edge integer not null, akma integer not null)`,
      `create unique index subscriber_gpsi on subscriber (gpsi) where gpsi is not null`,
      `create table auth_status (
         supi text primary key, auth_event_id text not null, nf_instance_id text not null, success integer not null,
         at integer not null, auth_type text not null, serving_network_name text not null)`,
    ],
  },
  {
    name: '002-eec-ids',
    statements: [
      `create table eec_id (eec_id text primary key, supi text not null) without rowid`,
      `create index eec_id_supi on eec_id (supi)`,
    ],
  },
] as const
