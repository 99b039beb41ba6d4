import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import fc from 'fast-check'
import { buildAuts, verifyAutn } from '../../src/keys/aka.ts'
import { eciesPrivateKey, eciesPublicKey } from '../../src/keys/ecies.ts'
import { takeKey } from '../../src/keys/key.ts'
import { newUsimSqnState, verifySqn } from '../../src/keys/sqn.ts'
import { concealSupi } from '../../src/keys/suci.ts'
import { formatSuci } from '../../src/keys/suci-forms.ts'
import { systemRandom } from '../../src/ports/random.ts'
import type { Av5GHeAka, AvEapAkaPrime } from '../../src/spec/messages/authentication-vectors.ts'
import type { RoutingIndicator, Supi } from '../../src/spec/subscriber-identifiers.ts'
import { fixedRand, type RunningUdm, runUdm, SET_1, SUPI } from './a-udm.ts'

const key = (supi: string) => ({ ...SET_1, supi, sqn: '000000000000' })
const usim = () => ({
  k: takeKey('K', Buffer.from(SET_1.k, 'hex')),
  opc: takeKey('OPc', Buffer.from(SET_1.opc, 'hex')),
})
const vectorOf = (body: { authenticationVector?: unknown }) => body.authenticationVector as Av5GHeAka & AvEapAkaPrime

describe('Nudm_UEAU, generate-auth-data: TS 29.503, TS 33.501 6.1.2, 6.1.3', () => {
  let udm: RunningUdm
  before(async () => {
    udm = await runUdm()
  })
  after(() => udm.close())

  test('the vector of MILENAGE set 1 for 5G AKA: TS 33.501 A.2, A.4', async (t) => {
    const fixed = await runUdm(fixedRand())
    t.after(() => fixed.close())
    await fixed.serving.operator.add([{ ...SET_1, routingIndicator: '17', edge: true }])
    const { status, body } = await fixed.generate(SUPI)
    assert.equal(status, 200)
    assert.deepEqual(body, {
      authType: '5G_AKA',
      authenticationVector: {
        avType: '5G_HE_AKA',
        rand: '23553cbe9637a89d218ae64dae47bf35',
        autn: '55f328b43577b9b94a9ffac354dfafb3',
        xresStar: 'f236a7417272bfb2d66d4d670733b527',
        kausf: '474698caf02cc715db2ec0726510cfee6caa5bb1a649cb01224f2e23af94de1b',
      },
      supi: SUPI,
      akmaInd: false,
      edgeInd: true,
      routingId: '17',
    })
  })

  test("the vector of MILENAGE set 1 for EAP-AKA': TS 33.501 A.3", async (t) => {
    const fixed = await runUdm(fixedRand())
    t.after(() => fixed.close())
    await fixed.serving.operator.add([{ ...SET_1, authMethod: 'EAP_AKA_PRIME', akma: true }])
    const { body } = await fixed.generate(SUPI)
    assert.deepEqual(body, {
      authType: 'EAP_AKA_PRIME',
      authenticationVector: {
        avType: 'EAP_AKA_PRIME',
        rand: '23553cbe9637a89d218ae64dae47bf35',
        autn: '55f328b43577b9b94a9ffac354dfafb3',
        xres: 'a54211d5e3ba50bf',
        ckPrime: '2def1303f911a1dbf383c5c43603af11',
        ikPrime: 'ed618c501a81783428dbcb39707d5532',
      },
      supi: SUPI,
      akmaInd: true,
      edgeInd: false,
      routingId: '0',
    })
  })

  test('the EEC IDs of the subscriber go along, as they are now; without any there is no such member', async () => {
    const supi = 'imsi-001010000000006'
    await udm.serving.operator.add([{ ...key(supi), edge: true, eecIds: ['eec-2', 'eec-1'] }])
    assert.deepEqual((await udm.generate(supi)).body.eecIds, ['eec-1', 'eec-2'])
    await udm.serving.operator.setEecIds(supi, ['eec-3'])
    assert.deepEqual((await udm.generate(supi)).body.eecIds, ['eec-3'])
    await udm.serving.operator.setEecIds(supi, undefined)
    const { status, body } = await udm.generate(supi)
    assert.deepEqual([status, 'eecIds' in body], [200, false])
  })

  test('50 requests at once and a restart: each SQN is fresh to a USIM that sees them in order, none is used twice', async () => {
    const supi = 'imsi-001010000000002'
    await udm.serving.operator.add([key(supi)])
    const keys = usim()
    const seen: number[] = []
    const sqnOf = ({ body }: Awaited<ReturnType<RunningUdm['generate']>>) => {
      const { rand, autn } = vectorOf(body)
      return verifyAutn(keys, Buffer.from(rand, 'hex'), Buffer.from(autn, 'hex'))?.sqn ?? -1
    }
    const [first, second] = [Array.from({ length: 25 }), Array.from({ length: 25 })]
    seen.push(...(await Promise.all(first.map(() => udm.generate(supi)))).map(sqnOf))
    await udm.restart()
    seen.push(...(await Promise.all(second.map(() => udm.generate(supi)))).map(sqnOf))
    assert.equal(new Set(seen).size, 50)
    let state = newUsimSqnState()
    for (const sqn of seen.sort((a, b) => a - b)) {
      const verdict = verifySqn(state, sqn)
      assert.ok(verdict.fresh)
      state = verdict.state
    }
  })

  test('resynchronisation: the next SQN is one that the USIM takes; AUTS of another challenge or USIM changes nothing', async () => {
    const supi = 'imsi-001010000000003'
    await udm.serving.operator.add([key(supi)])
    const keys = usim()
    const sqnMs = 2 ** 40
    const { rand } = vectorOf((await udm.generate(supi)).body)
    const auts = buildAuts(keys, Buffer.from(rand, 'hex'), sqnMs).toString('hex')
    const other = { ...keys, k: takeKey('K', Buffer.alloc(16, 1)) }
    const wrong = [
      { rand: '00'.repeat(16), auts },
      { rand, auts: buildAuts(other, Buffer.from(rand, 'hex'), sqnMs).toString('hex') },
      { rand, auts: `${auts.slice(0, -1)}${auts.endsWith('0') ? '1' : '0'}` },
    ]
    for (const resynchronizationInfo of wrong) {
      const { status, body } = await udm.generate(supi, { resynchronizationInfo })
      assert.deepEqual([status, body.cause], [403, 'AUTHENTICATION_REJECTED'])
    }
    const stillLow = (await udm.serving.operator.list()).subscribers.find((each) => each.supi === supi)
    assert.equal(stillLow?.sqnHe, 33, 'SEQ 1, IND 1')

    const again = vectorOf((await udm.generate(supi, { resynchronizationInfo: { rand, auts } })).body)
    const verified = verifyAutn(keys, Buffer.from(again.rand, 'hex'), Buffer.from(again.autn, 'hex'))
    assert.ok(verified && verified.sqn > sqnMs)
  })

  test('an SQN that is used up ends the subscription, and never wraps around', async () => {
    const supi = 'imsi-001010000000004'
    await udm.serving.operator.add([{ ...key(supi), sqn: 'ffffffffffff' }])
    const { status, body } = await udm.generate(supi)
    assert.deepEqual([status, body.cause], [403, 'AUTHENTICATION_REJECTED'])
  })

  test('who is not known, and what is no identifier, is not found', async () => {
    for (const name of ['imsi-001019999999999', 'nai-nobody@example.org', 'x', 'suci-0-001-01-0-0-0']) {
      const { status, body } = await udm.generate(name)
      assert.deepEqual([status, body.cause], [404, 'USER_NOT_FOUND'], name)
    }
  })

  test('the AUSF names itself as its certificate does, and no other', async () => {
    const { status, body } = await udm.generate(SUPI, { ausfInstanceId: systemRandom.uuid() })
    assert.deepEqual([status, body.cause], [403, 'POLICY_DENIED'])
  })

  test('a serving network name, RAND and AUTS have the forms of TS 29.503', async () => {
    const rand = '00'.repeat(16)
    for (const change of [
      { servingNetworkName: '5G:mnc01.mcc001.3gppnetwork.org' },
      { servingNetworkName: undefined },
      { resynchronizationInfo: { rand, auts: '00' } },
      { resynchronizationInfo: { rand } },
    ]) {
      assert.equal((await udm.generate(SUPI, change)).status, 400)
    }
  })
})

describe('the SIDF: TS 33.501 6.12.5, C.3', () => {
  let udm: RunningUdm
  const supi = 'imsi-001010000000005' as Supi
  const nai = 'nai-verylongusername1@factory.example' as Supi
  const suciOf = async (profile: 'A' | 'B', who = supi) => {
    const { keys } = await udm.serving.operator.homeNetworkKeys()
    const published = keys.find((each) => each.profile === profile)
    const publicKey = eciesPublicKey(profile, Buffer.from(published?.key ?? '', 'hex'))
    assert.ok(published && publicKey)
    const ephemeral = eciesPrivateKey(profile, systemRandom.octets(32))
    const routingIndicator = '0' as RoutingIndicator
    const homeNetworkPublicKey = { ...publicKey, id: published.id }
    return formatSuci(concealSupi(who, { routingIndicator, mncLength: 2, homeNetworkPublicKey }, ephemeral))
  }
  before(async () => {
    udm = await runUdm()
    await udm.serving.operator.add([key(supi), key(nai)])
  })
  after(() => udm.close())

  for (const profile of ['A', 'B'] as const) {
    test(`profile ${profile}: the SUPI is revealed, of an IMSI and of a NAI, also after a restart`, async () => {
      const suci = await suciOf(profile)
      assert.equal((await udm.generate(suci)).body.supi, supi)
      assert.equal((await udm.generate(await suciOf(profile, nai))).body.supi, nai)
      await udm.restart()
      assert.equal((await udm.generate(suci)).body.supi, supi)
    })
  }

  test('a SUCI with one changed octet is refused, wherever it is', async () => {
    for (const profile of ['A', 'B'] as const) {
      const suci = await suciOf(profile)
      const start = suci.lastIndexOf('-') + 1
      await fc.assert(
        fc.asyncProperty(fc.nat(suci.length - start - 1), fc.integer({ min: 1, max: 15 }), async (at, difference) => {
          const digit = Number.parseInt(suci.charAt(start + at), 16) ^ difference
          const damaged = `${suci.slice(0, start + at)}${digit.toString(16)}${suci.slice(start + at + 1)}`
          const { status, body } = await udm.generate(damaged)
          assert.deepEqual([status, body.cause], [403, 'INVALID_SCHEME_OUTPUT'])
        }),
        { numRuns: process.env['EDGEWARD_DEEP'] === undefined ? 40 : 5_000 },
      )
    }
  })

  test('a key or scheme that the network does not have is refused', async () => {
    const suci = await suciOf('A')
    const cause = async (name: string) => (await udm.generate(name)).body.cause
    assert.equal(await cause(suci.replace('-1-1-', '-1-9-')), 'INVALID_HN_PUBLIC_KEY_IDENTIFIER')
    assert.equal(await cause(suci.replace('-1-1-', '-2-1-')), 'INVALID_HN_PUBLIC_KEY_IDENTIFIER')
    assert.equal(await cause(suci.replace('-1-1-', '-5-1-')), 'UNSUPPORTED_PROTECTION_SCHEME')
  })

  test('the null scheme is taken only where the configuration says so: TS 33.501 C.2', async (t) => {
    const suci = 'suci-0-001-01-0-0-0-0000000005'
    assert.equal((await udm.generate(suci)).body.cause, 'UNSUPPORTED_PROTECTION_SCHEME')
    const open = await runUdm({}, { nullScheme: 'accepted' })
    t.after(() => open.close())
    await open.serving.operator.add([key(supi)])
    assert.equal((await open.generate(suci)).body.supi, supi)
  })

  test('KE-11: K and OPc are nowhere in the folder of the UDM but sealed', async () => {
    const secrets = [SET_1.k, SET_1.opc].map((hex) => Buffer.from(hex, 'hex'))
    for (const file of ['udm.db', 'udm.db-wal', 'data.key']) {
      const octets = await readFile(join(udm.folder, file)).catch(() => Buffer.alloc(0))
      for (const secret of secrets) {
        for (const form of [secret, secret.toString('hex'), secret.toString('base64')]) {
          assert.ok(!octets.includes(form), file)
        }
      }
    }
  })
})
