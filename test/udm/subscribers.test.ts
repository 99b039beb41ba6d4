import assert from 'node:assert/strict'
import { createSecretKey, randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { openPeer } from '../../src/http/client.ts'
import { withOctets } from '../../src/keys/key.ts'
import { sealSecret } from '../../src/nf/sealing.ts'
import { systemRandom } from '../../src/ports/random.ts'
import type { Supi } from '../../src/spec/subscriber-identifiers.ts'
import { openStore } from '../../src/store/open-store.ts'
import { clientTls } from '../../src/tls/client.ts'
import { udmAdminClient } from '../../src/udm/adapters/admin-client.ts'
import { openUdm } from '../../src/udm/adapters/open-udm.ts'
import { udmCommands } from '../../src/udm/adapters/ports.ts'
import { findSubscriber, listSubscribers, setEecIds } from '../../src/udm/adapters/subscriber-store.ts'
import type { UdmCommands } from '../../src/udm/operator/commands.ts'
import { readEecIds } from '../../src/udm/subscriber.ts'
import { parseSubscriberList } from '../../src/udm/subscriber-list.ts'
import { UDM_MIGRATIONS } from '../../src/udm/tables.ts'
import { environment } from '../nf/a-network.ts'
import { type RunningUdm, runUdm, SET_1, SUPI, UDM_FQDN } from './a-udm.ts'

const { k, opc } = SET_1

describe('subscribers, as their operator writes them', () => {
  let udm: RunningUdm
  before(async () => {
    udm = await runUdm()
  })
  after(() => udm.close())

  /** What holds for each way to the commands. */
  async function holds(commands: UdmCommands, number: number) {
    const supi = (last: number) => `imsi-00101000000${number}${last}`
    const one = { supi: supi(1), k, opc, gpsi: `msisdn-4917000${number}`, edge: true, routingIndicator: '7' }
    assert.equal((await commands.add([one])).added, 1)
    const twice = commands.add([{ supi: supi(2), k, opc }, one])
    await assert.rejects(twice, { code: 'SUBSCRIBER_EXISTS' })
    await assert.rejects(commands.add([{ supi: supi(3), k, opc, gpsi: one.gpsi }]), { code: 'SUBSCRIBER_EXISTS' })
    const { subscribers } = await commands.list(supi(0))
    const { k: _k, opc: _opc, ...shown } = one
    assert.deepEqual(
      subscribers.filter((each) => each.supi.startsWith(supi(0).slice(0, -1))).map((each) => ({ ...each })),
      [{ ...shown, amf: 0x8000, sqnHe: 0, authMethod: '5G_AKA', akma: false }],
      'nothing of a batch that fails is added, and no key is shown',
    )
    assert.equal((await commands.homeNetworkKeys()).keys.length, 2)
    await ownEecIds(commands, supi(1), supi(4))
    await commands.remove(supi(1))
    await assert.rejects(commands.remove(supi(1)), { code: 'USER_NOT_FOUND' })
  }

  /** TS 23.558 7.2.2: an EEC ID is of one EEC in the world, so it is of one subscriber. */
  async function ownEecIds(commands: UdmCommands, supi: string, other: string) {
    const listed = async (who: string) => {
      const { subscribers } = await commands.list()
      return subscribers.find((each) => each.supi === who)?.eecIds
    }
    await commands.add([{ supi: other, k, opc, eecIds: ['eec-b', 'a@x/y:1'] }])
    assert.deepEqual([await listed(supi), await listed(other)], [undefined, ['a@x/y:1', 'eec-b']])
    await commands.setEecIds(supi, ['eec-c', 'eec-a'])
    assert.deepEqual(await listed(supi), ['eec-a', 'eec-c'])
    await commands.setEecIds(supi, ['eec-d', 'eec-a'])
    assert.deepEqual(await listed(supi), ['eec-a', 'eec-d'], 'in the place of those of before')

    await assert.rejects(commands.setEecIds(supi, ['eec-e', 'eec-b']), { code: 'EEC_ID_IN_USE' })
    const taken = commands.add([{ supi: `${supi}99`, k, opc, eecIds: ['eec-f', 'eec-d'] }])
    await assert.rejects(taken, { code: 'EEC_ID_IN_USE' })
    await assert.rejects(commands.setEecIds(`${supi}99`, ['eec-f']), { code: 'USER_NOT_FOUND' })
    await assert.rejects(commands.setEecIds(`${supi}99`, undefined), { code: 'USER_NOT_FOUND' })
    await assert.rejects(commands.setEecIds('x', ['eec-f']), { code: 'USER_NOT_FOUND' })
    assert.deepEqual(await listed(supi), ['eec-a', 'eec-d'], 'what is refused changes nothing')

    await commands.remove(other)
    await commands.setEecIds(supi, ['eec-b'])
    assert.deepEqual(await listed(supi), ['eec-b'], 'nobody has it any more')
    await commands.setEecIds(supi, undefined)
    assert.equal(await listed(supi), undefined)
  }

  test('while the UDM serves, over the admin listener', async () => {
    const address = { fqdn: UDM_FQDN, admin: udm.serving.listeners.admin }
    await writeFile(join(udm.folder, 'admin.json'), JSON.stringify(address))
    const client = await udmAdminClient(udm.folder)
    await holds(client, 1)
    client.close()
  })

  test('while it does not serve', async () => {
    await udm.serving.close()
    const opened = await openUdm(udm.folder, environment())
    await holds(udmCommands(opened), 2)
    await opened.close()
    await udm.restart()
  })

  test('CA-11: the certificate of an AUSF opens nothing at the admin listener, nor does that of an operator elsewhere', async () => {
    const { ausf, serving } = udm
    const root = await readFile(join(udm.folder, 'root.crt'), 'utf8')
    const operator = {
      certificateChain: await readFile(join(udm.folder, 'operator.crt'), 'utf8'),
      privateKey: await readFile(join(udm.folder, 'operator.key'), 'utf8'),
    }
    const at = (url: string, credential: typeof operator | typeof ausf.credential) =>
      openPeer(
        `https://${UDM_FQDN}:${new URL(url).port}`,
        clientTls([root], credential),
        new Map([[UDM_FQDN, '127.0.0.1']]),
      )
    for (const peer of [at(serving.listeners.admin, ausf.credential), at(serving.listeners.mtls, operator)]) {
      const asked = peer.request({ method: 'GET', path: '/operator/v1/subscribers' })
      await assert.rejects(asked, { name: 'PeerUnavailable' })
      peer.close()
    }
  })

  const wrong: readonly (readonly [string, object])[] = [
    ['a SUPI without prefix', { supi: '001010000000001' }],
    ['a short K', { k: k.slice(2) }],
    ['OP and OPc', { op: opc }],
    ['neither OP nor OPc', { opc: undefined }],
    ['an AMF without separation bit', { amf: '0000' }],
    ['an SQN of 13 digits', { sqn: '0000000000000' }],
    ['an SQN that is no number', { sqn: '00000000000x' }],
    ['a routing indicator of 5 digits', { routingIndicator: '00000' }],
    ['a method that is not spoken', { authMethod: 'EAP_TLS' }],
    ['a GPSI without prefix', { gpsi: '49170' }],
    ['an empty list of EEC IDs', { eecIds: [] }],
    ['17 EEC IDs', { eecIds: Array.from({ length: 17 }, (_, n) => `eec-${n}`) }],
    ['an EEC ID twice', { eecIds: ['eec-1', 'eec-1'] }],
    ['a name that is no EEC ID', { eecIds: ['eec-1', 'eec 2'] }],
  ]
  for (const [title, change] of wrong) {
    test(`${title} is refused, and the refusal repeats no value`, async () => {
      const record = { supi: SUPI, k, opc, ...change }
      const values = Object.values(record).filter((value) => typeof value === 'string' && value.length > 4)
      await assert.rejects(udm.serving.operator.add([record as typeof SET_1]), (error: Error) => {
        assert.match(error.message, /_IE_INCORRECT/)
        return values.every((value) => !error.message.includes(String(value)))
      })
    })
  }
})

describe('a list of subscribers', () => {
  test('is read by the names of its columns', () => {
    const list = `supi,k,opc,edge,gpsi\r\n${SUPI},${k},${opc},yes,\r\n\r\nnai-a@b.c, ${k} ,${opc},no,msisdn-49170\n`
    assert.deepEqual(parseSubscriberList(list), [
      { supi: SUPI, k, opc, edge: true },
      { supi: 'nai-a@b.c', k, opc, edge: false, gpsi: 'msisdn-49170' },
    ])
  })

  test('has the EEC IDs of one subscriber in one column', () => {
    const list = `supi,k,opc,eecIds\n${SUPI},${k},${opc}, eec-1  eec-2\nimsi-00101,${k},${opc},\n`
    assert.deepEqual(
      parseSubscriberList(list).map(({ eecIds }) => eecIds),
      [['eec-1', 'eec-2'], undefined],
    )
  })

  const wrong: readonly (readonly [string, string, RegExp])[] = [
    ['an unknown column', 'supi,k,pin\n', /line 1/],
    ['a column twice', 'supi,k,k\n', /line 1/],
    ['no column for K', 'supi,opc\n', /supi and k/],
    ['a field too many', `supi,k\n${SUPI},${k}\n${SUPI},${k},${opc}\n`, /line 3/],
    ['a quotation mark', `supi,k\n"${SUPI}",${k}\n`, /line 2/],
    ['another word for yes', `supi,k,edge\n${SUPI},${k},true\n`, /line 2/],
    ['nothing at all', '', /line 1/],
  ]
  for (const [title, text, expected] of wrong) {
    test(`${title} is refused by its line, without its content`, () => {
      assert.throws(
        () => parseSubscriberList(text),
        (error: Error) => expected.test(error.message) && !error.message.includes(k) && !error.message.includes(SUPI),
      )
    })
  }
})

test('DB-05: a store from before EEC IDs keeps its subscribers, who may use any; then they can have some', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'edgeward-'))
  const file = join(folder, 'udm.db')
  const dataKey = createSecretKey(randomBytes(32))
  const before = await openStore({ file, migrations: UDM_MIGRATIONS.slice(0, 1) })
  const sealed = sealSecret(dataKey, Buffer.from(k + opc, 'hex'), Buffer.from(SUPI), randomBytes(12))
  await before.commit([
    {
      sql: "insert into subscriber values (?, 'msisdn-49170', ?, 32768, 33, '7', 'EAP_AKA_PRIME', 1, 0)",
      parameters: [SUPI, sealed],
    },
  ])
  await before.close()

  const store = await openStore({ file, migrations: UDM_MIGRATIONS })
  t.after(async () => {
    await store.close()
    await rm(folder, { recursive: true })
  })
  const udm = { store, dataKey, random: systemRandom }
  const was = {
    supi: SUPI,
    gpsi: 'msisdn-49170',
    amf: 0x8000,
    sqnHe: 33,
    routingIndicator: '7',
    authMethod: 'EAP_AKA_PRIME',
    edge: true,
    akma: false,
  }
  assert.deepEqual(await listSubscribers(udm, '', 10), [was])
  const { keys } = (await findSubscriber(udm, SUPI as Supi)) ?? assert.fail('the subscriber is gone')
  assert.equal(
    withOctets(keys.opc, (octets) => octets.toString('hex')),
    opc,
  )
  await setEecIds(udm, SUPI as Supi, readEecIds(['eec-1']))
  assert.deepEqual(await listSubscribers(udm, '', 10), [{ ...was, eecIds: ['eec-1'] }])
})
