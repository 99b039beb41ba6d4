import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, type TestContext, test } from 'node:test'
import { type KeyRequestPorts, keyRequest } from '../../src/ausf/edge-key/key-request.ts'
import type { AusfPeer } from '../../src/ausf/peers.ts'
import { EDGE_FUNCTION_CODES } from '../../src/keys/kedge.ts'
import { takeKey } from '../../src/keys/key.ts'
import { Refusal } from '../../src/spec/refusal.ts'
import type { EecId } from '../../src/spec/subscriber-identifiers.ts'
import { rankSum } from '../rank-sum.ts'
import {
  authCtxIdOf,
  authenticate,
  authenticated,
  type Caller,
  ECS1,
  eapSession,
  eapUe,
  edgeKeysOf,
  type RunningCore,
  runCore,
  SET_1,
  SUPI,
} from './a-core.ts'

const AN_ECS: AusfPeer = {
  fqdn: ECS1,
  nfInstanceId: undefined,
  thumbprint: '',
  entry: {
    fqdn: ECS1,
    nfType: 'ECS',
    root: 'ecs.crt',
    scopes: [],
    encryptionKey: { kty: 'EC', crv: 'P-256', x: 'x', y: 'y' },
  },
  scopes: new Set(),
}
const ECS3 = 'ecs3.outside.example'
const FRESH = { ...SET_1, sqn: '000000000000' }
const unknownId = () => `rid0.kid${randomBytes(16).toString('hex')}@edge.5gc.mnc001.mcc001.3gppnetwork.org`

describe('an EEC ID belongs to a subscriber: decision 10, D-21', () => {
  async function aCore(
    t: TestContext,
    { edge = {}, ...subscriber }: { edge?: object; [member: string]: unknown } = {},
  ) {
    const core = await runCore({ subscribers: [{ ...FRESH, ...subscriber }] })
    t.after(() => core.close())
    await core.changeConfiguration('ausf', () => ({ edge, keyRequests: { perSecond: 100_000, burst: 100_000 } }))
    await core.restartAusf()
    return { core, seaf: await core.seafAgain(), ecs: await core.trustedEcs() }
  }
  const statusOf = async (ecs: Caller, kedgeId: string, eecId: string) =>
    (await ecs.keyRequest({ kedgeId, eecId })).status

  /** What a caller can tell of an answer: everything but the time. */
  async function seen(core: RunningCore, caller: Caller, request: object) {
    const already = core.ausf.alarms.count('key-id-unknown')
    const { status, text, headers } = await caller.keyRequest(request)
    const { date: _, ...others } = headers
    return { status, text, headers: { ...others }, alarms: core.ausf.alarms.count('key-id-unknown') - already }
  }

  for (const keyProfile of ['bound', 'literal'] as const) {
    test(`NG-04: ${keyProfile}: a key is for the EEC IDs of its subscriber; another one is refused as an unknown key is`, async (t) => {
      const { core, seaf, ecs } = await aCore(t, { eecIds: ['eec-1', 'eec-2'], edge: { keyProfile } })
      await core.trustedEcs(ECS3, 'nef')
      const nef = await core.nef()
      const { kedgeId } = await authenticated(seaf)
      for (const [caller, named] of [
        [ecs, {}],
        [nef, { ecsFqdn: ECS3 }],
      ] as const) {
        for (const eecId of ['eec-1', 'eec-2']) {
          assert.equal((await caller.keyRequest({ kedgeId, eecId, ...named })).status, 200)
        }
        const unknown = await seen(core, caller, { kedgeId: unknownId(), eecId: 'eec-3', ...named })
        assert.deepEqual([unknown.status, unknown.alarms], [404, 1])
        assert.match(unknown.text, /KEDGE_NOT_FOUND/)
        for (const eecId of ['eec-3', 'EEC-1', 'eec-11', 'eec']) {
          assert.deepEqual(await seen(core, caller, { kedgeId, eecId, ...named }), unknown, `KE-07: ${eecId}`)
        }
      }
      const nameless = await seen(core, ecs, { kedgeId })
      const expected = keyProfile === 'literal' ? await seen(core, ecs, { kedgeId: unknownId() }) : nameless
      assert.deepEqual([nameless.status, nameless], [keyProfile === 'literal' ? 404 : 400, expected])
    })
  }

  test('without a list each EEC ID is taken, and none where `unlistedEecIds` is refused', async (t) => {
    const { core, seaf, ecs } = await aCore(t)
    const { kedgeId } = await authenticated(seaf)
    assert.equal(await statusOf(ecs, kedgeId, 'eec-9'), 200)
    await core.changeConfiguration('ausf', () => ({ edge: { unlistedEecIds: 'refused' } }))
    await core.restartAusf()
    const again = await core.trustedEcs()
    const unknown = await seen(core, again, { kedgeId: unknownId(), eecId: 'eec-9' })
    assert.deepEqual(await seen(core, again, { kedgeId, eecId: 'eec-9' }), unknown)
    await core.udm.operator.setEecIds(SUPI, ['eec-9'])
    const listed = await authenticated(await core.seafAgain())
    assert.equal(await statusOf(again, listed.kedgeId, 'eec-9'), 200)
  })

  test('profile literal: where there is no list, a request need not name an EEC, and names none that is no EEC ID', async (t) => {
    const { seaf, ecs } = await aCore(t, { edge: { keyProfile: 'literal' } })
    const { kedgeId } = await authenticated(seaf)
    assert.equal((await ecs.keyRequest({ kedgeId })).body.keyScope, 'UE')
    assert.equal((await ecs.keyRequest({ kedgeId, eecId: 'a b' })).body.cause, 'MANDATORY_IE_INCORRECT')
  })

  test('NG-04: another list holds from the next authentication on; the key of before keeps its own to its end', async (t) => {
    const { core, seaf, ecs } = await aCore(t, { eecIds: ['eec-1'] })
    const first = await authenticated(seaf)
    await core.udm.operator.setEecIds(SUPI, ['eec-2'])
    assert.deepEqual(
      [await statusOf(ecs, first.kedgeId, 'eec-1'), await statusOf(ecs, first.kedgeId, 'eec-2')],
      [200, 404],
    )
    const second = await authenticated(seaf)
    assert.deepEqual(
      [await statusOf(ecs, second.kedgeId, 'eec-1'), await statusOf(ecs, second.kedgeId, 'eec-2')],
      [404, 200],
    )
    assert.deepEqual(
      [await statusOf(ecs, first.kedgeId, 'eec-1'), await statusOf(ecs, first.kedgeId, 'eec-2')],
      [200, 404],
      'within its grace',
    )
    await core.udm.operator.setEecIds(SUPI, undefined)
    const third = await authenticated(seaf)
    assert.equal(await statusOf(ecs, third.kedgeId, 'eec-3'), 200)
  })

  test("NG-04: it holds after a restart, and after EAP-AKA' with a resynchronisation in it", async (t) => {
    const { core, seaf, ecs } = await aCore(t, { eecIds: ['eec-1'], authMethod: 'EAP_AKA_PRIME' })
    const started = await authenticate(seaf)
    const authCtxId = authCtxIdOf(started)
    const ongoing = await eapSession(seaf, authCtxId, eapUe(String(started.body['5gAuthData'])).syncFailure(2 ** 40))
    const ue = eapUe(ongoing.body.eapPayload ?? '')
    assert.equal((await eapSession(seaf, authCtxId, ue.response())).body.authResult, 'AUTHENTICATION_SUCCESS')
    const { kedgeId } = edgeKeysOf(ue.kausf)
    assert.deepEqual([await statusOf(ecs, kedgeId, 'eec-1'), await statusOf(ecs, kedgeId, 'eec-2')], [200, 404])
    await core.restartAusf()
    const again = await core.trustedEcs()
    assert.deepEqual([await statusOf(again, kedgeId, 'eec-1'), await statusOf(again, kedgeId, 'eec-2')], [200, 404])
  })

  for (const keyProfile of ['bound', 'literal'] as const) {
    test(`KE-07: ${keyProfile}: the same work is done for each refusal, and for an answer up to its record`, async () => {
      const workFor = async (until: number | undefined, isItsEec: boolean) => {
        const did: string[] = []
        const ports: KeyRequestPorts = {
          now: () => 0,
          allow: () => true,
          alarms: { raise: (name, who) => did.push(`${name} ${who}`), count: () => 0 },
          keyProfile,
          functionCodes: EDGE_FUNCTION_CODES,
          isCaller: () => false,
          async findKedge() {
            const mayUse = (eecId: EecId | undefined) => did.push(`mayUse ${eecId}`) > 0 && isItsEec
            return { kedge: takeKey('Kedge', randomBytes(32)), until, mayUse }
          },
          encryptTo: (_recipient, { symmetricKeySize }) => String(did.push(`encrypt ${symmetricKeySize}`)),
          record: async () => void did.push('record'),
        }
        const answered = await keyRequest(ports, AN_ECS, { kedgeId: unknownId(), eecId: 'eec-1' }).catch(
          (error) => error,
        )
        return { did, ...(answered instanceof Refusal && { code: answered.code, detail: answered.detail }) }
      }
      const work = ['mayUse eec-1', 'encrypt 32']
      const unknown = await workFor(undefined, false)
      assert.deepEqual([unknown.code, unknown.did], ['KEDGE_NOT_FOUND', [...work, `key-id-unknown ${ECS1}`]])
      assert.deepEqual(await workFor(1, false), unknown, 'of another subscriber')
      assert.deepEqual(await workFor(undefined, true), unknown, 'ended')
      assert.deepEqual(await workFor(1, true), { did: [...work, 'record'] })
    })
  }

  const needsQuiet =
    process.env['EDGEWARD_DEEP'] === undefined ? 'it needs a machine of its own: npm run test:deep' : false
  test('KE-07: 50,000 pairs do not tell a key of somebody else’s EEC from none', { skip: needsQuiet }, async (t) => {
    const { seaf, ecs } = await aCore(t, { eecIds: ['eec-1'] })
    const { kedgeId } = await authenticated(seaf)
    const times = { unknown: [] as number[], foreign: [] as number[] }
    const measure = async (kind: keyof typeof times) => {
      const request = { kedgeId: kind === 'unknown' ? unknownId() : kedgeId, eecId: 'eec-2' }
      const start = performance.now()
      const { status } = await ecs.keyRequest(request)
      times[kind].push(performance.now() - start)
      assert.equal(status, 404)
    }
    for (let pair = 0; pair < 50_000; pair += 1) {
      const order =
        randomBytes(1).readUInt8() > 127 ? (['unknown', 'foreign'] as const) : (['foreign', 'unknown'] as const)
      for (const kind of order) await measure(kind)
    }
    const { z } = rankSum(times.unknown, times.foreign)
    assert.ok(Math.abs(z) < 4, `z = ${z}`)
  })
})
