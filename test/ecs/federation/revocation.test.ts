import assert from 'node:assert/strict'
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { readCertificateList } from '../../../src/certificates/certificate.ts'
import { issueCrl, readCrl } from '../../../src/certificates/crl.ts'
import { readAuthority } from '../../../src/ecs/adapters/own-keys.ts'
import { revocationListOf } from '../../../src/ecs/certificate-authority/authorities.ts'
import { openPeer, type Peer } from '../../../src/http/client.ts'
import { clientTls } from '../../../src/tls/client.ts'
import { ecsName, type Member, startMember, trust } from './a-federation.ts'
import { type EesOfMember, serveAt, until, WHO_AM_I } from './a-serving-ees.ts'

const LABELS = ['a', 'b']
const RULES = `
  - { id: who-home, effect: allow, eesId: '*', scopes: [${WHO_AM_I}], target: '*' }
  - { id: who-away, effect: allow, fqdn: '*', ecs: '*', scopes: [${WHO_AM_I}], target: '*' }
`

describe('revocation lists between ECSs: RFC 5280 6.3, EDGE-9', () => {
  let [a, b]: Member[] = []
  let target: EesOfMember
  let local: EesOfMember
  let revoked: EesOfMember
  let honest: EesOfMember
  const peers: Peer[] = []

  before(async () => {
    const members = await Promise.all(LABELS.map((label) => startMember(label, LABELS)))
    for (const { ecs } of members) {
      appendFileSync(join(ecs.folder, 'policy.yaml'), RULES)
      await ecs.operator.reloadPolicy()
    }
    ;[a, b] = members
    assert.ok(a && b)
    await trust(a, b)
    await trust(b, a)
    target = await serveAt(a, 1, LABELS)
    local = await serveAt(a, 2, LABELS)
    revoked = await serveAt(b, 1, LABELS)
    honest = await serveAt(b, 2, LABELS)
  })
  after(async () => {
    for (const peer of peers) peer.close()
    await Promise.all([target, local, revoked, honest].map((ees) => ees.close()))
    await Promise.all([a, b].map((member) => member?.ecs.close()))
  })

  /** A connection of its own, with a token that was got while it was given, and keeps its life. */
  async function callerOf({ registration }: EesOfMember) {
    const { accessToken } = await registration.token({ scope: WHO_AM_I, target: target.fqdn })
    const root = target.registration.root
    const open = () => {
      const tls = clientTls([root], registration.credential)
      const peer = openPeer(target.origin, tls, new Map([[target.fqdn, '127.0.0.1']]))
      peers.push(peer)
      return peer
    }
    const headers = { authorization: `Bearer ${accessToken}` }
    const ask = (peer: Peer) => peer.request({ method: 'GET', path: '/edgeward/v1/whoami', headers })
    return { kept: open(), ask, askAnew: () => ask(open()) }
  }

  test('CA-06: an EES that is revoked at its ECS is refused by the EES of another one, open connection and new, token or not', async () => {
    const bad = await callerOf(revoked)
    const good = await callerOf(honest)
    const own = await callerOf(local)
    for (const { ask, kept } of [bad, good, own]) assert.equal((await ask(kept)).status, 200)
    await b?.ecs.operator.revoke('ees1-b')
    const outcome = (answer: Promise<{ status: number; body: Buffer }>) =>
      answer.then(
        ({ status, body }) => (status === 200 ? 'let in' : `${status} ${JSON.parse(body.toString()).cause}`),
        () => 'no connection',
      )
    await until(async () => (await outcome(bad.ask(bad.kept))) !== 'let in', 'refused on its open connection')
    assert.equal(await outcome(bad.askAnew()), '401 CERTIFICATE_REVOKED')
    for (const { ask, kept, askAnew } of [good, own]) {
      assert.equal((await ask(kept)).status, 200)
      assert.equal((await askAnew()).status, 200)
    }
  })

  test('CA-07: the list that an EES looks at is the one of the partner itself, whoever hands it on', async () => {
    const [leaf, issuer] = readCertificateList(revoked.registration.credential.certificateChain)
    assert.ok(leaf && issuer)
    const path = `/crl/${revocationListOf(issuer)}`
    const [here, there] = await Promise.all(
      [a, b].map((member) => member?.ecs.anybody().request({ method: 'GET', path })),
    )
    assert.ok(here && there)
    assert.deepEqual([here.status, there.status], [200, 200])
    assert.ok(readCrl(here.body).revoked.has(leaf.serial))
    assert.ok(readCrl(here.body).authorityKeyId.equals(issuer.subjectKeyId ?? Buffer.alloc(0)))
    const unknown = await a?.ecs.anybody().request({ method: 'GET', path: `/crl/${'0'.repeat(40)}.crl` })
    assert.equal(unknown?.status, 404)
  })

  test('CA-06: when its root revokes the authority for EESs, none of its EESs is let in any more, and ours are', async () => {
    const { folder, opened } = (b ?? assert.fail()).ecs
    const good = await callerOf(honest)
    const own = await callerOf(local)
    assert.equal((await good.askAnew()).status, 200)
    const root = await readAuthority(opened.ca.files.at('', 'root'), { keyFile: join(folder, 'sealing.key') })
    const { serial } = opened.ca.present().eesIssuer.certificate
    const times = { thisUpdate: Date.now() - 60_000, nextUpdate: Date.now() + 3_600_000 }
    const entries = [{ serial, revokedAt: Date.now(), reason: 'cACompromise' }] as const
    writeFileSync(opened.ca.files.at('', 'root.crl'), await issueCrl({ issuer: root, number: 2n, ...times, entries }))
    await until(async () => (await good.ask(good.kept).catch(() => undefined))?.status !== 200, 'refused')
    await assert.rejects(async () => assert.equal((await good.askAnew()).status, 200))
    assert.equal((await own.ask(own.kept)).status, 200)
    assert.equal((await own.askAnew()).status, 200)
  })
})

describe('the authority of an ECS is revoked by its root', () => {
  let [a, b]: Member[] = []
  before(async () => {
    ;[a, b] = await Promise.all(['c', 'd'].map((label) => startMember(label, ['c', 'd'])))
  })
  after(() => Promise.all([a, b].map((member) => member?.ecs.close())))

  test('CA-06, FW-03: what its certificates have signed is no trust bundle, and no list is of who has not signed it', async () => {
    assert.ok(a && b)
    const { folder, opened, serving } = b.ecs
    const file = opened.ca.files.at('', 'root.crl')
    const honest = readFileSync(file)
    const root = await readAuthority(opened.ca.files.at('', 'root'), { keyFile: join(folder, 'sealing.key') })
    const { ecsIssuer } = opened.ca.present()
    const peer = {
      fqdn: ecsName('d'),
      apiRoot: `https://${ecsName('d')}:${new URL(serving.listeners.server).port}`,
      roots: readFileSync(opened.ca.files.at('', 'root.crt'), 'utf8'),
      nameSpace: ['d.example.com'],
    }
    const times = { thisUpdate: Date.now() - 60_000, nextUpdate: Date.now() + 3_600_000 }
    const entries = [{ serial: ecsIssuer.certificate.serial, revokedAt: Date.now(), reason: 'cACompromise' }] as const
    const lists = {
      'the authority is revoked': await issueCrl({ issuer: root, number: 2n, ...times, entries }),
      'the list is unsigned': Buffer.concat([honest.subarray(0, -1), Buffer.of((honest.at(-1) ?? 0) ^ 1)]),
      'the list is of another authority': await listOf(b, revocationListOf(ecsIssuer.certificate)),
    }
    for (const [name, list] of Object.entries(lists)) {
      writeFileSync(file, list)
      assert.equal((await a.ecs.operator.addPeer(peer)).known, false, name)
      await a.ecs.operator.removePeer(peer.fqdn)
    }
    writeFileSync(file, honest)
    assert.equal((await a.ecs.operator.addPeer(peer)).known, true)

    // A bundle that was believed before is believed no longer.
    const expires = async () => (await a?.ecs.operator.listPeers())?.peers[0]?.standing?.expires
    assert.ok(await expires())
    writeFileSync(file, lists['the authority is revoked'])
    await until(async () => (await expires()) === undefined, 'the bundle is given up')
  })
})

describe('the authority of an ECS is retired', () => {
  let [a, b]: Member[] = []
  before(async () => {
    ;[a, b] = await Promise.all(['c', 'd'].map((label) => startMember(label, ['c', 'd'])))
  })
  after(() => Promise.all([a, b].map((member) => member?.ecs.close())))

  test('CA-06: a peer learns of it from a list that is gone, and goes on to look at those that there are', async () => {
    assert.ok(a && b)
    const { operator } = a.ecs
    const rootsOfPeer = async () => (await operator.listPeers()).peers[0]?.roots.length
    await b.ecs.operator.stageAuthority()
    await trust(a, b)
    assert.equal(await rootsOfPeer(), 2)
    await b.ecs.operator.switchAuthority({ force: true })
    await b.ecs.operator.retireAuthority({ force: true })
    // Its next look at the trust bundle is five minutes away.
    await until(async () => (await rootsOfPeer()) === 1, 'the retired root is forgotten')
  })
})

async function listOf({ ecs }: Member, file: string): Promise<Buffer> {
  const { status, body } = await ecs.anybody().request({ method: 'GET', path: `/crl/${file}` })
  assert.equal(status, 200)
  return body
}
