import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { format, inspect } from 'node:util'

import { authenticationVector } from '../../src/keys/aka.ts'
import { eciesPrivateKey } from '../../src/keys/ecies.ts'
import { concatenation, type KeyName, takeKey, takeKeys, withOctets } from '../../src/keys/key.ts'
import { hexOf, key } from './octets.ts'

const LENGTHS: Record<KeyName, number> = {
  K: 16,
  OP: 16,
  OPc: 16,
  CK: 16,
  IK: 16,
  "CK'": 16,
  "IK'": 16,
  KAUSF: 32,
  KSEAF: 32,
  KAMF: 32,
  KAKMA: 32,
  KAF: 32,
  Kedge: 32,
  K_ECS: 32,
  K_encr: 16,
  'EAP-AKA K_aut': 16,
  "EAP-AKA' K_aut": 32,
  K_re: 32,
  MSK: 64,
  EMSK: 64,
}
const NAMES = Object.keys(LENGTHS) as KeyName[]

/** Octets that nothing else in the process holds. */
function planted(length: number): Buffer {
  return Buffer.from(Array.from({ length }, (_, index) => (171 * index + 0xc3) & 0xff))
}

/** Every way we know in which a value ends in a log line. */
function printed(value: object): string {
  const circumspect = { showHidden: true, depth: 10, getters: true, maxArrayLength: null, maxStringLength: null }
  const entries = Object.getOwnPropertyNames(value).map((name) => `${name}=${String(Reflect.get(value, name))}`)
  return [
    inspect(value),
    inspect(value, circumspect),
    inspect({ nested: [value] }, circumspect),
    format('%s %o %O %j', value, value, value, value),
    JSON.stringify(value),
    JSON.stringify({ nested: [value] }),
    `${value}`,
    String(Object.entries(value)),
    ...entries,
    String(new Error('failed', { cause: value }).stack),
    inspect(new Error('failed', { cause: value }), circumspect),
  ].join('\n')
}

function assertNoTrace(text: string, octets: Buffer): void {
  // A piece of 4 octets would do for a search, so look for every such piece, not for the whole key only.
  for (let at = 0; at + 4 <= octets.length; at += 4) {
    const piece = octets.subarray(at, at + 4)
    assert.ok(!text.toLowerCase().includes(piece.toString('hex')), 'hexadecimal octets of the key are printed')
    assert.ok(!text.includes(piece.toString('latin1')), 'raw octets of the key are printed')
    assert.ok(!text.includes([...piece].join(', ')), 'decimal octets of the key are printed')
    assert.ok(!text.includes([...piece].map((octet) => octet.toString(16)).join(' ')), 'octets of the key are printed')
  }
  assert.ok(!text.includes(octets.toString('base64').slice(0, 12)), 'base64 octets of the key are printed')
}

describe('keys that nobody can print', () => {
  test('KE-11: no way of printing shows octets of any key', () => {
    for (const name of NAMES) {
      const octets = planted(LENGTHS[name])
      assertNoTrace(printed(takeKey(name, Buffer.from(octets))), octets)
    }
  })

  test('KE-11: the search sees the octets of a plain buffer', () => {
    const octets = planted(32)
    assert.throws(() => assertNoTrace(printed(octets), octets))
    assert.throws(() => assertNoTrace(printed({ kausf: octets.toString('hex') }), octets))
  })

  test('KE-11: neither do an authentication vector and a private key of the home network', () => {
    const keys = {
      k: key('K', '465b5ce8b199b49faa5f0a2ee238a6bc'),
      opc: key('OPc', 'cd63cb71954a9f4e48a5994e37a02baf'),
    }
    const vector = authenticationVector(keys, { rand: planted(16), sqn: 32 })
    const text = printed({ ...keys, ...vector })
    for (const secret of [keys.k, keys.opc, vector.ck, vector.ik]) assertNoTrace(text, secret.export())
    const octets = planted(32)
    assertNoTrace(printed(eciesPrivateKey('A', Buffer.from(octets))), octets)
    assertNoTrace(printed(eciesPrivateKey('B', Buffer.from(octets))), octets)
  })

  test('KE-11: the octets that became a key are zeroed, and so are those that were refused', () => {
    for (const name of NAMES) {
      const octets = planted(LENGTHS[name])
      assert.deepEqual(takeKey(name, octets).export(), planted(LENGTHS[name]))
      assert.deepEqual(octets, Buffer.alloc(octets.length))
      for (const wrong of [0, LENGTHS[name] - 1, LENGTHS[name] + 1]) {
        const refused = planted(wrong)
        assert.throws(() => takeKey(name, refused), {
          name: 'RangeError',
          message: `${name} has ${LENGTHS[name]} octets`,
        })
        assert.deepEqual(refused, Buffer.alloc(wrong))
      }
    }
  })

  test('KE-11: octets on loan are zeroed when the borrower returns and when it throws', () => {
    const kedge = takeKey('Kedge', planted(32))
    const lent: Buffer[] = []
    withOctets(kedge, (octets) => {
      assert.deepEqual(octets, planted(32))
      lent.push(octets)
    })
    assert.throws(() =>
      withOctets(kedge, (octets) => {
        lent.push(octets)
        throw new Error('the borrower fails')
      }),
    )
    assert.deepEqual(lent, [Buffer.alloc(32), Buffer.alloc(32)])
    assert.deepEqual(kedge.export(), planted(32))
  })
})

describe('keys made of octets', () => {
  test('takeKeys cuts in order and zeroes all, also what is left over', () => {
    const octets = planted(50)
    const [ck, kausf] = takeKeys(octets, 'CK', 'KAUSF')
    assert.equal(hexOf(ck), planted(50).toString('hex', 0, 16))
    assert.equal(hexOf(kausf), planted(50).toString('hex', 16, 48))
    assert.deepEqual(octets, Buffer.alloc(50))
  })

  test('takeKeys refuses octets that do not suffice', () => {
    const octets = planted(47)
    assert.throws(() => takeKeys(octets, 'CK', 'KAUSF'), RangeError)
    assert.deepEqual(octets, Buffer.alloc(47))
  })

  test('concatenation is a || b', () => {
    const joined = concatenation(takeKey('CK', Buffer.alloc(16, 1)), takeKey('IK', Buffer.alloc(16, 2)))
    assert.equal(hexOf(joined), '01'.repeat(16) + '02'.repeat(16))
  })
})
