import assert from 'node:assert/strict'
import { createSecretKey, randomBytes } from 'node:crypto'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, type TestContext, test } from 'node:test'
import { kedgeStore } from '../../src/ausf/adapters/anchor-key-store.ts'
import { contextTable } from '../../src/ausf/adapters/context-table.ts'
import { eecIdLists } from '../../src/ausf/adapters/eec-id-list.ts'
import type { FiveGAkaContext } from '../../src/ausf/authentication/context.ts'
import { AUSF_MIGRATIONS } from '../../src/ausf/tables.ts'
import { takeKey, withOctets } from '../../src/keys/key.ts'
import { sealSecret } from '../../src/nf/sealing.ts'
import { systemRandom } from '../../src/ports/random.ts'
import { NAUSF_UE_AUTHENTICATION as NAUSF } from '../../src/spec/core-operations.ts'
import { type KedgeId, kedgeIdParts, parseKedgeId } from '../../src/spec/kedge-id.ts'
import { type EecId, parseEecId, type RoutingIndicator, type Supi } from '../../src/spec/subscriber-identifiers.ts'
import { openStore } from '../../src/store/open-store.ts'
import { fqdn } from '../nf/a-network.ts'
import { fixedRand } from '../udm/a-udm.ts'
import { authenticated, type Caller, HOME, type RunningCore, runCore, SERVING_NETWORK, SET_1, SUPI } from './a-core.ts'

const eecId = 'eec-1'
const DAY = 86_400_000

describe('the life of Kedge: D-22', () => {
  let core: RunningCore
  let ecs: Caller
  let seaf: Caller
  const statusOf = async (kedgeId: string) => (await ecs.keyRequest({ kedgeId, eecId })).status
  before(async () => {
    core = await runCore({ subscribers: [{ ...SET_1, sqn: '000000000000' }] })
    ecs = await core.trustedEcs()
    seaf = core.seaf
  })
  after(() => core.close())

  test('KE-03: a new authentication replaces the key; the old one stays for 60 s, and says so', async () => {
    const first = await authenticated(seaf)
    const second = await authenticated(seaf)
    const old = await ecs.keyRequest({ kedgeId: first.kedgeId, eecId })
    const left = Date.parse(old.body.expiry) - Date.now()
    assert.ok(old.status === 200 && left > 0 && left <= 60_000)
    assert.equal(await statusOf(second.kedgeId), 200)
    core.advance(59_000)
    assert.equal(await statusOf(first.kedgeId), 200)
    core.advance(1_001)
    const ended = await ecs.keyRequest({ kedgeId: first.kedgeId, eecId })
    const unknown = await ecs.keyRequest({ kedgeId: first.kedgeId.replace(/kid.{32}/, `kid${'0'.repeat(32)}`), eecId })
    assert.deepEqual([ended.status, ended.text], [404, unknown.text], 'KE-07: the same octets as one that never was')
    assert.equal(await statusOf(second.kedgeId), 200)
  })

  test('KE-03: of three authentications within the grace, the first is over', async () => {
    const [first, second, third] = [await authenticated(seaf), await authenticated(seaf), await authenticated(seaf)]
    assert.deepEqual(
      [await statusOf(first.kedgeId), await statusOf(second.kedgeId), await statusOf(third.kedgeId)],
      [404, 200, 200],
    )
  })

  test('D-22: a key ends after 24 h without a new authentication', async () => {
    const { kedgeId } = await authenticated(seaf)
    core.advance(DAY - 1_000)
    assert.equal(await statusOf(kedgeId), 200)
    core.advance(1_001)
    assert.equal(await statusOf(kedgeId), 404)
  })

  test('KE-12: what was confirmed outlives a restart', async () => {
    const { kedgeId } = await authenticated(seaf)
    await core.restartAusf()
    assert.equal(await statusOf(kedgeId), 200)
  })

  test('deregister: all keys of the subscriber are gone at once, nobody else hears of it', async () => {
    const other = 'imsi-001010000000002' as Supi
    await core.udm.operator.add([{ ...SET_1, supi: other, sqn: '000000000000' }])
    const before = await authenticated(seaf)
    const { kedgeId } = await authenticated(seaf)
    const { kedgeId: others } = await authenticated(seaf, { supiOrSuci: other })
    const udm = await core.udmCaller()
    assert.equal((await udm.call('POST', NAUSF.Deregister.path, { supi: SUPI })).status, 204)
    assert.deepEqual([await statusOf(before.kedgeId), await statusOf(kedgeId), await statusOf(others)], [404, 404, 200])
    assert.equal((await udm.call('POST', NAUSF.Deregister.path, { supi: 'imsi-1' })).status, 400)
  })
})

describe('the Kedges of an AUSF at rest', () => {
  const aStore = async (t: TestContext) => {
    const folder = await mkdtemp(join(tmpdir(), 'edgeward-'))
    const store = await openStore({ file: join(folder, 'ausf.db'), migrations: AUSF_MIGRATIONS })
    const dataKey = createSecretKey(randomBytes(32))
    let reads = 0
    const counting = {
      ...store,
      read: (async (query: { sql: string; parameters: readonly unknown[] }) => {
        reads += 1
        return store.read(query)
      }) as typeof store.read,
    }
    const kedges = kedgeStore({ store: counting, dataKey, random: systemRandom, homeNetwork: HOME })
    t.after(async () => {
      await store.close()
      await rm(folder, { recursive: true })
    })
    return { folder, store, dataKey, kedges, reads: () => reads }
  }
  const eecIdsOf = (...names: string[]) =>
    names.map((name) => parseEecId(name)).filter((id): id is EecId => id !== undefined)
  const idOf = (kid = randomBytes(16)): KedgeId => {
    const parsed = parseKedgeId(`rid0.kid${kid.toString('hex')}@edge.5gc.mnc001.mcc001.3gppnetwork.org`)
    if (parsed === undefined) throw new Error('no Kedge ID')
    return parsed
  }
  const newKeys = (id = idOf()) => ({ id, key: takeKey('Kedge', randomBytes(32)) })
  const times = (now: number) => ({ now, lifetime: DAY, grace: 60_000 })
  const hexOf = (key: ReturnType<typeof newKeys>['key']) => withOctets(key, (octets) => octets.toString('hex'))

  test("KE-02: a Kedge ID that is another subscriber's is not stored, and nothing of either changes", async (t) => {
    const { kedges } = await aStore(t)
    const [mine, taken] = [newKeys(), newKeys()]
    assert.ok(await kedges.replace(SUPI, mine, times(0)))
    assert.ok(await kedges.replace('imsi-001010000000002' as Supi, taken, times(0)))
    assert.equal(await kedges.replace(SUPI, newKeys(taken.id), times(1)), false)
    for (const keys of [mine, taken]) {
      const found = await kedges.find(keys.id, 2)
      assert.deepEqual([hexOf(found.key), found.until], [hexOf(keys.key), DAY])
    }
  })

  test("KE-07: what is not found costs the same reads, and brings a key that is nobody's", async (t) => {
    const { kedges, reads } = await aStore(t)
    const keys = newKeys()
    await kedges.replace(SUPI, keys, times(0))
    const listed = { ...newKeys(), eecIds: eecIdLists(createSecretKey(randomBytes(32))).of(eecIdsOf('eec-1', 'eec-2')) }
    await kedges.replace('imsi-001010000000002' as Supi, listed, times(0))
    const costs = []
    for (const [kedgeId, now] of [
      [keys.id, 1],
      [keys.id, DAY],
      [listed.id, 1],
      [idOf(), 1],
    ] as const) {
      const before = reads()
      const { key, until } = await kedges.find(kedgeId, now)
      costs.push([reads() - before, key.symmetricKeySize, until !== undefined])
    }
    assert.deepEqual(costs, [
      [1, 32, true],
      [1, 32, false],
      [1, 32, true],
      [1, 32, false],
    ])
  })

  test('NG-04: a list has its EEC IDs and no others, up to 16; without the data key it says of none whose it is', () => {
    const lists = eecIdLists(createSecretKey(randomBytes(32)))
    const names = Array.from({ length: 16 }, (_, n) => `eec-${n}`)
    for (const length of [1, 2, 16]) {
      const own = names.slice(0, length)
      const list = lists.of(eecIdsOf(...own))
      assert.equal(list.length, length * 16)
      const found = [...names, 'EEC-1', 'eec-1 ', 'eec'].filter((name) => lists.has(list, name as EecId))
      assert.deepEqual(found, own)
      assert.equal(lists.has(list, undefined), false)
    }
    assert.equal(lists.has(lists.of([]), 'eec-1' as EecId), false)
    const other = eecIdLists(createSecretKey(randomBytes(32)))
    assert.equal(other.has(lists.of(eecIdsOf('eec-1')), 'eec-1' as EecId), false)
  })

  test('NG-04: a list that somebody changes, adds or takes away in the file leaves no key', async (t) => {
    const { store, kedges, dataKey } = await aStore(t)
    const lists = eecIdLists(dataKey)
    const [own, foreign] = [lists.of(eecIdsOf('eec-1')), lists.of(eecIdsOf('eec-2'))]
    const [listed, unlisted] = [{ ...newKeys(), eecIds: own }, newKeys()]
    await kedges.replace(SUPI, listed, times(0))
    await kedges.replace('imsi-001010000000002' as Supi, unlisted, times(0))
    assert.deepEqual(Buffer.from((await kedges.find(listed.id, 1)).eecIds), own)
    assert.equal((await kedges.find(unlisted.id, 1)).eecIds.length, 0)
    const kidOf = ({ id }: { id: KedgeId }) => Buffer.from(kedgeIdParts(id).kid, 'hex')
    const change = (eecIds: Uint8Array, of: { id: KedgeId }) =>
      store.commit([{ sql: 'update kedge set eec_ids = ? where kid = ?', parameters: [eecIds, kidOf(of)] }])
    for (const [keys, lies] of [
      [unlisted, [foreign]],
      [listed, [foreign, Buffer.concat([own, foreign]), Buffer.alloc(0)]],
    ] as const) {
      for (const lie of lies) {
        await change(lie, keys)
        await assert.rejects(kedges.find(keys.id, 1), /does not open/)
      }
    }
    await change(own, listed)
    assert.equal((await kedges.find(listed.id, 1)).until, DAY)
  })

  test('DB-05: a Kedge from before EEC IDs is good as before', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'edgeward-'))
    const file = join(folder, 'ausf.db')
    const dataKey = createSecretKey(randomBytes(32))
    const [kid, subject, octets] = [randomBytes(16), randomBytes(16), randomBytes(32)]
    const before = await openStore({ file, migrations: AUSF_MIGRATIONS.slice(0, 2) })
    const sealed = sealSecret(dataKey, octets, Buffer.concat([kid, subject]), randomBytes(12))
    await before.commit([
      { sql: "insert into kedge values (?, ?, ?, '0', ?, 1)", parameters: [kid, subject, sealed, DAY] },
    ])
    await before.close()
    const store = await openStore({ file, migrations: AUSF_MIGRATIONS })
    t.after(async () => {
      await store.close()
      await rm(folder, { recursive: true })
    })
    const kedges = kedgeStore({ store, dataKey, random: systemRandom, homeNetwork: HOME })
    const { key, until, eecIds } = await kedges.find(idOf(kid), 1)
    assert.deepEqual([hexOf(key), until, eecIds.length], [octets.toString('hex'), DAY, 0])
  })

  test('a million of them take less than 1 GiB', async (t) => {
    const { folder, store, kedges } = await aStore(t)
    const COUNT = 100_000
    const filled = `insert into kedge with recursive n(i) as (select 1 union all select i + 1 from n where i < ${COUNT})
      select randomblob(16), randomblob(16), randomblob(60), '0', 1795237239854 + i, 1, randomblob(32) from n`
    await store.commit([{ sql: filled, parameters: [] }])
    const keys = newKeys()
    await kedges.replace(SUPI, keys, times(Date.now()))
    assert.ok((await kedges.find(keys.id, Date.now())).until !== undefined)
    await store.close()
    const { size } = await stat(join(folder, 'ausf.db'))
    assert.ok((size / COUNT) * 1_000_000 < 2 ** 30, `${size / COUNT} octets a row`)
  })

  test('what has ended is deleted', async (t) => {
    const { store, kedges } = await aStore(t)
    const [old, current] = [newKeys(), newKeys()]
    await kedges.replace(SUPI, old, times(0))
    await kedges.replace('imsi-001010000000002' as Supi, current, times(DAY))
    await kedges.removeExpired(DAY)
    const rows = await store.read<{ kid: Uint8Array }>({ sql: 'select kid from kedge', parameters: [] })
    assert.deepEqual(
      rows.map(({ kid }) => idOf(Buffer.from(kid))),
      [current.id],
    )
  })
})

test('KE-02: an authentication whose Kedge ID is taken fails whole, and the UE can authenticate again', async (t) => {
  const core = await runCore({ udm: fixedRand() })
  t.after(() => core.close())
  const ecs = await core.trustedEcs()
  const { kedgeId } = await authenticated(core.seaf)
  await core.udm.operator.remove(SUPI)
  await core.udm.operator.add([SET_1])
  // The same SQN and RAND once more: KAUSF, and so the Kedge ID, is one that exists.
  const { confirmed, authCtxId, resStar } = await authenticated(core.seaf)
  assert.deepEqual([confirmed.status, confirmed.body.cause], [503, 'NF_CONGESTION'])
  const again = await core.seaf.call('PUT', `${NAUSF.Authenticate.path}/${authCtxId}/5g-aka-confirmation`, { resStar })
  assert.equal(again.status, 404)
  assert.equal((await ecs.keyRequest({ kedgeId, eecId })).status, 200, 'the one that was there is untouched')
  assert.equal((await authenticated(core.seaf)).confirmed.status, 200, 'the next SQN has another KAUSF')
})

describe('authentications under way', () => {
  const context = (rand = randomBytes(16)): FiveGAkaContext => ({
    method: '5G_AKA',
    supi: SUPI,
    servingNetworkName: SERVING_NETWORK,
    seaf: fqdn('amf.core.example'),
    routingIndicator: '0' as RoutingIndicator,
    edge: true,
    akma: false,
    eecIds: undefined,
    rand,
    resynchronised: false,
    xresStar: randomBytes(16),
    kausf: takeKey('KAUSF', randomBytes(32)),
  })

  test("are one SEAF's, taken once, and forgotten with their keys when their time is over", () => {
    let now = 0
    const contexts = contextTable({ random: systemRandom, monotonic: () => now, lifetime: 60_000 })
    const [seaf, other] = [fqdn('amf.core.example'), fqdn('amf.other.example')]
    const one = context()
    const id = contexts.open(one)
    assert.equal(contexts.take(id, other), undefined)
    assert.equal(contexts.take(id, seaf), one)
    assert.equal(contexts.take(id, seaf), undefined)
    assert.equal(contexts.takeByRand(one.rand, seaf), undefined)
    contexts.putBack(id, one)
    assert.equal(contexts.takeByRand(one.rand, seaf), one)
    contexts.putBack(id, one)
    now = 60_000
    contexts.prune()
    now = 0
    assert.equal(contexts.take(id, seaf), undefined, 'pruned, not only hidden')
  })
})
