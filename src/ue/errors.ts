/** The folder, the subscription or a name is not one that this UE can start from. Nothing was sent. */
export class NotUsable extends Error {
  override readonly name = 'NotUsable'
}

/**
 * - `mac-failure`: the challenge does not come from the home network, or was changed
 * - `non-5g-authentication`: the separation bit is not set, so CK and IK could be known outside 5G
 * - `synchronisation-failure`: SQN was not fresh, and it was not after a resynchronisation either
 * - `network-name-mismatch`: the challenge was made for another serving network
 * - `method-not-supported`: neither 5G AKA nor EAP-AKA', or a message that has no place in it
 * - `hres-mismatch`: the SEAF refuses RES*
 * - `rejected`: the home network says no
 * - `anchor-key-mismatch`: both sides speak of success and do not have the same key
 */
export type AuthenticationFailure =
  | 'mac-failure'
  | 'non-5g-authentication'
  | 'synchronisation-failure'
  | 'network-name-mismatch'
  | 'method-not-supported'
  | 'hres-mismatch'
  | 'rejected'
  | 'anchor-key-mismatch'

const SENTENCES: Readonly<Record<AuthenticationFailure, string>> = {
  'mac-failure': 'the challenge does not come from the home network of this USIM',
  'non-5g-authentication': 'the challenge is not one of 5G',
  'synchronisation-failure': 'the sequence number is not fresh, also after a resynchronisation',
  'network-name-mismatch': 'the challenge is for another serving network',
  'method-not-supported': "the home network asks for what neither 5G AKA nor EAP-AKA' has",
  'hres-mismatch': 'the answer of the UE is not the one that the serving network expects',
  rejected: 'the home network rejects the UE',
  'anchor-key-mismatch': 'the home network and the UE do not have the same key',
}

/** Primary authentication has failed. No key came out of it, and the keys of the last success stay as they are. */
export class AuthenticationFailed extends Error {
  override readonly name = 'AuthenticationFailed'
  readonly reason: AuthenticationFailure

  constructor(reason: AuthenticationFailure, options?: ErrorOptions) {
    super(SENTENCES[reason], options)
    this.reason = reason
  }
}
