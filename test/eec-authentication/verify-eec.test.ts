import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { LRUCache } from 'lru-cache'
import { entitlementVerifier } from '../../src/eec-authentication/adapters/entitlement-verifier.ts'
import { checkEecId, checkUeId } from '../../src/eec-authentication/eec-identity.ts'
import { presentedRequest } from '../../src/eec-authentication/presented-token.ts'
import { ReplayCache } from '../../src/eec-authentication/replay-cache.ts'
import { verifyEecAccess } from '../../src/eec-authentication/verify-access.ts'
import { type EecVerifiers, verifyEec } from '../../src/eec-authentication/verify-eec.ts'
import { systemClock } from '../../src/ports/clock.ts'
import { parseGpsi } from '../../src/spec/subscriber-identifiers.ts'
import { type EecAccessTokenClaims, issueEecAccessToken } from '../../src/tokens/eec-access-token.ts'
import { keySetOf } from '../../src/tokens/key-set.ts'
import { ECS1, EEC, forge, refused, STRANGER, scope, VERIFIERS } from '../tokens/parties.ts'
import { type AnEnt, anEnt, ECS, EES, presenting } from './an-ent.ts'

let ent: AnEnt
let close: () => void
let verifiers: Required<Pick<EecVerifiers, 'ENTITLEMENT_TOKEN' | 'EDGE_ACCESS_TOKEN'>>

before(async () => {
  ent = await anEnt()
  const replays = new ReplayCache(Date.now())
  const resolve = new Map([[ent.name, '127.0.0.1']])
  const entitlement = entitlementVerifier({ fqdn: EES, ents: [ent.trusted()], resolve, replays })
  const access = {
    issuers: new Map([[ECS1.iss, keySetOf([ECS1.publicKey])]]),
    audience: EES,
    clock: systemClock,
    replays,
    read: new LRUCache<string, EecAccessTokenClaims>({ max: 10 }),
    mayGoOn: () => true,
  }
  verifiers = {
    ENTITLEMENT_TOKEN: entitlement.verify,
    EDGE_ACCESS_TOKEN: (request) => verifyEecAccess(access, request, scope('eees-easdiscovery')),
  }
  close = entitlement.close
})

after(async () => {
  close()
  await ent.close()
})

const accessToken = (change: Partial<Parameters<typeof issueEecAccessToken>[0]> = {}) =>
  issueEecAccessToken(
    { iss: ECS1.iss, eecId: EEC.id, aud: EES, scope: scope('eees-easdiscovery'), jkt: EEC.kid, ...change },
    { signer: ECS1.signer, now: Date.now(), jti: randomUUID() },
  )

describe('an EEC at an EES: TS 33.558 6.3, D-15', () => {
  test('the type of its token says by which method it authenticates', async () => {
    const byEcs = await verifyEec(verifiers, await presenting(await accessToken({ gpsi: EEC.gpsi })))
    assert.deepEqual(
      [byEcs.method, byEcs.eecId, byEcs.gpsi, byEcs.jkt],
      ['EDGE_ACCESS_TOKEN', EEC.id, EEC.gpsi, EEC.kid],
    )
    const byEnt = await verifyEec(verifiers, await presenting(await ent.token({ aud: EES })))
    assert.deepEqual([byEnt.method, byEnt.eecId, byEnt.jkt], ['ENTITLEMENT_TOKEN', EEC.id, EEC.kid])
  })

  test('NG-05: a method that the EES does not take is refused, though the token is good', async () => {
    const { ENTITLEMENT_TOKEN, EDGE_ACCESS_TOKEN } = verifiers
    const byEcs = await presenting(await accessToken())
    const byEnt = await presenting(await ent.token({ aud: EES }))
    await refused(verifyEec({ ENTITLEMENT_TOKEN }, byEcs), 'TOKEN_INVALID', /not taken here/)
    await refused(verifyEec({ EDGE_ACCESS_TOKEN }, byEnt), 'TOKEN_INVALID', /not taken here/)
    await refused(verifyEec({}, byEnt), 'TOKEN_INVALID', /not taken here/)
  })

  test('TK-06: every other kind of token is refused, also one that calls itself by a good name', async () => {
    for (const { issue, type, claims, key } of VERIFIERS) {
      const real = await presenting(await issue())
      await refused(verifyEec(verifiers, real), 'TOKEN_INVALID', /./, type.typ)
      for (const typ of ['edge-entitlement+jwt', 'at+jwt']) {
        const named = forge({ alg: 'ES256', typ, kid: key.kid }, claims, key.privateKey)
        await refused(verifyEec(verifiers, await presenting(named)), 'TOKEN_INVALID', /./, `${type.typ} as ${typ}`)
      }
    }
  })

  test('NG-01: without a credential, and with whatever is none, there is nobody', async () => {
    const { method, uri } = await presenting('a.b.c')
    await refused(verifyEec(verifiers, { method, uri, headers: {} }), 'CREDENTIAL_MISSING')
    for (const authorization of ['none', 'Bearer none', 'Bearer null', 'DPoP a.b.c', 'Basic eec-1', 'Bearer a.b.c'])
      await assert.rejects(
        verifyEec(verifiers, { method, uri, headers: { authorization } }),
        ({ code }: { code: string }) => ['CREDENTIAL_MISSING', 'DPOP_PROOF_INVALID', 'TOKEN_INVALID'].includes(code),
        authorization,
      )
  })

  test('TK-05: the token of the ECS needs its own key, and a proof of its own each time (D-14)', async () => {
    const token = await accessToken()
    const request = await presenting(token)
    await verifyEec(verifiers, request)
    await refused(verifyEec(verifiers, request), 'DPOP_PROOF_INVALID', /used before/)
    const stolen = await presenting(token, { signer: STRANGER.signer })
    await refused(verifyEec(verifiers, stolen), 'TOKEN_INVALID', /another key/)
    const { method, uri } = request
    const bearer = { method, uri, headers: { authorization: `Bearer ${token}` } }
    await refused(verifyEec(verifiers, bearer), 'CREDENTIAL_MISSING', /scheme DPoP/)
  })

  test('TK-09: a token that expires while the keys of the ECS are awaited is refused', async () => {
    let now = Date.now()
    const keys = keySetOf([ECS1.publicKey])
    const slow = {
      async get(kid: string) {
        now += 10_000
        return keys.get(kid)
      },
    }
    const verifier = {
      issuers: new Map([[ECS1.iss, slow]]),
      audience: EES,
      clock: { now: () => now },
      replays: new ReplayCache(now),
      read: new LRUCache<string, EecAccessTokenClaims>({ max: 10 }),
      mayGoOn: () => true,
    }
    const grant = { iss: ECS1.iss, eecId: EEC.id, aud: EES, scope: scope('eees-easdiscovery'), jkt: EEC.kid }
    const token = await issueEecAccessToken(grant, { signer: ECS1.signer, now, jti: randomUUID(), lifetime: 5 })
    const request = await presenting(token)
    await refused(verifyEecAccess(verifier, request, scope('eees-easdiscovery')), 'TOKEN_INVALID', /expired/)
  })

  test('TK-03, TK-07: for another EES or another service it does not serve', async () => {
    const elsewhere = await accessToken({ aud: ECS })
    await refused(verifyEec(verifiers, await presenting(elsewhere)), 'TOKEN_INVALID', /another audience/)
    const narrow = await accessToken({ scope: scope('eees-eecregistration') })
    await refused(verifyEec(verifiers, await presenting(narrow)), 'INSUFFICIENT_SCOPE')
  })
})

describe('what a proof is compared with', () => {
  const operation = { id: 'Get', api: 'test', method: 'GET', path: '/a/{b}', clause: 'none' } as const

  test('the URI as the client has addressed it, in HTTP/2 and in HTTP/1.1', () => {
    for (const headers of [{ ':authority': 'ees1.example:8443' }, { host: 'ees1.example:8443' }])
      assert.deepEqual(presentedRequest({ headers, operation, path: '/a/b' }), {
        headers,
        method: 'GET',
        uri: 'https://ees1.example:8443/a/b',
      })
  })
})

describe('what an EEC says of itself: D-16', () => {
  const gpsi = parseGpsi('msisdn-491701234567')
  assert.ok(gpsi)
  const identity = { eecId: EEC.id, gpsi }
  const mismatch = { name: 'Refusal', code: 'EEC_MISMATCH' }

  test('NG-04: eecId is the one that has authenticated, letter by letter', () => {
    checkEecId(identity, 'eec-1')
    for (const named of ['eec-2', 'EEC-1', 'eec-1 ', 'eec-', 'eec-11', '', '*'])
      assert.throws(() => checkEecId(identity, named), mismatch, named)
  })

  test('ueId is the GPSI of the credential, or is not said; without a GPSI none is believed', () => {
    checkUeId(identity, undefined)
    checkUeId(identity, 'msisdn-491701234567')
    for (const named of ['msisdn-491701234568', '', 'MSISDN-491701234567'])
      assert.throws(() => checkUeId(identity, named), mismatch, named)
    assert.throws(() => checkUeId({}, 'msisdn-491701234567'), mismatch)
    checkUeId({}, undefined)
  })
})
