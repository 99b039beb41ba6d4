import { AMF_SEPARATION_BIT } from '../../keys/aka.ts'
import { hexOf } from '../../keys/key.ts'
import type { HssAuthenticationInfoRequest, HssAuthenticationInfoResult } from '../../spec/messages/ueau.ts'
import { refuseUnless } from '../../spec/refusal.ts'
import { parseSupi } from '../../spec/subscriber-identifiers.ts'
import { nextVectors, type VectorPorts } from './next-vectors.ts'

/** For EAP-AKA the separation bit is 0: CK and IK leave the home network (TS 33.102 Annex H). */
const withoutSeparationBit = (amf: number) => amf & ~AMF_SEPARATION_BIT

/**
 * Nudm_UEAuthentication_GetHssAv: TS 29.503 5.4.2.6, for EAP-AKA alone.
 *
 * @param name - the SUPI; a concealed one is of 5G
 * @throws Refusal USER_NOT_FOUND, AUTHENTICATION_REJECTED, MANDATORY_IE_INCORRECT, NF_CONGESTION
 */
export async function generateAv(
  udm: VectorPorts,
  name: string,
  { hssAuthType, numOfRequestedVectors: count, resynchronizationInfo }: HssAuthenticationInfoRequest,
): Promise<HssAuthenticationInfoResult> {
  refuseUnless(hssAuthType === 'EAP_AKA', 'MANDATORY_IE_INCORRECT', 'hssAuthType is not that of the path')
  const supi = parseSupi(name)
  refuseUnless(supi !== undefined, 'USER_NOT_FOUND', 'there is no such subscriber')
  const resynchronisation = resynchronizationInfo && {
    rand: Buffer.from(resynchronizationInfo.rand, 'hex'),
    auts: Buffer.from(resynchronizationInfo.auts, 'hex'),
  }
  const { vectors } = await nextVectors(udm, supi, { count, resynchronisation, amf: withoutSeparationBit })
  return {
    hssAuthenticationVectors: vectors.map(({ rand, autn, xres, ck, ik }) => ({
      avType: 'EAP_AKA',
      rand: rand.toString('hex'),
      autn: autn.toString('hex'),
      xres: xres.toString('hex'),
      ck: hexOf(ck),
      ik: hexOf(ik),
    })),
  }
}
