import assert from 'node:assert/strict'
import { sign } from 'node:crypto'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { CRL_REASONS, type CrlReason, issueCrl, type RevokedCertificate, readCrl } from '../../src/certificates/crl.ts'
import { TAG } from '../../src/certificates/der-tags.ts'
import { bitString, element, explicit, integer, NULL, oid, sequence, time } from '../../src/certificates/der-writer.ts'
import { writeName } from '../../src/certificates/distinguished-name.ts'
import { OID } from '../../src/certificates/object-identifiers.ts'
import { writePem } from '../../src/certificates/pem.ts'
import { drawSerial } from '../../src/certificates/template.ts'
import { ask, folderWith, needs } from '../judges.ts'
import { aDomain, aKey, random, SUBJECTS } from './a-domain.ts'
import { aName, anExtension } from './a-request.ts'

const DAY = 24 * 3600_000
const REASONS = Object.keys(CRL_REASONS) as CrlReason[]

describe('CRL: RFC 5280 5', async () => {
  const { issuers, root, issue, now } = await aDomain()
  const issuer = issuers.ees
  const given = { issuer, number: 1n, thisUpdate: now, nextUpdate: now + DAY }

  test('reads what it wrote', async () => {
    const serial = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((octets) => {
      const fixed = Buffer.from(octets)
      fixed.writeUInt8((fixed.readUInt8(0) & 0x7f) | 0x40, 0)
      return fixed.toString('hex')
    })
    const second = fc.integer({ min: 0, max: Date.UTC(2060, 0) / 1000 })
    const entry = fc.record(
      { serial, revokedAt: second.map((s) => s * 1000), reason: fc.constantFrom(...REASONS) },
      { requiredKeys: ['serial', 'revokedAt'] },
    )
    const entries = fc.uniqueArray(entry, { selector: (each) => each.serial, maxLength: 20 })
    const number = fc.bigInt({ min: 0n, max: 2n ** 150n })
    await fc.assert(
      fc.asyncProperty(entries, number, async (list, crlNumber) => {
        const crl = readCrl(await issueCrl({ ...given, number: crlNumber, entries: list as RevokedCertificate[] }))
        assert.equal(crl.number, crlNumber)
        assert.deepEqual(crl.issuer, issuer.certificate.subject)
        assert.deepEqual(crl.authorityKeyId, issuer.certificate.subjectKeyId)
        assert.deepEqual(
          [...crl.revoked],
          list.map(({ serial: key, ...revocation }) => [key, revocation]),
        )
      }),
    )
  })

  test('times are rounded down to the second, and 2050 is written as 2050', async () => {
    const thisUpdate = Date.UTC(2049, 11, 31, 23, 59, 59) + 999
    const entries = [{ serial: '01', revokedAt: Date.UTC(2050, 0) + 1 }]
    const crl = readCrl(await issueCrl({ ...given, thisUpdate, nextUpdate: thisUpdate + 1000, entries }))
    assert.deepEqual([crl.thisUpdate, crl.nextUpdate], [Date.UTC(2049, 11, 31, 23, 59, 59), Date.UTC(2050, 0)])
    assert.equal(crl.revoked.get('01')?.revokedAt, Date.UTC(2050, 0))
  })

  test('does not write a wrong list: a serial twice or malformed, an end before the beginning, another key', async () => {
    for (const serial of ['', '0', '00', '007f', '80', 'FF', '0g', `01${'00'.repeat(20)}`]) {
      await assert.rejects(issueCrl({ ...given, entries: [{ serial, revokedAt: now }] }), /serial/, serial)
    }
    for (const serial of ['01', '0080', '7f', `7f${'00'.repeat(19)}`]) {
      assert.ok(readCrl(await issueCrl({ ...given, entries: [{ serial, revokedAt: now }] })).revoked.has(serial))
    }
    const twice = [1, 2].map((s) => ({ serial: '01', revokedAt: s * 1000 }))
    await assert.rejects(issueCrl({ ...given, entries: twice }), /serial/)
    await assert.rejects(issueCrl({ ...given, nextUpdate: now, entries: [] }), /ends before/)
    const mixed = { certificate: issuer.certificate, signer: root.signer }
    await assert.rejects(issueCrl({ ...given, issuer: mixed, entries: [] }), /not that of the issuer/)
  })

  test('CA-07: 100,000 entries are written, read and found', async () => {
    function* entries() {
      for (let i = 0; i < 100_000; i += 1) {
        yield {
          serial: (0x40000000 + i).toString(16),
          revokedAt: now - i * 1000,
          reason: REASONS[i % REASONS.length] ?? 'superseded',
        }
      }
    }
    const crl = readCrl(await issueCrl({ ...given, entries: entries() }))
    assert.equal(crl.revoked.size, 100_000)
    assert.equal(crl.revoked.get((0x40000000 + 99_999).toString(16))?.reason, REASONS[99_999 % REASONS.length])
    assert.ok(!crl.revoked.has((0x40000000 + 100_000).toString(16)))
  })

  test('CA-06: OpenSSL refuses what is revoked and accepts the rest, in every issuer', needs('openssl'), async () => {
    const [revoked, good] = [await issue(SUBJECTS.ees), await issue(SUBJECTS.ees)]
    const many = Array.from({ length: 50 }, () => ({ serial: drawSerial(random).toString('hex'), revokedAt: now }))
    const entries = [...many, { serial: revoked.serial, revokedAt: now, reason: 'keyCompromise' as const }]
    const pem = (der: Buffer) => writePem('X509 CRL', der)
    const certificate = (der: Buffer) => writePem('CERTIFICATE', der)
    using folder = folderWith({
      root: certificate(root.certificate.der),
      issuer: certificate(issuer.certificate.der),
      revoked: certificate(revoked.der),
      good: certificate(good.der),
      crls: pem(await issueCrl({ ...given, entries })) + pem(await issueCrl({ ...given, issuer: root, entries: [] })),
    })
    const verify = (name: string) => {
      const chain = [
        '-CAfile',
        folder.path('root'),
        '-untrusted',
        folder.path('issuer'),
        '-CRLfile',
        folder.path('crls'),
      ]
      return ask('openssl', ['verify', '-x509_strict', '-crl_check_all', ...chain, folder.path(name)])
    }
    assert.ok(verify('good').accepted, verify('good').said)
    const verdict = verify('revoked')
    assert.ok(!verdict.accepted && verdict.said.includes('certificate revoked'), verdict.said)
  })

  test('GnuTLS verifies an empty and a full list', needs('certtool'), async () => {
    using folder = folderWith({ issuer: writePem('CERTIFICATE', issuer.certificate.der) })
    for (const entries of [[], [{ serial: '4001', revokedAt: now, reason: 'superseded' as const }]]) {
      const crl = writePem('X509 CRL', await issueCrl({ ...given, entries }))
      const { accepted, said } = ask('certtool', ['--verify-crl', '--load-ca-certificate', folder.path('issuer')], crl)
      assert.ok(accepted && said.includes('Verified'), said)
    }
  })
})

describe('reading CRLs', () => {
  const key = aKey()
  const ISSUER = writeName({ organization: 'ecsp.example', commonName: 'Edgeward EES issuing CA' })
  const ECDSA = sequence([oid(OID.ecdsaWithSha256)])
  const [FROM, TO] = [time(Date.UTC(2026, 0)), time(Date.UTC(2026, 1))]
  const NUMBER = anExtension(OID.crlNumber, integer(1))
  const AUTHORITY = anExtension(OID.authorityKeyIdentifier, sequence([aName(0, Buffer.alloc(20, 1))]))

  /** A list of any content, signed by a key that nobody asks for. */
  function aCrl(content: readonly Uint8Array[], outer: Uint8Array = ECDSA): Buffer {
    const tbs = sequence(content)
    return sequence([tbs, outer, bitString(sign('sha256', tbs, key))])
  }
  const head = [integer(1), ECDSA, ISSUER, FROM, TO]
  const tail = explicit(0, sequence([AUTHORITY, NUMBER]))
  const entry = (...parts: Uint8Array[]) => sequence([integer(1), FROM, ...parts])
  const withEntries = (...entries: Uint8Array[]) => [...head, sequence(entries), tail]
  const withExtensions = (...extensions: Uint8Array[]) => [...head, explicit(0, sequence(extensions))]

  const refused: Readonly<Record<string, readonly Uint8Array[]>> = {
    'version 1': [ECDSA, ISSUER, FROM, TO],
    'version 3': [integer(2), ...head.slice(1), tail],
    'no nextUpdate': [...head.slice(0, 4), tail],
    'SHA-1': [integer(1), sequence([oid('1.2.840.10045.4.1')]), ...head.slice(2), tail],
    'an empty list': withEntries(),
    'a serial number twice': withEntries(entry(), entry()),
    'a negative serial number': withEntries(sequence([element(TAG.integer, [Buffer.of(0x80)]), FROM])),
    'an entry without date': withEntries(sequence([integer(1)])),
    'an entry with something behind': withEntries(entry(NULL)),
    'an entry of another issuer': withEntries(entry(sequence([anExtension('2.5.29.29', sequence([]), true)]))),
    'a reason that is no ENUMERATED': withEntries(entry(sequence([anExtension(OID.reasonCode, integer(1))]))),
    'no extensions': head,
    'no CRL number': withExtensions(AUTHORITY),
    'no authority key identifier': withExtensions(NUMBER),
    'a negative CRL number': withExtensions(
      AUTHORITY,
      anExtension(OID.crlNumber, element(TAG.integer, [Buffer.of(0xff)])),
    ),
    'a CRL number twice': withExtensions(AUTHORITY, NUMBER, NUMBER),
    'a delta': withExtensions(AUTHORITY, NUMBER, anExtension('2.5.29.27', integer(1), true)),
    'a partition': withExtensions(AUTHORITY, NUMBER, anExtension('2.5.29.28', sequence([]), true)),
    'something at the end': [...head, tail, NULL],
  }
  for (const [title, content] of Object.entries(refused)) {
    test(`CA-09: refuses ${title}`, () => {
      assert.throws(() => readCrl(aCrl(content)), { name: 'Refusal', code: 'CERTIFICATE_NOT_ACCEPTED' })
    })
  }

  test('CA-09: the honest list beside them is read; an unknown reason revokes all the same', () => {
    const reason = (code: number) => sequence([anExtension(OID.reasonCode, element(TAG.enumerated, [Buffer.of(code)]))])
    const crl = readCrl(
      aCrl(
        withEntries(entry(reason(0)), sequence([integer(2), TO, reason(99)]), sequence([integer(3), TO, reason(1)])),
      ),
    )
    assert.deepEqual(
      [...crl.revoked.values()].map(({ reason: why }) => why),
      [undefined, undefined, 'keyCompromise'],
    )
    assert.throws(() => readCrl(aCrl([...head, tail], sequence([oid(OID.ecdsaWithSha384)]))), { name: 'Refusal' })
    assert.throws(() => readCrl(writePem('X509 CRL', aCrl([...head, tail])).replaceAll('X509 CRL', 'CRL')), {
      name: 'Refusal',
    })
  })
})
