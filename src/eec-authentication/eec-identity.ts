import type { Method } from '../spec/authentication-methods.ts'
import { refuseUnless } from '../spec/refusal.ts'
import type { EecId, Gpsi } from '../spec/subscriber-identifiers.ts'

/** An EEC that has authenticated. What a request says of its sender is compared with this, whatever the method was. */
export interface EecIdentity<Claims = object> {
  readonly eecId: EecId
  /** of its subscriber, if the credential tells */
  readonly gpsi?: Gpsi
  readonly method: Method
  /** RFC 7638 thumbprint of the key that was proven with this request */
  readonly jkt?: string
  /** what the credential says in full */
  readonly claims: Claims
}

/**
 * `eecId`, and `requestorId` where an EEC asks: D-16, THREATS NG-04.
 *
 * @throws Refusal EEC_MISMATCH
 */
export function checkEecId({ eecId }: Pick<EecIdentity, 'eecId'>, named: string): void {
  refuseUnless(named === eecId, 'EEC_MISMATCH', 'the request names another EEC than the one that has authenticated')
}

/**
 * `ueId`, which an EEC may leave out: a GPSI that the credential does not tell is not believed (D-16).
 *
 * @throws Refusal EEC_MISMATCH
 */
export function checkUeId({ gpsi }: Pick<EecIdentity, 'gpsi'>, named: string | undefined): void {
  refuseUnless(named === undefined || named === gpsi, 'EEC_MISMATCH', 'ueId is not the UE that has authenticated')
}
