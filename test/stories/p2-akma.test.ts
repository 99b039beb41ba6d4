import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { parseDocument } from 'yaml'
import { authenticationRequest } from '../../src/eec/authentication/authentication-request.ts'
import { processApplicationKeyResponse } from '../../src/eec/authentication/edge-key.ts'
import { provisioningRequest } from '../../src/eec/provisioning/service-provisioning.ts'
import { openPeer, type Response } from '../../src/http/client.ts'
import { parseAKid } from '../../src/spec/a-kid.ts'
import { clientTls } from '../../src/tls/client.ts'
import { type Psk, pskClientTls, requirePsk } from '../../src/tls/psk-client.ts'
import { bodyOf } from '../ecs/running-ecs.ts'
import { parsed } from '../keys/octets.ts'
import { EEC_1 } from '../ue/a-folder.ts'
import { json } from '../ue/a-home-network.ts'
import { askUe, credentialOf } from '../ue/ask-ue.ts'
import { edgeward, edgewardJson, type Server, serve, storyFolder } from './program.ts'

const NAMES = { ecs1: 'ecs1.edge.example.com', ecs2: 'ecs2.edge.example.com' } as const
type Name = keyof typeof NAMES
const EES = 'ees1.edge.example.com'

/**
 * TS 33.558 6.2 with the key of TS 33.535, processes of their own: a subscriber with AKMA and without Kedge, and two
 * ECSs in the operator's domain, each an application function of its own.
 */
describe('P2, a device with AKMA needs no token: TS 33.535 6.2.1, TS 33.558 6.2', () => {
  let story: Awaited<ReturnType<typeof storyFolder>>
  const servers = new Map<string, Server>()
  const start = async (name: string, ...command: string[]) => {
    servers.set(name, await serve(...command))
  }
  const serverOf = (name: string) => servers.get(name) ?? assert.fail(`${name} does not run`)
  const originOf = (name: Name, listener: string) =>
    `https://${NAMES[name]}:${new URL(serverOf(name).ready.listeners[listener] ?? '').port}`
  const resolve = new Map(Object.values(NAMES).map((name) => [name as string, '127.0.0.1']))

  /** One command of the operator puts the ECS on the list of the AUSF, and says what the ECS has to know. */
  async function makeEcs(name: Name) {
    await edgewardJson('ecs', 'init', '--dir', story.at(name), '--fqdn', NAMES[name])
    const trust = ['--ecs-fqdn', NAMES[name], '--root', story.at(name, 'ca', 'root.crt'), '--akma']
    const { keyService } = await edgewardJson<{ keyService: object }>(
      'core',
      'trust',
      '--dir',
      story.at('core'),
      ...trust,
    )
    const file = story.at(name, 'ecs.yaml')
    const configuration = parseDocument(readFileSync(file, 'utf8'))
    configuration.set('authentication', { keyServices: [keyService] })
    configuration.set('resolve', { 'ausf.5gc.mnc001.mcc001.3gppnetwork.org': '127.0.0.1' })
    writeFileSync(file, String(configuration))
  }

  async function onboardEes() {
    const invited = ['--dir', story.at('ecs1'), '--ees-id', 'ees1', '--fqdn', EES]
    writeFileSync(story.at('ees1.bundle'), JSON.stringify(await edgewardJson('ecs', 'invite', ...invited)))
    writeFileSync(story.at('ees1.profile'), JSON.stringify({ eesId: 'ees1', endPt: { fqdn: EES }, eecRegConf: true }))
    const files = [
      '--bundle',
      story.at('ees1.bundle'),
      '--profile',
      story.at('ees1.profile'),
      '--dir',
      story.at('ees1'),
    ]
    const resolved = ['--resolve', `${NAMES.ecs1}=127.0.0.1`]
    await edgewardJson('ees', 'onboard', ...files, ...resolved)
    await start('ees1', 'ees', 'serve', '--dir', story.at('ees1'), ...resolved)
  }

  const eec = (command: string, name: Name, ...more: string[]) => {
    const ecs = ['--ecs', originOf(name, 'server'), '--root', story.at(name, 'ca', 'root.crt')]
    const resolved = [NAMES[name], EES].flatMap((each) => ['--resolve', `${each}=127.0.0.1`])
    return edgeward('eec', command, '--dir', story.at('ue'), '--eec-id', EEC_1, ...ecs, ...resolved, '--json', ...more)
  }
  const provision = (name: Name, ...methods: string[]) => eec('provision', name, '--method', ...methods)
  /** The session request, as any program could send it. */
  async function askEcs(name: Name, aKId: string): Promise<Response> {
    const root = readFileSync(story.at(name, 'ca', 'root.crt'), 'utf8')
    const peer = openPeer(originOf(name, 'server'), clientTls([root]), resolve)
    const response = await peer.request(authenticationRequest(EEC_1, { aKId: parsed(parseAKid(aKId)) }))
    peer.close()
    return response
  }
  /** What the UE gives to its EEC for one ECS. */
  async function kafFor(name: Name) {
    const { token, socket } = credentialOf(story.at('ue', 'eecs', `${EEC_1}.json`))
    const body = JSON.stringify({ eecId: EEC_1, ecsFqdn: NAMES[name] })
    const answer = await askUe(socket, token, { path: '/application-key/v1/retrieve', body })
    return processApplicationKeyResponse(json(answer.body))
  }
  async function provisionWith(name: Name, psk: Psk) {
    const peer = openPeer(originOf(name, 'psk'), pskClientTls(psk), resolve, requirePsk)
    try {
      return (await peer.request(provisioningRequest(EEC_1, {}))).status
    } finally {
      peer.close()
    }
  }
  const askedOfAusf = () =>
    serverOf('ausf')
      .log()
      .match(/"operation":"GetAKMAAPPKeyMaterial".*?"status":\d+/g) ?? []

  before(async () => {
    story = await storyFolder()
    const { at } = story
    await edgewardJson('core', 'init', '--dir', at('core'), '--mcc', '001', '--mnc', '01')
    const subscriber = ['--supi', 'imsi-001010000000001', '--akma', '--new-usim', at('usim.json')]
    await edgewardJson('udm', 'subscriber', 'add', '--dir', at('core', 'udm'), ...subscriber)
    await edgewardJson('ue', 'init', '--dir', at('ue'), '--subscription', at('usim.json'))
    await edgewardJson('ue', 'allow', '--dir', at('ue'), '--eec-id', EEC_1)
    await makeEcs('ecs1')
    await makeEcs('ecs2')
    for (const name of ['udm', 'ausf']) await start(name, name, 'serve', '--dir', at('core', name))
    for (const name of ['ecs1', 'ecs2']) await start(name, 'ecs', 'serve', '--dir', at(name))
    await start('ue', 'ue', 'serve', '--dir', at('ue'))
    await onboardEes()
  })
  after(async () => {
    for (const server of servers.values()) await server.stop()
    await story.remove()
  })

  test('NG-03: before the UE has authenticated it has no key, and no ECS hears of the EEC', async () => {
    const { code, stderr } = await provision('ecs1', 'akma')
    assert.equal(code, 1)
    assert.match(stderr, /^Failed: TS 33\.535 6\.2\.1 step 1 \(key from the UE\): 404/)
  })

  test('the UE authenticates, the EEC opens TLS with KAF at the ECS, and is provisioned', async () => {
    await edgewardJson('ue', 'authenticate', '--dir', story.at('ue'), '--amf', story.at('core', 'amf'))
    const { code, stdout, stderr } = await provision('ecs1', 'akma', 'kedge-psk')
    assert.equal(code, 0, stderr)
    const { ednCnfgInfo } = JSON.parse(stdout) as { ednCnfgInfo: { eess: { eesId: string }[] }[] }
    assert.deepEqual(
      ednCnfgInfo.flatMap(({ eess }) => eess.map(({ eesId }) => eesId)),
      ['ees1'],
    )
    assert.equal(askedOfAusf().length, 1)
  })

  test('D-12: and it registers at an EES, with the token that came with the answer of the ECS', async () => {
    const { port } = new URL(serverOf('ees1').ready.listeners['server'] ?? '')
    const { code, stdout, stderr } = await eec(
      'register',
      'ecs1',
      '--method',
      'akma',
      '--ees',
      `https://${EES}:${port}`,
    )
    assert.equal(code, 0, stderr)
    assert.equal((JSON.parse(stdout) as { method: string }).method, 'EDGE_ACCESS_TOKEN')
    assert.doesNotMatch(serverOf('ecs1').log(), /"operation":"EecAccessTokenRequest"/)
  })

  test('NG-03: a subscriber without Kedge does not come in by Kedge, and AKMA is not tried in its place', async () => {
    const asked = askedOfAusf().length
    const { code, stderr } = await provision('ecs1', 'kedge-psk', 'akma')
    assert.equal(code, 1)
    assert.match(stderr, /step 4 \(authentication request to the ECS\): 404 KEDGE_NOT_FOUND/)
    assert.equal(askedOfAusf().length, asked)
  })

  test('KE-04: KAF of one application function is of no use at another, which has its own', async () => {
    const [ofEcs1, ofEcs2] = [await kafFor('ecs1'), await kafFor('ecs2')]
    assert.equal(ofEcs1.psk.identity, ofEcs2.psk.identity)
    assert.equal((await askEcs('ecs2', ofEcs1.name.aKId)).status, 201)
    await assert.rejects(provisionWith('ecs2', ofEcs1.psk), { name: 'PeerUnavailable', phase: 'connect' })
    assert.equal(await provisionWith('ecs2', ofEcs2.psk), 204)
  })

  test('KE-07: an A-KID that nobody has is refused like one of a network that is not served', async () => {
    const { aKId } = (await kafFor('ecs1')).name
    const unknown = await askEcs('ecs1', aKId.replace(/atid\w{8}/, 'atid00000000'))
    const foreign = await askEcs('ecs1', aKId.replace('mnc001', 'mnc002'))
    assert.deepEqual([unknown.status, unknown.body], [foreign.status, foreign.body])
    assert.deepEqual([unknown.status, bodyOf<{ cause: string }>(unknown).cause], [404, 'KEDGE_NOT_FOUND'])
    assert.equal((await askEcs('ecs1', aKId)).status, 201)
  })

  test('KE-13: with the AUSF stopped an ECS that has no key refuses, and the EEC tries nothing else', async () => {
    await serverOf('ausf').stop()
    await serverOf('ecs2').stop()
    await start('ecs2', 'ecs', 'serve', '--dir', story.at('ecs2'))
    const { code, stderr } = await provision('ecs2', 'akma', 'kedge-psk')
    assert.equal(code, 1)
    assert.match(stderr, /^Failed: TS 33\.535 6\.2\.1 step 1 \(authentication request to the ECS\): 503/)
    assert.doesNotMatch(serverOf('ecs2').log(), /"operation":"RequestServProv"/)
  })

  test('KAF comes from the AUSF alone: an ECS outside the domain is not trusted with AKMA', async () => {
    const trust = ['--ecs-fqdn', NAMES.ecs1, '--root', story.at('ecs1', 'ca', 'root.crt'), '--akma', '--via', 'nef']
    const { code, stderr } = await edgeward('core', 'trust', '--dir', story.at('core'), ...trust)
    assert.deepEqual([code, stderr], [1, 'Failed: KAF is given by the AUSF alone: --akma goes with --via ausf\n'])
  })
})
