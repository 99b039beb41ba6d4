/**
 * What an AUSF keeps: one Kedge or KAKMA, times in milliseconds since 1970. There may be a million of them, so a row
 * says no more than it must (about 250 octets with its indexes).
 */
export interface AnchorKeyRow {
  /** the 16 octets of the Kedge ID, or A-TID of 32 */
  kid: Uint8Array
  /** 16 octets that stand for the SUPI: HMAC under a key of this AUSF */
  subject: Uint8Array
  /** the key, sealed under the data key for this kid, this subject and these EEC IDs */
  sealed: Uint8Array
  routing_indicator: string
  expires_at: number
  /** 1 until a new authentication replaces it; then it ends at the end of its grace, which `expires_at` is set to */
  is_current: 0 | 1
  /** 16 octets for each EEC ID of the subscriber; none where the UDM lists none, and none of a KAKMA */
  eec_ids: Uint8Array
}

export const AUSF_MIGRATIONS = [
  {
    name: '001-kedge',
    statements: [
      `create table kedge (
         kid blob primary key, subject blob not null, sealed blob not null, routing_indicator text not null,
         expires_at integer not null, is_current integer not null) without rowid`,
      `create index kedge_subject on kedge (subject)`,
      `create index kedge_expiry on kedge (expires_at)`,
    ],
  },
  {
    name: '002-kakma',
    statements: [
      `create table kakma (
         kid blob primary key, subject blob not null, sealed blob not null, routing_indicator text not null,
         expires_at integer not null, is_current integer not null) without rowid`,
      `create index kakma_subject on kakma (subject)`,
      `create index kakma_expiry on kakma (expires_at)`,
    ],
  },
  {
    name: '003-eec-ids',
    statements: [
      `alter table kedge add column eec_ids blob not null default x''`,
      `alter table kakma add column eec_ids blob not null default x''`,
    ],
  },
] as const
