import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { readCertificate, x5tS256 } from '../../src/certificates/certificate.ts'
import { issueCertificate } from '../../src/certificates/issue.ts'
import { drawSerial, templateFor } from '../../src/certificates/template.ts'
import { readCertifiedKeys } from '../../src/eec-authentication/certified-keys.ts'
import type { Signer } from '../../src/ports/signer.ts'
import { jwkOf, jwkThumbprint } from '../../src/tokens/jwk.ts'
import { aDomain, aSigner, type Domain, fqdn, random, spkiOf } from '../certificates/a-domain.ts'
import { anNf } from '../nf/a-network.ts'

const NAME = fqdn('ent.operator.example')
const DAY = 86_400_000

let domain: Domain
before(async () => {
  domain = await aDomain({ domain: 'operator.example' })
})

/** A key as an ENT shows it, with a certificate that begins at `now`. */
async function shown(signer: Signer = aSigner(), now = domain.now) {
  const { certificate, signer: issuer } = domain.issuers.nf
  const spki = spkiOf(signer)
  const given = {
    issuer: certificate,
    spki,
    serial: drawSerial(random),
    now,
    crlDistributionPoint: 'http://x.example/',
  }
  const der = await issueCertificate(templateFor(anNf(NAME, 'AF'), given), issuer)
  const x5c = [der, certificate.der].map((octets) => octets.toString('base64'))
  const kid = jwkThumbprint(signer.publicKey)
  return {
    kid,
    x5t: x5tS256(der),
    notAfter: readCertificate(der).notAfter,
    jwk: { ...jwkOf(signer.publicKey), kid, x5c },
  }
}

function read(set: unknown, now = domain.now) {
  const clock = { at: now, now: () => clock.at }
  const failures: unknown[] = []
  const anchors = [domain.root.certificate]
  const failed = (error: unknown) => failures.push(error)
  const keys = readCertifiedKeys(Buffer.from(JSON.stringify(set)), { fqdn: NAME, anchors, clock, failed })
  return { keys, clock, failures }
}

describe('keys that come with their certificates: RFC 7517 4.7, D-14', () => {
  test('a key is found by its kid and its certificate together, until the certificate ends', async () => {
    const { kid, x5t, notAfter, jwk } = await shown()
    const { keys, clock } = read({ keys: [{ ...jwk, use: 'sig', alg: 'ES256' }] })
    assert.ok(keys.get(kid, x5t))
    for (const [name, certificate] of [[kid], [kid, kid], [x5t, x5t], ['', x5t], [kid, '']])
      assert.equal(keys.get(name ?? '', certificate), undefined)
    clock.at = notAfter
    assert.ok(keys.get(kid, x5t))
    clock.at = notAfter + 1
    assert.equal(keys.get(kid, x5t), undefined)
  })

  test('EN-07: one key under two certificates, the old one and the renewed', async () => {
    const signer = aSigner()
    const [old, renewed] = [await shown(signer), await shown(signer, domain.now + DAY)]
    const { keys } = read({ keys: [old.jwk, renewed.jwk] }, domain.now + DAY)
    assert.ok(keys.get(old.kid, old.x5t) && keys.get(renewed.kid, renewed.x5t))
  })

  test('EN-07: a certificate that has run out does not take the next one with it', async () => {
    const [old, next] = [await shown(), await shown(aSigner(), domain.now + 25 * DAY)]
    const { keys, failures } = read({ keys: [old.jwk, next.jwk] }, old.notAfter + 1)
    assert.equal(keys.get(old.kid, old.x5t), undefined)
    assert.ok(keys.get(next.kid, next.x5t))
    assert.equal(failures.length, 1)
  })

  test('a chain that does not lead to an anchor, and one of certificates that are none, is left out', async () => {
    const { kid, x5t, jwk } = await shown()
    const issuing = jwk.x5c.slice(1)
    for (const x5c of [
      jwk.x5c.slice(0, 1),
      issuing,
      [...issuing, ...jwk.x5c],
      ['AAAA'],
      Array(10).fill(jwk.x5c[0]),
      [],
    ]) {
      const { keys, failures } = read({ keys: [{ ...jwk, x5c }] })
      assert.equal(keys.get(kid, x5t), undefined)
      assert.equal(failures.length, 1)
    }
  })

  test('TK-02: a set of any other form is none: no list, too many, private keys, addresses, no certificates', async () => {
    const { jwk } = await shown()
    const large = jwkOf(aSigner('P-384').publicKey)
    const sets = [
      null,
      [],
      {},
      { keys: jwk },
      { keys: [null] },
      { keys: Array(17).fill(jwk) },
      { keys: [{ ...jwk, d: jwk.x }] },
      { keys: [{ ...jwk, x5u: 'https://evil.example/' }] },
      { keys: [{ ...jwk, kid: 'x' }] },
      { keys: [{ ...jwk, use: 'enc' }] },
      { keys: [{ ...jwk, x5c: undefined }] },
      { keys: [{ ...jwk, x5c: jwk.x5c[0] }] },
      { keys: [{ ...jwk, x5c: [7] }] },
      { keys: [{ ...jwk, x5c: ['-_-_'] }] },
      { keys: [{ ...large, x5c: jwk.x5c }] },
    ]
    for (const set of sets) assert.throws(() => read(set), TypeError, JSON.stringify(set)?.slice(0, 60))
    const clock = { now: () => domain.now }
    for (const text of ['', '{', '{"keys":[],"keys":[]}'])
      assert.throws(() => readCertifiedKeys(Buffer.from(text), { fqdn: NAME, anchors: [], clock }), {
        code: 'INVALID_MSG_FORMAT',
      })
  })
})
