import 'reflect-metadata'
import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject, webcrypto } from 'node:crypto'
import { describe, test } from 'node:test'
import { Pkcs10CertificateRequest, Pkcs10CertificateRequestGenerator } from '@peculiar/x509'
import { readCertificationRequest, writeCertificationRequest } from '../../src/certificates/certification-request.ts'
import { contextConstructed, TAG } from '../../src/certificates/der-tags.ts'
import {
  bitString,
  element,
  integer,
  NULL,
  octetString,
  oid,
  sequence,
  utf8String,
} from '../../src/certificates/der-writer.ts'
import { OID } from '../../src/certificates/object-identifiers.ts'
import { writePem } from '../../src/certificates/pem.ts'
import { ask, folderWith, needs } from '../judges.ts'
import { aDomain, aKey, aSigner, type CurveName, fqdn, SUBJECTS, spkiOf } from './a-domain.ts'
import { aName, anAttribute, anExtension, aRequest, extensionRequest, subjectAltName } from './a-request.ts'

const NAME = fqdn('ees1.ecsp.example')
const CURVES: readonly CurveName[] = ['P-256', 'P-384']
const key = aKey()

describe('certification request: RFC 2986', () => {
  for (const curve of CURVES) {
    test(`${curve}: what the client writes is what the ECS reads`, async () => {
      const signer = aSigner(curve)
      const der = await writeCertificationRequest({ fqdn: NAME, signer, challengePassword: 'bound to this channel' })
      for (const form of [der, writePem('CERTIFICATE REQUEST', der)]) {
        const read = readCertificationRequest(form)
        assert.ok(read.publicKey.equals(signer.publicKey))
        assert.deepEqual(read.spki, spkiOf(signer))
        assert.deepEqual(read.subjectAltNames, { dnsNames: [NAME], uris: [] })
        assert.equal(read.challengePassword, 'bound to this channel')
      }
      const plain = readCertificationRequest(await writeCertificationRequest({ fqdn: NAME, signer }))
      assert.ok(!('challengePassword' in plain))
    })

    test(`${curve}: OpenSSL verifies what the client writes`, needs('openssl'), async () => {
      const pem = writePem(
        'CERTIFICATE REQUEST',
        await writeCertificationRequest({ fqdn: NAME, signer: aSigner(curve) }),
      )
      const { accepted, said } = ask('openssl', ['req', '-verify', '-noout', '-text'], pem)
      assert.ok(accepted && said.includes('verify OK') && said.includes(`DNS:${NAME}`), said)
    })

    test(`${curve}: GnuTLS verifies what the client writes`, needs('certtool'), async () => {
      const pem = writePem(
        'CERTIFICATE REQUEST',
        await writeCertificationRequest({ fqdn: NAME, signer: aSigner(curve) }),
      )
      const { accepted, said } = ask('certtool', ['--crq-info'], pem)
      assert.ok(accepted && said.includes('Self signature: verified') && said.includes(`DNSname: ${NAME}`), said)
    })

    test(`${curve}: @peculiar/x509 verifies what the client writes`, async () => {
      const signer = aSigner(curve)
      const request = new Pkcs10CertificateRequest(
        await writeCertificationRequest({ fqdn: NAME, signer, challengePassword: 'secret' }),
      )
      assert.ok(await request.verify())
      assert.deepEqual(Buffer.from(request.publicKey.rawData), spkiOf(signer))
    })
  }

  const pem = { format: 'pem', type: 'pkcs8' } as const
  const p384 = aKey('P-384')
  const requests: Readonly<Record<string, readonly [KeyObject, ...string[]]>> = {
    'P-256': [key],
    'P-384 with SHA-256': [p384, '-sha256'],
    'P-384 with SHA-384': [p384, '-sha384'],
    Ed25519: [generateKeyPairSync('ed25519').privateKey],
    'RSA of 3072 bits with SHA-512': [generateKeyPairSync('rsa', { modulusLength: 3072 }).privateKey, '-sha512'],
  }
  for (const [title, [privateKey, ...args]] of Object.entries(requests)) {
    test(`reads the request of OpenSSL for ${title}`, needs('openssl'), () => {
      using folder = folderWith({ key: privateKey.export(pem) })
      const names = `subjectAltName=DNS:${NAME},URI:urn:x:y,IP:192.0.2.1`
      const subject = ['-subj', '/O=ecsp.example/CN=ees-1', '-addext', names]
      const { accepted, said, output } = ask('openssl', [
        'req',
        '-new',
        '-key',
        folder.path('key'),
        ...args,
        ...subject,
      ])
      assert.ok(accepted, said)
      const { subjectAltNames } = readCertificationRequest(output.toString())
      assert.deepEqual(subjectAltNames, { dnsNames: [NAME], uris: ['urn:x:y'] })
    })
  }

  test('reads the request of GnuTLS', needs('certtool'), () => {
    using folder = folderWith({
      key: key.export(pem),
      template: `organization = "ecsp.example"\ndns_name = "${NAME}"\nchallenge_password = 123456\ntls_www_server\nsigning_key\n`,
    })
    const args = ['--generate-request', '--load-privkey', folder.path('key'), '--template', folder.path('template')]
    const { accepted, said, output } = ask('certtool', [...args, '--outder'])
    assert.ok(accepted, said)
    const request = readCertificationRequest(output)
    assert.deepEqual(request.subjectAltNames.dnsNames, [NAME])
    assert.equal(request.challengePassword, '123456')
  })

  test('reads the request of @peculiar/x509', async () => {
    const signingAlgorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
    const keys = await webcrypto.subtle.generateKey(signingAlgorithm, true, ['sign', 'verify'])
    const request = await Pkcs10CertificateRequestGenerator.create({ name: 'O=ecsp.example', keys, signingAlgorithm })
    assert.equal(readCertificationRequest(Buffer.from(request.rawData)).publicKey.asymmetricKeyType, 'ec')
  })
})

describe('proof of possession: RFC 2986 4.2', () => {
  const refused = { name: 'Refusal', code: 'PROOF_OF_POSSESSION_FAILED' }

  test("ON-03: refuses the key of another EES's certificate under a signature of one's own", async () => {
    const { issue } = await aDomain()
    const { spki } = await issue(SUBJECTS.ees)
    assert.throws(() => readCertificationRequest(aRequest({ key, spki })), refused)
    readCertificationRequest(aRequest({ key }))
  })

  test('ON-03: refuses a valid signature under another request of the same key', () => {
    const one = aRequest({ key })
    const other = aRequest({ key, attributes: [anAttribute(OID.challengePassword, utf8String('other'))] })
    const { signature } = splitRequest(one)
    const { info, algorithm } = splitRequest(other)
    assert.throws(() => readCertificationRequest(sequence([info, algorithm, signature])), refused)
  })

  test('ON-03: refuses a signature with any bit changed, shortened, lengthened or empty', () => {
    const { info, algorithm, signature } = splitRequest(aRequest({ key }))
    const value = signature.subarray(3)
    const read = (octets: Uint8Array) => readCertificationRequest(sequence([info, algorithm, bitString(octets)]))
    read(value)
    for (let bit = 0; bit < value.length * 8; bit += 1) {
      const changed = Buffer.from(value)
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (0x80 >> (bit & 7))
      assert.throws(() => read(changed), refused, `bit ${bit}`)
    }
    for (const changed of [
      value.subarray(1),
      value.subarray(0, -1),
      Buffer.alloc(0),
      Buffer.concat([value, Buffer.of(0)]),
    ]) {
      assert.throws(() => read(changed), refused)
    }
    const zero = sequence([integer(0), integer(0)])
    const one = sequence([integer(1), integer(1)])
    for (const changed of [zero, one, sequence([]), NULL]) assert.throws(() => read(changed), refused)
  })

  const algorithm = (dotted: string, ...parameters: Buffer[]) => sequence([oid(dotted), ...parameters])
  const mismatched: Readonly<Record<string, Buffer>> = {
    'Ed25519 for a key on P-256': algorithm(OID.ed25519),
    'RSA for a key on P-256': algorithm(OID.sha256WithRsaEncryption, NULL),
    'SHA-384 for a signature with SHA-256': algorithm(OID.ecdsaWithSha384),
  }
  for (const [title, identifier] of Object.entries(mismatched)) {
    test(`ON-03: refuses ${title}`, () => {
      assert.throws(() => readCertificationRequest(aRequest({ key, algorithm: identifier })), refused)
    })
  }

  test('ON-06: refuses a bad key before its signature is looked at', () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'secp256k1' })
    assert.throws(() => readCertificationRequest(aRequest({ key: privateKey })), { code: 'PUBLIC_KEY_NOT_ACCEPTED' })
    const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey
    const identifier = algorithm(OID.sha256WithRsaEncryption, NULL)
    assert.throws(() => readCertificationRequest(aRequest({ key: rsa, algorithm: identifier })), {
      code: 'PUBLIC_KEY_NOT_ACCEPTED',
    })
  })
})

function splitRequest(der: Buffer): { info: Buffer; algorithm: Buffer; signature: Buffer } {
  const algorithm = sequence([oid(OID.ecdsaWithSha256)])
  const at = der.indexOf(algorithm)
  const start = der.readUInt8(1) < 0x80 ? 2 : 2 + (der.readUInt8(1) & 0x7f)
  return { info: der.subarray(start, at), algorithm, signature: der.subarray(at + algorithm.length) }
}

describe('malformed certification requests', () => {
  const password = (value: Uint8Array) => anAttribute(OID.challengePassword, value)
  const san = subjectAltName(aName(2, NAME))
  const extension = (id: string) => anExtension(id, NULL)
  const raw = (...attributes: Uint8Array[]) => ({ attributeSet: [element(contextConstructed(0), attributes)] })
  const algorithm = (dotted: string, ...parameters: Buffer[]) => ({ algorithm: sequence([oid(dotted), ...parameters]) })

  const cases: Readonly<Record<string, Partial<Parameters<typeof aRequest>[0]>>> = {
    'version 2': { version: integer(1) },
    'a negative version': { version: element(TAG.integer, [Buffer.of(0xff)]) },
    'no attributes': { attributeSet: [] },
    'attributes as SET': { attributeSet: [element(TAG.set, [])] },
    'attributes and more': { attributeSet: [element(contextConstructed(0), []), NULL] },
    'attributes out of order': raw(extensionRequest(san), password(utf8String('x'))),
    'an attribute twice': raw(password(utf8String('a')), password(utf8String('b'))),
    'an attribute without values': { attributes: [sequence([oid(OID.extensionRequest)])] },
    'an attribute with an empty set': { attributes: [anAttribute(OID.extensionRequest)] },
    'an unknown attribute that is not DER': { attributes: [anAttribute('1.2.3', Buffer.from('3080', 'hex'))] },
    'two extension requests in one': {
      attributes: [anAttribute(OID.extensionRequest, sequence([san]), sequence([extension(OID.keyUsage)]))],
    },
    'an empty extension request': { attributes: [extensionRequest()] },
    'an extension twice': { attributes: [extensionRequest(san, san)] },
    'an unknown extension twice': { attributes: [extensionRequest(extension('1.2.3'), extension('1.2.3'))] },
    'an extension that is critical by another octet': {
      attributes: [extensionRequest(sequence([oid('1.2.3'), element(TAG.boolean, [Buffer.of(1)]), octetString(NULL)]))],
    },
    'an extension that is not critical in so many words': {
      attributes: [extensionRequest(sequence([oid('1.2.3'), element(TAG.boolean, [Buffer.of(0)]), octetString(NULL)]))],
    },
    'an extension without value': { attributes: [extensionRequest(sequence([oid('1.2.3')]))] },
    'an empty subjectAltName': { attributes: [extensionRequest(subjectAltName())] },
    'a subjectAltName that is no list': {
      attributes: [extensionRequest(anExtension(OID.subjectAltName, utf8String(NAME)))],
    },
    'a dNSName beyond ASCII': { attributes: [extensionRequest(subjectAltName(aName(2, 'ées.ecsp.example')))] },
    'an empty challenge password': { attributes: [password(utf8String(''))] },
    'a challenge password of 256 characters': { attributes: [password(utf8String('x'.repeat(256)))] },
    'a challenge password of octets': { attributes: [password(octetString(Buffer.from('x')))] },
    'a NUL in the challenge password': { attributes: [password(utf8String('a\0b'))] },
    'a NUL in the subject': {
      subject: sequence([element(TAG.set, [sequence([oid(OID.commonName), utf8String(`${NAME}\0.evil.example`)])])]),
    },
    'an empty RDN': { subject: sequence([element(TAG.set, [])]) },
    MD5: algorithm('1.2.840.113549.1.1.4', NULL),
    'SHA-1 with RSA': algorithm('1.2.840.113549.1.1.5', NULL),
    'SHA-1 with ECDSA': algorithm('1.2.840.10045.4.1'),
    'SHA-224 with ECDSA': algorithm('1.2.840.10045.4.3.1'),
    'SHA-512 with ECDSA': algorithm('1.2.840.10045.4.3.4'),
    DSA: algorithm('2.16.840.1.101.3.4.3.2'),
    'RSA-PSS': algorithm('1.2.840.113549.1.1.10'),
    'ECDSA with parameters': algorithm(OID.ecdsaWithSha256, NULL),
    'RSA without parameters': algorithm(OID.sha256WithRsaEncryption),
    'a key as signature algorithm': algorithm(OID.ecPublicKey),
  }
  for (const [title, parts] of Object.entries(cases)) {
    test(`CA-09: refuses ${title}`, () => {
      assert.throws(() => readCertificationRequest(aRequest({ key, ...parts })), {
        name: 'Refusal',
        code: 'CERTIFICATION_REQUEST_MALFORMED',
      })
    })
  }

  test('CA-09: refuses more than 16 KiB and what is no PEM of a request', () => {
    const attributes = [anAttribute('1.2.3', octetString(Buffer.alloc(16 * 1024)))]
    const pem = writePem('CERTIFICATE REQUEST', aRequest({ key }))
    readCertificationRequest(pem)
    for (const request of [
      aRequest({ key, attributes }),
      writePem('CERTIFICATE REQUEST', aRequest({ key, attributes })),
      pem.replaceAll('CERTIFICATE REQUEST', 'NEW CERTIFICATE REQUEST'),
      `${pem}${pem}`,
      Buffer.from(pem),
      '',
    ]) {
      assert.throws(() => readCertificationRequest(request), { code: 'CERTIFICATION_REQUEST_MALFORMED' })
    }
  })
})
