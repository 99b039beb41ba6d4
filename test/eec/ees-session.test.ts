import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { AuthenticationStepFailed, type EcsSession, type EesOptions } from '../../src/eec/index.ts'
import type { EESInfo } from '../../src/spec/messages/service-provisioning.ts'
import { verifyDpopProof } from '../../src/tokens/dpop-proof.ts'
import { Challenger } from '../ue/a-challenger.ts'
import { type AServingUe, aServingUe, EEC_1, VECTOR } from '../ue/a-folder.ts'
import { anEcs, ECS, type EcsOptions, TOKENS } from './an-ecs.ts'
import { authenticateAt, K_ECS } from './an-eec.ts'
import { anEes, DISCOVERED, EES, type EesReceived } from './an-ees.ts'
import { type AnEntitlementServer, anEntitlementServer, ENT } from './an-entitlement-server.ts'

const REGISTRATIONS = '/eees-eecregistration/v1/registrations'
const entitlementToken = (audience: string) =>
  `entitlement.${Buffer.from(`edge:${audience}`).toString('base64url')}.signature`

describe('an EEC at its EESs: TS 33.558 6.2 and 6.3, EDGE-1', () => {
  let ue: AServingUe
  let ent: AnEntitlementServer
  const closing: (() => void | Promise<void>)[] = []
  before(async () => {
    ue = await aServingUe({ entitlement: true })
    ent = await anEntitlementServer({ challenger: new Challenger() })
  })
  after(async () => {
    for (const close of closing) await close()
    ent.close()
    await ue.close()
  })

  /** An EEC that is authenticated at an ECS, and an EES of that ECS. */
  async function started(
    options: EcsOptions & { by?: 'TLS_KEDGE' | 'ENTITLEMENT_TOKEN'; ees?: Parameters<typeof anEes>[1] } = {},
  ) {
    const { by = 'ENTITLEMENT_TOKEN', ees: change, ...ecsOptions } = options
    const ecs = await anEcs(ecsOptions)
    ecs.keys.set(VECTOR.pskIdentity, K_ECS)
    const ees = await anEes(ecs, change)
    const resolve = new Map([...ecs.resolve, [EES as string, '127.0.0.1'], [ENT as string, '127.0.0.1']])
    const session = await authenticateAt(ecs, ue, { methods: [by], entitlement: ent, resolve })
    closing.push(ecs.close, ees.close, () => session.close())
    return { ecs, ees, session }
  }

  async function open(session: EcsSession, info: EESInfo, options?: EesOptions) {
    const opened = await session.openEes(info, options)
    closing.push(() => opened.close())
    return opened
  }

  const proofOf = ({ method, path, authorization, dpop }: EesReceived, origin: string) =>
    verifyDpopProof(dpop, {
      method,
      uri: `${origin}${path}`,
      token: authorization.replace('DPoP ', ''),
      now: Date.now(),
    })

  test('registration, update, discovery and deregistration: each with token and proof, all of this EEC', async () => {
    const { ees, session } = await started()
    const opened = await open(session, ees.info)
    const { registrationId, registration } = await opened.register({ ueMobilityReq: true })
    assert.deepEqual([registrationId, registration.eecId], ['r-1', EEC_1])
    assert.equal(await opened.update(registrationId, { ueMobilityReq: false }), undefined)
    assert.equal(await opened.replace(registrationId, {}), undefined)
    assert.deepEqual(JSON.parse(JSON.stringify(await opened.discover())), DISCOVERED)
    await opened.deregister(registrationId)
    assert.deepEqual(
      ees.received.map(({ method, path, contentType, body }) => [method, path, contentType, body]),
      [
        ['POST', REGISTRATIONS, 'application/json', { ueMobilityReq: true, eecId: EEC_1 }],
        ['PATCH', `${REGISTRATIONS}/r-1`, 'application/merge-patch+json', { ueMobilityReq: false }],
        ['PUT', `${REGISTRATIONS}/r-1`, 'application/json', { eecId: EEC_1 }],
        [
          'POST',
          '/eees-easdiscovery/v1/eas-profiles/request-discovery',
          'application/json',
          { requestorId: { eecId: EEC_1 } },
        ],
        ['DELETE', `${REGISTRATIONS}/r-1`, '', undefined],
      ],
    )
    const proven = await Promise.all(ees.received.map((received) => proofOf(received, ees.origin)))
    assert.equal(new Set(proven.map(({ jkt }) => jkt)).size, 1)
    assert.equal(new Set(proven.map(({ jti }) => jti)).size, 5)
  })

  test('TS 33.558 6.2: by the token of the ECS for this one EES, which is asked for once', async () => {
    const { ecs, ees, session } = await started()
    const opened = await open(session, ees.info)
    await opened.discover()
    await opened.discover()
    assert.equal(opened.method, 'EDGE_ACCESS_TOKEN')
    assert.deepEqual(
      [...new Set(ees.received.map(({ authorization }) => authorization))],
      [`DPoP ${TOKENS.access_token}`],
    )
    const [asked, ...more] = ecs.received.filter(({ path }) => path === '/oauth2/token')
    assert.deepEqual(more, [])
    const form = Object.fromEntries(new URLSearchParams(String(asked?.body)))
    assert.deepEqual(form, {
      grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
      assertion: entitlementToken(ECS),
      client_id: EEC_1,
      audience: EES,
      scope: 'eees-easdiscovery eees-eecregistration',
    })
    // RFC 7523 2.1: who asks is said by the assertion, and the proof is not over a token (RFC 9449 5).
    assert.equal(asked?.authorization, undefined)
    const uri = `${ecs.apiRoot}/oauth2/token`
    const bound = await verifyDpopProof(asked?.dpop ?? '', { method: 'POST', uri, now: Date.now() })
    const shown = await proofOf(ees.received[0] ?? assert.fail(), ees.origin)
    assert.equal(shown.jkt, bound.jkt)
  })

  test('over TLS-PSK the connection says who asks for the token', async () => {
    const { ecs, ees, session } = await started({ by: 'TLS_KEDGE' })
    await (await open(session, ees.info)).discover()
    const asked = ecs.received.find(({ path }) => path === '/oauth2/token') ?? assert.fail()
    assert.equal(asked.identity, VECTOR.pskIdentity)
    const form = new URLSearchParams(String(asked.body))
    assert.deepEqual([form.get('grant_type'), form.get('assertion')], ['client_credentials', null])
    const uri = `${ecs.pskEndpoint}/oauth2/token`
    assert.ok(await verifyDpopProof(asked.dpop ?? '', { method: 'POST', uri, now: Date.now() }))
  })

  test('EN-02: by an entitlement token for the EES, which is another one than that for the ECS', async () => {
    const { ecs, ees, session } = await started()
    const info = { ...ees.info, eesAuthMethods: ['ENTITLEMENT_TOKEN'] }
    const opened = await open(session, info)
    await opened.discover()
    assert.equal(opened.method, 'ENTITLEMENT_TOKEN')
    assert.equal(ees.received[0]?.authorization, `DPoP ${entitlementToken(EES)}`)
    assert.ok(ecs.received.every(({ path }) => path !== '/oauth2/token'))
  })

  test('a token that has come to its end is asked for anew', async () => {
    const { ecs, ees, session } = await started({ tokens: { ...TOKENS, expires_in: 1 } })
    const opened = await open(session, ees.info)
    await opened.discover()
    const count = () => ecs.received.filter(({ path }) => path === '/oauth2/token').length
    const before = count()
    const since = Date.now()
    while (Date.now() < since + 1_000) await new Promise((resolve) => setTimeout(resolve, 50))
    await opened.discover()
    assert.ok(count() > before)
  })

  describe('NG-01: what an EES offers', () => {
    for (const [name, eesAuthMethods] of [
      ['nothing', undefined],
      ['an empty list', []],
      ['"none"', ['none']],
      ['null', null],
      ['unknown methods', ['TLS_WITH_GBA', 'SERVER_SIDE_CERTIFICATE_BASED']],
      ['one method twice', ['ENTITLEMENT_TOKEN', 'ENTITLEMENT_TOKEN']],
      ['10,000 methods', Array.from({ length: 10_000 }, (_, at) => `M${at}`).concat('ENTITLEMENT_TOKEN')],
      ['a text', 'ENTITLEMENT_TOKEN'],
    ] as const) {
      test(`NG-01: an EES that offers ${name} is not spoken to`, async () => {
        const { ees, session } = await started()
        const info = { ...ees.info, eesAuthMethods } as EESInfo
        const error = await session.openEes(info).catch((thrown: unknown) => thrown)
        assert.ok(error instanceof AuthenticationStepFailed && error.step === 'negotiation', String(error))
        assert.deepEqual(ees.received, [])
      })
    }
  })

  test('NG-03: below the floor nothing is tried, and a token that the ECS refuses has no other one in its place', async () => {
    const { ees, session } = await started()
    const only = { ...ees.info, eesAuthMethods: ['ENTITLEMENT_TOKEN'] }
    await assert.rejects(session.openEes(only, { methods: ['EDGE_ACCESS_TOKEN'] }), { step: 'negotiation' })
    await assert.rejects(session.openEes(ees.info, { methods: ['TLS_WITH_AKMA'] }), { name: 'NotUsable' })
    const lying = await started({ tokens: { ...TOKENS, token_type: 'Bearer' } })
    await assert.rejects(lying.session.openEes(lying.ees.info), { step: 'token for the EES' })
    const wider = await started({ tokens: { ...TOKENS, scope: 'eees-easdiscovery eees-eeccontextreloc' } })
    await assert.rejects(wider.session.openEes(wider.ees.info), { step: 'token for the EES', message: /more than/ })
    const broken = await started({ tokens: { ...TOKENS, access_token: 'a.token\r\nx-other: 1' } })
    const unusable = { step: 'token for the EES', message: /access_token/ }
    await assert.rejects(broken.session.openEes(broken.ees.info), unusable)
    for (const { received } of [ees, lying.ees, wider.ees, broken.ees]) assert.deepEqual(received, [])
  })

  test('RFC 6749 5.1: the case of token_type says nothing', async () => {
    const { ees, session } = await started({ tokens: { ...TOKENS, token_type: 'dpop' } })
    const opened = await open(session, ees.info)
    await opened.discover()
    assert.equal(ees.received.length, 1)
  })

  test('an EES without a name, or at another name than the ECS says, is not spoken to', async () => {
    const { ees, session } = await started()
    for (const endPt of [
      undefined,
      { ipv4Addrs: ['192.0.2.1'] },
      { uri: 'http://ees1.example.com/' },
      { uri: 'https://192.0.2.1/' },
    ]) {
      const { endPt: _, ...rest } = ees.info
      const info = { ...rest, ...(endPt && { endPt }) } as EESInfo
      await assert.rejects(session.openEes(info), { name: 'NotUsable' })
    }
    const elsewhere = { apiRoot: ees.origin.replace(EES, 'ees2.example.com') }
    await assert.rejects(session.openEes(ees.info, elsewhere), { name: 'NotUsable', message: /origin of ees1/ })
    const byName = await open(session, { ...ees.info, endPt: { fqdn: EES } }, { apiRoot: ees.origin })
    await byName.discover()
  })

  test('what an EES answers is read strictly', async () => {
    for (const [answer, error] of [
      [{ status: 201, headers: { location: `${REGISTRATIONS}/r-1` }, body: { eecId: 'eec-2' } }, 'AnswerNotAccepted'],
      [
        { status: 201, headers: { location: 'https://other.example.com/x' }, body: { eecId: EEC_1 } },
        'AnswerNotAccepted',
      ],
      [{ status: 201, body: { eecId: EEC_1 } }, 'AnswerNotAccepted'],
      [{ status: 200, body: { eecId: EEC_1 } }, 'AnswerNotAccepted'],
      [{ status: 307, headers: { location: 'https://other.example.com/' } }, 'AnswerNotAccepted'],
      [{ status: 403, body: { cause: 'EEC_MISMATCH' } }, 'RefusedByServer'],
    ] as const) {
      const { ees, session } = await started({ ees: () => answer })
      const opened = await open(session, ees.info)
      await assert.rejects(opened.register(), { name: error })
      assert.equal(ees.received.length, 1)
    }
  })
})
