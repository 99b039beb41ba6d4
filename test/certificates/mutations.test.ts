import assert from 'node:assert/strict'
import { sign, X509Certificate } from 'node:crypto'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { readCertificate } from '../../src/certificates/certificate.ts'
import { readCertificationRequest, writeCertificationRequest } from '../../src/certificates/certification-request.ts'
import { readCertsOnly, writeCertsOnly } from '../../src/certificates/certs-only.ts'
import { issueCrl, readCrl } from '../../src/certificates/crl.ts'
import { bitString, oid, sequence } from '../../src/certificates/der-writer.ts'
import { OID } from '../../src/certificates/object-identifiers.ts'
import { writePem } from '../../src/certificates/pem.ts'
import { signerOf } from '../../src/ports/signer.ts'
import { Refusal } from '../../src/spec/refusal.ts'
import { ask, needs } from '../judges.ts'
import { aDomain, aKey, fqdn, LEAF_ROLES, SUBJECTS } from './a-domain.ts'
import { aName, anAttribute, aRequest, extensionRequest, subjectAltName } from './a-request.ts'

const DEEP = process.env['EDGEWARD_DEEP'] !== undefined
const RUNS = DEEP ? 250_000 : 4000
const HANG_MS = 50

/** What is done to the octets, one after another. Positions are taken modulo the length that is left. */
type Mutation = (octets: Buffer) => Buffer

const at = fc.nat(0xffff)
const octet = fc.nat(255)
/** Octets that mean something to a DER reader: tags, lengths, indefinite length, high tags. */
const telling = fc.constantFrom(
  0x00,
  0x01,
  0x02,
  0x03,
  0x05,
  0x06,
  0x1f,
  0x30,
  0x31,
  0x7f,
  0x80,
  0x81,
  0x82,
  0x84,
  0x88,
  0xa0,
  0xa3,
  0xff,
)

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.tuple(at, fc.oneof(octet, telling)).map(([position, value]) => (octets: Buffer) => {
    const changed = Buffer.from(octets)
    if (changed.length > 0) changed[position % changed.length] = value
    return changed
  }),
  fc.tuple(at, fc.nat(7)).map(([position, bit]) => (octets: Buffer) => {
    const changed = Buffer.from(octets)
    const index = position % Math.max(1, changed.length)
    if (changed.length > 0) changed[index] = (changed[index] ?? 0) ^ (1 << bit)
    return changed
  }),
  at.map((position) => (octets: Buffer) => octets.subarray(0, position % (octets.length + 1))),
  fc.tuple(at, fc.nat(40)).map(([position, count]) => (octets: Buffer) => {
    const start = position % (octets.length + 1)
    return Buffer.concat([octets.subarray(0, start), octets.subarray(start + count)])
  }),
  fc.tuple(at, fc.uint8Array({ maxLength: 40 })).map(([position, inserted]) => (octets: Buffer) => {
    const start = position % (octets.length + 1)
    return Buffer.concat([octets.subarray(0, start), inserted, octets.subarray(start)])
  }),
  fc.tuple(at, at, fc.nat(40)).map(([from, to, count]) => (octets: Buffer) => {
    const start = from % (octets.length + 1)
    const end = to % (octets.length + 1)
    return Buffer.concat([octets.subarray(0, end), octets.subarray(start, start + count), octets.subarray(end)])
  }),
)

const mutations = fc.array(mutation, { minLength: 1, maxLength: 3 })
const mutate = (octets: Buffer, changes: readonly Mutation[]) =>
  changes.reduce((changed, change) => change(changed), octets)

/**
 * Reads it: accepted, or refused by a Refusal; anything else is a crash. Slower than 50 ms in three attempts is a hang,
 * in one it is the garbage collector.
 */
function verdict<T>(read: (octets: Buffer) => T, octets: Buffer): T | undefined {
  let fastest = Number.POSITIVE_INFINITY
  let value: T | undefined
  for (let attempt = 0; attempt < 3 && fastest > HANG_MS; attempt += 1) {
    const start = process.threadCpuUsage()
    try {
      value = read(octets)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
    }
    fastest = Math.min(fastest, process.threadCpuUsage(start).user / 1_000)
  }
  assert.ok(fastest <= HANG_MS, `${fastest} ms`)
  return value
}

describe('mutations', async () => {
  const domain = await aDomain()
  const { issuers, issue, root, now } = domain
  const certificates = [root.certificate, ...LEAF_ROLES.map((role) => issuers[role].certificate)]
  for (const role of LEAF_ROLES) certificates.push(await issue(SUBJECTS[role]))
  const key = aKey()
  const given = { fqdn: fqdn('ees1.ecsp.example'), signer: signerOf(key) }
  const requests = [
    await writeCertificationRequest(given),
    await writeCertificationRequest({ ...given, challengePassword: 'secret' }),
    aRequest({
      key,
      attributes: [anAttribute('1.2.3', sequence([])), extensionRequest(subjectAltName(aName(6, 'urn:a:b')))],
    }),
  ]

  test(`CA-09: ${2 * RUNS} mutated certificates: refused or read, and what is read OpenSSL reads as well`, () => {
    let accepted = 0
    fc.assert(
      fc.property(fc.constantFrom(...certificates), mutations, ({ der }, changes) => {
        const changed = mutate(der, changes)
        const read = verdict(readCertificate, changed)
        if (read === undefined) return
        accepted += 1
        const known = new X509Certificate(changed)
        assert.equal(known.serialNumber.toLowerCase().padStart(read.serial.length, '0'), read.serial)
        assert.deepEqual(known.publicKey.export({ format: 'der', type: 'spki' }), read.spki)
        assert.equal(known.validToDate.getTime(), read.notAfter)
        for (const name of read.subjectAltNames.dnsNames)
          assert.equal(known.checkHost(name, { subject: 'never' }), name)
      }),
      { numRuns: 2 * RUNS },
    )
    assert.ok(accepted > RUNS / 100, `only ${accepted} were read: the mutations are too coarse to tell`)
  })

  /** The request with its content changed and signed again, so that the change gets past the signature. */
  function resigned(request: Buffer, changes: readonly Mutation[]): Buffer {
    const algorithm = sequence([oid(OID.ecdsaWithSha256)])
    const start = request.readUInt8(1) < 0x80 ? 2 : 2 + (request.readUInt8(1) & 0x7f)
    const info = mutate(request.subarray(start, request.indexOf(algorithm)), changes)
    return sequence([info, algorithm, bitString(sign('sha256', info, key))])
  }

  test(
    `CA-09: ${2 * RUNS} mutated requests, half of them signed again; OpenSSL verifies those that pass`,
    needs('openssl'),
    () => {
      const passed = new Map<string, Buffer>()
      fc.assert(
        fc.property(fc.constantFrom(...requests), mutations, fc.boolean(), (request, changes, again) => {
          const changed = again ? resigned(request, changes) : mutate(request, changes)
          if (verdict(readCertificationRequest, changed)) passed.set(changed.toString('hex'), changed)
        }),
        { numRuns: 2 * RUNS },
      )
      assert.ok(passed.size > RUNS / 200, `only ${passed.size} were read: the mutations are too coarse to tell`)
      for (const request of [...passed.values()].slice(0, DEEP ? 2000 : 40)) {
        const { accepted, said } = ask('openssl', ['req', '-inform', 'DER', '-verify', '-noout'], request)
        assert.ok(accepted && said.includes('verify OK'), `${said}${request.toString('hex')}`)
      }
    },
  )

  test(`CA-09: ${RUNS} mutated CRLs and certs-only messages: refused or read`, async () => {
    const entries = [
      { serial: '4001', revokedAt: now, reason: 'keyCompromise' as const },
      { serial: '4002', revokedAt: now },
    ]
    const crl = await issueCrl({ issuer: issuers.ees, number: 1n, thisUpdate: now, nextUpdate: now + 1000, entries })
    const message = writeCertsOnly(certificates.slice(0, 2).map(({ der }) => der))
    fc.assert(
      fc.property(mutations, (changes) => {
        verdict(readCrl, mutate(crl, changes))
        verdict(readCertsOnly, mutate(message, changes))
      }),
      { numRuns: RUNS / 2 },
    )
  })

  test(`CA-09: ${RUNS} mutated PEM texts: refused or read`, () => {
    const texts = [
      ...certificates.map(({ der }) => writePem('CERTIFICATE', der)),
      ...requests.map((der) => writePem('CERTIFICATE REQUEST', der)),
    ]
    fc.assert(
      fc.property(fc.constantFrom(...texts), mutations, (pem, changes) => {
        const text = mutate(Buffer.from(pem), changes)
        verdict((octets) => readCertificate(octets.toString('latin1')), text)
        verdict((octets) => readCertificationRequest(octets.toString('latin1')), text)
      }),
      { numRuns: RUNS },
    )
  })

  test(`CA-09: ${RUNS} random octets and deep nests: refused`, () => {
    const nest = fc
      .tuple(telling, fc.integer({ min: 1, max: 4000 }), fc.uint8Array({ maxLength: 8 }))
      .map(([tag, depth, inner]) => {
        const header = Buffer.alloc(depth * 2, Buffer.of(tag, 0x80))
        return Buffer.concat([header, inner])
      })
    const honestNest = fc.integer({ min: 1, max: 3000 }).map((depth) => {
      let value = sequence([])
      for (let level = 0; level < depth && value.length < 16_000; level += 1) value = sequence([value])
      return value
    })
    const random = fc.uint8Array({ maxLength: 2000, size: 'max' }).map((octets) => Buffer.from(octets))
    fc.assert(
      fc.property(fc.oneof(random, nest, honestNest), (octets) => {
        for (const read of [readCertificate, readCertificationRequest, readCrl, readCertsOnly]) {
          assert.equal(verdict<unknown>(read, octets), undefined)
        }
      }),
      { numRuns: RUNS / 4 },
    )
  })
})
