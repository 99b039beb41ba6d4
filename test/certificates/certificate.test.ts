import assert from 'node:assert/strict'
import { createPublicKey, generateKeyPairSync, sign, X509Certificate } from 'node:crypto'
import { describe, test } from 'node:test'
import { readCertificate } from '../../src/certificates/certificate.ts'
import { contextConstructed, contextPrimitive, TAG } from '../../src/certificates/der-tags.ts'
import {
  bitString,
  element,
  explicit,
  integer,
  NULL,
  namedBits,
  octetString,
  oid,
  sequence,
  TRUE,
  time,
  utf8String,
} from '../../src/certificates/der-writer.ts'
import { writeName } from '../../src/certificates/distinguished-name.ts'
import { OID } from '../../src/certificates/object-identifiers.ts'
import { writePem } from '../../src/certificates/pem.ts'
import { ask, folderWith, needs } from '../judges.ts'
import { aKey, spkiOf } from './a-domain.ts'
import { aName, anExtension, subjectAltName } from './a-request.ts'

const key = aKey()
const SPKI = spkiOf({ publicKey: createPublicKey(key) })
const WEAK = spkiOf(generateKeyPairSync('rsa', { modulusLength: 2048 }))
const NAME = writeName({ organization: 'ecsp.example', commonName: 'ees-1' })
const ECDSA = sequence([oid(OID.ecdsaWithSha256)])
const VALIDITY = sequence([time(Date.UTC(2026, 0)), time(Date.UTC(2027, 0))])
const SAN = subjectAltName(aName(2, 'ees1.ecsp.example'))
const KEY_ID = Buffer.alloc(20, 1)
const FALSE = element(TAG.boolean, [Buffer.of(0)])

interface Parts {
  readonly version?: readonly Uint8Array[]
  readonly serial?: Uint8Array
  readonly inner?: Uint8Array
  readonly outer?: Uint8Array
  readonly issuer?: Uint8Array
  readonly validity?: Uint8Array
  readonly subject?: Uint8Array
  readonly spki?: Uint8Array
  readonly between?: readonly Uint8Array[]
  readonly extensions?: readonly Uint8Array[]
  readonly signature?: Uint8Array
  readonly after?: readonly Uint8Array[]
}

/** A certificate of any content, signed by its own key. */
function aCertificate(parts: Parts): Buffer {
  const tbs = sequence([
    ...(parts.version ?? [explicit(0, integer(2))]),
    parts.serial ?? integer(2n ** 126n),
    parts.inner ?? ECDSA,
    parts.issuer ?? NAME,
    parts.validity ?? VALIDITY,
    parts.subject ?? NAME,
    parts.spki ?? SPKI,
    ...(parts.between ?? []),
    ...(parts.extensions ? [explicit(3, sequence(parts.extensions))] : []),
  ])
  const signature = parts.signature ?? bitString(sign('sha256', tbs, key))
  return sequence([tbs, parts.outer ?? parts.inner ?? ECDSA, signature, ...(parts.after ?? [])])
}

const extension = (id: string, value: Uint8Array) => ({ extensions: [anExtension(id, value)] })
const algorithm = (id: string, ...parameters: Buffer[]) => ({ inner: sequence([oid(id), ...parameters]) })
const attribute = (value: Uint8Array) => sequence([element(TAG.set, [sequence([oid(OID.commonName), value])])])
const point = (...parts: Uint8Array[]) => extension(OID.crlDistributionPoints, sequence([sequence(parts)]))
const fullName = (...names: Uint8Array[]) => element(contextConstructed(0), [element(contextConstructed(0), names)])
const DIRECTORY_NAME = element(contextConstructed(4), [NAME])

const REFUSED: Readonly<Record<string, Parts>> = {
  'version 1': { version: [] },
  'version 1 in so many words': { version: [explicit(0, integer(0))] },
  'version 2': { version: [explicit(0, integer(1))] },
  'version 4': { version: [explicit(0, integer(3))] },
  'an empty version': { version: [element(contextConstructed(0), [])] },
  'two versions': { version: [element(contextConstructed(0), [integer(2), integer(2)])] },
  'serial number zero': { serial: integer(0) },
  'a negative serial number': { serial: element(TAG.integer, [Buffer.of(0x80)]) },
  'a serial number of 21 octets': { serial: integer(2n ** 160n) },
  'a serial number that is not minimal': { serial: element(TAG.integer, [Buffer.of(0, 1)]) },
  'two signature algorithms': { inner: ECDSA, outer: sequence([oid(OID.ecdsaWithSha384)]) },
  'SHA-1': algorithm('1.2.840.10045.4.1'),
  MD5: algorithm('1.2.840.113549.1.1.4', NULL),
  'RSA-PSS': algorithm('1.2.840.113549.1.1.10'),
  'parameters with ECDSA': algorithm(OID.ecdsaWithSha256, NULL),
  'an issuer with an empty RDN': { issuer: sequence([element(TAG.set, [])]) },
  'an issuer in BMPString': { issuer: attribute(element(0x1e, [Buffer.from('0065', 'hex')])) },
  'a NUL in the subject': { subject: attribute(utf8String('ees\0')) },
  'a subject that is no text': { subject: attribute(integer(1)) },
  'a validity of one time': { validity: sequence([time(Date.UTC(2026, 0))]) },
  'a validity of three times': { validity: sequence([VALIDITY.subarray(2), time(0)]) },
  'an RSA key of 2048 bits': { spki: WEAK },
  'no key': { spki: NULL },
  'an issuer unique identifier': { between: [element(contextPrimitive(1), [Buffer.of(0, 1)])] },
  'a subject unique identifier': { between: [element(contextPrimitive(2), [Buffer.of(0, 1)])] },
  'something in [4]': { between: [explicit(4, NULL)] },
  'an empty list of extensions': { extensions: [] },
  'a signature with unused bits': { signature: element(TAG.bitString, [Buffer.of(1, 0x80)]) },
  'a signature as OCTET STRING': { signature: octetString(Buffer.of(1)) },
  'something after the signature': { after: [NULL] },

  'an extension twice': { extensions: [SAN, SAN] },
  'an unknown extension twice': { extensions: [anExtension('1.2.3', NULL), anExtension('1.2.3', NULL)] },
  'an unknown critical extension': { extensions: [anExtension('1.2.3', NULL, true)] },
  'an extension that is not critical in so many words': {
    extensions: [sequence([oid('1.2.3'), FALSE, octetString(NULL)])],
  },
  'an extension without value': { extensions: [sequence([oid('1.2.3'), TRUE])] },
  'name constraints': extension(OID.nameConstraints, sequence([])),
  'policy constraints': extension(OID.policyConstraints, sequence([])),
  'policy mappings': extension(OID.policyMappings, sequence([])),
  'inhibit any policy': extension(OID.inhibitAnyPolicy, integer(0)),
  'IP address blocks': extension(OID.ipAddrBlocks, sequence([])),
  'AS numbers': extension(OID.autonomousSysIds, sequence([])),
  'a proxy certificate': extension(OID.proxyCertInfo, sequence([])),
  'a Netscape certificate type': extension(OID.netscapeCertType, namedBits([1])),

  'an empty subjectAltName': { extensions: [subjectAltName()] },
  'an e-mail address': { extensions: [subjectAltName(aName(2, 'ees1.ecsp.example'), aName(1, 'a@ecsp.example'))] },
  'an IP address': { extensions: [subjectAltName(aName(7, Buffer.of(192, 0, 2, 1)))] },
  'a directory name': { extensions: [subjectAltName(DIRECTORY_NAME)] },
  'a registered ID': { extensions: [subjectAltName(aName(8, Buffer.of(0x2a)))] },
  'a constructed dNSName': { extensions: [subjectAltName(element(contextConstructed(2), [utf8String('a.example')]))] },
  'a URI without scheme': { extensions: [subjectAltName(aName(6, 'ees1.ecsp.example'))] },
  'a URI with a space': { extensions: [subjectAltName(aName(6, 'urn:a b'))] },
  'a URI with a NUL': { extensions: [subjectAltName(aName(6, 'urn:a\0b'))] },
  'a URI of 3000 characters': { extensions: [subjectAltName(aName(6, `urn:${'a'.repeat(3000)}`))] },
  'octets after the subjectAltName': {
    extensions: [anExtension(OID.subjectAltName, Buffer.concat([sequence([aName(2, 'a.example')]), Buffer.of(0)]))],
  },

  'an empty key usage': extension(OID.keyUsage, namedBits([])),
  'a key usage without a name': extension(OID.keyUsage, namedBits([9])),
  'a key usage with trailing zeros': extension(OID.keyUsage, element(TAG.bitString, [Buffer.of(0, 0x80)])),
  'an empty extended key usage': extension(OID.extKeyUsage, sequence([])),
  'a key purpose twice': extension(OID.extKeyUsage, sequence([oid(OID.clientAuth), oid(OID.clientAuth)])),
  'cA that is FALSE in so many words': extension(OID.basicConstraints, sequence([FALSE])),
  'a path length without cA': extension(OID.basicConstraints, sequence([integer(0)])),
  'a negative path length': extension(OID.basicConstraints, sequence([TRUE, element(TAG.integer, [Buffer.of(0xff)])])),
  'a path length of 2^64': extension(OID.basicConstraints, sequence([TRUE, integer(2n ** 64n)])),
  'a third basic constraint': extension(OID.basicConstraints, sequence([TRUE, integer(0), NULL])),
  'an empty subject key identifier': extension(OID.subjectKeyIdentifier, octetString(Buffer.alloc(0))),
  'a subject key identifier of 65 octets': extension(OID.subjectKeyIdentifier, octetString(Buffer.alloc(65))),
  'an authority key identifier without key': extension(OID.authorityKeyIdentifier, sequence([])),
  'an authority by issuer and serial number': extension(
    OID.authorityKeyIdentifier,
    sequence([aName(0, KEY_ID), element(contextConstructed(1), [DIRECTORY_NAME]), aName(2, Buffer.of(1))]),
  ),
  'no distribution point': extension(OID.crlDistributionPoints, sequence([])),
  'an empty distribution point': point(),
  'a distribution point without name': point(fullName()),
  'a partition of the CRL': point(fullName(aName(6, 'http://a.example/')), aName(1, Buffer.of(6, 0x40))),
  'an indirect CRL': point(fullName(aName(6, 'http://a.example/')), element(contextConstructed(2), [DIRECTORY_NAME])),
  'a relative distribution point': point(element(contextConstructed(0), [element(contextConstructed(1), [])])),
  'a distribution point in a directory': point(fullName(DIRECTORY_NAME)),
}

describe('reading certificates: RFC 5280 4.1', () => {
  for (const [title, parts] of Object.entries(REFUSED)) {
    test(`CA-09: refuses ${title}`, () => {
      assert.throws(() => readCertificate(aCertificate(parts)), { name: 'Refusal', code: 'CERTIFICATE_NOT_ACCEPTED' })
    })
  }

  test('CA-09: refuses what is no certificate', () => {
    const der = aCertificate({ extensions: [SAN] })
    readCertificate(der)
    const pem = writePem('CERTIFICATE', der)
    const more = aCertificate({ extensions: [SAN, anExtension('1.2.3', Buffer.alloc(16 * 1024))] })
    for (const wrong of [
      Buffer.alloc(0),
      der.subarray(1),
      Buffer.concat([der, der]),
      Buffer.from(pem),
      more,
      pem + pem,
      '',
    ]) {
      assert.throws(() => readCertificate(wrong), { name: 'Refusal', code: 'CERTIFICATE_NOT_ACCEPTED' })
    }
  })

  test('an honest certificate is read, DER or PEM; an unknown extension that is not critical is passed over', () => {
    const keyId = sequence([aName(0, KEY_ID)])
    const der = aCertificate({
      extensions: [
        SAN,
        anExtension('1.3.6.1.5.5.7.1.1', sequence([])),
        anExtension(OID.extKeyUsage, sequence([oid(OID.clientAuth), oid('1.3.6.1.5.5.7.3.9')])),
        anExtension(OID.authorityKeyIdentifier, keyId),
        anExtension(OID.basicConstraints, sequence([TRUE, integer(3)]), true),
        anExtension(OID.keyUsage, namedBits([0, 8]), true),
      ],
    })
    const read = readCertificate(der)
    assert.deepEqual(readCertificate(writePem('CERTIFICATE', der)).der, der)
    assert.equal(read.serial, `40${'00'.repeat(15)}`)
    assert.deepEqual([read.issuer, read.subject, read.spki], [NAME, NAME, SPKI])
    assert.deepEqual(read.extendedKeyUsage, ['clientAuth', '1.3.6.1.5.5.7.3.9'])
    assert.deepEqual(read.keyUsage, ['digitalSignature', 'decipherOnly'])
    assert.deepEqual(read.basicConstraints, { ca: true, pathLength: 3 })
    assert.deepEqual(read.authorityKeyId, KEY_ID)
    assert.ok(!('subjectKeyId' in read))
    assert.equal(new X509Certificate(read.der).serialNumber.toLowerCase(), read.serial)
  })

  test('what was read does not change when the octets it came from do', () => {
    const octets = aCertificate({ extensions: [SAN] })
    const { der, spki } = readCertificate(octets)
    octets.fill(0)
    assert.deepEqual(spki, SPKI)
    assert.notDeepEqual(der, octets)
  })

  test('reads the roots that OpenSSL and GnuTLS make', needs('openssl', 'certtool'), () => {
    using folder = folderWith({
      key: key.export({ format: 'pem', type: 'pkcs8' }),
      template: 'cn = root\nca\ncert_signing_key\n',
    })
    const openssl = ['req', '-x509', '-key', folder.path('key'), '-subj', '/O=ecsp.example/CN=root', '-days', '30']
    const gnutls = [
      '--generate-self-signed',
      '--load-privkey',
      folder.path('key'),
      '--template',
      folder.path('template'),
    ]
    for (const { output, said } of [ask('openssl', openssl), ask('certtool', [...gnutls, '--outder'])]) {
      const text = output.toString('latin1')
      const { basicConstraints } = readCertificate(text.startsWith('-----') ? text : output)
      assert.equal(basicConstraints?.ca, true, said)
    }
  })
})
