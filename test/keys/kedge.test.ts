import assert from 'node:assert/strict'
import { createHash, createHmac, randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import fc from 'fast-check'

import { kdf, kdfInput, utf8 } from '../../src/keys/kdf.ts'
import {
  deriveKecs,
  deriveKedge,
  deriveKedgeId,
  deriveKedgeOfStudy,
  EDGE_FUNCTION_CODES,
} from '../../src/keys/kedge.ts'
import { takeKey } from '../../src/keys/key.ts'
import { eecIdTag } from '../../src/octets/eec-id-tag.ts'
import { parseFqdn } from '../../src/spec/identifiers.ts'
import { formatPskIdentity, kedgeIdParts } from '../../src/spec/kedge-id.ts'
import { parseEecId, parseRoutingIndicator, parseSupi, type Supi } from '../../src/spec/subscriber-identifiers.ts'
import kedge from '../vectors/keys/kedge.json' with { type: 'json' }
import { hexOf, key, parsed } from './octets.ts'

const DEEP = process.env['EDGEWARD_DEEP'] !== undefined
const ROUTING_INDICATOR = parsed(parseRoutingIndicator('0'))
const HOME_NETWORK = { mcc: '001', mnc: '001' }

const fqdns = fc
  .array(fc.stringMatching(/^[a-z][a-z0-9]{0,4}$/), { minLength: 2, maxLength: 3 })
  .map((labels) => parsed(parseFqdn(labels.join('.'))))
const eecIds = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9:@-]{0,8}$/).map((text) => parsed(parseEecId(text)))

function kidOf(kausf: Buffer, supi: Supi): string {
  const names = { supi, routingIndicator: ROUTING_INDICATOR, homeNetwork: HOME_NETWORK }
  return kedgeIdParts(deriveKedgeId(takeKey('KAUSF', kausf), names)).kid
}

describe('Kedge: TR 33.839 6.x.2.1, D-20', () => {
  for (const vector of kedge.vectors) {
    const [kausf, supi] = [key('KAUSF', vector.kausf), parsed(parseSupi(vector.supi))]
    const [ecs, eecId] = [parsed(parseFqdn(vector.ecsFqdn)), parsed(parseEecId(vector.eecId))]
    const routingIndicator = parsed(parseRoutingIndicator(vector.routingIndicator))
    const homeNetwork = { mcc: vector.mcc, mnc: vector.mnc }

    test(`${vector.name}, step 1 and step 2: Kedge and Kedge ID`, () => {
      assert.equal(hexOf(deriveKedge(kausf, supi)), vector.kedge)
      assert.equal(deriveKedgeId(kausf, { supi, routingIndicator, homeNetwork }), vector.kedgeId)
      const edgeTid = kdf(kausf, EDGE_FUNCTION_CODES.edgeTid, utf8('EDGE-TID'), utf8(vector.supi.slice(5)))
      assert.equal(edgeTid.toString('hex'), vector.edgeTid)
    })

    test(`${vector.name}: K_ECS and PSK identity`, () => {
      assert.equal(hexOf(deriveKecs(key('Kedge', vector.kedge), ecs, eecId)), vector.kecs)
      const tag = eecIdTag(eecId)
      const kedgeId = deriveKedgeId(kausf, { supi, routingIndicator, homeNetwork })
      assert.equal(formatPskIdentity({ eecIdTag: tag, kedgeId }), vector.pskIdentity)
    })

    test(`${vector.name}: Kedge with P0 = SUPI only, as the study has it`, () => {
      assert.equal(hexOf(deriveKedgeOfStudy(kausf, supi)), vector.kedgeOfStudy)
    })

    test(`${vector.name}: the function codes are configuration; another one gives another key`, () => {
      const allocated = { kedge: 0x8f, edgeTid: 0x90, kecs: 0x91 }
      assert.notEqual(hexOf(deriveKedge(kausf, supi, allocated)), vector.kedge)
      assert.notEqual(hexOf(deriveKedgeOfStudy(kausf, supi, allocated)), vector.kedgeOfStudy)
      assert.notEqual(deriveKedgeId(kausf, { supi, routingIndicator, homeNetwork }, allocated), vector.kedgeId)
      assert.notEqual(hexOf(deriveKecs(key('Kedge', vector.kedge), ecs, eecId, allocated)), vector.kecs)
    })
  }

  test('Kedge, its identifier and the key of an ECS are separate values', () => {
    const kausf = key('KAUSF', '5a'.repeat(32))
    const supi = parsed(parseSupi('imsi-001010000000001'))
    const root = deriveKedge(kausf, supi)
    const kid = kidOf(kausf.export(), supi)
    const kecs = deriveKecs(root, parsed(parseFqdn('ecs.example.com')), parsed(parseEecId('eec-1')))
    const values = [hexOf(kausf), hexOf(root), hexOf(deriveKedgeOfStudy(kausf, supi)), hexOf(kecs)]
    assert.equal(new Set(values).size, 4)
    for (const value of values) assert.ok(!value.includes(kid))
  })
})

describe('what a Kedge ID tells', () => {
  const FIRST_MSIN = 123_000_000
  const CANDIDATES = DEEP ? 1_000_000 : 5_000
  const supiAt = (index: number) => parsed(parseSupi(`imsi-00101${String(FIRST_MSIN + index).padStart(10, '0')}`))

  /** What somebody without KAUSF would try for one SUPI. */
  function guesses(supi: Supi): Buffer[] {
    const s = kdfInput(EDGE_FUNCTION_CODES.edgeTid, utf8('EDGE-TID'), utf8(supi.slice(5)))
    const texts = [supi, supi.slice(5), s]
    const hashes = texts.flatMap((text) =>
      ['md5', 'sha1', 'sha256'].map((hash) => createHash(hash).update(text).digest()),
    )
    const keys = [Buffer.alloc(0), Buffer.alloc(32), Buffer.from('EDGE-TID'), Buffer.from(supi.slice(5))]
    return [...hashes, ...keys.map((guessed) => createHmac('sha256', guessed).update(s).digest())]
  }

  /** @returns the SUPI that a search over the whole range finds, or undefined */
  function search(kid: string): Supi | undefined {
    for (let index = 0; index < CANDIDATES; index += 1) {
      const supi = supiAt(index)
      if (guesses(supi).some((guess) => guess.toString('hex').includes(kid))) return supi
    }
    return undefined
  }

  test(`KE-01: a search over ${CANDIDATES} SUPIs does not reproduce a Kedge ID without KAUSF`, () => {
    assert.equal(search(kidOf(randomBytes(32), supiAt(CANDIDATES - 7))), undefined)
  })

  test('KE-01: the same search finds a SUPI behind an identifier that is a hash of it', () => {
    const supi = supiAt(77)
    assert.equal(search(createHash('sha256').update(supi).digest('hex').slice(32)), supi)
  })

  test('KE-01: the identifier holds no digits of the SUPI but the PLMN, and changes with KAUSF', () => {
    const supi = parsed(parseSupi('imsi-001019876543210'))
    const ids = Array.from({ length: 50 }, () => kidOf(randomBytes(32), supi))
    assert.equal(new Set(ids).size, ids.length)
    for (const id of ids) assert.ok(!id.includes('9876543210'))
  })

  const COUNT = DEEP ? 10_000_000 : 100_000

  test(`KE-02: ${COUNT} Kedge IDs of 128 bits, none twice, every bit set in half of them`, () => {
    const supi = parsed(parseSupi('imsi-001010000000001'))
    const seed = randomBytes(32)
    // 64 of the 128 bits: stricter than the identifier, and ten million of them fit into memory.
    const halves = new BigUint64Array(COUNT)
    const bits = new Uint32Array(128)
    for (let index = 0; index < COUNT; index += 1) {
      seed.writeUInt32BE(index, 0)
      const kid = Buffer.from(kidOf(Buffer.from(seed), supi), 'hex')
      halves[index] = kid.readBigUInt64BE(8)
      for (let bit = 0; bit < 128; bit += 1) bits[bit] = (bits[bit] ?? 0) + (((kid[bit >> 3] ?? 0) >> (bit & 7)) & 1)
    }
    halves.sort()
    assert.ok(
      halves.every((half, index) => index === 0 || half !== halves[index - 1]),
      `a repeated identifier, KAUSF starting from ${seed.toString('hex')}`,
    )
    // Six standard deviations of a fair coin.
    for (const [bit, ones] of bits.entries()) {
      assert.ok(Math.abs(ones - COUNT / 2) < 3 * Math.sqrt(COUNT), `bit ${bit} is set ${ones} times`)
    }
  })
})

describe('whom a key of an ECS serves', () => {
  const root = key('Kedge', '3c'.repeat(32))

  test('KE-04: the key given to one ECS is not that of another', () => {
    fc.assert(
      fc.property(fqdns, fqdns, eecIds, (a, b, eecId) => {
        assert.equal(hexOf(deriveKecs(root, a, eecId)) === hexOf(deriveKecs(root, b, eecId)), a === b)
      }),
    )
  })

  test('KE-05: the key of one EEC is not that of another EEC of the same UE', () => {
    fc.assert(
      fc.property(fqdns, eecIds, eecIds, (ecs, one, other) => {
        assert.equal(hexOf(deriveKecs(root, ecs, one)) === hexOf(deriveKecs(root, ecs, other)), one === other)
        assert.equal(eecIdTag(one) === eecIdTag(other), one === other)
      }),
    )
  })

  test('KE-04, KE-05: no part of the name of an ECS passes for a part of an EEC ID', () => {
    const [ab, a] = [parsed(parseFqdn('ecs.ab')), parsed(parseFqdn('ecs.a'))]
    const [c, bc] = [parsed(parseEecId('c')), parsed(parseEecId('bc'))]
    assert.notEqual(hexOf(deriveKecs(root, ab, c)), hexOf(deriveKecs(root, a, bc)))
  })

  test('KE-04: spelling an ECS in upper case gives the same key, as its name is the same', () => {
    const eecId = parsed(parseEecId('eec-1'))
    const spelt = ['ecs.example.com', 'ECS.Example.COM'].map((name) => parsed(parseFqdn(name)))
    assert.equal(new Set(spelt.map((ecs) => hexOf(deriveKecs(root, ecs, eecId)))).size, 1)
  })

  test('KE-04: Kedge as the study has it is no input of the bound derivation by accident', () => {
    const kausf = key('KAUSF', '5a'.repeat(32))
    fc.assert(
      fc.property(fc.stringMatching(/^\d{5,15}$/), (digits) => {
        const supi = parsed(parseSupi(`imsi-${digits}`))
        assert.notEqual(hexOf(deriveKedge(kausf, supi)), hexOf(deriveKedgeOfStudy(kausf, supi)))
      }),
    )
  })
})
