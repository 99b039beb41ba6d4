import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { attributeOf, readEapPacket } from '../../src/keys/eap.ts'
import { deriveKseaf } from '../../src/keys/five-g-aka.ts'
import { withOctets } from '../../src/keys/key.ts'
import { fixedRand } from '../udm/a-udm.ts'
import {
  type Answer,
  authCtxIdOf,
  authenticate,
  confirm,
  eapSession,
  eapUe,
  edgeKeysOf,
  type RunningCore,
  runCore,
  SERVING_NETWORK,
  SET_1,
  SUPI,
} from './a-core.ts'

const EAP = { ...SET_1, authMethod: 'EAP_AKA_PRIME' }
const started = async (core: RunningCore) => {
  const answer = await authenticate(core.seaf)
  assert.equal(answer.status, 201, answer.text)
  return { answer, authCtxId: authCtxIdOf(answer), ue: eapUe(String(answer.body['5gAuthData'])) }
}
/** The last octet is one of AT_MAC. */
const flipped = (payload: string) => {
  const packet = Buffer.from(payload, 'base64')
  packet[packet.length - 1] = (packet.at(-1) ?? 0) ^ 1
  return packet.toString('base64')
}
const codeOf = ({ body }: Answer<{ eapPayload: string | null }>) =>
  readEapPacket(Buffer.from(body.eapPayload ?? '', 'base64'))?.code

describe("EAP-AKA' with the vectors of TS 35.208 set 1, through UDM and AUSF", () => {
  test('TS 33.501 6.1.3.1: KAUSF from EMSK, and the Kedge that follows from it', async (t) => {
    const core = await runCore({ udm: fixedRand(), subscribers: [EAP] })
    t.after(() => core.close())
    const ecs = await core.trustedEcs()
    const { answer, authCtxId, ue } = await started(core)
    assert.equal(answer.body.authType, 'EAP_AKA_PRIME')
    assert.deepEqual(Object.keys(answer.body._links), ['eap-session'])
    assert.equal(attributeOf(ue.packet, 'AT_KDF_INPUT'), SERVING_NETWORK)
    const kausf = 'ddf3f4ea04c3fcebf193064154e8f218ffdad26a935c9924f48763ad19062951'
    assert.equal(
      withOctets(ue.kausf, (octets) => octets.toString('hex')),
      kausf,
    )
    const done = await eapSession(core.seaf, authCtxId, ue.response())
    assert.equal(codeOf(done), 'success')
    const { eapPayload: _, ...rest } = done.body
    const kSeaf = withOctets(deriveKseaf(ue.kausf, SERVING_NETWORK), (octets) => octets.toString('hex'))
    assert.deepEqual(rest, { authResult: 'AUTHENTICATION_SUCCESS', supi: SUPI, kSeaf })
    const { kedgeId } = edgeKeysOf(ue.kausf)
    assert.equal((await ecs.keyRequest({ kedgeId, eecId: 'eec-1' })).status, 200)
  })
})

describe("Nausf_UEAuthentication with EAP-AKA': TS 29.509, TS 33.501 6.1.3.1", () => {
  let core: RunningCore
  before(async () => {
    core = await runCore({ subscribers: [{ ...EAP, sqn: '000000000000' }] })
  })
  after(() => core.close())

  test('whatever is not the right answer ends it with EAP-Failure, tells nothing and leaves no second try', async () => {
    const wrong: readonly (readonly [string, (ue: ReturnType<typeof eapUe>) => string | null])[] = [
      ['another RES', (ue) => ue.response(Buffer.alloc(8))],
      ['a shorter RES', (ue) => ue.response(Buffer.alloc(4))],
      ['a checkcode over identity messages', (ue) => ue.response(undefined, Buffer.alloc(32, 1))],
      ['a damaged AT_MAC', (ue) => flipped(ue.response())],
      ['authentication-reject', (ue) => ue.reject()],
      ['no answer', () => null],
      ['no EAP packet', () => 'AAAA'],
    ]
    for (const [title, answer] of wrong) {
      const { authCtxId, ue } = await started(core)
      const failed = await eapSession(core.seaf, authCtxId, answer(ue))
      assert.equal(failed.status, 200, title)
      assert.equal(codeOf(failed), 'failure', title)
      assert.deepEqual(Object.keys(failed.body).sort(), ['authResult', 'eapPayload'], title)
      assert.equal(failed.body.authResult, 'AUTHENTICATION_FAILURE', title)
      assert.equal((await eapSession(core.seaf, authCtxId, ue.response())).status, 404, title)
    }
  })

  test('the answer to another request is none to this one', async () => {
    const [first, second] = [await started(core), await started(core)]
    const crossed = await eapSession(core.seaf, first.authCtxId, second.ue.response())
    assert.equal(crossed.body.authResult, 'AUTHENTICATION_FAILURE')
  })

  test('6.1.3.3.1: one synchronisation failure brings a new challenge, a second one ends it', async () => {
    const { authCtxId, ue } = await started(core)
    const again = await eapSession(core.seaf, authCtxId, ue.syncFailure(2 ** 40))
    assert.equal(again.body.authResult, 'AUTHENTICATION_ONGOING')
    assert.equal(again.headers['content-type'], 'application/3gppHal+json')
    const next = eapUe(again.body.eapPayload ?? '')
    assert.equal(next.packet.identifier, (ue.packet.identifier + 1) & 0xff)
    const done = await eapSession(core.seaf, authCtxId, next.response())
    assert.equal(done.body.authResult, 'AUTHENTICATION_SUCCESS')

    const other = await started(core)
    const once = await eapSession(core.seaf, other.authCtxId, other.ue.syncFailure(2 ** 41))
    const twice = eapUe(once.body.eapPayload ?? '').syncFailure(2 ** 42)
    const ended = await eapSession(core.seaf, other.authCtxId, twice)
    assert.equal(ended.body.authResult, 'AUTHENTICATION_FAILURE')
    assert.equal(codeOf(ended), 'failure')
  })

  test('the resource of one method takes nothing of the other', async () => {
    const { authCtxId, ue } = await started(core)
    assert.equal((await confirm(core.seaf, authCtxId, '00'.repeat(16))).status, 404)
    const done = await eapSession(core.seaf, authCtxId, ue.response())
    assert.equal(done.body.authResult, 'AUTHENTICATION_SUCCESS')
  })
})
