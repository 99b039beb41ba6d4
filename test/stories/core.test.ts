import assert from 'node:assert/strict'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { edgeward, edgewardJson, logged, type Server, serve, storyFolder } from './program.ts'

/** The core network on the command line: TR 33.839 6.x.2.1, from the folders to a key, is told in its own story. */
describe('a core network: edgeward core, udm and ausf', () => {
  let story: Awaited<ReturnType<typeof storyFolder>>
  const servers: Server[] = []
  const supi = (last: number) => `imsi-00101000000000${last}`
  before(async () => {
    story = await storyFolder()
    const network = ['--mcc', '001', '--mnc', '01', '--routing-indicator', '17']
    await edgewardJson('core', 'init', '--dir', story.at('core'), ...network)
  })
  after(async () => {
    await Promise.all(servers.map((server) => server.stop()))
    await story.remove()
  })

  test('init never overwrites, and its secrets are for their owner alone', async () => {
    const again = await edgeward('core', 'init', '--dir', story.at('core'), '--mcc', '001', '--mnc', '01')
    assert.deepEqual(
      [again.code, again.stderr],
      [1, `Failed: ${story.at('core')} is not empty: take another folder, or remove it first\n`],
    )
    const secrets = [
      'ca/root.key',
      'ca/sealing.key',
      'udm/data.key',
      'udm/nf.key',
      'udm/udm.db',
      'ausf/data.key',
      'amf/nf.key',
    ]
    for (const secret of secrets) assert.equal(statSync(story.at('core', secret)).mode & 0o077, 0, secret)
    const wrong = await edgeward('core', 'init', '--dir', story.at('x'), '--mcc', '1', '--mnc', '01')
    assert.equal(wrong.code, 2)
  })

  test('subscribers come while the UDM does not serve, and while it does', async () => {
    const dir = story.at('core', 'udm')
    const usim = story.at('usim.json')
    await edgewardJson('udm', 'subscriber', 'add', '--dir', dir, '--supi', supi(1), '--new-usim', usim, '--edge')
    const { k, opc, homeNetworkPublicKey, ...rest } = JSON.parse(readFileSync(usim, 'utf8')) as Record<string, unknown>
    assert.deepEqual(rest, { supi: supi(1), homeNetwork: { mcc: '001', mnc: '01' }, routingIndicator: '17' })
    assert.match(`${k} ${opc}`, /^[0-9a-f]{32} [0-9a-f]{32}$/)
    assert.equal((homeNetworkPublicKey as { profile: string }).profile, 'A')
    assert.equal(statSync(usim).mode & 0o077, 0)

    const noKeys = await edgeward('udm', 'subscriber', 'add', '--dir', dir, '--supi', supi(2))
    assert.equal(noKeys.code, 2)

    const udm = await serve('udm', 'serve', '--dir', dir)
    servers.push(udm)
    assert.equal(udm.ready.ready, 'udm')
    const taken = await edgeward('udm', 'subscriber', 'add', '--dir', dir, '--supi', supi(1), '--usim', usim)
    assert.equal(taken.code, 1)
    assert.match(taken.stderr, /SUBSCRIBER_EXISTS/)
    writeFileSync(story.at('list.csv'), `supi,k,opc,edge\n${supi(2)},${k},${opc},yes\n${supi(3)},${k},${opc},no\n`)
    const imported = await edgewardJson<{ added: number }>(
      'udm',
      'subscriber',
      'import',
      story.at('list.csv'),
      '--dir',
      dir,
    )
    assert.equal(imported.added, 2)
    await edgewardJson('udm', 'subscriber', 'remove', supi(3), '--dir', dir)
    const { stdout } = await edgeward('udm', 'subscriber', 'list', '--dir', dir, '--json')
    const { subscribers } = JSON.parse(stdout) as {
      subscribers: { supi: string; edge: boolean; routingIndicator: string }[]
    }
    assert.deepEqual(
      subscribers.map((each) => [each.supi, each.edge, each.routingIndicator]),
      [
        [supi(1), true, '17'],
        [supi(2), true, '17'],
      ],
    )
    assert.ok(!stdout.includes(String(k)) && !udm.log().includes(String(k)))
  })

  test('the EEC IDs of a subscriber are said while the UDM serves; the list shows them', async () => {
    const dir = story.at('core', 'udm')
    const subscriber = (command: string, ...options: string[]) =>
      edgeward('udm', 'subscriber', command, '--dir', dir, ...options)
    const usim = ['--new-usim', story.at('usim4.json')]
    const added = await subscriber('add', '--supi', supi(4), ...usim, '--edge', '--eec-id', 'eec-1', 'eec-2')
    assert.equal(added.code, 0, added.stderr)
    assert.ok(!readFileSync(story.at('usim4.json'), 'utf8').includes('eec-1'), 'they are not on the USIM')
    const taken = await subscriber('eec-ids', '--supi', supi(1), '--set', 'eec-2')
    assert.deepEqual([taken.code, /EEC_ID_IN_USE/.test(taken.stderr)], [1, true])
    for (const unclear of [[], ['--any', '--set', 'eec-3']]) {
      assert.equal((await subscriber('eec-ids', '--supi', supi(1), ...unclear)).code, 2)
    }
    const changed = await subscriber('eec-ids', '--supi', supi(4), '--set', 'eec-3', 'eec-1')
    assert.match(changed.stdout, /may use eec-3, eec-1 and no other EEC ID, from its next authentication/)
    const lineOf = async (who: string) =>
      (await subscriber('list')).stdout.split('\n').find((line) => line.includes(who))
    assert.match((await lineOf(supi(4))) ?? '', /edge +eec-1 eec-3 *$/)
    assert.equal((await subscriber('eec-ids', '--supi', supi(4), '--any')).code, 0)
    assert.doesNotMatch((await lineOf(supi(4))) ?? 'eec', /eec/)
  })

  test('an ECS is trusted while the AUSF serves; what it has to know is printed', async () => {
    const ausf = await serve('ausf', 'serve', '--dir', story.at('core', 'ausf'))
    servers.push(ausf)
    assert.deepEqual(Object.keys(ausf.ready.listeners), ['mtls'])
    await edgewardJson('ecs', 'init', '--dir', story.at('ecs1'), '--fqdn', 'ecs1.example.com')
    const trust = ['core', 'trust', '--dir', story.at('core'), '--ecs-fqdn', 'ecs1.example.com']
    const root = ['--root', story.at('ecs1', 'ca', 'root.crt')]
    const { keyService } = await edgewardJson<{ keyService: object }>(...trust, ...root)
    assert.deepEqual(keyService, {
      realm: 'mnc001.mcc001',
      via: 'ausf',
      apiRoot: `https://${ausf.ready.fqdn}:${new URL(ausf.ready.listeners['mtls'] ?? '').port}`,
      root: story.at('core', 'ca', 'root.crt'),
    })
    const lone = await edgeward(...trust, '--root', story.at('core', 'ca', 'nf-issuer.crt'))
    assert.deepEqual([lone.code, lone.stderr], [1, 'Failed: name the one root of the ECS: --root <its ca/root.crt>\n'])
    const peers = readFileSync(story.at('core', 'ausf', 'peers.yaml'), 'utf8')
    assert.match(peers, /fqdn: ecs1\.example\.com\n {2}nfType: ECS\n {2}root: ecs-ecs1\.example\.com\.crt\n/)
    await logged(ausf, 'allow-list read')
    assert.match(ausf.log(), /"callers":4,"msg":"allow-list read"/)
  })

  test('both end by SIGTERM with 0', async () => {
    for (const server of servers.splice(0)) assert.equal(await server.stop(), 0)
  })
})
