import assert from 'node:assert/strict'
import { readFileSync, statSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { edgeward, edgewardJson, type Server, serve, storyFolder } from './program.ts'

/** The operator's side of P2 on the command line; the tokens themselves are told in test/entitlement. */
describe('an entitlement server: edgeward entitlement', () => {
  let story: Awaited<ReturnType<typeof storyFolder>>
  let server: Server | undefined
  const supi = 'imsi-001010000000001'
  const other = 'imsi-001010000000002'
  const ent = (...command: string[]) => ['entitlement', ...command, '--dir', story.at('core', 'entitlement')]
  const eec = (verb: string, eecId: string, of = supi) => ent('eec', verb, '--supi', of, '--eec-id', eecId)
  const list = async () => (await edgewardJson<{ eecs: { supi: string; eecId: string }[] }>(...ent('eec', 'list'))).eecs
  before(async () => {
    story = await storyFolder()
    await edgewardJson('core', 'init', '--dir', story.at('core'), '--mcc', '262', '--mnc', '42')
  })
  after(async () => {
    await server?.stop()
    await story.remove()
  })

  test('a core has one, under the name by which devices find it: TS.43 2.1', async () => {
    for (const secret of ['nf.key', 'data.key', 'entitlement.db', 'operator.key']) {
      assert.equal(statSync(story.at('core', 'entitlement', secret)).mode & 0o077, 0, secret)
    }
    server = await serve(...ent('serve'))
    assert.equal(server.ready.ready, 'entitlement')
    assert.equal(server.ready.fqdn, 'aes.mnc042.mcc262.pub.3gppnetwork.org')
    assert.deepEqual(Object.keys(server.ready.listeners).sort(), ['admin', 'mtls', 'server'])
    assert.equal(await server.stop(), 0)
  })

  test('EEC IDs are allowed and denied while it serves, and while it does not', async () => {
    await edgewardJson(...eec('allow', 'eec-1'), '--gpsi', 'msisdn-491700000001')
    server = await serve(...ent('serve'))
    await edgewardJson(...eec('allow', 'eec-2'))
    const taken = await edgeward(...eec('allow', 'eec-2', other))
    assert.deepEqual([taken.code, /EEC_ID_IN_USE/.test(taken.stderr)], [1, true])
    assert.deepEqual(await list(), [
      { supi, eecId: 'eec-1', gpsi: 'msisdn-491700000001' },
      { supi, eecId: 'eec-2' },
    ])
    await edgewardJson(...eec('deny', 'eec-2'))
    await edgewardJson(...eec('allow', 'eec-2', other))
    const withdrawn = await edgewardJson<{ eecIds: string[] }>(...ent('withdraw'), '--supi', supi)
    assert.deepEqual(withdrawn.eecIds, ['eec-1'])
    assert.deepEqual(await list(), [{ supi: other, eecId: 'eec-2' }])
  })

  test('an ECS may ask about tokens, and the key of the tokens is changed, while it serves', async () => {
    await edgewardJson('ecs', 'init', '--dir', story.at('ecs1'), '--fqdn', 'ecs1.example.com')
    const root = story.at('ecs1', 'ca', 'root.crt')
    await edgewardJson(...ent('trust'), '--fqdn', 'ecs1.example.com', '--root', root)
    await edgewardJson(...ent('trust'), '--fqdn', 'ees1.example.com', '--type', 'ees', '--root', root)
    const peers = readFileSync(story.at('core', 'entitlement', 'peers.yaml'), 'utf8')
    assert.match(peers, /^# Who may call/)
    assert.match(peers, /fqdn: ecs1\.example\.com\n {2}nfType: ECS\n/)
    assert.match(peers, /fqdn: ees1\.example\.com\n {2}nfType: EES\n/)

    const { kid, signsFrom } = await edgewardJson<{ kid: string; signsFrom: string }>(...ent('rotate-key'))
    assert.match(kid, /^[\w-]{43}$/)
    assert.ok(Date.parse(signsFrom) > Date.now())
    const given = await edgewardJson<{ kid: string; signsFrom: string }>(...ent('rotate-key'), '--compromised')
    assert.ok(given.kid !== kid && Date.parse(given.signsFrom) <= Date.now())
  })

  test('a second one is made for the same core, and its UDM knows it', async () => {
    const fqdn = 'aes2.mnc042.mcc262.pub.3gppnetwork.org'
    const dir = story.at('ent2')
    await edgewardJson('entitlement', 'init', '--dir', dir, '--core', story.at('core'), '--fqdn', fqdn)
    assert.match(readFileSync(story.at('core', 'udm', 'peers.yaml'), 'utf8'), /fqdn: aes2\.mnc042/)
    const again = await edgeward('entitlement', 'init', '--dir', dir, '--core', story.at('core'), '--fqdn', fqdn)
    assert.deepEqual(
      [again.code, again.stderr],
      [1, `Failed: ${dir} is not empty: take another folder, or remove it first\n`],
    )
    const second = await serve('entitlement', 'serve', '--dir', dir)
    assert.equal(second.ready.fqdn, fqdn)
    assert.equal(await second.stop(), 0)
  })
})
