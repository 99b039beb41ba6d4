import type { Kausf } from '../../keys/key.ts'
import { Refusal } from '../../spec/refusal.ts'
import type { AkmaKeys } from '../akma/akma-keys.ts'
import type { EdgeKeys } from '../edge-key/edge-keys.ts'
import type { OpenContext } from './context.ts'

export interface CompletionPorts {
  /** Nudm_UEAuthentication_ResultConfirmation @returns the identifier of the event @throws Refusal NF_CONGESTION */
  confirmAuth(context: OpenContext, success: boolean): Promise<string>
  /** TR 33.839 6.x.2.1 step 2 */
  deriveEdgeKeys(kausf: Kausf, context: OpenContext): EdgeKeys
  /** Replaces the subscriber's Kedge; resolves when it is on disk. @returns false if the Kedge ID is another's */
  replaceKedge(context: OpenContext, keys: EdgeKeys): Promise<boolean>
  /** TS 33.535 6.1 step 3 */
  deriveAkmaKeys(kausf: Kausf, context: OpenContext): AkmaKeys
  /** The same as `replaceKedge`, of KAKMA. */
  replaceKakma(context: OpenContext, keys: AkmaKeys): Promise<boolean>
}

/**
 * What follows a success before anybody hears of it. If any of it fails, the SEAF gets no success and the context can
 * be put back: either everything is done, or the UE authenticates again (THREATS KE-12).
 *
 * @returns the identifier under which the UDM keeps the result
 * @throws Refusal NF_CONGESTION
 */
export async function completeAuthentication(ausf: CompletionPorts, context: OpenContext): Promise<string> {
  // TS 33.501 6.1.4.1a: the home network is told; without its UDM nobody is authenticated.
  const authEventId = await ausf.confirmAuth(context, true)

  // TR 33.839 6.x.2.1 step 2: Kedge and Kedge ID from KAUSF and SUPI, on disk before KAUSF goes.
  if (context.edge) {
    const stored = await ausf.replaceKedge(context, ausf.deriveEdgeKeys(context.kausf, context))
    if (!stored) throw new KeyIdTaken()
  }
  // TS 33.535 6.1 step 3: the same for KAKMA and A-KID.
  if (context.akma) {
    const stored = await ausf.replaceKakma(context, ausf.deriveAkmaKeys(context.kausf, context))
    if (!stored) throw new KeyIdTaken()
  }
  // KAUSF goes with the context, which nobody holds any more.
  return authEventId
}

/**
 * A Kedge ID or A-KID that is another subscriber's: only another KAUSF, of a new authentication, has another
 * (THREATS KE-02).
 */
export class KeyIdTaken extends Refusal {
  constructor() {
    super('NF_CONGESTION', 'the authentication has to begin anew')
  }
}

/** The UDM hears of failures too, if it can: nothing depends on it. */
export async function reportFailure(ausf: CompletionPorts, context: OpenContext): Promise<void> {
  await ausf.confirmAuth(context, false).catch(() => {})
}
