import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { readDer } from '../../src/certificates/der-reader.ts'
import { TAG } from '../../src/certificates/der-tags.ts'
import {
  element,
  explicit,
  NULL,
  octetString,
  oid,
  sequence,
  TRUE,
  utf8String,
} from '../../src/certificates/der-writer.ts'
import { writeName } from '../../src/certificates/distinguished-name.ts'
import { writeExtensions } from '../../src/certificates/extension-writer.ts'
import { issueCertificate, toBeSigned } from '../../src/certificates/issue.ts'
import { lint } from '../../src/certificates/lint.ts'
import { drawSerial, rootTemplate, type Template } from '../../src/certificates/template.ts'
import { aDomain, aSigner, counting, fqdn, LEAF_ROLES, random, SUBJECTS, spkiOf } from './a-domain.ts'

const DAY = 24 * 3600_000

function elementsOf(list: Buffer): Buffer[] {
  return readDer(list, (der) =>
    der.sequence((inner) => inner.rest((each) => each.withOctets((one) => one.any()).octets)),
  )
}

/** The same SEQUENCE with one of its elements exchanged for another. */
function exchange(list: Buffer, old: Buffer, replacement: Buffer): Buffer {
  return sequence(elementsOf(list).map((each) => (each.equals(old) ? replacement : each)))
}

describe('lint', async () => {
  const domain = await aDomain()
  const stranger = await aDomain({ domain: 'other.example' })
  const { template, issuers, root, now } = domain
  const ees = template(SUBJECTS.ees)

  /** What is wrong with a template, and the finding that must be among those made. */
  const damaged: readonly (readonly [string, Partial<Template>, RegExp])[] = [
    ['CA:TRUE', { basicConstraints: { ca: true } }, /basicConstraints of another role/],
    ['a path length', { basicConstraints: { ca: true, pathLength: 0 } }, /path length of another role/],
    ['a path length without cA', { basicConstraints: { ca: false, pathLength: 0 } }, /a path length without cA/],
    ['keyCertSign', { keyUsage: ['keyCertSign'] }, /key usage of another role/],
    ['keyCertSign besides', { keyUsage: ['digitalSignature', 'keyCertSign'] }, /key usage of another role/],
    ['no key usage', { keyUsage: [] }, /an empty key usage|BIT STRING/],
    ['no extended key usage', { extendedKeyUsage: [] }, /extended key usage of another role/],
    ['clientAuth alone', { extendedKeyUsage: ['clientAuth'] }, /extended key usage of another role/],
    ['a purpose twice', { extendedKeyUsage: ['serverAuth', 'serverAuth'] }, /twice/],
    ['no names', { subjectAltNames: { dnsNames: [], uris: [] } }, /dNSNames of another role/],
    ['no URI', { subjectAltNames: { ...ees.subjectAltNames, uris: [] } }, /URIs of another role/],
    ['two FQDNs', { subjectAltNames: { ...ees.subjectAltNames, dnsNames: ['a.example', 'b.example'] } }, /dNSNames of/],
    ['two URIs', { subjectAltNames: { ...ees.subjectAltNames, uris: ['urn:a:b', 'urn:c:d'] } }, /URIs of another role/],
    ['a wildcard', { subjectAltNames: { ...ees.subjectAltNames, dnsNames: ['*.example'] } }, /not an FQDN/],
    [
      'an operator in the URI',
      { subjectAltNames: { ...ees.subjectAltNames, uris: ['urn:edgeward:operator:a'] } },
      /URIs/,
    ],
    [
      'a UUID of version 1',
      { subjectAltNames: { ...ees.subjectAltNames, uris: ['urn:uuid:0e5a2b90-7d43-1c1a-9c3e-0123456789ab'] } },
      /URIs/,
    ],
    ['a short serial number', { serial: Buffer.of(1) }, /not of 16 octets/],
    ['serial number zero', { serial: Buffer.of(0) }, /a wrong serial number/],
    ['a negative serial number', { serial: Buffer.alloc(16, 0x80) }, /a wrong serial number/],
    ['a serial number with a leading zero', { serial: Buffer.alloc(16) }, /not minimal/],
    ['a life of 399 days', { notAfter: ees.notBefore + 399 * DAY }, /too long/],
    ['a life beyond the issuer', { notAfter: issuers.ees.certificate.notAfter + 1000 }, /beyond that of the issuer/],
    ['a life before the issuer', { notBefore: issuers.ees.certificate.notBefore - 1000 }, /beyond that of the issuer/],
    ['a life that is over before it begins', { notAfter: ees.notBefore - 1000 }, /ends before it begins/],
    ['a life of no length', { notAfter: ees.notBefore }, /ends before it begins/],
    ['the issuer of another role', { issuer: issuers.ecs.certificate }, /an issuer of another role/],
    ['the root as issuer', { issuer: root.certificate }, /an issuer of another role/],
    ['the issuer of another domain', { issuer: stranger.issuers.ees.certificate }, /an issuer of another domain/],
    ['a leaf as issuer', { issuer: await domain.issue(SUBJECTS.ees) }, /an issuer that may not issue this/],
    ['another role', { role: 'ecs' }, /URIs of another role/],
    ['the types of a network function', { nfTypes: ['AUSF'] }, /nfTypes of another role/],
    ['no types of a network function', { nfTypes: [] }, /an empty list/],
    ['types out of order', { nfTypes: ['UDM', 'AUSF'] }, /wrong NF types/],
    ['a type that is not printable', { nfTypes: ['A\0F'] }, /wrong NF types/],
    ['the role of a CA', { role: 'ees-issuer' }, /basicConstraints of another role/],
    ['the role of the root', { role: 'root' }, /a root under an issuer/],
    ['no organization', { subject: { commonName: 'ees-1' } }, /an organization of wrong length/],
    ['another organization', { subject: { organization: 'other.example' } }, /an issuer of another domain/],
    ['a long commonName', { subject: { organization: 'ecsp.example', commonName: 'x'.repeat(65) } }, /a commonName/],
    ['a control character', { subject: { organization: 'ecsp.example', commonName: 'ees\0' } }, /control characters/],
    ['no CRL distribution point', { crlDistributionPoints: [] }, /no CRL distribution point/],
    ['a CRL on a disk', { crlDistributionPoints: ['file:///etc/passwd'] }, /not on the web/],
    ['a CRL without scheme', { crlDistributionPoints: ['//ecs1.example/crl'] }, /a wrong URI/],
    ['another algorithm than the issuer has', { signatureAlgorithm: 'ecdsa-with-SHA384' }, /does not use/],
    ['the key of the issuer', { spki: issuers.ees.certificate.spki }, /the key of the issuer itself/],
  ]

  test('CA-05: at least 30 damaged templates', () => assert.ok(damaged.length >= 30))

  for (const [title, damage, finding] of damaged) {
    test(`CA-05: a template with ${title} is not signed`, async () => {
      const bad = { ...ees, ...damage }
      assert.match(lint(toBeSigned(bad), bad).join('; '), finding)
      const { signer } =
        Object.values({ ...issuers, root }).find(({ certificate }) => certificate === bad.issuer) ?? issuers.ees
      const counted = counting(signer)
      await assert.rejects(issueCertificate(bad, counted), /not signed/)
      assert.equal(counted.signed(), 0)
    })
  }

  test('CA-05: octets that differ from the template in one member are found', () => {
    const differing: readonly (readonly [Partial<Template>, RegExp])[] = [
      [{ serial: drawSerial(random) }, /another serial number than/],
      [{ notBefore: ees.notBefore + 1000 }, /another notBefore than/],
      [{ notAfter: ees.notAfter - 1000 }, /another notAfter than/],
      [{ subject: { organization: 'ecsp.example', commonName: 'ees-2' } }, /another commonName than/],
      [{ subject: { organization: 'ecsp.examples', commonName: 'ees-1' } }, /another organization than/],
      [{ spki: spkiOf(aSigner()) }, /another public key than/],
      [{ subjectAltNames: { ...ees.subjectAltNames, dnsNames: ['ees2.ecsp.example'] } }, /other dNSNames than/],
      [
        { subjectAltNames: { ...ees.subjectAltNames, uris: ['urn:uuid:0e5a2b90-7d43-4c1a-9c3e-0123456789ac'] } },
        /other URIs/,
      ],
      [{ crlDistributionPoints: ['http://ecs2.ecsp.example/crl'] }, /other CRL distribution points/],
      [{ extendedKeyUsage: ['clientAuth', 'serverAuth'] }, /another extended key usage than/],
      [{ nfTypes: ['AUSF'] }, /other NF types than/],
      [{ keyUsage: ['keyAgreement'] }, /another key usage than/],
      [{ basicConstraints: { ca: true } }, /another cA than/],
      [{ issuer: stranger.issuers.ees.certificate }, /another issuer than/],
    ]
    assert.deepEqual(lint(toBeSigned(ees), ees), [])
    for (const [change, finding] of differing) {
      assert.match(lint(toBeSigned({ ...ees, ...change }), ees).join('; '), finding)
    }
  })

  test('CA-05: an attribute or an extension that nobody asked for is found', () => {
    const own = writeName(ees.subject)
    const serialNumber = element(TAG.set, [sequence([oid('2.5.4.5'), utf8String('1')])])
    const withMore = exchange(toBeSigned(ees), own, sequence([...elementsOf(own), serialNumber]))
    assert.deepEqual(lint(withMore, ees), ['a subject with more than the template'])

    const extensions = writeExtensions(ees)
    for (const critical of [false, true]) {
      const stray = sequence([oid('1.2.3'), ...(critical ? [TRUE] : []), octetString(NULL)])
      const more = sequence([...elementsOf(extensions), stray])
      const withStray = exchange(toBeSigned(ees), explicit(3, extensions), explicit(3, more))
      assert.match(lint(withStray, ees).join('; '), critical ? /not supported/ : /a stray extension/)
    }
  })

  test('CA-05: no octet of what is signed can change without a finding', () => {
    const tbs = toBeSigned(ees)
    for (let at = 0; at < tbs.length; at += 1) {
      for (const change of [0x01, 0x20, 0x80, 0xff]) {
        const changed = Buffer.from(tbs)
        changed[at] = (changed[at] ?? 0) ^ change
        assert.notDeepEqual(lint(changed, ees), [], `octet ${at}`)
      }
    }
    assert.notDeepEqual(lint(tbs.subarray(0, -1), ees), [])
    assert.notDeepEqual(lint(Buffer.concat([tbs, Buffer.of(0)]), ees), [])
    assert.notDeepEqual(lint(Buffer.alloc(0), ees), [])
  })

  test('CA-05: honest templates of every role have no finding', () => {
    for (const role of LEAF_ROLES) {
      const honest = template(SUBJECTS[role])
      assert.deepEqual(lint(toBeSigned(honest), honest), [])
    }
    const own = rootTemplate(fqdn('ecsp.example'), { signer: aSigner(), serial: drawSerial(random), now })
    assert.deepEqual(lint(toBeSigned(own), own), [])
    const nameless = { ...own, subject: { organization: 'ecsp.example', commonName: 'ecsp' } }
    assert.deepEqual(lint(toBeSigned(nameless), nameless), ['a CA under another name'])
  })
})
