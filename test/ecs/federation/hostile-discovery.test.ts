import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { freePorts } from '../../../src/http/free-ports.ts'
import type { ApplicationError } from '../../../src/spec/application-errors.ts'
import type { ECSServProvResp } from '../../../src/spec/messages/service-provisioning.ts'
import { refusedWith } from '../refusals.ts'
import { bodyOf, type RunningEes } from '../running-ecs.ts'
import { anEes, ecsName, eesName, type Member, startMember, trail, trust } from './a-federation.ts'
import { type HostileAnswer, HostilePeer } from './a-hostile-peer.ts'

const DISCOVER = '/eecs-ecsdiscovery/v1/ecs-info/discover'
const PROVISION = '/eecs-esp/v1/request'

describe('a trusted peer that answers something else about EESs: THREATS FW-03, FW-05, FW-06', () => {
  const labels = ['a', 'b', 'c']
  let a: Member
  let b: Member
  let c: Member
  let hostile: HostilePeer
  let client: RunningEes
  let canary: Server
  let caught = 0
  let canaryPort: number

  before(async () => {
    const [port = 0] = await freePorts('127.0.0.1', 1)
    a = await startMember('a', labels)
    b = await startMember('b', labels, {}, `mtlsRoot: https://${ecsName('b')}:${port}\n`)
    c = await startMember('c', labels)
    // Of the names below b, those below c.b are of c.
    await trust(a, b)
    await trust(a, c, ['c.b'])
    await trust(c, a)
    client = await anEes(a)
    await anEes(c)
    hostile = await HostilePeer.inPlaceOf(b, [a.ecs.opened.ca.root()], port)
    canary = createServer((socket) => {
      caught += 1
      socket.destroy()
    })
    await new Promise<void>((listening) => canary.listen(0, '127.0.0.1', listening))
    const address = canary.address()
    canaryPort = typeof address === 'object' && address !== null ? address.port : assert.fail()
  })
  after(async () => {
    await hostile.close()
    await new Promise((closed) => canary.close(closed))
    await Promise.all([a, b, c].map(({ ecs }) => ecs.close()))
  })

  const saying = (body: unknown, status = 200, type = 'application/json'): HostileAnswer => ({
    status,
    headers: { 'content-type': type },
    body: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body),
  })
  const itself = (endPt: object = { fqdn: ecsName('b') }) => ({ ecsInfo: [{ ecs: { endPt } }] })
  const honest = { eesId: 'ees1-b', endPt: { fqdn: eesName('b') }, eecRegConf: false, easIds: ['eas-9'] }
  const having = (...eess: object[]) => ({ ednConfigInfo: [{ ednConInfo: {}, eess }] })

  function answers(provisioning: HostileAnswer, discovery: HostileAnswer = saying(itself())): void {
    hostile.answer = (path) => (path === DISCOVER ? discovery : provisioning)
  }
  const ask = (easId = 'eas-9') => {
    const query = new URLSearchParams({ 'ees-id': 'ees1-a', 'eas-id': easId })
    return client.peer.request({ method: 'GET', path: `/eecs-targeteesdiscovery/v1/ees-profiles?${query}` })
  }
  async function found(easId?: string) {
    const response = await ask(easId)
    assert.equal(response.status, 200, response.body.toString())
    return bodyOf<ECSServProvResp>(response).ednCnfgInfo.flatMap(({ eess }) => eess)
  }

  test('FW-03, FW-06: of one honest EES and those of others that a peer tells of, only the honest one is passed on', async () => {
    const named = (fqdn: string) => ({ ...honest, endPt: { fqdn } })
    const others = [
      named(eesName('c')),
      named('ees1.c.b.example.com'),
      named(eesName('a')),
      named('ees2.a.example.com'),
      named('ees1.badb.example.com'),
      named('example.com'),
      named('b.example.com.evil.example'),
      { ...honest, endPt: { ipv4Addrs: ['127.0.0.1'] } },
      { ...honest, endPt: { ipv6Addrs: ['::1'] } },
      { ...honest, endPt: { uri: `https://127.0.0.1:${canaryPort}` } },
      { ...honest, endPt: { uri: `http://${eesName('b')}` } },
      { ...honest, endPt: { uri: `https://${eesName('b')}@evil.example` } },
      { ...honest, endPt: { uri: `https://${eesName('b')}/../../` } },
      { ...honest, endPt: undefined },
      { ...honest, easIds: ['eas-1'] },
      { ...honest, easIds: undefined },
      { ...honest, eesId: '../ees' },
      { ...honest, eesId: '\u001b[2J' },
    ]
    for (const other of others) {
      answers(saying(having(other)))
      refusedWith(await ask(), 'REGISTRATION_NOT_FOUND')
    }
    const more = { accessToken: 'canary', eesAuthMethods: ['TLS_WITH_AKMA'], satelliteId: 'canary' }
    answers(saying(having(...others, { ...honest, ...more })))
    assert.deepEqual(await found(), [honest])
    const withPort = { ...honest, endPt: { uri: `https://${eesName('b')}:8444` } }
    answers(saying(having(withPort)))
    assert.deepEqual(await found(), [withPort])
  })

  test('FW-05: no address that a peer tells is one: a canary hears nothing, whatever the answers name', async () => {
    const hosts = [
      { fqdn: 'evil.example' },
      { uri: `https://127.0.0.1:${canaryPort}` },
      { uri: `https://localhost:${canaryPort}` },
      { uri: `https://${ecsName('c')}.evil.example` },
      { ipv4Addrs: ['127.0.0.1'] },
      { fqdn: ecsName('a') },
    ]
    const asked = () => hostile.asked.filter(({ path }) => path === PROVISION).length
    for (const endPt of hosts) {
      const before = asked()
      answers(saying(having(honest)), saying(itself(endPt)))
      refusedWith(await ask(), 'REGISTRATION_NOT_FOUND')
      assert.equal(asked(), before, 'it did not name itself')
    }
    // Where it names a peer, with whatever port, that peer is asked where its trust bundle says it is.
    answers(saying(having(honest)), saying(itself({ uri: `https://${ecsName('b')}:${canaryPort}` })))
    assert.deepEqual(await found(), [honest])
    answers(saying(having(honest)), saying(itself({ uri: `https://${ecsName('c')}:${canaryPort}` })))
    refusedWith(await ask(), 'REGISTRATION_NOT_FOUND')
    const location = `https://${ecsName('b')}:${canaryPort}/`
    for (const status of [301, 307, 308]) {
      answers({ status, headers: { location, 'alt-svc': `h2="${location}"` } })
      refusedWith(await ask(), 'PEER_ANSWER_NOT_ACCEPTED')
      answers(saying(having(honest)), { status, headers: { location } })
      refusedWith(await ask(), 'PEER_ANSWER_NOT_ACCEPTED')
    }
    assert.equal(caught, 0)
  })

  test('FW-06: what is no answer of its type is none, and takes nothing away from another peer', async () => {
    const notAccepted = 'PEER_ANSWER_NOT_ACCEPTED'
    const kinds: readonly (readonly [HostileAnswer, ApplicationError])[] = [
      [saying({}), notAccepted],
      [saying({ ednConfigInfo: [] }), notAccepted],
      [saying(having({ ...honest, eecRegConf: 'yes' })), notAccepted],
      [saying(having({ ...honest, endPt: { fqdn: eesName('b'), uri: 'https://evil.example' } })), notAccepted],
      [saying('<html>', 200, 'text/html'), notAccepted],
      [saying(having(honest), 201), notAccepted],
      [saying('{"ednConfigInfo":', 200), notAccepted],
      [saying(Buffer.alloc(65_537, ' ')), 'PEER_NOT_AVAILABLE'],
      [saying({ status: 500, cause: 'SYSTEM_FAILURE' }, 500, 'application/problem+json'), 'PEER_NOT_AVAILABLE'],
      [saying({ status: 403, detail: 'canary' }, 403, 'application/problem+json'), 'REGISTRATION_NOT_FOUND'],
    ]
    for (const [answer, code] of kinds) {
      answers(answer)
      const problem = refusedWith(await ask(), code)
      assert.ok(!JSON.stringify(problem).includes('canary'))
      assert.deepEqual(
        (await found('eas-1')).map(({ eesId }) => eesId),
        ['ees1-c'],
      )
    }
  })

  test('FW-06: a peer that names another one, and fails itself, does not make the answer of that one come too late', async () => {
    const both = { ecsInfo: [{ ecs: { endPt: { fqdn: ecsName('b') } } }, { ecs: { endPt: { fqdn: ecsName('c') } } }] }
    answers(saying({ status: 500, cause: 'SYSTEM_FAILURE' }, 500, 'application/problem+json'), saying(both))
    for (let tries = 0; tries < 10; tries += 1)
      assert.deepEqual(
        (await found('eas-1')).map(({ eesId }) => eesId),
        ['ees1-c'],
      )
  })

  test('FW-02: who is mistaken about itself makes no other ECS hear anything; the line in the trail comes first', async () => {
    answers(saying(having(honest)))
    const before = hostile.asked.length
    for (const query of ['ees-id=ees1-b&eas-id=eas-9', 'eas-id=eas-9', 'ees-id=ees1-a', 'ees-id=ees1-a&eas-id='])
      assert.ok(
        (await client.peer.request({ method: 'GET', path: `/eecs-targeteesdiscovery/v1/ees-profiles?${query}` }))
          .status >= 400,
      )
    assert.equal(hostile.asked.length, before)
    const lines = (await trail(a, 'discovery-forwarded')).length
    await found()
    assert.equal((await trail(a, 'discovery-forwarded')).length, lines + 1)
    const [first, second] = hostile.asked.slice(-2)
    assert.deepEqual([first?.path, second?.path], [DISCOVER, PROVISION])
    const port = new URL(a.ecs.serving.listeners.mtls).port
    const acProfs = [{ acId: 'target', eass: [{ easId: 'eas-9' }] }]
    const asking = { acProfs, requestingEes: eesName('a') }
    assert.deepEqual(JSON.parse(first?.body ?? ''), { ecsAddr: { uri: `https://${ecsName('a')}:${port}` }, ...asking })
    assert.deepEqual(JSON.parse(second?.body ?? ''), asking)
  })
})
