import { parseFqdn } from '../../spec/identifiers.ts'
import type { EdgeKeyRequest, EdgeKeyResponse } from '../../spec/messages/edge-key.ts'
import { refuseUnless } from '../../spec/refusal.ts'
import type { EecId } from '../../spec/subscriber-identifiers.ts'
import { deriveEecKey, type EdgeKeys, type EdgeProfile } from '../edge-keys.ts'

export interface KeyHolder {
  readonly profile: EdgeProfile
  /** of the last primary authentication; undefined before the first one, and without its USIM */
  edgeKeys(): Promise<EdgeKeys | undefined>
}

/**
 * The EEC fetches its key and the Kedge ID through the secure interface of the UE: TR 33.839 6.x.2.1 step 3.
 *
 * What leaves is the key for one ECS and the EEC that asks; KAUSF never does, and Kedge only in the profile `literal`
 * (D-27). An EEC gets no key of another one (THREATS NG-04).
 *
 * @param caller - of `identifyEec`
 * @throws Refusal
 */
export async function handOutKey(ue: KeyHolder, caller: EecId, request: EdgeKeyRequest): Promise<EdgeKeyResponse> {
  refuseUnless(request.eecId === caller, 'EEC_MISMATCH', 'an EEC gets keys for itself only')
  const ecs = parseFqdn(request.ecsFqdn)
  refuseUnless(ecs !== undefined, 'MANDATORY_IE_INCORRECT', 'ecsFqdn is not an FQDN')
  const keys = await ue.edgeKeys()
  refuseUnless(keys !== undefined, 'KEDGE_NOT_FOUND', 'the UE has no Kedge: it has to be authenticated first')

  const { key, pskIdentity } = deriveEecKey(keys, ecs, caller, ue.profile)
  const octets = key.export()
  const psk = octets.toString('hex')
  octets.fill(0)
  return { kedgeId: keys.kedgeId, pskIdentity, psk, keyProfile: ue.profile.keyProfile }
}
