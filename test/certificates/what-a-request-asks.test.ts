import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { readCertificationRequest } from '../../src/certificates/certification-request.ts'
import { contextConstructed, TAG } from '../../src/certificates/der-tags.ts'
import {
  bitString,
  element,
  explicit,
  ia5String,
  integer,
  NULL,
  namedBits,
  octetString,
  oid,
  sequence,
  TRUE,
  utf8String,
} from '../../src/certificates/der-writer.ts'
import { writeName } from '../../src/certificates/distinguished-name.ts'
import { toBeSigned } from '../../src/certificates/issue.ts'
import { OID } from '../../src/certificates/object-identifiers.ts'
import { Refusal } from '../../src/spec/refusal.ts'
import { aDomain, aKey, fqdn, random, SUBJECTS, spkiOf } from './a-domain.ts'
import { aName, anAttribute, anExtension, aRequest, extensionRequest, set, subjectAltName } from './a-request.ts'

const NAME = 'ees1.ecsp.example'
const VICTIM = 'ecs1.ecsp.example'
const key = aKey()

const purposes = (...ids: string[]) => anExtension(OID.extKeyUsage, sequence(ids.map(oid)))
const uri = (text: string) => aName(6, text)
const fullName = (name: Uint8Array) =>
  sequence([element(contextConstructed(0), [element(contextConstructed(0), [name])])])
const otherName = (type: string, value: Uint8Array) => element(contextConstructed(0), [oid(type), explicit(0, value)])

/** Each extension that somebody could wish for (THREATS CA-01). */
const EXTENSIONS: Readonly<Record<string, Uint8Array>> = {
  'CA:TRUE': anExtension(OID.basicConstraints, sequence([TRUE]), true),
  'CA:TRUE with path length': anExtension(OID.basicConstraints, sequence([TRUE, integer(9)]), true),
  'CA:FALSE': anExtension(OID.basicConstraints, sequence([]), true),
  keyCertSign: anExtension(OID.keyUsage, namedBits([5]), true),
  'keyCertSign and cRLSign': anExtension(OID.keyUsage, namedBits([0, 5, 6]), true),
  'every key usage': anExtension(OID.keyUsage, namedBits([0, 1, 2, 3, 4, 5, 6, 7, 8]), true),
  'a key usage that is malformed': anExtension(OID.keyUsage, octetString(Buffer.of(4)), true),
  anyExtendedKeyUsage: purposes('2.5.29.37.0'),
  'OCSP signing': purposes('1.3.6.1.5.5.7.3.9'),
  'code signing': purposes('1.3.6.1.5.5.7.3.3', OID.serverAuth),
  'e-mail protection': purposes('1.3.6.1.5.5.7.3.4'),
  'time stamping': purposes('1.3.6.1.5.5.7.3.8'),
  'an empty extended key usage': anExtension(OID.extKeyUsage, sequence([])),
  'name constraints': anExtension(OID.nameConstraints, sequence([]), true),
  'certificate policies': anExtension('2.5.29.32', sequence([sequence([oid('2.5.29.32.0')])])),
  'policy mappings': anExtension(OID.policyMappings, sequence([sequence([oid('1.2.3'), oid('1.2.4')])]), true),
  'policy constraints': anExtension(OID.policyConstraints, sequence([]), true),
  'inhibit any policy': anExtension(OID.inhibitAnyPolicy, integer(0), true),
  'issuer alternative name': anExtension('2.5.29.18', sequence([aName(2, VICTIM)])),
  'subject directory attributes': anExtension('2.5.29.9', sequence([sequence([oid('1.2.3'), set(NULL)])])),
  'CRL distribution point elsewhere': anExtension(
    OID.crlDistributionPoints,
    sequence([fullName(uri('http://evil.example/empty.crl'))]),
  ),
  'freshest CRL elsewhere': anExtension('2.5.29.46', sequence([fullName(uri('http://evil.example/delta.crl'))])),
  'authority information access': anExtension(
    '1.3.6.1.5.5.7.1.1',
    sequence([sequence([oid('1.3.6.1.5.5.7.48.1'), uri('http://evil.example/ocsp')])]),
  ),
  'subject information access': anExtension('1.3.6.1.5.5.7.1.11', sequence([])),
  'authority key identifier': anExtension(OID.authorityKeyIdentifier, sequence([aName(0, Buffer.alloc(20, 1))])),
  'subject key identifier': anExtension(OID.subjectKeyIdentifier, octetString(Buffer.alloc(20, 1))),
  'private key usage period': anExtension('2.5.29.16', sequence([aName(1, '20990101000000Z')])),
  'TLS feature': anExtension('1.3.6.1.5.5.7.1.24', sequence([integer(5)])),
  'OCSP no check': anExtension('1.3.6.1.5.5.7.48.1.5', NULL),
  'certificate transparency poison': anExtension('1.3.6.1.4.1.11129.2.4.3', NULL, true),
  'proxy certificate': anExtension(OID.proxyCertInfo, sequence([sequence([oid('1.3.6.1.5.5.7.21.1')])]), true),
  'Netscape certificate type': anExtension(OID.netscapeCertType, namedBits([5, 6, 7])),
  'Netscape comment': anExtension('2.16.840.1.113730.1.13', ia5String('trust me')),
  'IP address blocks': anExtension(OID.ipAddrBlocks, sequence([]), true),
  'AS numbers': anExtension(OID.autonomousSysIds, sequence([]), true),
  'NF types of RFC 9310': anExtension('1.3.6.1.5.5.7.1.34', sequence([ia5String('AMF')])),
  'an unknown critical extension': anExtension('1.2.3.4', NULL, true),
  'an extension that is not DER': anExtension('1.2.3.4', Buffer.from('3080', 'hex')),
}

/** 40 ways to ask for a name (THREATS CA-01). */
const NAMES: Readonly<Record<string, readonly Uint8Array[]>> = {
  'the name itself': [aName(2, NAME)],
  'the ECS': [aName(2, VICTIM)],
  'the ECS besides': [aName(2, NAME), aName(2, VICTIM)],
  'the ECS first': [aName(2, VICTIM), aName(2, NAME)],
  'the name twice': [aName(2, NAME), aName(2, NAME)],
  'a wildcard': [aName(2, '*.ecsp.example')],
  'a wildcard of everything': [aName(2, '*')],
  'a wildcard inside a label': [aName(2, 'ees*.ecsp.example')],
  'upper case': [aName(2, NAME.toUpperCase())],
  'a trailing dot': [aName(2, `${NAME}.`)],
  'a leading dot': [aName(2, '.ecsp.example')],
  'an empty dNSName': [aName(2, '')],
  'a NUL': [aName(2, `${VICTIM}\0.evil.example`)],
  'a newline': [aName(2, `${NAME}\n${VICTIM}`)],
  'a comma': [aName(2, `${NAME},DNS:${VICTIM}`)],
  'a space': [aName(2, `${NAME} ${VICTIM}`)],
  'an address as dNSName': [aName(2, '192.0.2.1')],
  'an IPv6 address as dNSName': [aName(2, '2001:db8::1')],
  'a port': [aName(2, `${NAME}:443`)],
  'a URL as dNSName': [aName(2, `https://${VICTIM}/`)],
  'an underscore': [aName(2, '_ees.ecsp.example')],
  punycode: [aName(2, 'xn--es-9ia.ecsp.example')],
  'beyond ASCII': [aName(2, 'éés.ecsp.example')],
  'beyond ASCII in UTF-8': [aName(2, Buffer.from('éés.ecsp.example', 'utf8'))],
  'a label of 64': [aName(2, `${'a'.repeat(64)}.example`)],
  'a name of 300': [aName(2, `${'a.'.repeat(150)}example`)],
  'a single label': [aName(2, 'localhost')],
  'a top level domain': [aName(2, 'example')],
  'ANSI colours': [aName(2, '\u001b[31mees.ecsp.example')],
  'another registration': [uri('urn:uuid:11111111-2222-4333-8444-555555555555')],
  'an operator': [uri('urn:edgeward:operator:root')],
  'a URI with the ECS as host': [uri(`https://${VICTIM}/`)],
  'a URI without scheme': [uri('//evil.example')],
  'a javascript URI': [uri('javascript:alert(1)')],
  'an e-mail address': [aName(1, 'admin@ecsp.example')],
  'an IPv4 address': [aName(7, Buffer.of(192, 0, 2, 1))],
  'an address of three octets': [aName(7, Buffer.of(192, 0, 2))],
  'a directory name': [element(contextConstructed(4), [writeName({ commonName: VICTIM })])],
  'a registered ID': [aName(8, oid('1.2.3').subarray(2))],
  'a user principal name': [otherName('1.3.6.1.4.1.311.20.2.3', utf8String('admin@ecsp.example'))],
  '500 names': Array.from({ length: 500 }, (_, index) => aName(2, `ees${index}.ecsp.example`)),
}

const ATTRIBUTES: Readonly<Record<string, Uint8Array>> = {
  'a challenge password': anAttribute(OID.challengePassword, utf8String('secret')),
  'an unstructured name': anAttribute('1.2.840.113549.1.9.2', utf8String(VICTIM)),
  'an unstructured address': anAttribute('1.2.840.113549.1.9.8', utf8String(VICTIM)),
  'an e-mail address': anAttribute('1.2.840.113549.1.9.1', ia5String('admin@ecsp.example')),
  'a friendly name': anAttribute('1.2.840.113549.1.9.20', element(0x1e, [Buffer.from('0065', 'hex')])),
  'extensions of another maker': anAttribute(
    '1.3.6.1.4.1.311.2.1.14',
    sequence([anExtension(OID.basicConstraints, sequence([TRUE]), true)]),
  ),
  'an operating system': anAttribute('1.3.6.1.4.1.311.13.2.3', ia5String('10.0.1.2')),
  'a client': anAttribute('1.3.6.1.4.1.311.21.20', sequence([integer(9), utf8String('host')])),
  'an SMIME capability': anAttribute('1.2.840.113549.1.9.15', sequence([sequence([oid('1.2.3')])])),
  'an unknown attribute of two values': anAttribute('1.2.3', integer(1), bitString(Buffer.of(1))),
}

const SUBJECTS_ASKED: Readonly<Record<string, Uint8Array>> = {
  'no name': writeName({}),
  'the name of the ECS': writeName({ organization: 'ecsp.example', commonName: VICTIM }),
  'the name of the root': writeName({ organization: 'ecsp.example', commonName: 'Edgeward root CA' }),
  'a long name': writeName({ commonName: 'x'.repeat(200) }),
  'two common names': sequence(
    [VICTIM, NAME].map((name) => element(TAG.set, [sequence([oid(OID.commonName), utf8String(name)])])),
  ),
  'a NUL in its name': writeName({ commonName: `${VICTIM}\0` }),
}

describe('what a certification request asks for is not what is signed', async () => {
  const { template } = await aDomain()
  const given = {
    spki: spkiOf({ publicKey: readCertificationRequest(aRequest({ key })).publicKey }),
    serial: Buffer.alloc(16, 7),
  }
  const expected = toBeSigned(template(SUBJECTS.ees, given))

  /** Refused as malformed, or certified as if it had asked for nothing. */
  function certifiesNothingOf(request: Buffer): void {
    try {
      const { publicKey } = readCertificationRequest(request)
      const tbs = toBeSigned(template(SUBJECTS.ees, { ...given, spki: spkiOf({ publicKey }) }))
      assert.deepEqual(tbs, expected)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      assert.equal(error.code, 'CERTIFICATION_REQUEST_MALFORMED')
    }
  }

  for (const [title, extension] of Object.entries(EXTENSIONS)) {
    test(`CA-01: extension ${title}`, () => {
      const request = aRequest({ key, attributes: [extensionRequest(extension)] })
      certifiesNothingOf(request)
      assert.ok(readCertificationRequest(request).publicKey)
    })
  }

  for (const [title, names] of Object.entries(NAMES)) {
    test(`CA-01: subjectAltName ${title}`, () => {
      certifiesNothingOf(aRequest({ key, attributes: [extensionRequest(subjectAltName(...names))] }))
    })
  }

  for (const [title, attribute] of Object.entries(ATTRIBUTES)) {
    test(`CA-01: attribute ${title}`, () => {
      const request = aRequest({ key, attributes: [attribute, extensionRequest(subjectAltName(aName(2, NAME)))] })
      certifiesNothingOf(request)
      assert.deepEqual(readCertificationRequest(request).subjectAltNames.dnsNames, [NAME])
    })
  }

  for (const [title, subject] of Object.entries(SUBJECTS_ASKED)) {
    test(`CA-01: subject with ${title}`, () => certifiesNothingOf(aRequest({ key, subject })))
  }

  test('CA-01: there are at least 40 tricks with names', () => assert.ok(Object.keys(NAMES).length >= 40))

  test('CA-01: two certificates of one template differ in key, serial and dates alone', async () => {
    const now = Date.now()
    const { template: templateOf } = await aDomain({ now: now - 1000 })
    const one = templateOf(SUBJECTS.ees, { ...given, now })
    const other = templateOf({ ...SUBJECTS.ees }, { now: now + 60_000, serial: random.octets(16).fill(1, 0, 1) })
    const { issuer: _, serial: _s, spki: _k, notBefore: _b, notAfter: _a, ...said } = one
    const { issuer: _1, serial: _s1, spki: _k1, notBefore: _b1, notAfter: _a1, ...saidByOther } = other
    assert.deepEqual(said, saidByOther)
    assert.equal(one.subjectAltNames.dnsNames[0], fqdn(NAME))
  })

  test('CA-01: names come back as asked, to be compared with the registration', () => {
    const names = [aName(2, 'EES1.ecsp.example'), aName(1, 'a@b.example'), uri('urn:x:y'), aName(2, '*.example')]
    const request = aRequest({ key, attributes: [extensionRequest(subjectAltName(...names))] })
    assert.deepEqual(readCertificationRequest(request).subjectAltNames, {
      dnsNames: ['EES1.ecsp.example', '*.example'],
      uris: ['urn:x:y'],
    })
  })
})
