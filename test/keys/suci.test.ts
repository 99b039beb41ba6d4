import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'

import {
  type EciesPrivateKey,
  type EciesProfile,
  eciesEncrypt,
  eciesPrivateKey,
  eciesPublicKey,
  publicOctetsOf,
} from '../../src/keys/ecies.ts'
import { concealSupi, packMsin, revealSupi } from '../../src/keys/suci.ts'
import { formatSuci, parseSuci, type SuciParts } from '../../src/keys/suci-forms.ts'
import { parseRoutingIndicator, parseSupi, type Supi } from '../../src/spec/subscriber-identifiers.ts'
import suci from '../vectors/keys/suci.json' with { type: 'json' }
import { hex, parsed } from './octets.ts'

const RUNS = process.env['EDGEWARD_DEEP'] ? 5_000 : 60
const PROFILES = ['A', 'B'] as const
const HOME = {
  A: () => eciesPrivateKey('A', Buffer.alloc(32, 0x21)),
  B: () => eciesPrivateKey('B', Buffer.alloc(32, 0x42)),
}
const IDENTIFIER = { A: 27, B: 28 }
const ROUTING_INDICATOR = parsed(parseRoutingIndicator('678'))

const supis: fc.Arbitrary<Supi> = fc.oneof(
  fc.stringMatching(/^\d{7,15}$/).map((digits) => parsed(parseSupi(`imsi-${digits}`))),
  fc
    .tuple(fc.stringMatching(/^[a-z0-9.+_-]{1,30}$/), fc.stringMatching(/^[a-z]{1,8}\.[a-z]{2,5}$/))
    .map(([user, realm]) => parsed(parseSupi(`nai-${user}@${realm}`))),
)
const ephemeralOctets = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((octets) => {
  octets[0] = 0x3f
  return Buffer.from(octets)
})

function settingsOf(profile: EciesProfile, mncLength: 2 | 3 = 2) {
  const { key } = parsed(eciesPublicKey(profile, publicOctetsOf(HOME[profile]())))
  return {
    routingIndicator: ROUTING_INDICATOR,
    mncLength,
    homeNetworkPublicKey: { profile, key, id: IDENTIFIER[profile] },
  }
}

function privateKeyOf(id: number): EciesPrivateKey | undefined {
  const profile = PROFILES.find((name) => IDENTIFIER[name] === id)
  return profile && HOME[profile]()
}

function conceal(profile: EciesProfile, supi: Supi, seed = 7): SuciParts {
  return concealSupi(supi, settingsOf(profile), eciesPrivateKey(profile, Buffer.alloc(32, seed)))
}

describe('SUCI: TS 33.501 Annex C', () => {
  for (const vector of suci.vectors) {
    test(`${vector.clause}, ${vector.name}: concealed in the UE, revealed in the home network`, () => {
      const profile = parsed(PROFILES.find((name) => name === vector.profile))
      const { key } = parsed(eciesPublicKey(profile, hex(vector.homeNetworkPublicKey)))
      const supi = parsed(parseSupi(vector.supi))
      const settings = {
        routingIndicator: ROUTING_INDICATOR,
        mncLength: 3,
        homeNetworkPublicKey: { profile, key, id: 27 },
      } as const
      const parts = concealSupi(supi, settings, eciesPrivateKey(profile, hex(vector.ephemeralPrivateKey)))
      assert.equal(parts.schemeOutput, vector.schemeOutput)
      assert.equal(parts.protectionScheme, profile === 'A' ? 1 : 2)
      const homePrivate = eciesPrivateKey(profile, hex(vector.homeNetworkPrivateKey))
      assert.equal(
        revealSupi(parts, (id) => (id === 27 ? homePrivate : undefined)),
        supi,
      )
    })
  }

  test('TS 24.501 9.11.3.4: MSIN in packed BCD, with a filler for an odd number of digits', () => {
    assert.equal(packMsin('001002086').toString('hex'), '00012080f6')
    assert.equal(packMsin('0999999999').toString('hex'), '9099999999')
    assert.equal(packMsin('1').toString('hex'), 'f1')
    for (const none of ['', '12345678901', '12a']) assert.throws(() => packMsin(none), RangeError)
  })

  test('C.2: without a home network public key the null scheme shows MSIN or user name', () => {
    const settings = { routingIndicator: ROUTING_INDICATOR, mncLength: 3 } as const
    const imsi = parsed(parseSupi('imsi-274012001002086'))
    assert.equal(formatSuci(concealSupi(imsi, settings)), 'suci-0-274-012-678-0-0-001002086')
    const nai = parsed(parseSupi('nai-verylongusername1@3gpp.com'))
    assert.equal(formatSuci(concealSupi(nai, settings)), 'suci-1-3gpp.com-678-0-0-verylongusername1')
    for (const supi of [imsi, nai]) assert.equal(revealSupi(concealSupi(supi, settings), privateKeyOf), supi)
  })

  test('6.12.2: home network and routing indicator stay readable, MSIN does not', () => {
    const parts = conceal('A', parsed(parseSupi('imsi-001011234567890')))
    assert.match(formatSuci(parts), /^suci-0-001-01-678-1-27-[0-9a-f]{90}$/)
    assert.ok(!parts.schemeOutput.includes('1234567890'))
    assert.ok(!parts.schemeOutput.includes('2143658709'))
  })

  for (const profile of PROFILES) {
    test(`C.3: what Profile ${profile} conceals it reveals, through the string form as well`, () => {
      fc.assert(
        fc.property(supis, ephemeralOctets, fc.constantFrom<2 | 3>(2, 3), (supi, octets, mncLength) => {
          const parts = concealSupi(supi, settingsOf(profile, mncLength), eciesPrivateKey(profile, octets))
          const read = parsed(parseSuci(formatSuci(parts)))
          assert.deepEqual(read, parts)
          assert.equal(revealSupi(read, privateKeyOf), supi)
        }),
        { numRuns: RUNS },
      )
    })

    test(`C.3: Profile ${profile}, another ephemeral key gives another SUCI of the same SUPI`, () => {
      const supi = parsed(parseSupi('imsi-001010000000001'))
      const outputs = Array.from({ length: 20 }, (_, index) => conceal(profile, supi, index + 1).schemeOutput)
      assert.equal(new Set(outputs).size, 20)
    })

    test(`C.3.3: Profile ${profile} refuses a change of any bit in the same words as a wrong length`, () => {
      const { schemeOutput, ...rest } = conceal(profile, parsed(parseSupi('imsi-001010000000001')))
      const octets = hex(schemeOutput)
      const changes = Array.from({ length: 8 * octets.length }, (_, bit) => {
        const changed = Buffer.from(octets)
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        return changed
      })
      const lengths = [0, 1, 8, 32, 33, 40, 41, octets.length - 1].map((length) => octets.subarray(0, length))
      const longer = Buffer.concat([octets, Buffer.alloc(1)])
      const refusal = { name: 'Refusal', code: 'INVALID_SCHEME_OUTPUT', detail: 'the scheme output reveals no SUPI' }
      for (const wrong of [...changes, ...lengths, longer]) {
        // X25519 ignores the highest bit of a point (RFC 7748 5); as part of SharedInfo1 it counts all the same.
        assert.throws(
          () => revealSupi({ ...rest, schemeOutput: wrong.toString('hex') } as SuciParts, privateKeyOf),
          refusal,
        )
      }
    })
  }

  test('C.3.3: a key that is not there, or is of the other profile, and a scheme of nobody', () => {
    const parts = conceal('A', parsed(parseSupi('imsi-001010000000001')))
    const code = 'INVALID_HN_PUBLIC_KEY_IDENTIFIER'
    assert.throws(() => revealSupi({ ...parts, homeNetworkPublicKeyId: 99 }, privateKeyOf), { name: 'Refusal', code })
    assert.throws(() => revealSupi({ ...parts, homeNetworkPublicKeyId: IDENTIFIER.B }, privateKeyOf), { code })
    assert.throws(() => revealSupi({ ...parts, protectionScheme: 2 }, privateKeyOf), { code })
    for (const protectionScheme of [3, 12, 15]) {
      const unsupported = { name: 'Refusal', code: 'UNSUPPORTED_PROTECTION_SCHEME' }
      assert.throws(() => revealSupi({ ...parts, protectionScheme }, privateKeyOf), unsupported)
    }
  })

  test('C.3.3: a plaintext that is no MSIN and no user name reveals no SUPI', () => {
    const refusal = { name: 'Refusal', code: 'INVALID_SCHEME_OUTPUT' }
    const nai = (user: string) => conceal('A', `nai-${user}@example.com` as Supi)
    // Octets of a user name that are no digits, shown as if they were an IMSI.
    const { schemeOutput } = nai('zzzzz')
    const imsi = conceal('A', parsed(parseSupi('imsi-001010000000001')))
    assert.throws(() => revealSupi({ ...imsi, schemeOutput }, privateKeyOf), refusal)
    for (const user of ['a b', 'a\u0000', '\ufb01']) assert.throws(() => revealSupi(nai(user), privateKeyOf), refusal)
    const { homeNetworkPublicKey } = settingsOf('A')
    const noUtf8 = eciesEncrypt(homeNetworkPublicKey, eciesPrivateKey('A', Buffer.alloc(32, 9)), Buffer.of(0x61, 0xff))
    const forged = { ...nai('a'), schemeOutput: noUtf8.toString('hex') }
    assert.throws(() => revealSupi(forged, privateKeyOf), refusal)
    assert.throws(
      () => revealSupi({ ...imsi, protectionScheme: 0, schemeOutput: '12345678901234' }, privateKeyOf),
      refusal,
    )
  })

  test('no SUCI makes the home network throw anything but a refusal', () => {
    const parts = fc.oneof(
      fc.stringMatching(/^suci-[01]-[0-9a-z.-]{1,20}-\d{1,4}-[0-9a-f]-\d{1,3}-[0-9a-f]{0,100}$/),
      fc.stringMatching(/^suci-0-001-01-0-[012]-(0|27|28)-[0-9a-f]{80,100}$/),
    )
    fc.assert(
      fc.property(parts, (text) => {
        const suciParts = parseSuci(text)
        if (suciParts === undefined) return
        try {
          assert.ok(parseSupi(revealSupi(suciParts, privateKeyOf)))
        } catch (error) {
          assert.equal(error instanceof Error && error.name, 'Refusal')
        }
      }),
      { numRuns: 10 * RUNS },
    )
  })

  test('a SUPI is not concealed without an ephemeral key', () => {
    assert.throws(() => concealSupi(parsed(parseSupi('imsi-001010000000001')), settingsOf('A')), TypeError)
  })
})
