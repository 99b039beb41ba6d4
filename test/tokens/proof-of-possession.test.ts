import assert from 'node:assert/strict'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import { jwkOf } from '../../src/tokens/jwk.ts'
import { createProof, verifyProof } from '../../src/tokens/proof-of-possession.ts'
import { aParty, EES1, forge, fqdn, PROOF_CONTEXT, refused, STRANGER, VERIFIERS } from './parties.ts'

const REFUSAL = 'PROOF_OF_POSSESSION_FAILED'
const CLAIMS = VERIFIERS.find(({ type }) => type.typ === 'edge-pop+jwt')?.claims ?? {}
const spkiOf = (party: typeof EES1 | typeof STRANGER) => party.publicKey.export({ type: 'spki', format: 'der' })

describe('proof of possession: D-3, RFC 9266', () => {
  for (const crv of ['P-256', 'P-384'] as const) {
    test(`a key on ${crv} is proven, and the answer is that key`, async () => {
      const party = aParty(crv)
      assert.deepEqual(await verifyProof(await createProof(PROOF_CONTEXT, party.signer), PROOF_CONTEXT), spkiOf(party))
    })
  }

  test('the claims are the written ones', async () => {
    const { proof } = await createProof(PROOF_CONTEXT, EES1.signer)
    assert.deepEqual(JSON.parse(Buffer.from(proof.split('.')[1] ?? '', 'base64url').toString()), CLAIMS)
  })

  test('ath is made as in RFC 9449 7.1', async () => {
    const onboardingToken = 'Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU'
    const { proof } = await createProof({ ...PROOF_CONTEXT, onboardingToken }, EES1.signer)
    const { ath } = JSON.parse(Buffer.from(proof.split('.')[1] ?? '', 'base64url').toString())
    assert.equal(ath, 'fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo')
  })

  test('ON-03: replayed on a second connection, for another token, profile or ECS', async () => {
    const sent = await createProof(PROOF_CONTEXT, EES1.signer)
    const elsewhere = [
      [/another connection/, { exporter: randomBytes(32) }],
      [/another token/, { onboardingToken: 'another.onboarding.token' }],
      [/another profile/, { eesProf: { ...PROOF_CONTEXT.eesProf, eesId: 'ees-2' } }],
      [/another profile/, { eesProf: { ...PROOF_CONTEXT.eesProf, vendorSpecific: 1 } }],
      [/another profile/, { eesProf: undefined }],
      [/another audience/, { ecs: fqdn('ecs2.edge.example.com') }],
    ] as const
    for (const [detail, changes] of elsewhere)
      await refused(verifyProof(sent, { ...PROOF_CONTEXT, ...changes }), REFUSAL, detail)
    await verifyProof(sent, PROOF_CONTEXT)
  })

  test('the order of the members of the profile does not count: RFC 8785', async () => {
    const sent = await createProof(PROOF_CONTEXT, EES1.signer)
    const eesProf = Object.fromEntries(Object.entries(PROOF_CONTEXT.eesProf).toReversed())
    await verifyProof(sent, { ...PROOF_CONTEXT, eesProf })
  })

  test('ON-03: the key of another EES, with a proof by a key that one has', async () => {
    const { proof } = await createProof(PROOF_CONTEXT, STRANGER.signer)
    await refused(verifyProof({ publicKey: jwkOf(EES1.publicKey), proof }, PROOF_CONTEXT), REFUSAL, /no key of its/)
    const header = { alg: 'ES256', typ: 'edge-pop+jwt', kid: EES1.kid }
    const claims = Buffer.from(proof.split('.')[1] ?? '', 'base64url').toString()
    const underItsName = { publicKey: jwkOf(EES1.publicKey), proof: forge(header, claims, STRANGER.privateKey) }
    await refused(verifyProof(underItsName, PROOF_CONTEXT), REFUSAL, /signature is not valid/)
  })

  test('a claim that is missing or of another kind', async () => {
    const header = { alg: 'ES256', typ: 'edge-pop+jwt', kid: EES1.kid }
    const publicKey = jwkOf(EES1.publicKey)
    await verifyProof({ publicKey, proof: forge(header, CLAIMS, EES1.privateKey) }, PROOF_CONTEXT)
    for (const name of ['aud', 'ath', 'exporter', 'profile']) {
      for (const value of [undefined, null, '', 1, {}, 'x', `${CLAIMS[name]}=`]) {
        const proof = forge(header, { ...CLAIMS, [name]: value }, EES1.privateKey)
        await refused(verifyProof({ publicKey, proof }, PROOF_CONTEXT), REFUSAL, /for another/, `${name} ${value}`)
      }
    }
  })

  test('publicKey is a strict public JWK; whether the key is good enough is not asked here', async () => {
    const { publicKey, proof } = await createProof(PROOF_CONTEXT, EES1.signer)
    const bad = [
      undefined,
      null,
      '',
      [],
      {},
      EES1.privateKey.export({ format: 'jwk' }),
      generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' }),
      generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }),
      { ...publicKey, x: undefined },
      { ...publicKey, y: publicKey.x },
      { ...publicKey, x5u: 'https://attacker.example/' },
    ]
    for (const jwk of bad) await refused(verifyProof({ publicKey: jwk, proof }, PROOF_CONTEXT), REFUSAL, /publicKey/)
  })

  test('without an exporter value of 32 octets nothing is made and nothing is compared', async () => {
    const sent = await createProof(PROOF_CONTEXT, EES1.signer)
    for (const length of [0, 31, 33]) {
      const context = { ...PROOF_CONTEXT, exporter: Buffer.alloc(length, 7) }
      await assert.rejects(createProof(context, EES1.signer), RangeError)
      await assert.rejects(verifyProof(sent, context), RangeError)
    }
  })

  test('a profile that is no JSON value cannot be proven, nor passed over', async () => {
    const context = { ...PROOF_CONTEXT, eesProf: undefined }
    await assert.rejects(createProof(context, EES1.signer), RangeError)
    const header = { alg: 'ES256', typ: 'edge-pop+jwt', kid: EES1.kid }
    const proof = forge(header, { ...CLAIMS, profile: undefined }, EES1.privateKey)
    await refused(verifyProof({ publicKey: jwkOf(EES1.publicKey), proof }, context), REFUSAL, /another profile/)
  })
})
