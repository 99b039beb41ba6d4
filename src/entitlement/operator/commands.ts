import type { SigningKey } from '../signing/signing-keys.ts'

/** What the operator says of one EEC. */
export interface EecRecord {
  readonly supi: string
  readonly eecId: string
  readonly gpsi?: string
}

export interface EecPage {
  readonly eecs: readonly EecRecord[]
  /** present if there are more: the EEC ID that this page ended with */
  readonly next?: string
}

/** A key for tokens that waits for its certificate. */
export interface NewSigningKey {
  readonly kid: string
  /** SubjectPublicKeyInfo, DER in base64 */
  readonly publicKey: string
}

/** What an operator can do: the same while the server serves, through its `admin` listener, and while it does not. */
export interface EntitlementCommands {
  /** Lets a subscriber use an EEC ID. @throws Refusal EEC_ID_IN_USE, MANDATORY_IE_INCORRECT, OPTIONAL_IE_INCORRECT */
  allow(record: EecRecord): Promise<void>
  /** Ends it, with every token of it. @throws Refusal NOT_ENTITLED if there is nothing to end */
  deny(record: Pick<EecRecord, 'supi' | 'eecId'>): Promise<void>
  /** In the order of the EEC IDs. */
  list(after?: string): Promise<EecPage>
  /** Ends all that a subscriber has: entitlements, operator tokens, fast authentication (THREATS EN-06). */
  withdraw(supi: string): Promise<{ readonly eecIds: readonly string[] }>
  newSigningKey(): Promise<NewSigningKey>
  /** @param chain - PEM: the certificate, then its issuers. @throws Refusal SIGNING_KEY_NOT_ACCEPTED */
  installSigningKey(installation: {
    readonly chain: string
    readonly replacesAll: boolean
  }): Promise<Pick<SigningKey, 'kid' | 'signsFrom'>>
}
