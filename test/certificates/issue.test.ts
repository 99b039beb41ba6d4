import 'reflect-metadata'
import assert from 'node:assert/strict'
import { X509Certificate as NodeCertificate } from 'node:crypto'
import { describe, test } from 'node:test'
import { X509Certificate } from '@peculiar/x509'
import fc from 'fast-check'
import { readCertificate, readCertificateList, x5tS256 } from '../../src/certificates/certificate.ts'
import { checkChain } from '../../src/certificates/chain.ts'
import { issueCertificate, toBeSigned } from '../../src/certificates/issue.ts'
import { lint } from '../../src/certificates/lint.ts'
import { writePem } from '../../src/certificates/pem.ts'
import type { LeafRole } from '../../src/certificates/profile.ts'
import { drawSerial, type Issuance, rootTemplate, type Subject } from '../../src/certificates/template.ts'
import { ask, folderWith, needs } from '../judges.ts'
import {
  aDomain,
  anEes,
  aSigner,
  type CurveName,
  counting,
  type Domain,
  eesId,
  fqdn,
  LEAF_ROLES,
  random,
  SUBJECTS,
  spkiOf,
} from './a-domain.ts'

const DAY = 24 * 3600_000
const pem = (certificate: { der: Uint8Array }) => writePem('CERTIFICATE', certificate.der)
const CURVES: readonly CurveName[] = ['P-256', 'P-384']

function chainFiles({ root, issuers }: Domain) {
  const intermediates = LEAF_ROLES.map((role) => pem(issuers[role].certificate)).join('')
  return { root: pem(root.certificate), intermediates }
}

describe('certificate profiles: TS 33.310 6.1.3c.3, D-5', () => {
  test('an EES certificate says what D-5 says, and nothing else', async () => {
    const now = Date.UTC(2026, 10, 21, 12, 0, 0, 789)
    const { issue, issuers } = await aDomain({ now })
    const spki = spkiOf(aSigner())
    const certificate = await issue(SUBJECTS.ees, { spki })
    const { der, tbs, signature, publicKey, serial, subjectKeyId, ...said } = certificate
    assert.match(serial, /^[0-7][0-9a-f]{31}$/)
    assert.equal(subjectKeyId?.length, 20)
    assert.deepEqual(said, {
      signatureAlgorithm: 'ecdsa-with-SHA256',
      issuer: issuers.ees.certificate.subject,
      notBefore: Date.UTC(2026, 10, 21, 11, 55),
      notAfter: Date.UTC(2026, 11, 21, 12),
      subject: said.subject,
      spki,
      extensions: [
        { id: '2.5.29.35', critical: false },
        { id: '2.5.29.14', critical: false },
        { id: '2.5.29.15', critical: true },
        { id: '2.5.29.19', critical: true },
        { id: '2.5.29.37', critical: false },
        { id: '2.5.29.17', critical: false },
        { id: '2.5.29.31', critical: false },
      ],
      subjectAltNames: { dnsNames: ['ees1.ecsp.example'], uris: ['urn:uuid:0e5a2b90-7d43-4c1a-9c3e-0123456789ab'] },
      crlDistributionPoints: ['http://ecs1.ecsp.example/crl/ees'],
      basicConstraints: { ca: false },
      keyUsage: ['digitalSignature'],
      extendedKeyUsage: ['serverAuth', 'clientAuth'],
      authorityKeyId: issuers.ees.certificate.subjectKeyId,
    })
    assert.equal(new NodeCertificate(der).subject, 'O=ecsp.example\nCN=ees-1')
    assert.ok(der.includes(tbs) && der.includes(signature) && publicKey)
  })

  test('RFC 5280 A.1: an EES ID of more than 64 characters is left out of the name', async () => {
    const { issue } = await aDomain()
    const subjectOf = async (length: number) => {
      const { der } = await issue({ ...SUBJECTS.ees, eesId: eesId('e'.repeat(length)) } as Subject)
      return new NodeCertificate(der).subject
    }
    assert.equal(await subjectOf(64), `O=ecsp.example\nCN=${'e'.repeat(64)}`)
    assert.equal(await subjectOf(65), 'O=ecsp.example')
  })

  test('x5t#S256 is the SHA-256 of the certificate: RFC 8705 3.1', async () => {
    const { der } = await (await aDomain()).issue(SUBJECTS.ecs)
    const fingerprint = new NodeCertificate(der).fingerprint256.replaceAll(':', '')
    assert.equal(x5tS256(der), Buffer.from(fingerprint, 'hex').toString('base64url'))
  })

  test('a chain travels as PEM, the leaf first', async () => {
    const { issue, issuers } = await aDomain()
    const leaf = await issue(SUBJECTS.ees)
    const chain = readCertificateList(pem(leaf) + pem(issuers.ees.certificate))
    assert.deepEqual(
      chain.map(({ der }) => der),
      [leaf.der, issuers.ees.certificate.der],
    )
    assert.throws(() => readCertificateList(`${pem(leaf)}x`), { code: 'CERTIFICATE_NOT_ACCEPTED' })
  })
})

describe('judges from outside', () => {
  for (const curve of CURVES) {
    test(`CA-05: OpenSSL verifies every role strictly, ${curve}`, needs('openssl'), async () => {
      const domain = await aDomain({ curve, rootCurve: curve })
      const leaf = async (role: LeafRole) => [role, pem(await domain.issue(SUBJECTS[role]))] as const
      const leaves = Object.fromEntries(await Promise.all(LEAF_ROLES.map(leaf)))
      using folder = folderWith({ ...chainFiles(domain), ...leaves })
      const verify = (purpose: string, name: string) => {
        const chain = ['-CAfile', folder.path('root'), '-untrusted', folder.path('intermediates')]
        return ask('openssl', ['verify', '-x509_strict', ...chain, '-purpose', purpose, folder.path(name)])
      }
      for (const name of ['ees', 'ecs', 'nf']) {
        for (const purpose of ['sslclient', 'sslserver']) {
          const { accepted, said } = verify(purpose, name)
          assert.ok(accepted, said)
        }
      }
      assert.ok(verify('sslclient', 'operator').accepted)
      assert.ok(!verify('sslserver', 'operator').accepted)
    })

    test(`CA-05: GnuTLS verifies every role, ${curve}`, needs('certtool'), async () => {
      const domain = await aDomain({ curve, rootCurve: curve })
      using folder = folderWith(chainFiles(domain))
      for (const role of LEAF_ROLES) {
        const chain = pem(await domain.issue(SUBJECTS[role])) + pem(domain.issuers[role].certificate)
        const args = ['--verify', '--verify-profile', 'high', '--load-ca-certificate', folder.path('root')]
        const { accepted, said } = ask('certtool', args, chain)
        assert.ok(accepted, said)
      }
    })
  }

  const count = process.env['EDGEWARD_DEEP'] ? 10_000 : 60
  test(
    `CA-05: OpenSSL, GnuTLS and @peculiar/x509 find nothing in ${count} random certificates`,
    needs('openssl', 'certtool'),
    async () => {
      const domain = await aDomain()
      const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?$/)
      const name = fc
        .array(label, { minLength: 1, maxLength: 5 })
        .map((labels) => fqdn([...labels, 'ecsp', 'example'].join('.')))
      const id = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_:@/-]{0,100}$/).map(eesId)
      const registrationId = fc.uuid({ version: 4 })
      const subjects = fc.sample(fc.tuple(name, id, registrationId), count)
      const certificates = await Promise.all(
        subjects.map(([fqdnOfEes, eesIdOfEes, uuid]) =>
          domain.issue({ role: 'ees', fqdn: fqdnOfEes, eesId: eesIdOfEes, registrationId: uuid } as Subject),
        ),
      )

      for (let start = 0; start < count; start += 500) {
        const some = certificates.slice(start, start + 500)
        const files = Object.fromEntries(some.map((certificate, index) => [`${index}.pem`, pem(certificate)]))
        using folder = folderWith({ ...chainFiles(domain), ...files })
        const chain = ['-CAfile', folder.path('root'), '-untrusted', folder.path('intermediates')]
        const names = Object.keys(files).map(folder.path)
        const { accepted, said } = ask('openssl', ['verify', '-x509_strict', ...chain, ...names])
        assert.ok(accepted, said)
        for (const certificate of some.slice(0, 10)) {
          const list = pem(certificate) + pem(domain.issuers.ees.certificate)
          const verdict = ask('certtool', ['--verify', '--load-ca-certificate', folder.path('root')], list)
          assert.ok(verdict.accepted, verdict.said)
        }
      }
      const issuer = new X509Certificate(domain.issuers.ees.certificate.der)
      for (const { der, subjectAltNames } of certificates.slice(0, 500)) {
        const read = new X509Certificate(der)
        assert.ok(await read.verify({ publicKey: await issuer.publicKey.export() }))
        assert.ok(read.getExtension('2.5.29.17')?.value)
        assert.ok(Buffer.from(read.rawData).includes(subjectAltNames.dnsNames[0] ?? 'no name'))
      }
    },
  )
})

describe('serial numbers', () => {
  /** Octets that were chosen beforehand, then random ones. */
  const loaded = (...draws: string[]) => {
    const left = draws.map((draw) => Buffer.from(draw, 'hex'))
    return { octets: (count: number) => left.shift() ?? random.octets(count) }
  }

  test('CA-03: always 16 octets, positive, minimal; a draw that would be shorter is drawn again', () => {
    const good = 'ff'.repeat(16)
    assert.equal(drawSerial(loaded(good)).toString('hex'), `7f${'ff'.repeat(15)}`)
    for (const short of ['00', '80', '0080', '8001', '000000']) {
      assert.equal(drawSerial(loaded(short.padEnd(32, '0'), good)).toString('hex'), `7f${'ff'.repeat(15)}`)
    }
    assert.throws(() => drawSerial({ octets: (count) => Buffer.alloc(count) }), /random/)
  })

  const count = process.env['EDGEWARD_DEEP'] ? 1_000_000 : 20_000
  test(`CA-03: ${count} serial numbers without a repeat`, () => {
    const seen = new Set<string>()
    for (let i = 0; i < count; i += 1) seen.add(drawSerial(random).toString('hex'))
    assert.equal(seen.size, count)
    for (const serial of seen) assert.match(serial, /^(?!00)[0-7][0-9a-f]{31}$/)
  })

  for (const serial of [
    '',
    '01',
    '00',
    '7f'.repeat(15),
    '7f'.repeat(17),
    `80${'00'.repeat(15)}`,
    `00${'7f'.repeat(15)}`,
  ]) {
    test(`CA-03: does not sign under the serial number "${serial}"`, async () => {
      const { template, issuers } = await aDomain()
      const signer = counting(issuers.ees.signer)
      const given = template(SUBJECTS.ees, { serial: Buffer.from(serial, 'hex') })
      await assert.rejects(issueCertificate(given, signer), /not signed/)
      assert.equal(signer.signed(), 0)
    })
  }
})

describe('validity: RFC 5280 4.1.2.5, D-6', () => {
  const lifeOf = async (now: number, changes: Partial<Issuance> = {}, began = now) => {
    const { issue } = await aDomain({ now: began })
    return issue(SUBJECTS.ees, { now, ...changes })
  }

  for (const [date, began] of [
    ['2049-12-31T23:59:59Z', '2049-12-01T00:00:00Z'],
    ['2050-01-01T00:00:00Z', '2050-01-01T00:00:00Z'],
    ['2049-12-15T00:00:00Z', '2049-12-01T00:00:00Z'],
    ['2050-06-01T00:00:00Z', '2049-06-01T00:00:00Z'],
  ] as const) {
    test(`CA-08: issued at ${date}, the dates read back, and OpenSSL reads the same`, needs('openssl'), async () => {
      const now = Date.parse(date)
      const certificate = await lifeOf(now, {}, Date.parse(began))
      assert.equal(certificate.notBefore, Math.max(now - 5 * 60_000, Date.parse(began) - 5 * 60_000))
      assert.equal(certificate.notAfter, now + 30 * DAY)
      const { said } = ask('openssl', ['x509', '-noout', '-dates', '-dateopt', 'iso_8601'], pem(certificate))
      const iso = (ms: number) => new Date(ms).toISOString().replace('T', ' ').replace('.000Z', 'Z')
      assert.equal(said, `notBefore=${iso(certificate.notBefore)}\nnotAfter=${iso(certificate.notAfter)}\n`)
    })
  }

  test('CA-08: never beyond the issuer, on either side', async () => {
    const began = Date.UTC(2026, 0, 1)
    const { issuers, issue } = await aDomain({ now: began })
    const end = issuers.ees.certificate.notAfter
    assert.equal((await issue(SUBJECTS.ees, { now: end - DAY })).notAfter, end)
    const early = await issue(SUBJECTS.ees, { now: began - DAY })
    assert.equal(early.notBefore, issuers.ees.certificate.notBefore)
  })

  test('CA-08: with an issuer that has expired nothing is signed', async () => {
    const { issuers, template } = await aDomain({ now: Date.UTC(2026, 0, 1) })
    const signer = counting(issuers.ees.signer)
    const late = template(SUBJECTS.ees, { now: issuers.ees.certificate.notAfter + DAY })
    await assert.rejects(issueCertificate(late, signer), /a life that ends before it begins/)
    assert.equal(signer.signed(), 0)
  })

  test('CA-08: at most 398 days, both ends counted, whatever is asked; whole seconds', async () => {
    const now = Date.UTC(2026, 0, 1) + 123
    const { notBefore, notAfter } = await lifeOf(now, { lifetime: 1000 * DAY })
    assert.equal(notAfter - notBefore + 1000, 398 * DAY)
    const short = await lifeOf(now, { lifetime: 90_500 })
    assert.equal(short.notAfter, Date.UTC(2026, 0, 1) + 90_000)
  })
})

describe('the last look', () => {
  test('CA-05: a signer with another key than the issuer signs nothing', async () => {
    const { template } = await aDomain()
    const signer = counting(aSigner())
    await assert.rejects(issueCertificate(template(SUBJECTS.ees), signer), /not that of the issuer/)
    assert.equal(signer.signed(), 0)
  })

  test('CA-05: a signer that signs something else, or nothing, is found out', async () => {
    const { template, issuers } = await aDomain()
    const { publicKey, sign } = issuers.ees.signer
    const wrong: ((octets: Uint8Array) => Promise<Buffer>)[] = [
      (octets) => sign(Buffer.concat([octets, Buffer.of(0)])),
      async () => Buffer.alloc(0),
      async () => Buffer.alloc(70, 1),
      async (octets) => (await sign(octets)).subarray(0, -1),
      (octets) => aSigner().sign(octets),
    ]
    for (const broken of wrong) {
      const signing = issueCertificate(template(SUBJECTS.ees), { publicKey, sign: broken })
      await assert.rejects(signing, /did not sign the certificate/)
    }
  })

  test('CA-05: a root is signed by its own key only', async () => {
    const [own, other] = [aSigner(), aSigner()]
    const template = rootTemplate(fqdn('ecsp.example'), { signer: own, serial: drawSerial(random), now: Date.now() })
    await assert.rejects(issueCertificate(template, other), /not that of the issuer/)
    readCertificate(await issueCertificate(template, own))
  })

  test('a domain name of more than 64 characters cannot be a root', async () => {
    await assert.rejects(aDomain({ domain: `${'a'.repeat(60)}.example` }), /an organization of wrong length/)
  })

  test('what was linted is what is sent, and the chain holds', async () => {
    const { template, issuers, root, now } = await aDomain()
    const given = template(anEes(fqdn('ees9.ecsp.example')))
    const leaf = readCertificate(await issueCertificate(given, issuers.ees.signer))
    assert.deepEqual(leaf.tbs, toBeSigned(given))
    assert.deepEqual(lint(leaf.tbs, given), [])
    const { certificate } = issuers.ees
    const path = checkChain({ leaf, intermediates: [certificate], anchors: [root.certificate], role: 'ees', now })
    assert.deepEqual(path, [leaf, certificate, root.certificate])
  })
})
