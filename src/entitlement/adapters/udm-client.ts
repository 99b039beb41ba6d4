import { isOfSchema } from '../../http/schema.ts'
import { takeKey } from '../../keys/key.ts'
import type { NfAnswer, NfClient } from '../../nf/adapters/nf-client.ts'
import type { ApplicationError } from '../../spec/application-errors.ts'
import { NUDM_UEAU, pathOf } from '../../spec/core-operations.ts'
import { AvImsGbaEapAka } from '../../spec/messages/authentication-vectors.ts'
import { type HssAuthenticationInfoRequest, HssAuthenticationInfoResult } from '../../spec/messages/ueau.ts'
import { Refusal } from '../../spec/refusal.ts'
import type { AkaVector, RelayPorts } from '../authentication/eap-aka-relay.ts'

/** What a UDM says about the subscriber; a terminal hears the same of both (THREATS HT-12). */
const REJECTIONS: readonly ApplicationError[] = ['USER_NOT_FOUND', 'AUTHENTICATION_REJECTED']

/** GenerateAv of the UDM of this home network: TS 29.503 6.3.3. */
export function vectorsOf(client: NfClient): RelayPorts<unknown>['generateAv'] {
  return async (supi, resynchronisation) => {
    const resynchronizationInfo = resynchronisation && {
      rand: resynchronisation.rand.toString('hex'),
      auts: resynchronisation.auts.toString('hex'),
    }
    const request: HssAuthenticationInfoRequest = {
      hssAuthType: 'EAP_AKA',
      numOfRequestedVectors: 1,
      ...(resynchronizationInfo && { resynchronizationInfo }),
    }
    const { method } = NUDM_UEAU.GenerateAv
    const answer = await client.ask(method, pathOf(NUDM_UEAU.GenerateAv, { supi, hssAuthType: 'eap-aka' }), request)
    if (answer.status !== 200 || !isOfSchema(HssAuthenticationInfoResult, answer.body)) throw refusalOf(answer)
    const [vector, ...others] = answer.body.hssAuthenticationVectors
    if (others.length > 0 || !isOfSchema(AvImsGbaEapAka, vector) || vector.avType !== 'EAP_AKA') throw unavailable(200)
    return readVector(vector)
  }
}

function readVector({ rand, autn, xres, ck, ik }: AvImsGbaEapAka): AkaVector {
  return {
    rand: Buffer.from(rand, 'hex'),
    autn: Buffer.from(autn, 'hex'),
    xres: Buffer.from(xres, 'hex'),
    ck: takeKey('CK', Buffer.from(ck, 'hex')),
    ik: takeKey('IK', Buffer.from(ik, 'hex')),
  }
}

/** Anything that is no clear word about the subscriber is no word at all. */
function refusalOf({ status, body }: NfAnswer): Refusal {
  const said = typeof body === 'object' && body !== null && 'cause' in body ? body.cause : undefined
  const isRejected = status >= 400 && REJECTIONS.some((code) => code === said)
  if (isRejected) return new Refusal('AUTHENTICATION_REJECTED', 'the home network refuses')
  return unavailable(status)
}

function unavailable(status: number): Refusal {
  return new Refusal('NF_CONGESTION', 'the subscriber cannot be authenticated now', {
    cause: `the UDM answered ${status}`,
  })
}
