import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { parseDocument } from 'yaml'
import { openPeer } from '../../src/http/client.ts'
import { clientTls } from '../../src/tls/client.ts'
import { anEditingProxy, type Edits } from '../eec/an-editing-proxy.ts'
import { edgeward, edgewardJson, type Server, serve, storyFolder } from './program.ts'

const SUPI = 'imsi-001010000000001'
const ENT = 'aes.mnc001.mcc001.pub.3gppnetwork.org'
const [ECS1, ECS2] = ['ecs1.example.com', 'ecs2.example.com']

interface Provisioned {
  readonly ecs: string
  readonly expiresAt: string
  readonly ednCnfgInfo: readonly { readonly eess: readonly { readonly eesId: string }[] }[]
}

/**
 * TR 33.739 6.25.2 with processes of their own: a core with its entitlement server, a UE that was never authenticated to a
 * serving network, an EEC, and two ECSs, of which the first verifies tokens by certificate and the second by asking.
 */
describe('P2, a token of the entitlement server admits a device: TR 33.739 6.25.2', () => {
  let story: Awaited<ReturnType<typeof storyFolder>>
  const servers: Server[] = []
  const at = new Map<string, Server>()
  const start = async (name: string, ...arguments_: string[]) => {
    const server = await serve(...arguments_)
    servers.push(server)
    at.set(name, server)
    return server
  }
  const urlOf = (name: string, listener = 'server') => {
    const { fqdn, listeners } = at.get(name)?.ready ?? assert.fail(name)
    return `https://${fqdn}:${new URL(listeners[listener] ?? '').port}`
  }
  const flags = [ECS1, ECS2, ENT].flatMap((name) => ['--resolve', `${name}=127.0.0.1`])
  const eec = (command: string, ecs: string, ...more: string[]) => [
    ...['eec', command, '--dir', story.at('ue'), '--eec-id', 'eec-1'],
    ...['--ecs', urlOf(ecs), '--root', story.at(ecs, 'ca', 'root.crt')],
    ...(more.includes('--method') ? [] : ['--method', 'entitlement-token']),
    ...['--entitlement-server', urlOf('ent'), '--entitlement-root', story.at('core', 'ca', 'root.crt')],
    ...flags,
    ...more,
  ]

  /** An ECS that trusts the entitlement server, and is known there if it asks. */
  async function makeEcs(name: string, fqdn: string, verify: 'certificate' | 'introspection') {
    await edgewardJson('ecs', 'init', '--dir', story.at(name), '--fqdn', fqdn)
    const file = story.at(name, 'ecs.yaml')
    const configuration = parseDocument(readFileSync(file, 'utf8'))
    const introspectionRoot = urlOf('ent', 'mtls')
    const ent = { issuer: `https://${ENT}`, apiRoot: urlOf('ent'), introspectionRoot, verify, unbound: 'refused' }
    const anchors = [story.at('core', 'ca', 'root.crt')]
    // An AUSF that nobody will ask: with it the ECS offers two methods.
    const ausf = 'https://ausf.5gc.mnc001.mcc001.3gppnetwork.org'
    const keyServices = [{ realm: 'mnc001.mcc001', via: 'ausf', apiRoot: ausf, root: anchors[0] }]
    configuration.set('authentication', { keyServices, entitlementServers: [{ ...ent, anchors }] })
    configuration.set('resolve', { [ENT]: '127.0.0.1' })
    writeFileSync(file, String(configuration))
    const root = story.at(name, 'ca', 'root.crt')
    await edgewardJson('entitlement', 'trust', '--dir', story.at('core', 'entitlement'), '--fqdn', fqdn, '--root', root)
    await start(name, 'ecs', 'serve', '--dir', story.at(name))
  }

  before(async () => {
    story = await storyFolder()
    await edgewardJson('core', 'init', '--dir', story.at('core'), '--mcc', '001', '--mnc', '01')
    const [udm, ent] = [story.at('core', 'udm'), story.at('core', 'entitlement')]
    const usim = story.at('usim.json')
    await edgewardJson('udm', 'subscriber', 'add', '--dir', udm, '--supi', SUPI, '--new-usim', usim)
    await edgewardJson('ue', 'init', '--dir', story.at('ue'), '--subscription', usim)
    await start('udm', 'udm', 'serve', '--dir', udm)
    await start('ent', 'entitlement', 'serve', '--dir', ent)
    await start('ue', 'ue', 'serve', '--dir', story.at('ue'))
    await makeEcs('ecs1', ECS1, 'certificate')
    await makeEcs('ecs2', ECS2, 'introspection')
  })
  after(async () => {
    for (const server of servers.reverse()) await server.stop()
    await story.remove()
  })

  test('step 1: the operator entitles the subscriber, the user permits the EEC; without either there is no token', async () => {
    await edgewardJson('ue', 'allow', '--dir', story.at('ue'), '--eec-id', 'eec-1')
    const notPermitted = await edgeward(...eec('provision', 'ecs1'))
    assert.equal(notPermitted.code, 1)
    assert.match(notPermitted.stderr, /^Failed: TR 33\.739 6\.25\.2 step 1 .*POLICY_DENIED/)
    await edgewardJson('ue', 'allow', '--dir', story.at('ue'), '--eec-id', 'eec-1', '--entitlement')
    const notEntitled = await edgeward(...eec('provision', 'ecs1'))
    assert.equal(notEntitled.code, 1)
    assert.match(notEntitled.stderr, /^Failed: TR 33\.739 6\.25\.2 step 1 /)
    const named = ['--supi', SUPI, '--eec-id', 'eec-1', '--gpsi', 'msisdn-0010000001']
    await edgewardJson('entitlement', 'eec', 'allow', '--dir', story.at('core', 'entitlement'), ...named)
  })

  for (const [name, way] of [
    ['ecs1', "by the entitlement server's certificate"],
    ['ecs2', 'by asking the entitlement server'],
  ] as const) {
    test(`steps 1 and 2: EAP-AKA, then the token with a proof; the ECS verifies it ${way}`, async () => {
      const { code, stdout, stderr } = await edgeward(...eec('provision', name))
      assert.equal(code, 0, stderr)
      for (const text of ['chosen: ENTITLEMENT_TOKEN', 'TR 33.739 6.25.2 step 1', 'TR 33.739 6.25.2 step 2'])
        assert.ok(stdout.includes(text), `${text} in ${stdout}`)
      const { ecs, expiresAt } = await edgewardJson<Provisioned>(...eec('provision', name))
      assert.equal(ecs, name === 'ecs1' ? ECS1 : ECS2)
      assert.ok(Date.parse(expiresAt) <= Date.now() + 600_000)
    })
  }

  test('NG-01: no credential, no service: whoever shows nothing gets 401', async () => {
    const root = readFileSync(story.at('ecs1', 'ca', 'root.crt'), 'utf8')
    const peer = openPeer(urlOf('ecs1'), clientTls([root]), new Map([[ECS1, '127.0.0.1']]))
    const headers = { 'content-type': 'application/json' }
    const path = '/eecs-serviceprovisioning/v1/request'
    const { status } = await peer.request({ method: 'POST', path, headers, body: '{"eecId":"eec-1"}' })
    peer.close()
    assert.equal(status, 401)
    assert.equal((await edgeward(...eec('provision', 'ecs1', '--method', 'none'))).code, 2)
  })

  describe('somebody between EEC and ECS, with a certificate that the EEC trusts', () => {
    const METADATA = '/.well-known/oauth-authorization-server'
    const withoutKedge = (path: string, body: string) => (path === METADATA ? body.replace('"TLS_KEDGE",', '') : body)
    const through = async (edits: Edits, ...methods: string[]) => {
      const root = readFileSync(story.at('ecs1', 'ca', 'root.crt'), 'utf8')
      const proxy = await anEditingProxy({ origin: urlOf('ecs1'), root }, edits)
      writeFileSync(story.at('both.crt'), `${root}${proxy.root}`)
      const way = ['--ecs', proxy.origin, '--root', story.at('both.crt'), '--method', ...methods]
      const outcome = await edgeward(...eec('provision', 'ecs1', ...way))
      proxy.close()
      return { ...outcome, statuses: proxy.statuses }
    }
    const BOTH = ['kedge-psk', 'entitlement-token']

    test('NG-02: who passes everything on changes nothing', async () => {
      const { code, stderr, statuses } = await through({}, 'entitlement-token')
      assert.equal(code, 0, stderr)
      assert.deepEqual(statuses, [200, 204])
    })

    test('NG-02: who takes the stronger method out of the offer is found out by both ends', async () => {
      const { code, stdout, stderr, statuses } = await through({ response: withoutKedge }, ...BOTH)
      assert.match(stdout, /offered: ENTITLEMENT_TOKEN; chosen: ENTITLEMENT_TOKEN/)
      assert.deepEqual([code, statuses], [1, [200, 401]])
      assert.match(stderr, /^Refused by the server: .*AUTHENTICATION_METHOD_NOT_ACCEPTED/)
    })

    test('NG-02: and if they keep the ECS from learning of it, by the EEC', async () => {
      const request = ({ headers }: { headers: Record<string, string> }) => {
        delete headers['edge-auth-methods']
      }
      const { code, stderr } = await through({ response: withoutKedge, request }, ...BOTH)
      assert.equal(code, 1)
      assert.match(stderr, /^Failed: the ECS offered other methods than the EEC has seen/)
    })

    test('RFC 9449: the proof is for the address that the EEC meant, and for no other', async () => {
      const request = ({ path, headers }: { path: string; headers: Record<string, string> }) => {
        if (path !== METADATA) headers[':authority'] = ECS1
      }
      const { code, stderr, statuses } = await through({ request }, 'entitlement-token')
      assert.deepEqual([code, statuses], [1, [200, 401]])
      assert.match(stderr, /DPOP_PROOF_INVALID/)
    })
  })

  test('EN-06: a subscriber that is withdrawn gets no more tokens', async () => {
    await edgewardJson('entitlement', 'withdraw', '--dir', story.at('core', 'entitlement'), '--supi', SUPI)
    const { code, stderr } = await edgeward(...eec('provision', 'ecs1'))
    assert.equal(code, 1)
    assert.match(stderr, /^Failed: TR 33\.739 6\.25\.2 step 1 /)
  })

  test('KE-11: no output and no log has named the IMSI', () => {
    for (const server of servers) assert.ok(!server.log().includes(SUPI.slice(5)), server.ready.ready)
  })
})
