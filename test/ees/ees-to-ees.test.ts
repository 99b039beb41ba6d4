import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { stringify } from 'yaml'
import { asEesOperator } from '../../src/ees/adapters/as-operator.ts'
import { onboard, type Registration, type ServingEes, serveEes } from '../../src/ees/index.ts'
import { openPeer, type Peer, PeerUnavailable } from '../../src/http/client.ts'
import { createLog } from '../../src/http/log.ts'
import { signerOf } from '../../src/ports/signer.ts'
import { clientTls } from '../../src/tls/client.ts'
import { createDpopProof } from '../../src/tokens/dpop-proof.ts'
import { issueEecAccessToken } from '../../src/tokens/eec-access-token.ts'
import { jwkThumbprint } from '../../src/tokens/jwk.ts'
import { aKey, fqdn } from '../certificates/a-domain.ts'
import { profileOf, type RunningEcs, runEcs } from '../ecs/running-ecs.ts'
import { eecId, scope } from '../tokens/parties.ts'
import { ask, bodyOf, EEC_SCOPE, outcomeOf, RELOCATION } from './running-ees.ts'

const REGISTRATIONS = '/eees-eecregistration/v1/registrations'
const CONTEXTS = '/eees-eeccontextreloc/v1/eec-contexts'
const NAMES = ['ees1', 'ees2', 'ees3'] as const
const fqdnOf = (name: string) => `${name}.example.com`
const log = createLog('test', process.env['EDGEWARD_TEST_LOG'] ?? 'silent')

const POLICY = `
  - id: contexts
    effect: allow
    scopes: [eees-eeccontextreloc]
    fqdn: ees1.example.com
    target: ees2.example.com
    eecIds: [eec-1, eec-2]
  - id: contexts-fetched
    effect: allow
    scopes: [eees-eeccontextreloc]
    fqdn: ees2.example.com
    target: ees1.example.com
    eecIds: [eec-1, eec-2]
`

interface Ees {
  readonly folder: string
  readonly registration: Registration
  serving: ServingEes
}

describe('EDGE-9 between EESs of one ECS, over TLS: TS 23.558 8.9.2', () => {
  const parent = mkdtempSync(join(tmpdir(), 'edgeward-edge9-'))
  const resolve = new Map(['ecs1', ...NAMES].map((name) => [fqdnOf(name), '127.0.0.1']))
  const peers: Peer[] = []
  const key = signerOf(aKey())
  let ecs: RunningEcs
  let eess: Readonly<Record<(typeof NAMES)[number], Ees>>

  before(async () => {
    ecs = await runEcs()
    const file = join(ecs.folder, 'policy.yaml')
    writeFileSync(file, readFileSync(file, 'utf8') + POLICY)
    await ecs.opened.reloadPolicy()
    const [ees1, ees2, ees3] = await Promise.all(NAMES.map((name) => onboarded(name)))
    assert.ok(ees1 && ees2 && ees3)
    eess = { ees1, ees2, ees3 }
    const sources = { 'ees-1': originOf(ees1, 'mtls', 'ees1') }
    await restart(ees2, { relocation: { eecInToken: 'required', sources } })
  })
  after(async () => {
    for (const peer of peers) peer.close()
    for (const { serving, registration } of Object.values(eess)) {
      await serving.close()
      registration.close()
    }
    await ecs.close()
    rmSync(parent, { recursive: true })
  })

  async function onboarded(name: string): Promise<Ees> {
    const folder = join(parent, name)
    const who = { eesId: name.replace('ees', 'ees-'), fqdn: fqdnOf(name) }
    const bundle = JSON.stringify(await ecs.invite(who))
    const registration = await onboard(bundle, { eesProf: profileOf(who) }, { store: folder, resolve })
    return { folder, registration, serving: await serveEes(registration, { folder, resolve, log }) }
  }

  async function restart(ees: Ees, configuration: object): Promise<void> {
    await ees.serving.close()
    writeFileSync(join(ees.folder, 'ees.yaml'), stringify(configuration))
    ees.serving = await serveEes(ees.registration, { folder: ees.folder, resolve, log })
  }

  const originOf = ({ serving }: Ees, listener: 'server' | 'mtls', name: string) =>
    `https://${fqdnOf(name)}:${new URL(serving.listeners[listener]).port}`

  const idsAt = async ({ serving }: Ees) => (await serving.operator.listEecs('', 100)).map((each) => each.eecId)

  /** A request of the EEC, with a token of the real ECS for this EES. */
  async function askAs(id: string, name: (typeof NAMES)[number], method: 'POST' | 'PATCH', path: string, body: object) {
    const origin = originOf(eess[name], 'server', name)
    const peer = openPeer(origin, clientTls([ecs.opened.ca.root()]), resolve)
    peers.push(peer)
    const grant = {
      iss: eess[name].registration.record.authInfo.issuer,
      eecId: eecId(id),
      aud: fqdn(fqdnOf(name)),
      scope: scope(EEC_SCOPE),
    }
    const issuance = { signer: ecs.opened.tokenSigner(), now: Date.now(), jti: randomUUID() }
    const token = await issueEecAccessToken({ ...grant, jkt: jwkThumbprint(key.publicKey) }, issuance)
    const proof = { signer: key, now: Date.now(), jti: randomUUID() }
    const dpop = await createDpopProof({ method, uri: origin + path, token }, proof)
    const mediaType = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'
    const headers = { authorization: `DPoP ${token}`, dpop, 'content-type': mediaType }
    return peer.request({ method, path, headers, body: JSON.stringify(body) })
  }

  test('push: the EEC is registered at the T-EES, goes on there, and the S-EES has forgotten it', async () => {
    const { ees1, ees2 } = eess
    const acProfs = [{ acId: 'ac-1' }]
    const registered = await askAs('eec-1', 'ees1', 'POST', REGISTRATIONS, { eecId: 'eec-1', acProfs })
    assert.equal(registered.status, 201, registered.body.toString())
    // As the operator's command does it while the EES serves.
    const { implReg } = await asEesOperator({ ...ees1, log }, (operator) =>
      operator.relocate('eec-1', originOf(ees2, 'mtls', 'ees2')),
    )
    assert.deepEqual([await idsAt(ees1), await idsAt(ees2)], [[], ['eec-1']])
    const path = `${REGISTRATIONS}/${implReg?.regId}`
    const patched = await askAs('eec-1', 'ees2', 'PATCH', path, { ueMobilityReq: true })
    assert.deepEqual([patched.status, bodyOf(patched).acProfs], [200, acProfs])
  })

  test('pull: an EEC that says where it comes from brings its context along', async () => {
    const acProfs = [{ acId: 'ac-2' }]
    const before = await askAs('eec-2', 'ees1', 'POST', REGISTRATIONS, { eecId: 'eec-2', acProfs })
    const { eecCntxId } = bodyOf(before)
    const came = await askAs('eec-2', 'ees2', 'POST', REGISTRATIONS, { eecId: 'eec-2', eecCntxId, srcEesId: 'ees-1' })
    assert.deepEqual([came.status, bodyOf(came).acProfs], [201, acProfs])
    const unknown = { eecId: 'eec-1', eecCntxId: randomUUID(), srcEesId: 'https://elsewhere' }
    assert.equal((await askAs('eec-1', 'ees2', 'POST', REGISTRATIONS, unknown)).status, 201)
  })

  test('TK-07: without a rule of the ECS there is no token, and the EEC stays where it is', async () => {
    const { ees1, ees3 } = eess
    const move = ees1.serving.operator.relocate('eec-2', originOf(ees3, 'mtls', 'ees3'))
    await assert.rejects(move, { name: 'RefusedByServer', code: 'invalid_scope' })
    const [registration] = await ees1.serving.operator.listEecs('', 1)
    assert.deepEqual([registration?.eecId, registration?.movingTo], ['eec-2', undefined])
    assert.deepEqual(await idsAt(ees3), [])
  })

  test('RS-04: the token that the T-EES was shown is worth nothing at a third EES, at its source and at the ECS', async () => {
    const { ees1, ees2, ees3 } = eess
    const purpose = { scope: RELOCATION, target: 'ees2.example.com', eecId: 'eec-2' }
    const { accessToken } = await ees1.registration.token(purpose)
    const { credential, root } = ees2.registration
    const ecsOrigin = ees2.registration.record.authInfo.apiRoot
    const context = { eecId: 'eec-2', cntxId: 'c-1' }
    const attempts: [string, string, object][] = [
      [originOf(ees3, 'mtls', 'ees3'), CONTEXTS, { eesId: 'ees1.example.com', eecCntx: context }],
      [originOf(ees1, 'mtls', 'ees1'), CONTEXTS, { eesId: 'ees1.example.com', eecCntx: context }],
      [originOf(ees2, 'mtls', 'ees2'), CONTEXTS, { eesId: 'ees1.example.com', eecCntx: context }],
    ]
    for (const [origin, path, body] of attempts) {
      const peer = openPeer(origin, clientTls([root], credential), resolve)
      peers.push(peer)
      assert.deepEqual(outcomeOf(await ask(peer, 'POST', path, body, accessToken)), [401, 'TOKEN_INVALID'], origin)
    }
    const atEcs = openPeer(ecsOrigin, clientTls([root], credential), resolve)
    peers.push(atEcs)
    const { registrationId } = ees2.registration.record
    const shown = await ask(
      atEcs,
      'GET',
      `/eecs-eesregistration/v1/registrations/${registrationId}`,
      undefined,
      accessToken,
    )
    assert.deepEqual(outcomeOf(shown), [401, 'TOKEN_INVALID'])
    assert.deepEqual([await idsAt(ees3), await idsAt(ees1)], [[], ['eec-2']])
  })

  test('CA-06: to an EES that is revoked nothing more is said, not even with a token from before', async () => {
    const { ees1, ees2 } = eess
    const message = { method: 'GET', path: '/edgeward/v1/whoami' } as const
    const said = () =>
      ees1.registration.request(originOf(ees2, 'mtls', 'ees2'), message, { scope: RELOCATION, eecId: 'eec-2' }).then(
        ({ status }) => status,
        (error: unknown) => error as Error,
      )
    assert.equal(await said(), 403, 'it answers')
    await ecs.operator.revoke(ees2.registration.record.registrationId)
    let outcome = await said()
    for (let tries = 0; outcome === 403 && tries < 100; tries += 1) {
      await wait(100)
      outcome = await said()
    }
    assert.ok(outcome instanceof PeerUnavailable, String(outcome))
    assert.match(outcome.message, /^https:\/\/ees2\.example\.com:\d+: .*revoked/)
    // A new connection is judged before the first message as well.
    assert.ok((await said()) instanceof PeerUnavailable)
  })
})
