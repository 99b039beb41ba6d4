import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { createSecureServer } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import type { TLSSocket } from 'node:tls'
import { acceptNotification, type ReceivedNotification } from '../../src/eec/notification.ts'
import { Subscriptions } from '../../src/eec/subscriptions.ts'
import type { Peer } from '../../src/http/client.ts'
import { peerCertificate, peerCertificates } from '../../src/tls/connection.ts'
import { mutualTls } from '../../src/tls/profile.ts'
import { fqdn } from '../certificates/a-domain.ts'
import { eecId as asEecId } from '../tokens/parties.ts'
import { EES_FQDN } from './an-ecs.ts'
import { ecsCredential } from './ecs-over-tls.ts'
import { anEcsOnTls, anEec, ask, bodyOf, derOf, type Eec, outcomeOf, type RunningEes, runEes } from './running-ees.ts'

const DISCOVERY = '/eees-easdiscovery/v1/eas-profiles/request-discovery'
const SUBSCRIPTIONS = '/eees-easdiscovery/v1/subscriptions'
const EAS_REGISTRATIONS = '/eees-easregistration/v1/registrations'
const GPSI = 'msisdn-491701234567'
const endPt = { fqdn: 'eas.app.example' }
const GAME = { easId: 'game.app.example', endPt, type: 'V2X', provId: 'p1', easFeats: ['a', 'b'], permLvl: ['GOLD'] }
const MAPS = { easId: 'maps.app.example', endPt, flexEasType: 'maps', svcContSupp: ['EEC_INITIATED'] }

const SECRET = 'canary-secret-of-one-subscriber'

type Ecs = Awaited<ReturnType<typeof anEcsOnTls>>

/** Registers an EAS, as soon as the EES knows its own authority. @returns the path of its registration */
async function register(ees: RunningEes, profile: { easId: string }): Promise<{ peer: Peer; location: string }> {
  const credential = await ees.credentialOfEas(profile.easId)
  for (let attempt = 0; attempt < 100; attempt++) {
    const peer = ees.connect('mtls', credential)
    const response = await ask(peer, 'POST', EAS_REGISTRATIONS, { easProf: profile }).catch(() => undefined)
    if (response?.status === 201) return { peer, location: response.headers.location ?? '' }
    await wait(100)
  }
  throw new Error('the EAS cannot register')
}

describe('Eees_EASDiscovery, request: TS 23.558 8.5.2', () => {
  let ecs: Ecs
  let ees: RunningEes
  let peer: Peer
  let eec: Eec

  before(async () => {
    ecs = await anEcsOnTls()
    ees = await runEes(ecs.ecs)
    for (const profile of [GAME, MAPS]) await register(ees, profile)
    peer = ees.connect('server')
    eec = await anEec(ecs.ecs, 'eec-1', { gpsi: GPSI })
  })
  after(async () => {
    await ees.close()
    ecs.network.close()
  })

  const found = async (content: object) => {
    const response = await eec.ask(peer, 'POST', DISCOVERY, { requestorId: { eecId: 'eec-1' }, ...content })
    assert.equal(response.status, 200, response.body.toString())
    return bodyOf(response)
      .discoveredEas.map(({ eas }: { eas: { easId: string } }) => eas.easId)
      .sort()
  }

  test('an EEC finds the EASs that it looks for, and all if it does not say which', async () => {
    const [game, maps] = [GAME.easId, MAPS.easId]
    const characteristics = (...easChars: object[]) => ({ easDiscoveryFilter: { easChars } })
    const expected: [object, string[]][] = [
      [{}, [game, maps]],
      [{ ueId: GPSI }, [game, maps]],
      [{ easDiscoveryFilter: { acChars: [{ acProf: { acId: 'a', eass: [{ easId: maps }] } }] } }, [maps]],
      [{ easSvcContinuity: ['EEC_INITIATED'] }, [maps]],
      [characteristics({ easId: game }), [game]],
      [characteristics({ easId: game }, { easType: 'maps' }), [game, maps]],
      [characteristics({ stdEasType: 'V2X', easProvId: 'p1', svcFeats: ['b'], svcPermLevel: 'GOLD' }), [game]],
      [characteristics({ easProvId: 'p2' }), []],
      [characteristics({ svcFeats: ['a', 'c'] }), []],
      [characteristics({ svcPermLevel: 'TRIAL' }), []],
      [characteristics({ easSvcContinuity: ['SOURCE_EAS_DECIDED'] }), []],
    ]
    for (const [content, eass] of expected) assert.deepEqual(await found(content), eass, JSON.stringify(content))
  })

  test('RS-01: a foreign EEC or UE in the request: 403', async () => {
    const requests = [
      { requestorId: { eecId: 'eec-2' } },
      { requestorId: { eesId: 'ees-1' } },
      { requestorId: { easId: 'eec-1' } },
      { requestorId: { eecId: 'eec-1' }, ueId: 'msisdn-491709999999' },
      { requestorId: { eecId: 'eec-1' }, ueId: GPSI, appGrpUeIds: [GPSI, 'msisdn-491709999999'] },
    ]
    for (const request of requests) {
      const response = await eec.ask(peer, 'POST', DISCOVERY, request)
      assert.deepEqual(outcomeOf(response), [403, 'EEC_MISMATCH'], JSON.stringify(request))
    }
  })

  test('EDGE-9: an EES finds EASs with its token, as itself alone and for no UE', async () => {
    const source = await ecs.ecs.credentialFor(fqdn('ees2.ecsp.example'))
    const mtls = ees.connect('mtls', source)
    const token = await ecs.ecs.token(derOf(source), { aud: EES_FQDN, names: 'eees-easdiscovery' })
    const asEes = (content: object) => ask(mtls, 'POST', DISCOVERY, content, token)
    const response = await asEes({ requestorId: { eesId: 'ees2.ecsp.example' } })
    assert.deepEqual([response.status, bodyOf(response).discoveredEas?.length], [200, 2])
    assert.deepEqual(outcomeOf(await asEes({ requestorId: { eesId: 'ees3.ecsp.example' } })), [403, 'EES_MISMATCH'])
    assert.deepEqual(outcomeOf(await asEes({ requestorId: { eecId: 'eec-1' } })), [403, 'EES_MISMATCH'])
    const forUe = { requestorId: { eesId: 'ees2.ecsp.example' }, ueId: GPSI }
    assert.deepEqual(outcomeOf(await asEes(forUe)), [403, 'EEC_MISMATCH'])
  })
})

describe('Eees_EASDiscovery, subscriptions: TS 23.558 8.5.2.3', () => {
  let ecs: Ecs
  let ees: RunningEes
  let peer: Peer
  let eec: Eec
  let receiver: Awaited<ReturnType<typeof aReceiver>>

  before(async () => {
    ecs = await anEcsOnTls()
    receiver = await aReceiver(ecs)
    const notifications = { hosts: ['eec.example'], networks: ['127.0.0.0/8'] }
    ees = await runEes(ecs.ecs, { notifications, quotas: { subscriptionsOfOneEec: 3 } })
    peer = ees.connect('server')
    eec = await anEec(ecs.ecs, 'eec-1', { gpsi: GPSI })
  })
  after(async () => {
    await ees.close()
    receiver.close()
    ecs.network.close()
  })

  const subscription = (more: object = {}) => ({
    eecId: 'eec-1',
    easEventType: 'EAS_AVAILABILITY_CHANGE',
    notificationDestination: receiver.uri,
    notificationSecret: SECRET,
    ...more,
  })
  const subscribe = (content: object, by = eec) => by.ask(peer, 'POST', SUBSCRIPTIONS, content)

  test('the EEC hears over mutual TLS of the EASs that it looks for, when they come, change and go', async () => {
    const wanted = { easDiscoveryFilter: { easChars: [{ easId: GAME.easId }] }, requestTestNotification: true }
    const coming = await subscribe(subscription({ ...wanted, ueId: GPSI }))
    assert.equal(coming.status, 201, coming.body.toString())
    assert.deepEqual(
      [bodyOf(coming).requestTestNotification, bodyOf(coming).notificationSecret],
      [undefined, undefined],
    )
    const changing = await subscribe(subscription({ ...wanted, easEventType: 'EAS_DYNAMIC_INFO_CHANGE' }))
    const idOf = ({ headers }: typeof coming) => headers.location?.split('/').at(-1) ?? ''

    await register(ees, MAPS)
    const { peer: eas, location } = await register(ees, GAME)
    const came = await receiver.next()
    assert.deepEqual([came.subId, came.eventType], [idOf(coming), 'EAS_AVAILABILITY_CHANGE'])
    assert.equal(came.discoveredEas[0]?.eas.easId, GAME.easId)
    const changed = { easProf: { ...GAME, provId: 'p2' } }
    assert.equal((await ask(eas, 'PUT', location, changed)).status, 200)
    const news = await receiver.next()
    assert.deepEqual([news.subId, news.discoveredEas[0]?.eas.provId], [idOf(changing), 'p2'])
    assert.equal((await ask(eas, 'DELETE', location)).status, 204)
    const gone = await receiver.next()
    assert.equal(gone.subId, idOf(coming))
    assert.ok(Date.parse(gone.discoveredEas[0]?.lifeTime ?? '') <= Date.now())
    // The receiver has seen the certificate of the EES and its own secret, and nobody else's.
    assert.deepEqual(receiver.secrets(), [`Bearer ${SECRET}`])
    for (const file of readdirSync(ees.folder).filter((name) => name.startsWith('ees.db')))
      assert.ok(!readFileSync(join(ees.folder, file)).includes(SECRET), file)
    assert.deepEqual(receiver.shown(), [ees.registration.certificate.der.toString('hex')])

    for (const { headers } of [coming, changing])
      assert.equal((await eec.ask(peer, 'DELETE', headers.location ?? '')).status, 204)
    await register(ees, GAME)
    await wait(100)
    assert.equal(receiver.waiting(), 0)
  })

  test('HT-07: the SDK subscribes, and takes notifications of this EES with the secret of the subscription alone', async () => {
    const subscriptions = new Subscriptions({
      eecId: asEecId('eec-1'),
      role: 'ees',
      server: fqdn(EES_FQDN),
      root: ecs.ecs.rootPem,
      newSecret: () => randomBytes(32).toString('base64url'),
      async request({ method, path, headers = {}, body }) {
        return peer.request({
          method,
          path,
          headers: { ...headers, ...(await eec.headers(peer.origin, { method, path })) },
          ...(body && { body }),
        })
      },
    })
    const { subscriptionId, expectation } = await subscriptions.create({
      easEventType: 'EAS_AVAILABILITY_CHANGE',
      notificationDestination: receiver.uri,
    })
    const { peer: eas, location } = await register(ees, MAPS)
    await ask(eas, 'DELETE', location)
    await receiver.next()
    const received = receiver.latest() ?? assert.fail()
    assert.equal(acceptNotification(received, expectation, Date.now()).subId, subscriptionId)
    for (const [change, code] of [
      [{ secret: SECRET }, 'TOKEN_INVALID'],
      [{ server: fqdn('ees9.ecsp.example') }, 'CERTIFICATE_NOT_ACCEPTED'],
      [{ role: 'ecs' }, 'CERTIFICATE_NOT_ACCEPTED'],
    ] as const) {
      assert.throws(() => acceptNotification(received, { ...expectation, ...change }, Date.now()), { code })
    }
    await subscriptions.remove(subscriptionId)
  })

  test('PUT and PATCH change what is looked for, and the end', async () => {
    const { headers } = await subscribe(subscription())
    const location = headers.location ?? ''
    const soon = new Date(Date.now() + 60_000).toISOString()
    const put = await eec.ask(peer, 'PUT', location, subscription({ expTime: soon }))
    assert.deepEqual([put.status, bodyOf(put).expTime], [200, soon])
    const easDiscoveryFilter = { easChars: [{ easId: 'x' }] }
    const patched = await eec.ask(peer, 'PATCH', location, { easDiscoveryFilter })
    assert.deepEqual([bodyOf(patched).easDiscoveryFilter, bodyOf(patched).expTime], [easDiscoveryFilter, soon])
    assert.equal((await eec.ask(peer, 'DELETE', location)).status, 204)
  })

  test('RS-01: foreign EECs and UEs in a subscription: 403; the subscription of another: 404', async () => {
    const { headers } = await subscribe(subscription())
    const location = headers.location ?? ''
    const present = async () => bodyOf(await eec.ask(peer, 'PATCH', location, {}))
    const before = await present()
    const dynInfoFilter = [{ eecId: 'eec-2' }]
    for (const foreign of [
      { eecId: 'eec-2' },
      { ueId: 'msisdn-491709999999' },
      { easDynInfoFilter: { dynInfoFilter } },
    ]) {
      assert.deepEqual(outcomeOf(await subscribe(subscription(foreign))), [403, 'EEC_MISMATCH'])
      assert.deepEqual(outcomeOf(await eec.ask(peer, 'PUT', location, subscription(foreign))), [403, 'EEC_MISMATCH'])
    }
    assert.deepEqual(outcomeOf(await eec.ask(peer, 'PATCH', location, { easDynInfoFilter: { dynInfoFilter } })), [
      403,
      'EEC_MISMATCH',
    ])
    const other = await anEec(ecs.ecs, 'eec-2')
    const notFound = [404, 'SUBSCRIPTION_NOT_FOUND']
    const theirs = subscription({ eecId: 'eec-2' })
    assert.deepEqual(outcomeOf(await other.ask(peer, 'PUT', location, theirs)), notFound)
    assert.deepEqual(outcomeOf(await other.ask(peer, 'PATCH', location, {})), notFound)
    assert.deepEqual(outcomeOf(await other.ask(peer, 'DELETE', location)), notFound)
    assert.deepEqual(await present(), before)
    assert.equal((await eec.ask(peer, 'DELETE', location)).status, 204)
  })

  test('HT-06: an address that is not allowed is refused, and nothing is kept', async () => {
    const { port } = new URL(receiver.uri)
    for (const uri of [
      `https://127.0.0.1:${port}/`,
      `http://eec.example:${port}/`,
      `https://eec.example@127.0.0.1:${port}/`,
      `https://other.example:${port}/`,
      `https://2130706433:${port}/`,
      `https://[::ffff:127.0.0.1]:${port}/`,
    ]) {
      const response = await subscribe(subscription({ notificationDestination: uri }))
      assert.deepEqual(outcomeOf(response), [400, 'NOTIFICATION_URI_NOT_ACCEPTED'], uri)
    }
    for (const missing of ['notificationDestination', 'notificationSecret']) {
      const without = await subscribe(subscription({ [missing]: undefined }))
      assert.deepEqual(outcomeOf(without), [400, 'MANDATORY_IE_MISSING'], missing)
    }
  })

  test('HT-11: one EEC has so many subscriptions, and others go on', async () => {
    for (let held = 0; held < 3; held++) assert.equal((await subscribe(subscription())).status, 201)
    assert.deepEqual(outcomeOf(await subscribe(subscription())), [429, 'TOO_MANY_REQUESTS'])
    const other = await anEec(ecs.ecs, 'eec-2')
    assert.equal((await subscribe(subscription({ eecId: 'eec-2' }), other)).status, 201)
  })
})

interface Notification {
  readonly subId: string
  readonly eventType: string
  readonly discoveredEas: { readonly eas: { easId: string; provId?: string }; readonly lifeTime?: string }[]
}

/** Where an EEC is notified: `eec.example`, which lets in who shows a certificate under the root of the edge. */
async function aReceiver({ ecs }: Ecs) {
  const credential = await ecsCredential(ecs.domain, fqdn('eec.example'))
  const issuer = `-----BEGIN CERTIFICATE-----\n${ecs.domain.issuers.ees.certificate.der.toString('base64')}\n-----END CERTIFICATE-----\n`
  const server = createSecureServer(mutualTls(credential, [ecs.rootPem, issuer]))
  const received: Notification[] = []
  const certificates = new Set<string>()
  const secrets = new Set<string>()
  let latest: ReceivedNotification | undefined
  const sockets = new Set<{ destroy(): void }>()
  let wake = () => {}
  server.on('secureConnection', (socket) => {
    sockets.add(socket)
    certificates.add(peerCertificate(socket)?.toString('hex') ?? 'none')
  })
  server.on('stream', async (stream, headers) => {
    secrets.add(headers.authorization ?? 'none')
    const parts: Buffer[] = []
    for await (const part of stream) parts.push(part)
    const [content, { authorization }] = [Buffer.concat(parts), headers]
    latest = { certificates: peerCertificates(stream.session?.socket as TLSSocket), authorization, content }
    received.push(JSON.parse(content.toString()))
    stream.respond({ ':status': 204 })
    stream.end()
    wake()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    uri: `https://eec.example:${(server.address() as AddressInfo).port}/notify?for=eec-1`,
    shown: () => [...certificates],
    secrets: () => [...secrets],
    /** as the SDK wants it */
    latest: () => latest,
    waiting: () => received.length,
    async next(): Promise<Notification> {
      for (;;) {
        const first = received.shift()
        if (first !== undefined) return first
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    },
    close() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}
