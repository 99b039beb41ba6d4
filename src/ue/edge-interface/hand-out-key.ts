import { parseFqdn } from '../../spec/identifiers.ts'
import type { EdgeKeyRequest, EdgeKeyResponse } from '../../spec/messages/edge-key.ts'
import { refuseUnless } from '../../spec/refusal.ts'
import type { EecId } from '../../spec/subscriber-identifiers.ts'
import { deriveEecKey, type EdgeKeys, type EdgeProfile } from '../edge-keys.ts'
import { type AllowList, eecOf } from './allow-list.ts'

export interface KeyHolder {
  readonly profile: EdgeProfile
  allowed(): Promise<AllowList>
  /** of the last primary authentication; undefined before the first one, and without its USIM */
  edgeKeys(): Promise<EdgeKeys | undefined>
}

/** @param authorization - RFC 6750 2.1 @returns the EEC that calls @throws Refusal */
export async function identifyEec(ue: Pick<KeyHolder, 'allowed'>, authorization: string | undefined): Promise<EecId> {
  const [, token] = /^Bearer ([A-Za-z0-9_-]{43})$/.exec(authorization ?? '') ?? []
  refuseUnless(token !== undefined, 'CREDENTIAL_MISSING', 'the token of an EEC is needed')
  const eecId = eecOf(await ue.allowed(), token)
  refuseUnless(eecId !== undefined, 'TOKEN_INVALID', 'the token is not one of an EEC that is allowed here')
  return eecId
}

/**
 * The EEC fetches its key and the Kedge ID through the secure interface of the UE: TR 33.839 6.x.2.1 step 3.
 *
 * What leaves is the key for one ECS and the EEC that asks; KAUSF never does, and Kedge only in the profile `literal`
 * (D-27). An EEC gets no key of another one (THREATS NG-04).
 *
 * @param caller - of {@link identifyEec}
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
