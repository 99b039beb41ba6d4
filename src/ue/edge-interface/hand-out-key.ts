import { withOctets } from '../../keys/key.ts'
import { type Fqdn, parseFqdn } from '../../spec/identifiers.ts'
import type { ApplicationKeyResponse, EdgeKeyRequest, EdgeKeyResponse } from '../../spec/messages/edge-key.ts'
import { refuseUnless } from '../../spec/refusal.ts'
import type { EecId } from '../../spec/subscriber-identifiers.ts'
import { deriveApplicationKey, deriveEecKey, type EdgeKeys, type EdgeProfile } from '../edge-keys.ts'

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
  const { keys, ecs } = await checkRequest(ue, caller, request)
  const { key, pskIdentity } = deriveEecKey(keys, ecs, caller, ue.profile)
  return { kedgeId: keys.kedgeId, pskIdentity, psk: withOctets(key, hex), keyProfile: ue.profile.keyProfile }
}

/**
 * The EEC fetches KAF and A-KID: TS 33.535 6.2.1 step 1. KAKMA never leaves. All EECs that may ask get the same key for
 * one ECS, as in the profile `literal`: the text has no other.
 *
 * @param caller - of `identifyEec`
 * @throws Refusal
 */
export async function handOutApplicationKey(
  ue: Pick<KeyHolder, 'edgeKeys'>,
  caller: EecId,
  request: EdgeKeyRequest,
): Promise<ApplicationKeyResponse> {
  const { keys, ecs } = await checkRequest(ue, caller, request)
  const { key, pskIdentity } = deriveApplicationKey(keys, ecs)
  return { aKId: keys.aKid, pskIdentity, psk: withOctets(key, hex) }
}

async function checkRequest(
  ue: Pick<KeyHolder, 'edgeKeys'>,
  caller: EecId,
  { eecId, ecsFqdn }: EdgeKeyRequest,
): Promise<{ readonly keys: EdgeKeys; readonly ecs: Fqdn }> {
  refuseUnless(eecId === caller, 'EEC_MISMATCH', 'an EEC gets keys for itself only')
  const ecs = parseFqdn(ecsFqdn)
  refuseUnless(ecs !== undefined, 'MANDATORY_IE_INCORRECT', 'ecsFqdn is not an FQDN')
  const keys = await ue.edgeKeys()
  refuseUnless(
    keys !== undefined,
    'KEDGE_NOT_FOUND',
    'the UE has no keys of the edge: it has to be authenticated first',
  )
  return { keys, ecs }
}

const hex = (octets: Buffer) => octets.toString('hex')
