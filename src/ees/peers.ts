import type { EecIdentity } from '../eec-authentication/eec-identity.ts'
import type { Caller } from './guard/guard.ts'

/** What a client can be at an EES: each credential has one authenticator, and each route declares one. */
export interface EesPeers {
  /** an EEC, by a token of our ECS or of an entitlement server, and the key that it is bound to */
  readonly eec: EecIdentity
  /** an EES, by its certificate and by a token of our ECS that was issued to that certificate for us */
  readonly token: Caller
  /** an EAS, by a certificate of an authority that the operator of this EES has configured */
  readonly eas: EasPeer
}

export interface EasPeer {
  readonly easId: string
}
