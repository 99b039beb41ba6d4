import { isOfSchema } from '../../http/schema.ts'
import { type KedgeId, parseKedgeId } from '../../spec/kedge-id.ts'
import { EdgeKeyData } from '../../spec/messages/edge-key-retrieval.ts'
import { refuseUnless } from '../../spec/refusal.ts'

/**
 * What the AUSF says is relayed as it is, or not at all: a key of another name, of another length, or none that anybody
 * has drawn, is no answer (THREATS KE-13).
 *
 * @param body - of a 200
 * @returns undefined if the key has ended
 * @throws Refusal NF_CONGESTION
 */
export function processKeyAnswer(body: unknown, kedgeId: KedgeId, now: number): EdgeKeyData | undefined {
  refuseUnless(isOfSchema(EdgeKeyData, body), 'NF_CONGESTION', 'the AUSF answered something else than a key')
  refuseUnless(parseKedgeId(body.kedgeId) === kedgeId, 'NF_CONGESTION', 'the AUSF answered for another Kedge ID')
  const { kedge, kedgeJwe, keyScope, gpsi } = body
  const until = Date.parse(body.expiry)
  const isKey = kedge === undefined || !/^(..)\1*$/i.test(kedge)
  refuseUnless(isKey && !Number.isNaN(until), 'NF_CONGESTION', 'the AUSF answered no key')
  if (until <= now) return undefined
  const key = kedge === undefined ? { kedgeJwe } : { kedge }
  const answer = { ...key, kedgeId, keyScope, expiry: new Date(until).toISOString() }
  return gpsi === undefined ? answer : { ...answer, gpsi }
}
