import assert from 'node:assert/strict'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import {
  type ClientHello,
  LONGEST_CLIENT_HELLO,
  MalformedClientHello,
  readClientHello,
} from '../../src/tls/client-hello.ts'
import { EXTENSION, offeredPsks, readClientHello as readByTheOther } from '../eec/client-hello.ts'
import { IDENTITY, KEY } from './a-psk-listener.ts'
import { clientHello, VERSION } from './client-hello.ts'
import { rawClientHello, recordOf } from './raw-client.ts'

const RUNS = process.env['EDGEWARD_DEEP'] === undefined ? 2_000 : 1_000_000

const share = generateKeyPairSync('x25519').publicKey
const psks = [{ identity: IDENTITY, key: KEY }]
/** Without record header. */
const MESSAGE = rawClientHello({ psks }, share)
const HELLO = recordOf(MESSAGE)

const read = (octets: Buffer): ClientHello => {
  const hello = readClientHello(octets)
  return typeof hello === 'number' ? assert.fail(`${hello} octets are wanted, of ${octets.length}`) : hello
}
const identitiesOf = (octets: Buffer) => read(octets).identities.map(String)
const refused = (octets: Buffer, why: RegExp, name?: string) =>
  assert.throws(
    () => readClientHello(octets),
    (error) => error instanceof MalformedClientHello && why.test(error.message),
    name,
  )

const uint16 = (value: number) => Buffer.from([value >> 8, value & 0xff])
const vector = (lengthOctets: 1 | 2 | 3, ...parts: Uint8Array[]) => {
  const content = Buffer.concat(parts)
  const length = Buffer.alloc(lengthOctets)
  length.writeUIntBE(content.length, 0, lengthOctets)
  return Buffer.concat([length, content])
}
const extension = (type: number, ...content: Uint8Array[]) => Buffer.concat([uint16(type), vector(2, ...content)])
const message = (body: Uint8Array) => Buffer.concat([Buffer.from([1]), vector(3, body)])
const binder = vector(1, Buffer.alloc(32))
const identity = (name: string) => Buffer.concat([vector(2, Buffer.from(name)), Buffer.alloc(4)])
const offered = (names: readonly string[], binders = names.map(() => binder)) =>
  extension(41, vector(2, ...names.map(identity)), vector(2, ...binders))

interface Parts {
  readonly session?: Buffer
  readonly suites?: Buffer
  readonly compression?: Buffer
  readonly extensions?: readonly Buffer[]
  readonly behind?: Buffer
}

/** A ClientHello of these parts, as far as its record. */
function assembled({ session, suites, compression, extensions, behind }: Parts): Buffer {
  const body = [
    uint16(0x0303),
    randomBytes(32),
    vector(1, session ?? Buffer.alloc(32)),
    vector(2, suites ?? uint16(0x1301)),
    vector(1, compression ?? Buffer.alloc(1)),
    vector(2, ...(extensions ?? [offered(['a'])])),
    behind ?? Buffer.alloc(0),
  ]
  return recordOf(message(Buffer.concat(body)))
}

/** One message over as many records as there are pieces. */
const inRecords = (octets: Buffer, size: number) => {
  const pieces: Buffer[] = []
  for (let at = 0; at < octets.length; at += size) pieces.push(recordOf(octets.subarray(at, at + size)))
  return Buffer.concat(pieces)
}

describe('a ClientHello, read before TLS begins: RFC 8446 4.1.2', () => {
  test('RFC 8446 4.2.1, 4.2.11: versions and identities', () => {
    assert.deepEqual(read(HELLO).versions, [0x0304])
    assert.deepEqual(identitiesOf(HELLO), [IDENTITY])
    assert.deepEqual(identitiesOf(assembled({ extensions: [offered(['a', 'b\0', 'ä'])] })), ['a', 'b\0', 'ä'])
    const old = clientHello({ version: VERSION['TLS 1.2'], suites: [0xc02b] })
    assert.deepEqual(read(old), { versions: [0x0303], identities: [] })
  })

  test('RFC 5246 7.4.1.2: one that ends after its compression methods is one', () => {
    const body = Buffer.concat([uint16(0x0303), randomBytes(32), Buffer.from([0, 0, 2, 0, 0x9c, 1, 0])])
    assert.deepEqual(read(recordOf(message(body))), { versions: [0x0303], identities: [] })
  })

  test('PS-10: of each beginning it says how much is missing, never too much, and ends', () => {
    for (const whole of [HELLO, inRecords(MESSAGE, 50)]) {
      for (let length = 0; length < whole.length; length += 1) {
        const needed = readClientHello(whole.subarray(0, length))
        assert.ok(typeof needed === 'number' && needed > length && needed <= whole.length, `${length}: ${needed}`)
      }
      assert.deepEqual(identitiesOf(whole), [IDENTITY])
    }
  })

  test('PS-10: one that comes octet by octet is looked at three times', () => {
    let [needed, looks] = [1, 0]
    for (let length = 1; length <= HELLO.length; length += 1) {
      if (length < needed) continue
      looks += 1
      const hello = readClientHello(HELLO.subarray(0, length))
      if (typeof hello === 'number') needed = hello
    }
    assert.equal(looks, 3)
  })

  test('PS-10: one of 16 KiB is read, and no longer one, nor one in more than 16 records', () => {
    const padded = (length: number) => recordOf(rawClientHello({ psks, padding: length }, share))
    const room = LONGEST_CLIENT_HELLO - padded(1).length
    assert.deepEqual(identitiesOf(padded(1 + room)), [IDENTITY])
    refused(padded(2 + room), /too long/)
    refused(padded(2 + room).subarray(0, 9), /too long/, 'which its beginning tells')
    const size = Math.ceil(MESSAGE.length / 16)
    assert.deepEqual(identitiesOf(inRecords(MESSAGE, size)), [IDENTITY])
    refused(inRecords(MESSAGE, Math.ceil(MESSAGE.length / 17)), /too many pieces/)
  })

  const malformed: Record<string, readonly [Buffer, RegExp]> = {
    HTTP: [Buffer.from('GET / HTTP/1.1\r\n'), /no handshake/],
    'SSL 2.0': [Buffer.from([0x80, 46, 1, 3, 1]), /no handshake/],
    'an alert': [Buffer.from([21, 3, 3, 0, 2, 2, 40]), /no handshake/],
    'another major version': [Buffer.from([22, 2]), /no handshake/],
    'an empty record': [Buffer.from([22, 3, 1, 0, 0]), /empty/],
    'a ServerHello': [recordOf(Buffer.from([2, 0, 0, 0])), /not a ClientHello/],
    'a message of 16 MiB': [recordOf(Buffer.from([1, 0xff, 0xff, 0xff])), /too long/],
    'two messages in one record': [recordOf(Buffer.concat([MESSAGE, MESSAGE])), /more than/],
    'early data behind it': [Buffer.concat([HELLO, Buffer.from([23, 3, 3, 0, 1, 0])]), /more than/],
    'nothing in it': [recordOf(message(Buffer.alloc(0))), /before its end/],
    'a session ID of 33 octets': [assembled({ session: Buffer.alloc(33) }), /session ID/],
    'no suite': [assembled({ suites: Buffer.alloc(0) }), /suites/],
    'a suite and a half': [assembled({ suites: Buffer.alloc(3) }), /suites/],
    'no compression method': [assembled({ compression: Buffer.alloc(0) }), /compression/],
    'an octet behind the extensions': [assembled({ behind: Buffer.alloc(1) }), /more than/],
    'an extension that goes on behind them': [
      assembled({ extensions: [Buffer.from([0, 1, 0, 9, 1])] }),
      /before its end/,
    ],
    'an extension twice': [assembled({ extensions: [extension(5), extension(5)] }), /twice/],
    'keys twice': [assembled({ extensions: [offered(['a']), offered(['b'])] }), /not the last/],
    'keys that are not the last': [assembled({ extensions: [offered(['a']), extension(5)] }), /not the last/],
    'no versions': [assembled({ extensions: [extension(43, Buffer.from([0]))] }), /no versions/],
    'a version and a half': [assembled({ extensions: [extension(43, Buffer.from([3, 3, 4, 3]))] }), /no versions/],
    'something behind the versions': [
      assembled({ extensions: [extension(43, Buffer.from([2, 3, 4, 3]))] }),
      /no versions/,
    ],
    'no identity': [assembled({ extensions: [offered([])] }), /no identity/],
    'an empty identity': [assembled({ extensions: [offered([''])] }), /identity is empty/],
    'an identity without binder': [assembled({ extensions: [offered(['a', 'b'], [binder])] }), /no binder/],
    'a binder without identity': [assembled({ extensions: [offered(['a'], [binder, binder])] }), /no identity/],
    'a short binder': [assembled({ extensions: [offered(['a'], [vector(1, Buffer.alloc(31))])] }), /no binder/],
    'something behind the binders': [
      assembled({ extensions: [extension(41, vector(2, identity('a')), vector(2, binder), Buffer.alloc(1))] }),
      /identities and binders/,
    ],
  }

  for (const [name, [octets, why]] of Object.entries(malformed)) {
    test(`PS-10: ${name} is refused`, () => refused(octets, why))
  }

  const flipped = fc
    .array(fc.tuple(fc.nat(HELLO.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 })
    .map((changes) => {
      const octets = Buffer.from(HELLO)
      for (const [at, value] of changes) octets[at] = value
      return octets
    })
  const anything = fc.uint8Array({ maxLength: 200 }).map((octets) => Buffer.from(octets))

  test('PS-10: whatever comes, it is read, refused or waited for, and nothing else', () => {
    const cut = fc.tuple(flipped, fc.nat(HELLO.length)).map(([octets, length]) => octets.subarray(0, length))
    const behindHeaders = anything.map((octets) => recordOf(message(octets)))
    const pieces = fc.integer({ min: 20, max: 400 }).map((size) => inRecords(MESSAGE, size))
    const wellRead = (octets: Buffer) => {
      try {
        const hello = readClientHello(octets)
        if (typeof hello === 'number') return hello > octets.length && hello <= LONGEST_CLIENT_HELLO
        return Buffer.concat(hello.identities).length < octets.length
      } catch (error) {
        return error instanceof MalformedClientHello
      }
    }
    fc.assert(fc.property(fc.oneof(flipped, cut, anything, behindHeaders, pieces), wellRead), { numRuns: RUNS })
  })

  test('PS-10: what it takes for identities, another reader does too', () => {
    let compared = 0
    const agrees = (octets: Buffer) => {
      let hello: ClientHello | number
      try {
        hello = readClientHello(octets)
      } catch {
        return
      }
      // The other one cannot do without extensions.
      if (typeof hello === 'number' || hello.identities.length === 0) return
      const offered = readByTheOther(octets)?.extensions.get(EXTENSION.preSharedKey)
      assert.deepEqual(
        hello.identities.map(String),
        offered === undefined ? [] : offeredPsks(offered).map((each) => each.identity),
      )
      compared += 1
    }
    fc.assert(fc.property(flipped, agrees), { numRuns: RUNS / 2 })
    assert.ok(compared > RUNS / 20)
  })
})
