import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { stringify } from 'yaml'
import { openEcs } from '../../src/ecs/adapters/open-ecs.ts'
import type { Bundle } from '../../src/ecs/operator/invite-ees.ts'
import { openPeer } from '../../src/http/client.ts'
import { createLog } from '../../src/http/log.ts'
import { systemClock } from '../../src/ports/clock.ts'
import { systemRandom } from '../../src/ports/random.ts'
import { type Signer, signerOf } from '../../src/ports/signer.ts'
import { systemTimers } from '../../src/ports/timers.ts'
import { clientTls } from '../../src/tls/client.ts'
import { createDpopProof } from '../../src/tokens/dpop-proof.ts'
import { issueEecAccessToken } from '../../src/tokens/eec-access-token.ts'
import { jwkThumbprint } from '../../src/tokens/jwk.ts'
import { aKey, fqdn } from '../certificates/a-domain.ts'
import { FaultProxy } from '../ecs/federation/fault-proxy.ts'
import { eecId as asEecId, scope } from '../tokens/parties.ts'
import { edgeward, edgewardJson, type Server, serve, storyFolder } from './program.ts'

const NAMES = {
  ecs1: 'ecs1.north.example.com',
  ecs2: 'ecs2.south.example.org',
  ees1: 'ees1.north.example.com',
  ees2: 'ees2.south.example.org',
} as const
type Name = keyof typeof NAMES
const ECS_OF = { ees1: 'ecs1', ees2: 'ecs2' } as const
const RELOCATION = 'eees-eeccontextreloc'
const RULES = `
  - { id: home, effect: allow, eesId: '*', scopes: [${RELOCATION}], target: '*', eecIds: ['*'] }
  - { id: away, effect: allow, ecs: '*', fqdn: '*', scopes: [${RELOCATION}], target: '*', eecIds: ['*'] }
`

interface ListedEec {
  readonly eecId: string
  readonly contextId: string
  readonly movingTo?: string
}

/** Each ECS and each EES is a process of its own; what is killed is killed while an answer of it is awaited. */
describe('killed in the middle of a relocation between two ECSs: TS 23.558 8.9.2', () => {
  let story: Awaited<ReturnType<typeof storyFolder>>
  const servers = {} as Record<Name, Server>
  const signers = {} as Record<'ecs1' | 'ecs2', Signer>
  const proxies = {} as Record<'ecs2' | 'ees1' | 'ees2', FaultProxy>
  const resolve = new Map(Object.values(NAMES).map((name) => [name, '127.0.0.1']))
  const flags = [...resolve].flatMap(([name, address]) => ['--resolve', `${name}=${address}`])
  const device = signerOf(aKey())

  before(async () => {
    story = await storyFolder()
    for (const name of ['ecs2', 'ees1', 'ees2'] as const)
      proxies[name] = await FaultProxy.before(() => portOf(name, 'mtls'))
    for (const ecs of ['ecs1', 'ecs2'] as const) {
      await edgewardJson('ecs', 'init', '--dir', story.at(ecs), '--fqdn', NAMES[ecs])
      appendFileSync(story.at(ecs, 'policy.yaml'), RULES)
      const mtlsRoot = ecs === 'ecs2' ? `mtlsRoot: https://${NAMES.ecs2}:${proxies.ecs2.port}\n` : ''
      appendFileSync(story.at(ecs, 'ecs.yaml'), `\n${stringify({ resolve: Object.fromEntries(resolve) })}${mtlsRoot}`)
      signers[ecs] = await signerOfTokens(ecs)
      await start(ecs)
    }
    await addPeer('ecs1', 'ecs2', 'south.example.org')
    await addPeer('ecs2', 'ecs1', 'north.example.com')
    for (const ees of ['ees1', 'ees2'] as const) {
      await onboard(ees)
      const sources = { ees1: `https://${NAMES.ees1}:${proxies.ees1.port}` }
      writeFileSync(story.at(ees, 'ees.yaml'), stringify({ relocation: { eecInToken: 'required', sources } }))
      await start(ees)
    }
  })
  after(async () => {
    await Promise.all(Object.values(servers).map((server) => server.stop()))
    await Promise.all(Object.values(proxies).map((proxy) => proxy.close()))
    await story.remove()
  })

  const portOf = (name: Name, listener: string) => Number(new URL(servers[name].ready.listeners[listener] ?? '').port)

  async function start(name: Name): Promise<void> {
    const more = name.startsWith('ees') ? flags : []
    servers[name] = await serve(name.slice(0, 3), 'serve', '--dir', story.at(name), ...more)
  }

  /** Of the tokens for EECs, which the tests make instead of the device side. */
  async function signerOfTokens(ecs: 'ecs1' | 'ecs2'): Promise<Signer> {
    const ports = { clock: systemClock, random: systemRandom, timers: systemTimers, log: createLog('test', 'silent') }
    const opened = await openEcs(story.at(ecs), ports)
    const signer = opened.tokenSigner()
    await opened.close()
    return signer
  }

  async function onboard(name: 'ees1' | 'ees2') {
    const who = ['--ees-id', name, '--fqdn', NAMES[name]]
    const bundle = await edgewardJson<Bundle>('ecs', 'invite', '--dir', story.at(ECS_OF[name]), ...who)
    writeFileSync(story.at('bundle.json'), JSON.stringify(bundle))
    const profile = { eesId: name, endPt: { fqdn: NAMES[name] }, eecRegConf: true }
    writeFileSync(story.at('profile.json'), JSON.stringify(profile))
    const files = ['--bundle', story.at('bundle.json'), '--profile', story.at('profile.json'), '--dir', story.at(name)]
    await edgewardJson('ees', 'onboard', ...files, ...flags)
  }

  function addPeer(one: 'ecs1' | 'ecs2', other: 'ecs1' | 'ecs2', nameSpace: string) {
    const apiRoot = `https://${NAMES[other]}:${portOf(other, 'server')}`
    const said = ['--fqdn', NAMES[other], '--api-root', apiRoot, '--name-space', nameSpace]
    return edgewardJson(
      'ecs',
      'peer',
      'add',
      '--dir',
      story.at(one),
      ...said,
      '--root',
      story.at(other, 'ca', 'root.crt'),
    )
  }

  /** An EEC registers over EDGE-1. */
  async function register(eecId: string, at: 'ees1' | 'ees2', more: object = {}) {
    const origin = `https://${NAMES[at]}:${portOf(at, 'server')}`
    const path = '/eees-eecregistration/v1/registrations'
    const ecs = ECS_OF[at]
    const grant = {
      iss: `https://${NAMES[ecs]}:${portOf(ecs, 'server')}`,
      eecId: asEecId(eecId),
      aud: fqdn(NAMES[at]),
      scope: scope('eees-eecregistration'),
      jkt: jwkThumbprint(device.publicKey),
    }
    const token = await issueEecAccessToken(grant, { signer: signers[ecs], now: Date.now(), jti: randomUUID() })
    const by = { signer: device, now: Date.now(), jti: randomUUID() }
    const dpop = await createDpopProof({ method: 'POST', uri: origin + path, token }, by)
    const peer = openPeer(origin, clientTls([readFileSync(story.at(at, 'ca.crt'), 'utf8')]), resolve)
    const headers = { authorization: `DPoP ${token}`, dpop, 'content-type': 'application/json' }
    const body = JSON.stringify({ eecId, ...more })
    const answer = await peer.request({ method: 'POST', path, headers, body }).finally(() => peer.close())
    assert.equal(answer.status, 201, answer.body.toString())
    return JSON.parse(answer.body.toString()) as { eecCntxId: string; acProfs?: unknown }
  }

  const eecsAt = (ees: 'ees1' | 'ees2') =>
    edgewardJson<ListedEec[]>('ees', 'eec', 'list', '--dir', story.at(ees), ...flags)
  const idsAt = async (ees: 'ees1' | 'ees2') => (await eecsAt(ees)).map(({ eecId }) => eecId)

  const relocate = (eecId: string) => {
    const target = `${NAMES.ees2}:${proxies.ees2.port}`
    return edgeward('ees', 'relocate', '--dir', story.at('ees1'), '--eec-id', eecId, '--target', target, ...flags)
  }

  async function until(reached: () => Promise<boolean> | boolean, what: string): Promise<void> {
    for (let tries = 0; tries < 300; tries += 1) {
      if (await reached()) return
      await wait(100)
    }
    assert.fail(what)
  }

  test('the T-EES is killed when it has the context and its answer is on the way: said so, and one registration in the end', async () => {
    await register('eec-1', 'ees1', { acProfs: [{ acId: 'ac-1' }] })
    proxies.ees2.set('mute after the handshake')
    const spoilt = proxies.ees2.spoilt
    const moving = relocate('eec-1')
    await until(() => proxies.ees2.spoilt > spoilt, 'the T-EES answers')
    await until(async () => (await idsAt('ees2')).includes('eec-1'), 'the T-EES has the context')
    await servers.ees2.stop('SIGKILL')
    const { code, stderr } = await moving
    assert.equal(code, 1)
    assert.doesNotMatch(stderr, / at .*\.ts:/)
    const [there] = await eecsAt('ees1')
    assert.ok(there?.eecId === 'eec-1' && there.movingTo !== undefined, 'the S-EES has not forgotten it')

    proxies.ees2.set(undefined)
    await start('ees2')
    const before = await eecsAt('ees2')
    await until(async () => (await relocate('eec-1')).code === 0 || (await idsAt('ees1')).length === 0, 'it is moved')
    assert.deepEqual([await idsAt('ees1'), await eecsAt('ees2')], [[], before])
  })

  test('the ECS of the T-EES is killed while it is asked for the token: said so, and the context stays where it is', async () => {
    await register('eec-2', 'ees1')
    proxies.ecs2.set('mute after the handshake')
    const spoilt = proxies.ecs2.spoilt
    const moving = relocate('eec-2')
    await until(() => proxies.ecs2.spoilt > spoilt, 'the ECS answers')
    await servers.ecs2.stop('SIGKILL')
    const { code, stderr } = await moving
    assert.equal(code, 1)
    assert.match(stderr, /503/)
    const [staying] = await eecsAt('ees1')
    assert.deepEqual([staying?.eecId, staying?.movingTo], ['eec-2', undefined])
    assert.ok(!(await idsAt('ees2')).includes('eec-2'))

    proxies.ecs2.set(undefined)
    await start('ecs2')
    await until(async () => (await relocate('eec-2')).code === 0, 'it is moved')
    assert.deepEqual([await idsAt('ees1'), await idsAt('ees2')], [[], ['eec-1', 'eec-2']])
    for (const ecs of ['ecs1', 'ecs2'] as const)
      assert.equal((await edgewardJson<{ ok: boolean }>('ecs', 'audit', 'verify', '--dir', story.at(ecs))).ok, true)
  })

  test('the S-EES is killed while its context is fetched: the EEC is registered with what it says itself, and the context is kept', async () => {
    const { eecCntxId } = await register('eec-3', 'ees1', { acProfs: [{ acId: 'ac-3' }] })
    proxies.ees1.set('mute after the handshake')
    const spoilt = proxies.ees1.spoilt
    const coming = register('eec-3', 'ees2', { eecCntxId, srcEesId: 'ees1' })
    await until(() => proxies.ees1.spoilt > spoilt, 'the S-EES answers')
    await servers.ees1.stop('SIGKILL')
    assert.equal((await coming).acProfs, undefined)
    proxies.ees1.set(undefined)
    await start('ees1')
    const [kept] = await eecsAt('ees1')
    assert.deepEqual([kept?.eecId, kept?.contextId, kept?.movingTo], ['eec-3', eecCntxId, undefined])
    assert.deepEqual(await idsAt('ees2'), ['eec-1', 'eec-2', 'eec-3'])
  })
})
