import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { x5tS256 } from '../../src/certificates/certificate.ts'
import type { EesCredential } from '../../src/ees/index.ts'
import type { Peer } from '../../src/http/client.ts'
import type { Fqdn } from '../../src/spec/identifiers.ts'
import { type AccessGrant, issueAccessToken } from '../../src/tokens/access-token.ts'
import { aSigner, fqdn } from '../certificates/a-domain.ts'
import { eecId, scope } from '../tokens/parties.ts'
import { EES_FQDN } from './an-ecs.ts'
import {
  anEcsOnTls,
  anEec,
  ask,
  bodyOf,
  derOf,
  type Eec,
  outcomeOf,
  RELOCATION,
  type RunningEes,
  runEes,
} from './running-ees.ts'

const CONTEXTS = '/eees-eeccontextreloc/v1/eec-contexts'
const REGISTRATIONS = '/eees-eecregistration/v1/registrations'
const SOURCE = fqdn('ees2.ecsp.example')
const STRANGER = fqdn('ees3.ecsp.example')
const acProfs = [{ acId: 'ac-1', eass: [{ easId: 'eas-1.app.example' }] }]
const sessCntxs = {
  sessCntxs: [
    { easId: 'eas-1.app.example', endPt: { fqdn: 'eas-1.app.example' } },
    { easId: 'eas-2.app.example', endPt: { fqdn: 'eas-2.app.example' } },
  ],
}

describe('Eees_EECContextRelocation, EDGE-9, at the EES that is asked: TS 23.558 8.9.2', () => {
  let ecs: Awaited<ReturnType<typeof anEcsOnTls>>
  let ees: RunningEes
  let credential: EesCredential
  let source: Peer
  let stranger: Peer
  const otherEcs = { iss: 'https://ecs2.ecsp.example', signer: aSigner() }

  before(async () => {
    ecs = await anEcsOnTls()
    ees = await runEes(ecs.ecs)
    credential = await ecs.ecs.credentialFor(SOURCE)
    source = ees.connect('mtls', credential)
    stranger = ees.connect('mtls', await ecs.ecs.credentialFor(STRANGER))
  })
  after(async () => {
    await ees.close()
    ecs.network.close()
  })

  interface Claims {
    readonly aud?: Fqdn
    readonly eec?: string | undefined
    readonly of?: typeof otherEcs
    readonly names?: string
  }

  /** A token of the EES `SOURCE`, bound to its certificate. */
  function tokenFor({ aud = EES_FQDN, eec = 'eec-1', of, names = RELOCATION }: Claims = {}): Promise<string> {
    const grant: AccessGrant = {
      iss: of?.iss ?? ecs.ecs.origins.server,
      sub: SOURCE,
      aud,
      scope: scope(names),
      certificateThumbprint: x5tS256(derOf(credential)),
      ...(eec !== '' && { eecId: eecId(eec) }),
      srcEcs: fqdn('ecs1.ecsp.example'),
    }
    const signer = of?.signer ?? ecs.ecs.tokenSigner
    return issueAccessToken(grant, { signer, now: Date.now(), jti: randomUUID(), lifetime: 300 })
  }

  const pushOf = (eec: string, cntxId: string, more: object = {}) => ({
    eesId: SOURCE,
    eecCntx: { eecId: eec, cntxId, acProfs, ueMobSuppInd: true, ...more },
  })
  const push = (token: string, content: object, peer = source) => ask(peer, 'POST', CONTEXTS, content, token)
  const pull = (token: string, cntxId: string, { peer = source, eesId = SOURCE as string, sessions = '' } = {}) => {
    const query = new URLSearchParams({ 'ees-id': eesId, 'eec-cntx-id': cntxId })
    if (sessions !== '') query.set('sess-cntxs', sessions)
    return ask(peer, 'GET', `${CONTEXTS}?${query}`, undefined, token)
  }
  const eecs = async () => (await ees.serving.operator.listEecs('', 100)).map((registration) => registration.eecId)

  describe('RS-02: source, target, ECS and EEC of the token are compared: of 16 combinations one passes', () => {
    const CASES = [...Array(16).keys()].map((bits) => ({
      sourceFits: (bits & 1) !== 0,
      targetFits: (bits & 2) !== 0,
      ecsFits: (bits & 4) !== 0,
      eecFits: (bits & 8) !== 0,
      all: bits === 15,
    }))
    let contextId: string

    before(async () => {
      const held = await anEec(ecs.ecs, 'eec-held')
      const response = await held.ask(ees.connect('server'), 'POST', REGISTRATIONS, { eecId: 'eec-held' })
      contextId = bodyOf(response).eecCntxId
    })

    const shown = async ({ sourceFits, targetFits, ecsFits }: (typeof CASES)[number], eec: string) => ({
      peer: sourceFits ? source : stranger,
      token: await tokenFor({ eec, ...(!targetFits && { aud: STRANGER }), ...(!ecsFits && { of: otherEcs }) }),
    })

    for (const each of CASES) {
      const { all, eecFits, ...rest } = each
      const name = Object.entries({ ...rest, eecFits }).map(([what, fits]) => `${what}: ${fits}`)
      test(`push and pull, ${name.join(', ')}`, async () => {
        const before = await eecs()
        const { peer, token } = await shown(each, eecFits ? 'eec-pushed' : 'eec-other')
        const pushed = await push(token, pushOf('eec-pushed', 'context-1'), peer)
        const pulling = await shown(each, eecFits ? 'eec-held' : 'eec-other')
        const pulled = await pull(pulling.token, contextId, { peer: pulling.peer })
        if (all) {
          assert.equal(pushed.status, 200, pushed.body.toString())
          assert.equal(pulled.status, 200, pulled.body.toString())
          assert.deepEqual(await eecs(), [...before, 'eec-pushed'])
          return
        }
        const expected = each.sourceFits && each.targetFits && each.ecsFits ? 403 : 401
        assert.deepEqual([pushed.status, pulled.status], [expected, expected])
        assert.match(pushed.headers['www-authenticate'] ?? '', expected === 401 ? /error="invalid_token"/ : /^$/)
        assert.deepEqual(await eecs(), before)
      })
    }
  })

  test('RS-02: eesId and ees-id name the EES of the token; the context and all others in the message its EEC', async () => {
    const before = await eecs()
    const token = await tokenFor({ eec: 'eec-5' })
    const mine = pushOf('eec-5', 'context-5')
    assert.deepEqual(outcomeOf(await push(token, { ...mine, eesId: STRANGER })), [403, 'EES_MISMATCH'])
    assert.deepEqual(outcomeOf(await push(token, { ...mine, eesId: EES_FQDN })), [403, 'EES_MISMATCH'])
    assert.deepEqual(outcomeOf(await pull(token, 'context-5', { eesId: STRANGER })), [403, 'EES_MISMATCH'])
    const another = { ...mine, eecCntxs: [pushOf('eec-6', 'context-6').eecCntx] }
    assert.deepEqual(outcomeOf(await push(token, another)), [403, 'EEC_MISMATCH'])
    const ofNobody = await tokenFor({ eec: '' })
    assert.deepEqual(outcomeOf(await push(ofNobody, mine)), [403, 'EEC_MISMATCH'])
    const otherService = await tokenFor({ eec: 'eec-5', names: 'eees-easdiscovery' })
    assert.deepEqual(outcomeOf(await push(otherService, mine)), [403, 'INSUFFICIENT_SCOPE'])
    assert.deepEqual(await eecs(), before)
  })

  test('push: the EEC is registered, with its context; the same push again changes nothing and is answered alike', async () => {
    const token = await tokenFor({ eec: 'eec-7' })
    const content = pushOf('eec-7', 'context-7', { ueId: 'msisdn-491701234567', sessCntxs })
    const first = await push(token, content)
    const { regId, expTime } = bodyOf(first).implReg
    assert.deepEqual(bodyOf(await push(token, content)), { implReg: { regId, expTime } })
    const foreign = await tokenFor({ eec: 'eec-8' })
    assert.deepEqual(outcomeOf(await push(foreign, pushOf('eec-8', 'context-7'))), [403, 'EEC_MISMATCH'])

    // The EEC goes on with the registration that was made for it, and so does its context.
    const eec: Eec = await anEec(ecs.ecs, 'eec-7', { gpsi: 'msisdn-491701234567' })
    const peer = ees.connect('server')
    const patched = await eec.ask(peer, 'PATCH', `${REGISTRATIONS}/${regId}`, { easSelReqInd: true })
    assert.deepEqual(
      [patched.status, bodyOf(patched).acProfs, bodyOf(patched).ueMobilityReq, bodyOf(patched).easSelReqInd],
      [200, acProfs, true, true],
    )
    const { eecCntxId } = bodyOf(patched)
    const whole = bodyOf(await pull(token, eecCntxId))
    assert.deepEqual(whole, { ...content.eecCntx, cntxId: eecCntxId })
    const [one] = sessCntxs.sessCntxs
    const part = await pull(token, eecCntxId, { sessions: JSON.stringify({ sessCntxs: [one] }) })
    assert.deepEqual(bodyOf(part).sessCntxs, { sessCntxs: [one] })

    assert.equal((await eec.ask(peer, 'DELETE', `${REGISTRATIONS}/${regId}`)).status, 204)
    assert.equal(bodyOf(await push(token, content)).implReg.regId, regId)
    assert.ok(!(await eecs()).includes('eec-7'), 'a repeated push brings nobody back')
  })

  test('pull of a context that is not there: 404; of a malformed query: 400', async () => {
    const token = await tokenFor({ eec: 'eec-1' })
    assert.deepEqual(outcomeOf(await pull(token, randomUUID())), [404, 'EEC_CONTEXT_NOT_FOUND'])
    const without = await ask(source, 'GET', `${CONTEXTS}?ees-id=${SOURCE}`, undefined, token)
    assert.deepEqual(outcomeOf(without), [400, 'MANDATORY_IE_INCORRECT'])
    const malformed = await pull(token, randomUUID(), { sessions: '{"sessCntxs":[' })
    assert.equal(malformed.status, 400)
  })
})
