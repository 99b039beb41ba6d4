import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { openPeer } from '../../src/http/client.ts'
import { clientTls } from '../../src/tls/client.ts'
import { udmAdminClient } from '../../src/udm/adapters/admin-client.ts'
import { openUdm } from '../../src/udm/adapters/open-udm.ts'
import { udmCommands } from '../../src/udm/adapters/ports.ts'
import type { UdmCommands } from '../../src/udm/operator/commands.ts'
import { parseSubscriberList } from '../../src/udm/subscriber-list.ts'
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
    await commands.remove(supi(1))
    await assert.rejects(commands.remove(supi(1)), { code: 'USER_NOT_FOUND' })
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
