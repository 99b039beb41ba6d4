import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { readCertificate } from '../../src/certificates/certificate.ts'
import { issueCertificate } from '../../src/certificates/issue.ts'
import { writePem } from '../../src/certificates/pem.ts'
import { type Fqdn, parseFqdn } from '../../src/spec/identifiers.ts'
import { ask, folderWith, needs } from '../judges.ts'
import { aDomain, anEes, counting, forge, LEAF_ROLES, SUBJECTS } from './a-domain.ts'

const VICTIM = 'ees1.ecsp.example'
const long = (length: number) => `${`${'a'.repeat(49)}.`.repeat(8)}example`.slice(-length).padStart(length, 'b')

const GOOD: readonly string[] = [
  VICTIM,
  'a.example',
  'a.b.c.d.e.f.example',
  'ees-1.ecsp.example',
  'ees--1.ecsp.example',
  '1.example',
  '1-1.example',
  '0.0.0.example',
  '192.0.2.example',
  '3gpp.mec.example',
  'ees1.mnc001.mcc001.3gppnetwork.org',
  'xn--es-9ia.ecsp.example',
  'xn--mnchen-3ya.example',
  `${'a'.repeat(63)}.example`,
  `${'1'.repeat(63)}.example`,
  `${'a.'.repeat(60)}example`,
  `${'a.'.repeat(123)}example`,
  long(253),
  long(200),
  'ees1.ecsp.example.evil.example',
  'localhost.localdomain',
  'a.museum',
  'www.ees1.ecsp.example',
  'ees1.ecsp.e-x',
]

const CONTROLS = Array.from({ length: 33 }, (_, code) => String.fromCharCode(code))
const SPECIALS = [...'!"#$%&\'()*+,/:;<=>?@[\\]^_`{|}~\u007f\u0080\u00a0\u00ad\u00df\u00e9\u00ff']

const BAD: readonly string[] = [
  '',
  '.',
  '..',
  'example',
  'localhost',
  'EES1.ecsp.example',
  'ees1.ECSP.example',
  'ees1.ecsp.examplE',
  `${VICTIM}.`,
  `.${VICTIM}`,
  'ees1..ecsp.example',
  '-ees1.ecsp.example',
  'ees1-.ecsp.example',
  'ees1.-.example',
  'ees1.ecsp.example-',
  '*.ecsp.example',
  '*.*.example',
  '*',
  '*.example',
  'e*.ecsp.example',
  '*1.ecsp.example',
  'ees1.*.example',
  'ees1.ecsp.*',
  'xn--*.ecsp.example',
  '192.0.2.1',
  '1.2',
  '127.1',
  '0x7f.1',
  '3232235777.1',
  '[2001:db8::1]',
  '2001:db8::1',
  '::ffff:192.0.2.1',
  `https://${VICTIM}`,
  `${VICTIM}:443`,
  `${VICTIM}/`,
  `//${VICTIM}`,
  `ees@${VICTIM}`,
  `mailto:ees@${VICTIM}`,
  `DNS:${VICTIM}`,
  `${VICTIM},DNS:ecs1.ecsp.example`,
  `${VICTIM} ecs1.ecsp.example`,
  `${VICTIM}\0.evil.example`,
  `${VICTIM}\0`,
  `\0${VICTIM}`,
  `evil.example\0.${VICTIM}`,
  `${VICTIM}\n`,
  `${VICTIM}\r\nX: y`,
  `${VICTIM}\\0.evil.example`,
  `${VICTIM}%00.evil.example`,
  `${VICTIM}&#0;.evil.example`,
  `${'a'.repeat(64)}.example`,
  `ees1.${'b'.repeat(64)}`,
  long(254),
  long(255),
  'a'.repeat(300),
  `${'a.'.repeat(124)}example`,
  `${'a.'.repeat(500)}example`,
  '_ees._tcp.ecsp.example',
  '../../etc/passwd',
  `${VICTIM};rm -rf`,
  '$(id).ecsp.example',
  "' or 1=1 --.example",
  '\u001b[31mees1.ecsp.example',
  ...CONTROLS.map((control) => `ees1${control}.ecsp.example`),
  ...SPECIALS.map((special) => `ees${special}1.ecsp.example`),
]

describe('names', async () => {
  const domain = await aDomain()
  const { issuers, template, issue } = domain
  const intermediates = LEAF_ROLES.map((role) => writePem('CERTIFICATE', issuers[role].certificate.der)).join('')
  const root = writePem('CERTIFICATE', domain.root.certificate.der)

  test('CA-02: the corpus has at least 150 names, each once', () => {
    assert.ok(GOOD.length + BAD.length >= 150, `${GOOD.length + BAD.length}`)
    assert.equal(new Set([...GOOD, ...BAD]).size, GOOD.length + BAD.length)
  })

  for (const name of GOOD) {
    const title = name.length > 70 ? `${name.slice(0, 20)}... of ${name.length}` : name
    test(`CA-02: issues ${title}; OpenSSL and GnuTLS know the holder by it`, needs('openssl', 'certtool'), async () => {
      const fqdn = parseFqdn(name)
      assert.equal(fqdn, name)
      const { der, subjectAltNames } = await issue(anEes(name as Fqdn))
      assert.deepEqual(subjectAltNames.dnsNames, [name])

      const leaf = writePem('CERTIFICATE', der)
      using folder = folderWith({ root, intermediates, leaf })
      const openssl = (host: string) => {
        const chain = ['-CAfile', folder.path('root'), '-untrusted', folder.path('intermediates')]
        return ask('openssl', ['verify', '-x509_strict', ...chain, '-verify_hostname', host, folder.path('leaf')])
      }
      const gnutls = (host: string) => {
        const args = ['--verify', '--load-ca-certificate', folder.path('root'), '--verify-hostname', host]
        return ask('certtool', args, leaf + intermediates.slice(0, intermediates.indexOf('-----BEGIN', 1)))
      }
      for (const judge of [openssl, gnutls]) {
        const { accepted, said } = judge(name)
        assert.ok(accepted, said)
        assert.ok(!judge('another.example').accepted)
      }
    })
  }

  for (const name of BAD) {
    test(`CA-02: neither issues nor accepts ${JSON.stringify(name.slice(0, 60))}`, async () => {
      assert.notEqual(parseFqdn(name), name)

      const bad = template(anEes(name as Fqdn))
      const signer = counting(issuers.ees.signer)
      await assert.rejects(issueCertificate(bad, signer), /not signed/)
      assert.equal(signer.signed(), 0)

      const forged = await forge(bad, issuers.ees.signer)
      assert.throws(() => readCertificate(forged), { name: 'Refusal', code: 'CERTIFICATE_NOT_ACCEPTED' })
    })
  }

  test('CA-02: the commonName is never read: it makes nobody an ECS', async () => {
    const { ees } = SUBJECTS
    const named = template({ ...ees, eesId: 'ecs1.ecsp.example' } as typeof ees)
    const { subjectAltNames } = readCertificate(await issueCertificate(named, issuers.ees.signer))
    assert.deepEqual(subjectAltNames.dnsNames, [VICTIM])
  })
})
