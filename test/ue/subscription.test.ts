import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { eciesPrivateKey } from '../../src/keys/ecies.ts'
import { deriveOpc } from '../../src/keys/milenage.ts'
import { revealSupi } from '../../src/keys/suci.ts'
import { parseSuci } from '../../src/keys/suci-forms.ts'
import { systemRandom } from '../../src/ports/random.ts'
import { concealIdentity } from '../../src/ue/me/conceal-identity.ts'
import { readSubscription } from '../../src/ue/usim/subscription.ts'
import { hex, hexOf, key, parsed } from '../keys/octets.ts'
import { aSubscription, SUBSCRIPTION } from './a-home-network.ts'

const KEYS = {
  A: {
    privateKey: 'c53c22208b61860b06c62e5406a7b330c2b577aa5558981510d128247d38bd1d',
    key: '5a8d38864820197c3394b92613b20b91633cbd897119273bf8e4a6f4eec0a650',
  },
  B: {
    privateKey: 'f1ab1074477ebcc7f554ea1c5fc368b1616730155e0041ac447d6301975fecda',
    key: '0272da71976234ce833a6907425867b82e074d44ef907dfb4b3e21c1c2256ebcd1',
  },
}

describe('a subscription, as it is handed to a UE', () => {
  test('OPc may be given as OP (TS 35.206 4.1)', () => {
    const { opc: _, ...rest } = SUBSCRIPTION
    const op = 'cdc202d5123e20f62b6d676ac72cb318'
    const { keys } = readSubscription(JSON.stringify({ ...rest, op }))
    assert.equal(hexOf(keys.opc), hexOf(deriveOpc(key('K', SUBSCRIPTION.k), key('OP', op))))
    assert.equal(hexOf(keys.opc), SUBSCRIPTION.opc)
  })

  const nai = { supi: 'nai-user@example.com', homeNetwork: { mcc: '999', mnc: '70', nid: '00007ed9d55' } }
  test('a NAI names its home network by itself', () => {
    assert.deepEqual(aSubscription(nai).settings, { ...nai, routingIndicator: '0' })
  })

  for (const [name, change, message] of [
    ['no SUPI', { supi: undefined }, /supi/],
    ['an IMSI without its prefix', { supi: '001010000000001' }, /not a SUPI/],
    ['an IMSI of another network', { homeNetwork: { mcc: '001', mnc: '02' } }, /not one of homeNetwork/],
    ['an IMSI without an MSIN', { supi: 'imsi-00101' }, /no MSIN/],
    ['an MSIN of 11 digits', { supi: 'imsi-001011234567890123', homeNetwork: { mcc: '001', mnc: '01' } }, /supi|MSIN/],
    ['no home network', { homeNetwork: undefined }, /homeNetwork/],
    ['a short K', { k: '00' }, /\/k /],
    ['a K that is not hexadecimal', { k: 'x'.repeat(32) }, /\/k /],
    ['both of OPc and OP', { op: '00'.repeat(16) }, /one of opc and op/],
    ['none of OPc and OP', { opc: undefined }, /one of opc and op/],
    ['a routing indicator of five digits', { routingIndicator: '12345' }, /routingIndicator/],
    ['a misspelt public key', { homeNetworkPublickey: KEYS.A }, /additional/],
    ['a key of Profile B for A', { homeNetworkPublicKey: { profile: 'A', id: 1, key: KEYS.B.key } }, /no key/],
    ['no point of the curve', { homeNetworkPublicKey: { profile: 'B', id: 1, key: `02${'f'.repeat(64)}` } }, /no key/],
    ['the identifier 0', { homeNetworkPublicKey: { profile: 'A', id: 0, key: KEYS.A.key } }, /id/],
  ] as const) {
    test(`${name} is refused by name, and nothing of a key is quoted`, () => {
      const text = JSON.stringify({ ...SUBSCRIPTION, ...change })
      assert.throws(
        () => readSubscription(text),
        (error: Error) => {
          assert.equal(error.name, 'NotUsable')
          assert.match(error.message, message)
          assert.ok(!error.message.includes(SUBSCRIPTION.k) && !error.message.includes(SUBSCRIPTION.opc))
          return true
        },
      )
    })
  }

  test('what is not JSON is refused without a word of it', () => {
    const text = `{"k": ${SUBSCRIPTION.k}`
    assert.throws(() => readSubscription(text), { name: 'NotUsable', message: 'the subscription is not JSON' })
  })
})

describe('SUCI in the ME: TS 33.501 6.12.2', () => {
  for (const profile of ['A', 'B'] as const) {
    const { key: publicKey, privateKey } = KEYS[profile]
    const { settings } = aSubscription({ homeNetworkPublicKey: { profile, id: 27, key: publicKey } })

    test(`Profile ${profile}: only the home network reads it, and it is another one each time`, () => {
      const homeNetworkKey = eciesPrivateKey(profile, hex(privateKey))
      const sucis = Array.from({ length: 5 }, () => concealIdentity(settings, systemRandom))
      assert.equal(new Set(sucis).size, 5)
      for (const suci of sucis) {
        assert.equal(
          revealSupi(parsed(parseSuci(suci)), (id) => (id === 27 ? homeNetworkKey : undefined)),
          settings.supi,
        )
        assert.ok(!suci.includes('0000000001'))
      }
    })
  }

  test('Profile B: octets that are no scalar are drawn again, and a source that has no others is given up', () => {
    const { settings } = aSubscription({ homeNetworkPublicKey: { profile: 'B', id: 1, key: KEYS.B.key } })
    const draws = [Buffer.alloc(32), Buffer.alloc(32, 0xff), Buffer.alloc(32, 1)]
    const random = { octets: () => draws.shift() ?? assert.fail('drawn too often') }
    assert.match(concealIdentity(settings, random), /^suci-0-001-01-0-2-1-/)
    assert.equal(draws.length, 0)
    assert.throws(() => concealIdentity(settings, { octets: () => Buffer.alloc(32) }), RangeError)
  })

  test('without a key of the home network it is the null scheme', () => {
    assert.equal(concealIdentity(aSubscription().settings, systemRandom), 'suci-0-001-01-0-0-0-0000000001')
  })
})
