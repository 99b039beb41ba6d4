import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { parseDocument, stringify } from 'yaml'
import { writeCertificationRequest } from '../../src/certificates/certification-request.ts'
import { writePem } from '../../src/certificates/pem.ts'
import { openPeer } from '../../src/http/client.ts'
import { signerOf } from '../../src/ports/signer.ts'
import { clientTls } from '../../src/tls/client.ts'
import { fqdn } from '../certificates/a-domain.ts'
import { anEditingProxy, type Edits } from '../eec/an-editing-proxy.ts'
import { edgeward, edgewardJson, type Server, serve, storyFolder } from './program.ts'

const SUPI = 'imsi-001010000000001'
const ENT = 'aes.mnc001.mcc001.pub.3gppnetwork.org'
const [ECS1, ECS2, EES1] = ['ecs1.example.com', 'ecs2.example.com', 'ees1.example.com']

interface Provisioned {
  readonly ecs: string
  readonly expiresAt: string
  readonly ednCnfgInfo: readonly { readonly eess: readonly { readonly eesId: string }[] }[]
}

interface Registered {
  readonly registrationId: string
  readonly method: string
}

interface Discovered {
  readonly discoveredEas: readonly { readonly eas: { readonly easId: string } }[]
}

/**
 * TR 33.739 6.25.2 with processes of their own: a core with its entitlement server, a UE that was never authenticated
 * to a serving network, an EEC, and two ECSs, of which the first verifies tokens by certificate and the second by
 * asking.
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
  const flags = [ECS1, ECS2, EES1, ENT].flatMap((name) => ['--resolve', `${name}=127.0.0.1`])
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

  /** An EES of the first ECS that takes tokens of the ECS, and of the entitlement server, which it asks. */
  async function makeEes() {
    const dir = story.at('ees1')
    const invited = ['--ees-id', 'ees-1', '--fqdn', EES1]
    const bundle = await edgewardJson('ecs', 'invite', '--dir', story.at('ecs1'), ...invited)
    const profile = { eesId: 'ees-1', endPt: { fqdn: EES1 }, eecRegConf: true, easIds: ['eas-1'] }
    writeFileSync(story.at('bundle.json'), JSON.stringify(bundle))
    writeFileSync(story.at('profile.json'), JSON.stringify(profile))
    const files = ['--bundle', story.at('bundle.json'), '--profile', story.at('profile.json')]
    await edgewardJson('ees', 'onboard', ...files, '--dir', dir, ...flags)
    const ways = { apiRoot: urlOf('ent'), introspectionRoot: urlOf('ent', 'mtls'), verify: 'both', unbound: 'refused' }
    const ent = { issuer: `https://${ENT}`, ...ways, anchors: [story.at('core', 'ca', 'root.crt')] }
    writeFileSync(story.at('ees1', 'ees.yaml'), stringify({ eec: { entitlementServers: [ent] } }))
    const [home, root] = [story.at('core', 'entitlement'), story.at('ecs1', 'ca', 'root.crt')]
    await edgewardJson('entitlement', 'trust', '--dir', home, '--fqdn', EES1, '--type', 'ees', '--root', root)
    await start('ees1', 'ees', 'serve', '--dir', dir, ...flags)
  }

  /** Eees_EASRegistration with a certificate of the EES's authority (TS 29.558 8.1). */
  async function registerEas(easId: string) {
    const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
    const request = await writeCertificationRequest({ fqdn: fqdn('eas1.example.com'), signer: signerOf(key) })
    writeFileSync(story.at('eas.csr'), writePem('CERTIFICATE REQUEST', request))
    const named = ['--csr', story.at('eas.csr'), '--eas-id', easId]
    const certify = ['ees', 'eas', 'certify', '--dir', story.at('ees1'), ...named, ...flags]
    const { certificate } = await edgewardJson<{ certificate: string }>(...certify)
    const privateKey = key.export({ type: 'pkcs8', format: 'pem' }).toString()
    const root = readFileSync(story.at('ecs1', 'ca', 'root.crt'), 'utf8')
    const tls = clientTls([root], { certificateChain: certificate, privateKey })
    const peer = openPeer(urlOf('ees1', 'mtls'), tls, new Map([[EES1, '127.0.0.1']]))
    const headers = { 'content-type': 'application/json' }
    const body = JSON.stringify({ easProf: { easId, endPt: { uri: 'https://eas1.example.com/' } } })
    const message = { method: 'POST', path: '/eees-easregistration/v1/registrations', headers, body } as const
    // The listener takes the new authority within a second.
    const deadline = Date.now() + 30_000
    let status: number | undefined
    while (status !== 201 && Date.now() < deadline) {
      status = (await peer.request(message).catch(() => undefined))?.status
      if (status !== 201) await new Promise((resolve) => setTimeout(resolve, 200))
    }
    peer.close()
    return status
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
    await makeEes()
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
    const headers = { 'content-type': 'application/json' }
    for (const [name, path, body] of [
      ['ecs1', '/eecs-serviceprovisioning/v1/request', { eecId: 'eec-1' }],
      ['ees1', '/eees-eecregistration/v1/registrations', { eecId: 'eec-1' }],
      ['ees1', '/eees-easdiscovery/v1/eas-profiles/request-discovery', { requestorId: { eecId: 'eec-1' } }],
    ] as const) {
      const resolve = new Map([ECS1, EES1].map((each) => [each, '127.0.0.1']))
      const peer = openPeer(urlOf(name), clientTls([root]), resolve)
      const { status } = await peer.request({ method: 'POST', path, headers, body: JSON.stringify(body) })
      peer.close()
      assert.equal(status, 401, path)
    }
    assert.equal((await edgeward(...eec('provision', 'ecs1', '--method', 'none'))).code, 2)
  })

  test('TS 29.558 8.1: an EAS registers at the EES', async () => {
    assert.equal(await registerEas('eas-1'), 201)
  })

  for (const [way, token] of [
    ['access-token', 'the token that the ECS made for this EES'],
    ['entitlement-token', 'a token of the entitlement server, which the EES asks about it'],
  ] as const) {
    test(`step 2, TS 24.558 5.2 and 5.3: registration and discovery at the EES, by ${token}`, async () => {
      const at = ['--ees', urlOf('ees1'), '--ees-method', way]
      const { registrationId, method } = await edgewardJson<Registered>(...eec('register', 'ecs1', ...at))
      assert.equal(method, way === 'access-token' ? 'EDGE_ACCESS_TOKEN' : 'ENTITLEMENT_TOKEN')
      const { discoveredEas } = await edgewardJson<Discovered>(...eec('discover', 'ecs1', ...at))
      assert.deepEqual(
        discoveredEas.map(({ eas }) => eas.easId),
        ['eas-1'],
      )
      await edgewardJson(...eec('deregister', 'ecs1', ...at, '--registration-id', registrationId))
      const again = await edgeward(...eec('deregister', 'ecs1', ...at, '--registration-id', registrationId))
      assert.deepEqual([again.code, again.stderr.split(':')[0]], [1, 'Refused by the server'])
    })
  }

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
      assert.deepEqual(statuses, [200, 200])
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
