import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from 'jose'
import { sha256Base64url } from '../../src/octets/digest.ts'
import { createDpopProof, type DpopRequest, verifyDpopProof } from '../../src/tokens/dpop-proof.ts'
import { aParty, EEC, forge, NOW, refused, SECONDS, STRANGER } from './parties.ts'

const REQUEST: DpopRequest = { method: 'POST', uri: 'https://ecs.edge.example.com:8443/eecs/v1/request' }
const by = { signer: EEC.signer, now: NOW, jti: '-BwC3ESc6acc2lTc' }
const jwk = EEC.publicKey.export({ format: 'jwk' })
const header = { typ: 'dpop+jwt', alg: 'ES256', jwk }
const claims = { jti: '-BwC3ESc6acc2lTc', htm: 'POST', htu: REQUEST.uri, iat: SECONDS }
const proofUnder = (change: object) => forge({ ...header, ...change }, claims, EEC.privateKey)
const proofWith = (changes: object) => forge(header, { ...claims, ...changes }, EEC.privateKey)
const verify = (proof: string, request: Partial<DpopRequest & { now: number }> = {}) =>
  verifyDpopProof(proof, { ...REQUEST, now: NOW, ...request })

describe('DPoP proofs: RFC 9449 4', () => {
  test('what is made has the form of RFC 9449 4.2, and is what is verified', async () => {
    const proof = await createDpopProof({ ...REQUEST, token: 'a.b.c' }, by)
    const [head = '', body = ''] = proof.split('.').map((part) => Buffer.from(part, 'base64url').toString())
    assert.deepEqual(JSON.parse(head), header)
    assert.deepEqual(JSON.parse(body), { ...claims, ath: sha256Base64url('a.b.c') })
    assert.deepEqual(await verify(proof, { token: 'a.b.c' }), {
      jkt: EEC.kid,
      jti: by.jti,
      iat: SECONDS,
      goodUntil: NOW + 60_000,
    })
  })

  test('ath of the example of RFC 9449 7.1 is the digest that the RFC prints', async () => {
    const token = 'Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU'
    const proof = await createDpopProof({ ...REQUEST, token }, by)
    const { ath } = JSON.parse(Buffer.from(proof.split('.')[1] ?? '', 'base64url').toString())
    assert.equal(ath, 'fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo')
  })

  test('the example of RFC 9449 4.1 is verified at its time, and its key has the thumbprint that the RFC prints', async () => {
    const proof =
      'eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJ' +
      'oRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.' +
      'eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF' +
      '0IjoxNTYyMjYyNjE2fQ.' +
      '2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg'
    const request = { method: 'POST', uri: 'https://server.example.com/token', now: 1_562_262_616_000 }
    const proven = await verifyDpopProof(proof, request)
    assert.deepEqual([proven.jkt, proven.jti], ['0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I', '-BwC3ESc6acc2lTc'])
  })

  test('what another library makes is verified, and its thumbprint is ours', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256')
    const own = await exportJWK(publicKey)
    const proof = await new SignJWT({ jti: 'x', htm: 'POST', htu: REQUEST.uri })
      .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: own })
      .setIssuedAt(SECONDS)
      .sign(privateKey)
    assert.equal((await verify(proof)).jkt, await calculateJwkThumbprint(own))
  })

  test('4.3 check 8: another method, in any spelling but its own', async () => {
    for (const htm of ['GET', 'post', 'Post', 'POST ', 'POSTS', '', null, ['POST'], undefined, 'PUT', '*'])
      await refused(verify(proofWith({ htm })), 'DPOP_PROOF_INVALID', /method/, htm)
  })

  test('4.3 check 9: another URI, scheme, host, port or path', async () => {
    const others = [
      'http://ecs.edge.example.com:8443/eecs/v1/request',
      'https://ecs.edge.example.com/eecs/v1/request',
      'https://ecs.edge.example.com:8444/eecs/v1/request',
      'https://ecs2.edge.example.com:8443/eecs/v1/request',
      'https://edge.example.com:8443/eecs/v1/request',
      'https://ecs.edge.example.com.:8443/eecs/v1/request',
      'https://user@ecs.edge.example.com:8443/eecs/v1/request',
      'https://ecs.edge.example.com:8443@evil.example/eecs/v1/request',
      'https://ecs.edge.example.com:8443/eecs/v1/request/',
      'https://ecs.edge.example.com:8443/eecs/v1/Request',
      'https://ecs.edge.example.com:8443/eecs/v1',
      'https://ecs.edge.example.com:8443//eecs/v1/request',
      'https:\\\\ecs.edge.example.com:8443\\eecs\\v1\\request',
      ' https://ecs.edge.example.com:8443/eecs/v1/request',
      'https://ecs.edge.example.com:8443/eecs/v1/re\nquest',
      'https:ecs.edge.example.com:8443/eecs/v1/request',
      '/eecs/v1/request',
      'https://',
      '*',
    ]
    for (const htu of others) await refused(verify(proofWith({ htu })), 'DPOP_PROOF_INVALID', /URI/, htu)
    for (const htu of [undefined, null, '', [REQUEST.uri], 1, {}])
      await refused(verify(proofWith({ htu })), 'DPOP_PROOF_INVALID', /htu/, htu)
  })

  test('4.3 check 9: the same URI in other words: query and fragment do not count, RFC 3986 6.2.2 and 6.2.3 do', async () => {
    for (const htu of [
      `${REQUEST.uri}?token=x`,
      `${REQUEST.uri}#fragment`,
      'HTTPS://ECS.EDGE.EXAMPLE.COM:8443/eecs/v1/request',
      'https://ecs.edge.example.com:8443/eecs/v0/../v1/./request',
    ])
      await verify(proofWith({ htu }))
    const noPort = { uri: 'https://ecs.edge.example.com/a' }
    await verify(proofWith({ htu: 'https://ecs.edge.example.com:443/a' }), noPort)
  })

  test('4.3 check 11: good from 30 s before its iat to 60 s after it, to the millisecond', async () => {
    const proof = proofWith({})
    for (const at of [-30_000, 0, 59_999]) await verify(proof, { now: NOW + at })
    for (const at of [-30_001, 60_000, 3_600_000, -3_600_000])
      await refused(verify(proof, { now: NOW + at }), 'DPOP_PROOF_INVALID', /not of this minute/, at)
    for (const iat of [undefined, null, String(SECONDS), SECONDS + 0.5, -1, 2 ** 53])
      await refused(verify(proofWith({ iat })), 'DPOP_PROOF_INVALID', /whole number/, iat)
  })

  test('4.3 check 12: another token than the one it was made for, one where there is none, none where there is one', async () => {
    const proof = await createDpopProof({ ...REQUEST, token: 'a.b.c' }, by)
    await refused(verify(proof, { token: 'a.b.d' }), 'DPOP_PROOF_INVALID', /another token/)
    await refused(verify(proof), 'DPOP_PROOF_INVALID', /another token/)
    await refused(verify(proofWith({}), { token: 'a.b.c' }), 'DPOP_PROOF_INVALID', /another token/)
    for (const ath of ['a.b.c', `${sha256Base64url('a.b.c')}=`, null, [sha256Base64url('a.b.c')]])
      await refused(verify(proofWith({ ath }), { token: 'a.b.c' }), 'DPOP_PROOF_INVALID', /another token/, ath)
  })

  test('RFC 7519 4.1.3 to 4.1.5: a proof that limits itself in a way that nobody here would check is refused', async () => {
    for (const limit of [
      { aud: 'https://ecs.edge.example.com' },
      { exp: SECONDS + 60 },
      { nbf: SECONDS },
      { aud: null },
    ])
      await refused(verify(proofWith(limit)), 'DPOP_PROOF_INVALID', /audience or a life/, JSON.stringify(limit))
  })

  test('4.3 check 4: typ is dpop+jwt and no other spelling', async () => {
    for (const typ of ['application/dpop+jwt', 'DPOP+JWT', 'jwt', 'at+jwt', 'dpop'])
      await refused(verify(forge({ ...header, typ }, claims, EEC.privateKey)), 'DPOP_PROOF_INVALID', /type/, typ)
  })

  test('TK-01: 4.3 checks 6 and 7: the key of the header, on P-256, has signed', async () => {
    const stranger = { ...header, jwk: STRANGER.publicKey.export({ format: 'jwk' }) }
    await refused(verify(forge(stranger, claims, EEC.privateKey)), 'DPOP_PROOF_INVALID', /signature is not valid/)
    const large = aParty('P-384')
    const ofLarge = { typ: 'dpop+jwt', alg: 'ES384', jwk: large.publicKey.export({ format: 'jwk' }) }
    await refused(verify(forge(ofLarge, claims, large.privateKey)), 'DPOP_PROOF_INVALID', /P-256/)
  })

  test('TK-02: jwk is a public key and nothing else: no private key, no address, no certificate, no other kind', async () => {
    const wrong: readonly unknown[] = [
      EEC.privateKey.export({ format: 'jwk' }),
      { ...jwk, x5u: 'https://evil.example/' },
      { ...jwk, jku: 'https://evil.example/' },
      { ...jwk, x5c: [] },
      { ...jwk, key_ops: ['verify'] },
      { ...jwk, use: 'enc' },
      { ...jwk, kid: STRANGER.kid },
      { ...jwk, x: `${jwk.x}=` },
      { ...jwk, y: jwk.x },
      { ...jwk, crv: 'P-384' },
      { kty: 'oct', k: 'AAAA' },
      { kty: 'OKP', crv: 'Ed25519', x: jwk.x },
      {},
    ]
    for (const key of wrong)
      await refused(verify(proofUnder({ jwk: key })), 'DPOP_PROOF_INVALID', /jwk is not/, JSON.stringify(key))
    for (const key of [undefined, null, 'https://evil.example/jwk', [jwk], 1])
      await refused(verify(proofUnder({ jwk: key })), 'DPOP_PROOF_INVALID', /header is not exactly/)
  })

  test('an EEC cannot make a proof that no verifier takes', async () => {
    await assert.rejects(createDpopProof(REQUEST, { ...by, signer: aParty('P-384').signer }), RangeError)
    for (const uri of ['http://ecs.edge.example.com/', 'ecs.edge.example.com', 'https://u:p@ecs.edge.example.com/', ''])
      await assert.rejects(createDpopProof({ method: 'GET', uri }, by), RangeError, uri)
  })
})
