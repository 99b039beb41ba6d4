import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { type DerReader, readDer } from '../../src/certificates/der-reader.ts'
import { TAG } from '../../src/certificates/der-tags.ts'
import * as write from '../../src/certificates/der-writer.ts'

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex')
const utf8 = (text: string) => Buffer.from(text, 'utf8')

type Read = (der: DerReader) => unknown
const any: Read = (der) => der.any()
const namedBits: Read = (der) => der.namedBits()
const time: Read = (der) => der.time()
const oid: Read = (der) => der.oid()
const text: Read = (der) => der.text()

/** Title, octets, reader: BER, or no encoding at all. */
const NOT_DER: readonly (readonly [string, Buffer, Read])[] = [
  ['nothing at all', hex(''), any],
  ['a tag without length', hex('30'), any],
  ['indefinite length', hex('30 80 00 00'), any],
  ['the reserved length octet', hex('30 ff 00'), any],
  ['a length in five octets', hex('30 85 00 00 00 00 00'), any],
  ['a length of 4 GiB', hex('30 84 ff ff ff ff'), any],
  ['a long form for a short length', hex('04 81 01 00'), any],
  ['a length with a leading zero', Buffer.concat([hex('04 82 00 80'), Buffer.alloc(128)]), any],
  ['a length cut off', hex('30 82 01'), any],
  ['content cut off', hex('04 05 01 02'), any],
  ['a child longer than its parent', hex('30 03 04 05 01 02 03 04 05'), any],
  ['trailing octets', hex('05 00 00'), any],
  ['trailing octets in a SEQUENCE', hex('30 03 05 00 00'), (der) => der.sequence((inner) => inner.null())],
  ['a high tag number', hex('3f 81 01 00'), any],
  ['a high tag number inside', hex('30 03 1f 1f 00'), any],
  ['another type', hex('04 01 00'), (der) => der.integer()],
  ['an empty list', hex('30 00'), (der) => der.sequenceOf((each) => each.any())],
  ['a SET OF out of order', hex('31 06 02 01 02 02 01 01'), (der) => der.setOf((each) => each.integer())],

  ['an empty INTEGER', hex('02 00'), (der) => der.integer()],
  ['an INTEGER with a leading zero', hex('02 02 00 7f'), (der) => der.integer()],
  ['an INTEGER with a leading one', hex('02 02 ff 80'), (der) => der.integer()],
  ['a negative INTEGER where none may be', hex('02 01 ff'), (der) => der.unsigned()],
  ['a version above 127', hex('02 02 00 80'), (der) => der.smallInteger()],

  ['a BOOLEAN of 01', hex('01 01 01'), (der) => der.boolean()],
  ['an empty BOOLEAN', hex('01 00'), (der) => der.boolean()],
  ['a BOOLEAN of two octets', hex('01 02 ff ff'), (der) => der.boolean()],
  ['a default that is written', hex('01 01 00'), (der) => der.defaultFalse()],
  ['a NULL with content', hex('05 01 00'), (der) => der.null()],

  ['an empty OBJECT IDENTIFIER', hex('06 00'), oid],
  ['an arc with a leading 80', hex('06 03 2a 80 01'), oid],
  ['a first arc with a leading 80', hex('06 02 80 2a'), oid],
  ['an arc cut off', hex('06 02 2a 86'), oid],
  ['an OBJECT IDENTIFIER of 65 octets', Buffer.concat([hex('06 41 2a'), Buffer.alloc(64, 1)]), oid],

  ['a BIT STRING without its first octet', hex('03 00'), (der) => der.bitString()],
  ['a BIT STRING with unused bits', hex('03 02 01 80'), (der) => der.bitString()],
  ['named bits without the first octet', hex('03 00'), namedBits],
  ['named bits with eight unused', hex('03 02 08 80'), namedBits],
  ['named bits with unused bits set', hex('03 02 07 81'), namedBits],
  ['named bits with a trailing zero', hex('03 02 06 80'), namedBits],
  ['named bits, empty with unused bits', hex('03 01 07'), namedBits],
  ['more named bits than anyone names', hex('03 04 00 00 00 01'), namedBits],

  ['a UTF8String that is not UTF-8', hex('0c 02 c3 28'), text],
  ['an overlong UTF-8 form', hex('0c 02 c0 af'), text],
  ['a surrogate in UTF-8', hex('0c 03 ed a0 80'), text],
  ['a NUL in a UTF8String', write.utf8String('ees\0'), text],
  ['a newline in a UTF8String', write.utf8String('ees\n'), text],
  ['a C1 control in a UTF8String', write.utf8String('ees\u0085'), text],
  ['an asterisk in a PrintableString', write.element(TAG.printableString, [utf8('*')]), text],
  ['an IA5String beyond ASCII', write.element(TAG.ia5String, [hex('e9')]), text],
  ['a TeletexString', write.element(0x14, [utf8('ees')]), text],
  ['a BMPString', write.element(0x1e, [hex('00 65')]), text],

  ...[
    ['UTCTime without seconds', TAG.utcTime, '2611210000Z'],
    ['UTCTime with an offset', TAG.utcTime, '261121000000+0100'],
    ['UTCTime without Z', TAG.utcTime, '261121000000'],
    ['UTCTime on 31 February', TAG.utcTime, '260231000000Z'],
    ['UTCTime on 29 February of 2027', TAG.utcTime, '270229000000Z'],
    ['UTCTime in month 0', TAG.utcTime, '260021000000Z'],
    ['UTCTime in month 13', TAG.utcTime, '261321000000Z'],
    ['UTCTime on day 0', TAG.utcTime, '261100000000Z'],
    ['UTCTime at hour 24', TAG.utcTime, '261121240000Z'],
    ['UTCTime at minute 60', TAG.utcTime, '261121006000Z'],
    ['UTCTime with a leap second', TAG.utcTime, '261121235960Z'],
    ['UTCTime with letters', TAG.utcTime, '2611210000O0Z'],
    ['UTCTime with a line end', TAG.utcTime, '261121000000Z\n'],
    ['GeneralizedTime before 2050', TAG.generalizedTime, '20491231235959Z'],
    ['GeneralizedTime with a fraction', TAG.generalizedTime, '20500101000000.5Z'],
    ['GeneralizedTime of year 0', TAG.generalizedTime, '00000101000000Z'],
    ['GeneralizedTime in two digits', TAG.generalizedTime, '500101000000Z'],
  ].map(([title, tag, digits]) => [String(title), write.element(Number(tag), [utf8(String(digits))]), time] as const),
]

describe('DER: X.690, RFC 5280 4.1', () => {
  for (const [title, octets, read] of NOT_DER) {
    test(`CA-09: refuses ${title}`, () => {
      assert.throws(() => readDer(octets, read), { name: 'Malformed' })
    })
  }

  test('CA-09: refuses more than 16 KiB unless told otherwise, and nesting beyond 16', () => {
    const large = write.octetString(Buffer.alloc(16 * 1024 - 4))
    readDer(large, any)
    const larger = write.octetString(Buffer.alloc(16 * 1024 - 3))
    assert.throws(() => readDer(larger, any), { name: 'Malformed', message: 'more than 16384 octets' })
    readDer(larger, any, larger.length)

    const nested = (levels: number): Buffer => (levels === 0 ? write.NULL : write.sequence([nested(levels - 1)]))
    readDer(nested(16), any)
    assert.throws(() => readDer(nested(17), any), { name: 'Malformed', message: 'nested deeper than 16' })
  })

  test('integers, identifiers, bits, texts and times read as they were written', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 160n }), (value) => {
        assert.equal(
          readDer(write.integer(value), (der) => der.unsigned()),
          value,
        )
      }),
    )
    const arc = fc.bigInt({ min: 0n, max: 2n ** 128n })
    const first = fc.oneof(
      fc.tuple(fc.constantFrom(0n, 1n), fc.bigInt({ min: 0n, max: 39n })),
      fc.tuple(fc.constant(2n), arc),
    )
    fc.assert(
      fc.property(first, fc.array(arc, { maxLength: 2 }), (start, others) => {
        const dotted = [...start, ...others].join('.')
        assert.equal(readDer(write.oid(dotted), oid), dotted)
      }),
    )
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat({ max: 15 })), (bits) => {
        assert.deepEqual(
          readDer(write.namedBits(bits), namedBits),
          bits.toSorted((a, b) => a - b),
        )
      }),
    )
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (value) => {
        fc.pre(!/\p{Cc}/u.test(value))
        assert.equal(readDer(write.utf8String(value), text), value)
      }),
    )
    const seconds = fc.integer({ min: Date.UTC(1950, 0) / 1000, max: Date.UTC(9999, 11, 31) / 1000 })
    fc.assert(
      fc.property(seconds, (second) => {
        assert.equal(readDer(write.time(second * 1000), time), second * 1000)
      }),
    )
  })

  test('RFC 5280 4.1.2.5: UTCTime through 2049, GeneralizedTime from 2050', () => {
    const last = Date.UTC(2049, 11, 31, 23, 59, 59)
    assert.deepEqual(write.time(last), write.element(TAG.utcTime, [utf8('491231235959Z')]))
    assert.deepEqual(write.time(last + 1000), write.element(TAG.generalizedTime, [utf8('20500101000000Z')]))
    assert.equal(readDer(write.element(TAG.utcTime, [utf8('500101000000Z')]), time), Date.UTC(1950, 0))
    for (const ms of [last + 1, Number.NaN, Date.UTC(1949, 11, 31), Date.UTC(10000, 0)]) {
      assert.throws(() => write.time(ms), RangeError)
    }
  })

  test('what any accepts is a tree of elements without a gap', () => {
    const leaf = fc.uint8Array({ maxLength: 300 }).map((octets) => write.octetString(octets))
    const { tree } = fc.letrec<{ tree: Buffer }>((tie) => ({
      tree: fc.oneof(
        { depthSize: 'small', maxDepth: 8 },
        leaf,
        fc.array(tie('tree'), { maxLength: 4 }).map(write.sequence),
      ),
    }))
    fc.assert(
      fc.property(tree, (octets) => {
        readDer(octets, any, octets.length)
        assert.throws(() => readDer(octets.subarray(0, -1), any, octets.length), { name: 'Malformed' })
      }),
    )
  })
})
