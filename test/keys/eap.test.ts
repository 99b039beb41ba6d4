import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'

import { type EapMethodPacket, type EapPacket, isMacRight, readEapPacket, writeEapPacket } from '../../src/keys/eap.ts'
import { type Attribute, writeAttribute } from '../../src/keys/eap-attributes.ts'
import { authenticationReject } from '../../src/keys/eap-packets.ts'
import { hex, key } from './octets.ts'

const RUNS = process.env['EDGEWARD_DEEP'] ? 500_000 : 5_000
const METHODS = ['EAP-AKA', "EAP-AKA'"] as const

const octets = (minLength: number, maxLength = minLength) =>
  fc.uint8Array({ minLength, maxLength, size: 'max' }).map((array) => Buffer.from(array))
const attribute = (name: Attribute['name'], values: fc.Arbitrary<unknown>) =>
  values.map((value) => ({ name, value }) as Attribute)
const texts = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 60 })
  .filter((text) => text.isWellFormed() && Buffer.byteLength(text) > 0)

const rand = attribute('AT_RAND', octets(16))
const autn = attribute('AT_AUTN', octets(16))
const mac = attribute('AT_MAC', octets(16))
const kdfs = attribute('AT_KDF', fc.nat(0xffff))
const optional = (arbitrary: fc.Arbitrary<Attribute>) => fc.array(arbitrary, { maxLength: 1 })
const checkcodes = (method: string) =>
  optional(attribute('AT_CHECKCODE', fc.oneof(octets(0), octets(method === 'EAP-AKA' ? 20 : 32))))

/** Some attributes of a message, in any order. */
function inAnyOrder(...parts: readonly (fc.Arbitrary<Attribute> | fc.Arbitrary<Attribute[]>)[]) {
  return fc
    .tuple(...parts.map((part) => (part as fc.Arbitrary<Attribute | Attribute[]>).map((some) => [some].flat())))
    .chain((found) => fc.shuffledSubarray(found.flat(), { minLength: found.flat().length }))
}

/** Every message that there is. */
function messages(method: EapMethodPacket['method']): fc.Arbitrary<EapMethodPacket> {
  const prime = method === "EAP-AKA'"
  const response = attribute(
    'AT_RES',
    fc.integer({ min: 4, max: 16 }).chain((length) => octets(length)),
  )
  const kinds: readonly [EapMethodPacket['code'], EapMethodPacket['subtype'], fc.Arbitrary<Attribute[]>][] = [
    ['request', 'identity', inAnyOrder(fc.constantFrom<Attribute>({ name: 'AT_ANY_ID_REQ', value: true }))],
    ['response', 'identity', inAnyOrder(attribute('AT_IDENTITY', texts))],
    ['response', 'challenge', inAnyOrder(response, mac, checkcodes(method))],
    ['response', 'authentication-reject', fc.constant([])],
    ['response', 'client-error', inAnyOrder(attribute('AT_CLIENT_ERROR_CODE', fc.nat(0xffff)))],
    ['request', 'notification', inAnyOrder(attribute('AT_NOTIFICATION', fc.constantFrom(0, 0x8000, 0x0402)), mac)],
    ['request', 'notification', inAnyOrder(attribute('AT_NOTIFICATION', fc.integer({ min: 0x4000, max: 0x7fff })))],
    ['response', 'notification', optional(mac)],
    prime
      ? [
          'request',
          'challenge',
          inAnyOrder(
            rand,
            autn,
            mac,
            checkcodes(method),
            attribute('AT_KDF_INPUT', texts),
            fc.array(kdfs, { minLength: 1, maxLength: 4 }),
          ),
        ]
      : [
          'request',
          'challenge',
          inAnyOrder(rand, autn, mac, checkcodes(method), optional(attribute('AT_BIDDING', fc.boolean()))),
        ],
    ['response', 'challenge', prime ? inAnyOrder(kdfs) : inAnyOrder(response, mac)],
    [
      'response',
      'synchronization-failure',
      prime
        ? inAnyOrder(attribute('AT_AUTS', octets(14)), fc.array(kdfs, { maxLength: 3 }))
        : inAnyOrder(attribute('AT_AUTS', octets(14))),
    ],
  ]
  return fc
    .tuple(fc.constantFrom(...kinds), fc.nat(255))
    .chain(([[code, subtype, attributes], identifier]) =>
      attributes.map((list): EapMethodPacket => ({ code, identifier, method, subtype, attributes: list })),
    )
}

const packets: fc.Arbitrary<EapPacket> = fc.oneof(
  messages('EAP-AKA'),
  messages("EAP-AKA'"),
  fc.record(
    { code: fc.constantFrom('success', 'failure'), identifier: fc.nat(255) },
    { noNullPrototype: true },
  ) as fc.Arbitrary<EapPacket>,
)

/** A packet of one method and subtype from the hexadecimal digits of its attributes. */
function raw(code: number, type: number, subtype: number, attributes: string): Buffer {
  const body = hex(attributes)
  return Buffer.concat([
    Buffer.of(code, 1, (8 + body.length) >> 8, (8 + body.length) & 0xff, type, subtype, 0, 0),
    body,
  ])
}

describe('EAP packets: RFC 4187, RFC 9048', () => {
  test('what is written is read again, attribute by attribute', () => {
    fc.assert(
      fc.property(packets, (packet) => {
        const written = writeEapPacket(packet)
        assert.equal(written.length % 4, 0)
        assert.deepEqual(readEapPacket(written), packet)
      }),
      { numRuns: 2000 },
    )
  })

  test('no octets make the reader throw, and what it reads can be written', () => {
    const header = fc.tuple(fc.constantFrom(1, 2, 3, 4), fc.constantFrom(23, 50), fc.constantFrom(1, 2, 4, 5, 12, 14))
    const framed = fc.tuple(header, octets(0, 80)).map(([[code, type, subtype], body]) => {
      return raw(code, type, subtype, body.toString('hex'))
    })
    const spoilt = fc.tuple(packets, fc.nat(), fc.nat(255)).map(([packet, at, octet]) => {
      const written = writeEapPacket(packet)
      written[at % written.length] = octet
      return written
    })
    fc.assert(
      fc.property(fc.oneof(octets(0, 120), framed, spoilt), (input) => {
        const before = Buffer.from(input)
        const packet = readEapPacket(input)
        assert.deepEqual(input, before)
        if (packet !== undefined) assert.deepEqual(readEapPacket(writeEapPacket(packet)), packet)
        assert.equal(isMacRight("EAP-AKA'", input, key("EAP-AKA' K_aut", '77'.repeat(32))), false)
        assert.equal(isMacRight('EAP-AKA', input, key('EAP-AKA K_aut', '77'.repeat(16))), false)
      }),
      { numRuns: RUNS },
    )
  })

  test('no prefix of a packet and no packet with more behind it is read', () => {
    fc.assert(
      fc.property(packets, fc.nat(), octets(1, 8), (packet, cut, more) => {
        const written = writeEapPacket(packet)
        assert.equal(readEapPacket(written.subarray(0, cut % written.length)), undefined)
        assert.equal(readEapPacket(Buffer.concat([written, more])), undefined)
        assert.equal(readEapPacket(Buffer.concat([written, hex('80010000')])), undefined)
      }),
      { numRuns: 500 },
    )
  })

  test('RFC 3748 4.2: success and failure have 4 octets', () => {
    assert.deepEqual(writeEapPacket({ code: 'success', identifier: 7 }), hex('03070004'))
    assert.deepEqual(writeEapPacket({ code: 'failure', identifier: 255 }), hex('04ff0004'))
    assert.equal(readEapPacket(hex('030700053c')), undefined)
    assert.equal(readEapPacket(hex('05070004')), undefined)
  })

  test('an identifier has one octet', () => {
    for (const identifier of [-1, 256, 0.5, Number.NaN]) {
      assert.throws(() => writeEapPacket({ code: 'success', identifier }), RangeError)
      assert.throws(() => authenticationReject('EAP-AKA', identifier), RangeError)
    }
  })

  test('RFC 4187 8.1: an unknown attribute below 128 spoils the packet, from 128 on it is skipped', () => {
    const auts = `0404${'11'.repeat(14)}`
    assert.equal(readEapPacket(raw(2, 23, 4, `${auts}7f010000`)), undefined)
    const packet = readEapPacket(raw(2, 23, 4, `80010000${auts}ff020000aabbccdd`))
    assert.ok(packet !== undefined && 'method' in packet)
    assert.deepEqual(packet.attributes, [{ name: 'AT_AUTS', value: hex('11'.repeat(14)) }])
  })

  test('RFC 4187 8.1: a length of 0, and one beyond the packet, spoil the packet', () => {
    assert.equal(readEapPacket(raw(2, 23, 4, '04001111')), undefined)
    assert.equal(readEapPacket(raw(2, 23, 4, `0405${'11'.repeat(14)}`)), undefined)
    assert.equal(readEapPacket(raw(2, 23, 4, `0404${'11'.repeat(14)}ff00ffff`)), undefined)
    assert.equal(readEapPacket(raw(2, 23, 4, `0404${'11'.repeat(14)}ff`)), undefined)
  })

  test('RFC 4187 10: reserved fields are ignored, padding is not', () => {
    const mac = `0b05ffff${'00'.repeat(16)}`
    assert.ok(readEapPacket(raw(2, 23, 1, `03030028a1a2a3a4a5000000${mac}`)))
    assert.equal(readEapPacket(raw(2, 23, 1, `03030028a1a2a3a4a5000001${mac}`)), undefined)
    assert.equal(readEapPacket(raw(2, 23, 1, `03040028a1a2a3a4a500000000000000${mac}`)), undefined)
  })

  test('RFC 4187 10.8: RES has 4 to 16 whole octets', () => {
    const mac = `0b050000${'00'.repeat(16)}`
    assert.equal(readEapPacket(raw(2, 23, 1, `0302001811223300${mac}`)), undefined)
    assert.equal(readEapPacket(raw(2, 23, 1, `030300211122334400000000${mac}`)), undefined)
    assert.equal(readEapPacket(raw(2, 23, 1, `03060088${'11'.repeat(17)}000000${mac}`)), undefined)
    assert.equal(readEapPacket(raw(2, 23, 1, `0302004011223344${mac}`)), undefined)
    assert.throws(() => writeEapPacket(aResponse({ name: 'AT_RES', value: Buffer.alloc(3) })), RangeError)
    assert.throws(() => writeEapPacket(aResponse({ name: 'AT_RES', value: Buffer.alloc(17) })), RangeError)
  })

  test('RFC 9048 3.1: a network name is not empty and is UTF-8', () => {
    const others = `01050000${'11'.repeat(16)}02050000${'22'.repeat(16)}180100010b050000${'33'.repeat(16)}`
    assert.ok(readEapPacket(raw(1, 50, 1, `${others}17020004574c414e`)))
    assert.equal(readEapPacket(raw(1, 50, 1, `${others}17010000`)), undefined)
    assert.equal(readEapPacket(raw(1, 50, 1, `${others}17020004574cc328`)), undefined)
    assert.equal(readEapPacket(raw(1, 50, 1, `${others}170200ff574c414e`)), undefined)
  })

  test('RFC 4187 10.1, RFC 9048 3: a missing, repeated or foreign attribute spoils the packet', () => {
    fc.assert(
      fc.property(fc.oneof(messages('EAP-AKA'), messages("EAP-AKA'")), (packet) => {
        const foreign: Attribute =
          packet.subtype === 'client-error'
            ? { name: 'AT_ANY_ID_REQ', value: true }
            : { name: 'AT_CLIENT_ERROR_CODE', value: 0 }
        assert.throws(() => writeEapPacket({ ...packet, attributes: [...packet.attributes, foreign] }), RangeError)
        const [first, ...others] = packet.attributes
        if (first === undefined) return
        if (first.name !== 'AT_KDF') {
          assert.throws(() => writeEapPacket({ ...packet, attributes: [first, first, ...others] }), RangeError)
        }
        if (['AT_RAND', 'AT_AUTN', 'AT_RES', 'AT_AUTS', 'AT_KDF_INPUT', 'AT_IDENTITY'].includes(first.name)) {
          assert.throws(() => writeEapPacket({ ...packet, attributes: others }), RangeError)
        }
      }),
      { numRuns: 1000 },
    )
  })

  test('there is no client error from a server and no challenge without its MAC', () => {
    assert.equal(readEapPacket(raw(1, 23, 14, '16010000')), undefined)
    assert.equal(readEapPacket(raw(1, 23, 1, `01050000${'11'.repeat(16)}02050000${'22'.repeat(16)}`)), undefined)
    assert.equal(readEapPacket(raw(1, 23, 13, '')), undefined)
    assert.equal(readEapPacket(raw(1, 24, 1, '')), undefined)
  })

  test('RFC 9048 3.4.3: a checkcode has the length of its method', () => {
    for (const method of METHODS) {
      const foreign = Buffer.alloc(method === 'EAP-AKA' ? 32 : 20)
      const own = Buffer.alloc(method === 'EAP-AKA' ? 20 : 32)
      const written = (value: Buffer) => {
        const res: Attribute = { name: 'AT_RES', value: Buffer.alloc(8) }
        const mac: Attribute = { name: 'AT_MAC', value: Buffer.alloc(16) }
        return writeEapPacket({ ...aResponse(res, { name: 'AT_CHECKCODE', value }, mac), method })
      }
      for (const right of [own, Buffer.alloc(0)]) assert.ok(readEapPacket(written(right)))
      assert.throws(() => written(foreign), RangeError)
    }
  })

  test('RFC 4187 6.1: a notification has a MAC unless its P bit is set', () => {
    const attributes = (value: number): Attribute[] => [{ name: 'AT_NOTIFICATION', value }]
    const mac: Attribute = { name: 'AT_MAC', value: Buffer.alloc(16) }
    const packet = { code: 'request', identifier: 1, method: 'EAP-AKA', subtype: 'notification' } as const
    assert.throws(() => writeEapPacket({ ...packet, attributes: attributes(0x8000) }), RangeError)
    assert.throws(() => writeEapPacket({ ...packet, attributes: [...attributes(0x4000), mac] }), RangeError)
    assert.ok(writeEapPacket({ ...packet, attributes: [...attributes(0x8000), mac] }))
    assert.ok(writeEapPacket({ ...packet, attributes: attributes(0x4000) }))
  })

  test('values that no attribute can carry are not written', () => {
    const values: Attribute[] = [
      { name: 'AT_RAND', value: Buffer.alloc(15) },
      { name: 'AT_AUTN', value: Buffer.alloc(17) },
      { name: 'AT_AUTS', value: Buffer.alloc(16) },
      { name: 'AT_KDF', value: 0x10000 },
      { name: 'AT_KDF', value: -1 },
      { name: 'AT_KDF_INPUT', value: '' },
      { name: 'AT_KDF_INPUT', value: 'x'.repeat(1100) },
      { name: 'AT_IDENTITY', value: '\ud800' },
    ]
    for (const value of values) assert.throws(() => writeAttribute(value), RangeError, value.name)
  })
})

function aResponse(...attributes: Attribute[]): EapMethodPacket {
  return { code: 'response', identifier: 1, method: 'EAP-AKA', subtype: 'challenge', attributes }
}
