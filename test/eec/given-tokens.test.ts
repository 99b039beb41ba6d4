import assert from 'node:assert/strict'
import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { GivenTokens } from '../../src/eec/ees/given-tokens.ts'
import { signerOf } from '../../src/ports/signer.ts'
import type { Fqdn } from '../../src/spec/identifiers.ts'
import type { EesToken } from '../../src/spec/messages/ees-tokens.ts'
import { hasFeature } from '../../src/spec/supported-features.ts'
import { verifyDpopProof } from '../../src/tokens/dpop-proof.ts'
import { type EecAccessGrant, issueEecAccessToken } from '../../src/tokens/eec-access-token.ts'
import { jwkThumbprint } from '../../src/tokens/jwk.ts'
import { fqdn } from '../certificates/a-domain.ts'
import { Challenger } from '../ue/a-challenger.ts'
import { type AServingUe, aServingUe, EEC_1, EEC_2, VECTOR } from '../ue/a-folder.ts'
import { type Asked, anEcs, ECS, PROVISIONING } from './an-ecs.ts'
import { authenticateAt, K_ECS } from './an-eec.ts'
import { anEes, EES } from './an-ees.ts'
import { type AnEntitlementServer, anEntitlementServer, ENT } from './an-entitlement-server.ts'

const SERVICES = 'eees-eecregistration eees-easdiscovery'
const anySigner = () => signerOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)
const ECS_SIGNER = anySigner()

/** A token for one EES as our ECS makes it, or with something else in it. */
async function eesToken(jkt: string, change: Partial<EecAccessGrant> = {}, told: Partial<EesToken> = {}) {
  const now = Date.now()
  const grant = { iss: `https://${ECS}`, eecId: EEC_1, aud: EES, scope: new Set(SERVICES.split(' ')), jkt, ...change }
  const accessToken = await issueEecAccessToken(grant, { signer: ECS_SIGNER, now, jti: randomUUID() })
  const named = { eesId: 'ees-1', audience: EES as string, tokenType: 'DPoP' as const, expiresIn: 600, scope: SERVICES }
  return { ...named, accessToken, ...told }
}

describe('tokens that come with the answer to provisioning: D-12, TS 33.558 6.2', () => {
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

  /** An ECS that gives tokens to who proves a key and asks for them; then an EES of it. */
  async function started(
    by: 'TLS_KEDGE' | 'ENTITLEMENT_TOKEN',
    tokens = async (jkt: string): Promise<EesToken[]> => [await eesToken(jkt)],
  ) {
    const change = async ({ path, method, uri, body, dpop, authorization }: Asked) => {
      if (!path.endsWith('/request') || dpop === undefined) return undefined
      if (!hasFeature((body as { suppFeat?: string }).suppFeat, 64)) return undefined
      const shown = authorization === undefined ? {} : { token: authorization.replace('DPoP ', '') }
      const { jkt } = await verifyDpopProof(dpop, { method, uri, now: Date.now(), ...shown })
      const eesTokens = await tokens(jkt)
      return { status: 200, body: { ...PROVISIONING, ...(eesTokens.length > 0 && { eesTokens }) } }
    }
    const ecs = await anEcs({ change })
    ecs.keys.set(VECTOR.pskIdentity, K_ECS)
    const ees = await anEes(ecs)
    const resolve = new Map([...ecs.resolve, [EES as string, '127.0.0.1'], [ENT as string, '127.0.0.1']])
    const session = await authenticateAt(ecs, ue, { methods: [by], entitlement: ent, resolve })
    closing.push(ecs.close, ees.close, () => session.close())
    const discover = async (info = ees.info) => {
      const opened = await session.openEes(info)
      closing.push(() => opened.close())
      await opened.discover()
    }
    const askedForTokens = () => ecs.received.filter(({ path }) => path === '/oauth2/token').length
    const shown = () => ees.received.map(({ authorization }) => authorization.replace('DPoP ', ''))
    return { ecs, ees, session, discover, askedForTokens, shown }
  }

  for (const by of ['TLS_KEDGE', 'ENTITLEMENT_TOKEN'] as const) {
    test(`by ${by}, the token that came is shown at its EES, and the token endpoint is not asked`, async () => {
      const given: EesToken[] = []
      const { session, discover, askedForTokens, shown } = await started(by, async (jkt) => {
        given.push(await eesToken(jkt))
        return given
      })
      const found = await session.provision({}, { eesTokens: true })
      assert.deepEqual(JSON.parse(JSON.stringify(found)), PROVISIONING, 'the answer goes on without the tokens')
      await discover()
      assert.deepEqual([shown(), askedForTokens()], [[given[0]?.accessToken], 0])
    })

    test(`by ${by}, an EEC that does not ask for tokens gets none, and asks when it needs one`, async () => {
      const { session, discover, askedForTokens } = await started(by)
      await session.provision()
      await discover()
      assert.equal(askedForTokens(), 1)
    })
  }

  test('a token is for its EES alone: for another one the token endpoint is asked', async () => {
    const { ees, session, discover, askedForTokens } = await started('TLS_KEDGE')
    await session.provision({}, { eesTokens: true })
    await discover({ ...ees.info, eesId: 'ees-2' })
    assert.equal(askedForTokens(), 1)
  })

  test('an ECS that knows no such feature answers without tokens, and nothing is missing', async () => {
    const { session, discover, askedForTokens } = await started('TLS_KEDGE', async () => [])
    assert.ok(await session.provision({}, { eesTokens: true }))
    await discover()
    assert.equal(askedForTokens(), 1)
  })

  for (const [name, token] of [
    ['TK-03: for another EES than it is said to be', (jkt: string) => eesToken(jkt, { aud: fqdn('ees2.example.com') })],
    ['TK-05: bound to the key of somebody else', () => eesToken(jwkThumbprint(anySigner().publicKey))],
    ['NG-04: of another EEC', (jkt: string) => eesToken(jkt, { eecId: EEC_2 })],
    ['that is none', (jkt: string) => eesToken(jkt, {}, { accessToken: 'a.b.c' })],
    ['with a name that is none', (jkt: string) => eesToken(jkt, {}, { audience: '127.0.0.1' })],
    ['that is to be shown by itself', (jkt: string) => eesToken(jkt, {}, { tokenType: 'Bearer' as 'DPoP' })],
  ] as const) {
    test(`${name}: such a token is not taken, and the answer is not relied on`, async () => {
      const { ees, session, askedForTokens } = await started('TLS_KEDGE', async (jkt) => [await token(jkt)])
      await assert.rejects(session.provision({}, { eesTokens: true }), { name: 'AnswerNotAccepted' })
      assert.deepEqual([ees.received, askedForTokens()], [[], 0])
    })
  }
})

describe('until when a given token is used', () => {
  const jkt = jwkThumbprint(ECS_SIGNER.publicKey)
  const ees = { eesId: 'ees-1', fqdn: EES as Fqdn, apiRoot: `https://${EES}` }
  const given = async (expiresIn: number) => {
    const tokens = new GivenTokens({ eecId: EEC_1, jkt })
    const now = Date.now()
    tokens.take([await eesToken(jkt, {}, { expiresIn })], now)
    return (after: number) => tokens.tokenFor(ees, now + after)
  }

  test('not in the last 30 s of its life, or the last fifth', async () => {
    const [long, short] = [await given(600), await given(10)]
    assert.ok(long(569_000 - 1_000))
    assert.equal(long(571_000), undefined)
    assert.ok(short(7_900))
    assert.equal(short(8_000), undefined)
  })

  test('TK-07: whatever the ECS says of it, a token ends when it ends; one that has ended is not taken', async () => {
    const longer = await given(3_600)
    assert.equal(longer(571_000), undefined)
    const tokens = new GivenTokens({ eecId: EEC_1, jkt })
    const token = await eesToken(jkt)
    assert.throws(() => tokens.take([token], Date.now() + 601_000), { name: 'AnswerNotAccepted', message: /expired/ })
  })

  test('of an answer with one that cannot be used, none is kept', async () => {
    const tokens = new GivenTokens({ eecId: EEC_1, jkt })
    const both = [await eesToken(jkt), await eesToken(jkt, { eecId: EEC_2 }, { eesId: 'ees-2' })]
    assert.throws(() => tokens.take(both, Date.now()), { name: 'AnswerNotAccepted' })
    assert.equal(tokens.tokenFor(ees, Date.now()), undefined)
  })
})
