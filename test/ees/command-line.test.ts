import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { operatorClient } from '../../src/ees/adapters/operator-client.ts'
import { openPeer, type Peer } from '../../src/http/client.ts'
import { signerOf } from '../../src/ports/signer.ts'
import { clientTls } from '../../src/tls/client.ts'
import { createDpopProof } from '../../src/tokens/dpop-proof.ts'
import { issueEecAccessToken } from '../../src/tokens/eec-access-token.ts'
import { jwkThumbprint } from '../../src/tokens/jwk.ts'
import { aKey, fqdn } from '../certificates/a-domain.ts'
import { csrOf, pemOf, profileOf, type RunningEcs, runEcs } from '../ecs/running-ecs.ts'
import { edgeward, edgewardJson, type Server, serve } from '../stories/program.ts'
import { eecId, scope } from '../tokens/parties.ts'
import { ask, bodyOf, EEC_SCOPE } from './running-ees.ts'

/** Moves during which the S-EES is killed; each takes a few starts of processes. */
const KILLS = process.env['EDGEWARD_DEEP'] ? 40 : 2
const REGISTRATIONS = '/eees-eecregistration/v1/registrations'
const NAMES = ['ees1', 'ees2']
const POLICY = `
  - { id: there, effect: allow, scopes: [eees-eeccontextreloc], fqdn: ees1.example.com, target: ees2.example.com, eecIds: ['*'] }
`

interface Listed {
  readonly eecId: string
}

describe('an EES from the command line', () => {
  const parent = mkdtempSync(join(tmpdir(), 'edgeward-cli-'))
  const at = (...names: readonly string[]) => join(parent, ...names)
  const resolve = new Map(['ecs1', ...NAMES].map((name) => [`${name}.example.com`, '127.0.0.1']))
  const flags = [...resolve].flatMap(([name, address]) => ['--resolve', `${name}=${address}`])
  const servers = new Map<string, Server>()
  const peers: Peer[] = []
  let ecs: RunningEcs

  before(async () => {
    ecs = await runEcs()
    appendFileSync(join(ecs.folder, 'policy.yaml'), POLICY)
    await ecs.opened.reloadPolicy()
    for (const name of NAMES) {
      const who = { eesId: name.replace('ees', 'ees-'), fqdn: `${name}.example.com` }
      writeFileSync(at('bundle.json'), JSON.stringify(await ecs.invite(who)))
      writeFileSync(at('profile.json'), JSON.stringify(profileOf(who)))
      const files = ['--bundle', at('bundle.json'), '--profile', at('profile.json'), '--dir', at(name)]
      await edgewardJson('ees', 'onboard', ...files, ...flags)
      await start(name)
    }
  })
  after(async () => {
    for (const peer of peers) peer.close()
    await Promise.all([...servers.values()].map((server) => server.stop()))
    await ecs.close()
    rmSync(parent, { recursive: true })
  })

  /** On the ports that it had before. */
  async function start(name: string): Promise<void> {
    const before = servers.get(name)?.ready.listeners
    const port = (listener: string) => (before === undefined ? '0' : new URL(before[listener] ?? '').port)
    const ports = ['--port', port('mtls'), '--server-port', port('server')]
    servers.set(name, await serve('ees', 'serve', '--dir', at(name), ...ports))
  }

  async function kill(name: string): Promise<void> {
    const { process: child } = servers.get(name) as Server
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }

  const portOf = (name: string, listener: string) => new URL(servers.get(name)?.ready.listeners[listener] ?? '').port
  /** What `ees eec list` shows, without a process for it. */
  const list = (name: string) => operatorClient(at(name)).listEecs('', 1_000)
  const relocate = (id: string) =>
    edgeward(
      'ees',
      'relocate',
      '--dir',
      at('ees1'),
      '--eec-id',
      id,
      '--target',
      `ees2.example.com:${portOf('ees2', 'mtls')}`,
    )

  async function register(id: string): Promise<void> {
    const key = signerOf(aKey())
    const origin = `https://ees1.example.com:${portOf('ees1', 'server')}`
    const peer = openPeer(origin, clientTls([ecs.opened.ca.root()]), resolve)
    peers.push(peer)
    const { issuer } = JSON.parse(readFileSync(at('ees1', 'registration.json'), 'utf8')).authInfo
    const grant = { iss: issuer, eecId: eecId(id), aud: fqdn('ees1.example.com'), scope: scope(EEC_SCOPE) }
    const token = await issueEecAccessToken(
      { ...grant, jkt: jwkThumbprint(key.publicKey) },
      { signer: ecs.opened.tokenSigner(), now: Date.now(), jti: randomUUID() },
    )
    const request = { method: 'POST', uri: origin + REGISTRATIONS, token }
    const dpop = await createDpopProof(request, { signer: key, now: Date.now(), jti: randomUUID() })
    const headers = { authorization: `DPoP ${token}`, dpop, 'content-type': 'application/json' }
    const response = await peer.request({
      method: 'POST',
      path: REGISTRATIONS,
      headers,
      body: JSON.stringify({ eecId: id }),
    })
    assert.equal(response.status, 201, response.body.toString())
  }

  test('serve: one line says that it is ready, with both listeners', () => {
    const { ready } = servers.get('ees1') as Server
    assert.deepEqual([ready.ready, ready.fqdn], ['ees', 'ees1.example.com'])
    assert.deepEqual(Object.keys(ready.listeners).sort(), ['mtls', 'server'])
  })

  test('eas certify: an EAS gets its certificate, and registers with it', async () => {
    const key = aKey()
    writeFileSync(at('eas.csr'), await csrOf(key))
    const chain = at('eas.crt')
    const asked = ['--csr', at('eas.csr'), '--eas-id', 'eas-1', '--out', chain]
    await edgewardJson('ees', 'eas', 'certify', '--dir', at('ees1'), ...asked)
    const credential = { certificateChain: readFileSync(chain, 'utf8'), privateKey: pemOf(key) }
    const easProf = { easId: 'eas-1', endPt: { fqdn: 'eas-1.example.com' } }
    let seen: unknown
    for (let attempt = 0; attempt < 100; attempt++) {
      const origin = `https://ees1.example.com:${portOf('ees1', 'mtls')}`
      const eas = openPeer(origin, clientTls([ecs.opened.ca.root()], credential), resolve)
      const response = await ask(eas, 'POST', '/eees-easregistration/v1/registrations', { easProf }).catch(
        () => undefined,
      )
      eas.close()
      seen = response && bodyOf(response).easProf
      if (response?.status === 201) break
      await wait(100)
    }
    assert.deepEqual(seen, easProf)
  })

  test('relocate: while the T-EES is down the EEC stays, and can be moved once it is up', async () => {
    await register('eec-1')
    const listed = await edgewardJson<Listed[]>('ees', 'eec', 'list', '--dir', at('ees1'))
    assert.deepEqual(
      listed.map((each) => each.eecId),
      ['eec-1'],
    )
    await kill('ees2')
    const failed = await relocate('eec-1')
    assert.notEqual(failed.code, 0)
    assert.match(failed.stderr, /ees2\.example\.com/)
    assert.deepEqual(
      (await list('ees1')).map(({ eecId: id, movingTo }) => [id, movingTo]),
      [['eec-1', undefined]],
    )
    await start('ees2')
    const moved = await relocate('eec-1')
    assert.equal(moved.code, 0, moved.stderr)
    assert.deepEqual([(await list('ees1')).length, (await list('ees2')).map((each) => each.eecId)], [0, ['eec-1']])
  })

  test(`relocate: kill -9 of the S-EES during ${KILLS} moves: each EEC is at the T-EES in the end, and nowhere else`, async () => {
    for (let round = 0; round < KILLS; round++) {
      const id = `eec-killed-${round}`
      await register(id)
      const moving = relocate(id)
      // Somewhere between the start of the command and its end.
      await wait((1_500 * (round + 1)) / (KILLS + 1))
      await kill('ees1')
      await moving
      await start('ees1')
      const again = await relocate(id)
      assert.match(again.stderr, again.code === 0 ? /^$/ : /REGISTRATION_NOT_FOUND/)
    }
    assert.deepEqual(await list('ees1'), [])
    const arrived = (await list('ees2')).map((each) => each.eecId)
    assert.deepEqual(arrived, ['eec-1', ...[...Array(KILLS).keys()].map((round) => `eec-killed-${round}`).sort()])
  })
})
