import assert from 'node:assert/strict'
import type { KeyObject } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { readCertificate } from '../../src/certificates/certificate.ts'
import { readCertsOnly } from '../../src/certificates/certs-only.ts'
import { readCrl } from '../../src/certificates/crl.ts'
import { adminClient } from '../../src/ecs/adapters/admin-client.ts'
import { initFolder } from '../../src/ecs/adapters/init-folder.ts'
import { openEcs } from '../../src/ecs/adapters/open-ecs.ts'
import { operatorCommands } from '../../src/ecs/adapters/operator.ts'
import type { Bundle } from '../../src/ecs/operator/invite-ees.ts'
import { withoutListeners } from '../../src/ecs/server/context.ts'
import { type Message, openPeer, type Peer, type Response } from '../../src/http/client.ts'
import { createLog } from '../../src/http/log.ts'
import { systemClock } from '../../src/ports/clock.ts'
import { systemRandom } from '../../src/ports/random.ts'
import { systemTimers } from '../../src/ports/timers.ts'
import type { Fqdn } from '../../src/spec/identifiers.ts'
import type { EESProfile } from '../../src/spec/messages/ees-registration.ts'
import type { EESRegistrationResp } from '../../src/spec/messages/onboarding-information.ts'
import { clientTls } from '../../src/tls/client.ts'
import { type Server, serve, storyFolder } from '../stories/program.ts'
import { bodyOf, csrOf, newEesKey, onboardingMessage, pemOf, profileOf, REGISTRATIONS } from './running-ecs.ts'

const DEEP = process.env['EDGEWARD_DEEP'] !== undefined
/** Of each ECS: a start takes a second or two, so few of them fit into npm test. */
const KILLS = DEEP ? 5_000 : 4
const LANES = DEEP ? ['a', 'b'] : ['a']
/** How many EESs come in each round; those of the round before go on with their lives beside them. */
const EACH_ROUND = 6
const ECS = 'ecs1.example.com' as Fqdn

/** What one EES was told, and what it asked for and was never told about. */
interface Ees {
  readonly bundle: Bundle
  readonly key: KeyObject
  readonly onboarding: Message
  /** the answer to its onboarding, once there was one */
  acknowledged?: NonNullable<EESRegistrationResp['onboardingInformation']>
  profile?: EESProfile
  /** updates since the last acknowledged one whose answer was lost */
  perhaps: EESProfile[]
  /** serial numbers of all certificates that it holds */
  readonly serials: Set<string>
  leaving: 'no' | 'perhaps' | 'acknowledged'
  /** counts its updates, so that no two are the same */
  updates: number
}

/**
 * Real processes, killed at random moments while EESs onboard, update, renew and leave, again and again.
 * An answer that was lost with its process is asked for again from the next one.
 */
describe('kill -9 of an ECS under load', { concurrency: 2 }, () => {
  let story: Awaited<ReturnType<typeof storyFolder>>
  before(async () => {
    story = await storyFolder()
  })
  after(() => story.remove())

  for (const lane of LANES) {
    test(`DB-01, CA-04: ${KILLS} kills lose nothing acknowledged, honour no token twice, leave no unknown certificate (${lane})`, async () => {
      const folder = story.at(lane)
      const all = await invited(folder, KILLS * EACH_ROUND)
      let listNumber = 0n
      for (let round = 0; round < KILLS; round++) {
        const server = await serve('ecs', 'serve', '--dir', folder)
        const connect = connectionsTo(server, all)
        const list = readCrl((await connect().request({ method: 'GET', path: '/crl/ees-issuer.crl' })).body)
        assert.ok(list.number > listNumber, 'the numbers of revocation lists go up')
        listNumber = list.number
        const living = all.slice(Math.max(0, round - 1) * EACH_ROUND, (round + 1) * EACH_ROUND)
        const progress = aCounter()
        const lives = Promise.allSettled(living.map((ees) => liveOn(ees, connect, progress.count)))
        // Some answers after the start, and a moment later, so that the kill comes in the midst of others.
        await Promise.race([progress.reaches(Math.floor(systemRandom.fraction() * 60)), lives])
        await delay(systemRandom.fraction() * 20)
        await server.stop('SIGKILL')
        for (const life of await lives) if (life.status === 'rejected') throw life.reason
      }

      const last = await serve('ecs', 'serve', '--dir', folder)
      try {
        await isAsAcknowledged(folder, all)
        await isCompletable(all, connectionsTo(last, all))
        await isRevocable(folder, all, connectionsTo(last, all))
      } finally {
        assert.equal(await last.stop(), 0)
      }
    })
  }
})

/** A new ECS, and EESs that may onboard there. */
async function invited(folder: string, count: number): Promise<Ees[]> {
  const environment = {
    clock: systemClock,
    random: systemRandom,
    timers: systemTimers,
    log: createLog('ecs', 'silent'),
  }
  const listen = { address: '127.0.0.1', server: 0, mtls: 0, psk: 0, admin: 0 }
  await initFolder(folder, ECS, { ...environment, listen })
  const opened = await openEcs(folder, environment)
  const operator = operatorCommands(await withoutListeners(opened))
  const all = Array.from({ length: count }, async (_, n): Promise<Ees> => {
    const bundle = await operator.invite({ eesId: `ees-${n}`, fqdn: `ees-${n}.example.com` })
    const key = newEesKey()
    const onboarding = await onboardingMessage(bundle, key)
    return { bundle, key, onboarding, perhaps: [], serials: new Set(), leaving: 'no', updates: 0 }
  })
  const result = await Promise.all(all)
  await opened.close()
  return result
}

/** Connections to a process, that of an EES with its certificate or that of anybody. */
function connectionsTo(server: Server, [first]: readonly Ees[]) {
  const anybody = open('server')
  const own = new Map<string, Peer>()
  function open(listener: string, credential?: { certificateChain: string; privateKey: string }): Peer {
    const { port } = new URL(server.ready.listeners[listener] ?? '')
    const tls = clientTls([first?.bundle.root ?? ''], credential)
    return openPeer(`https://${ECS}:${port}`, tls, new Map([[ECS, '127.0.0.1']]))
  }
  return (ees?: Ees): Peer => {
    const certificateChain = ees?.acknowledged?.eesCertificate
    if (ees === undefined || certificateChain === undefined) return anybody
    const known = own.get(certificateChain) ?? open('mtls', { certificateChain, privateKey: pemOf(ees.key) })
    own.set(certificateChain, known)
    return known
  }
}

type Connect = ReturnType<typeof connectionsTo>

/** Counts, and says when a number is reached. */
function aCounter() {
  const reached = Promise.withResolvers<void>()
  let [passed, goal] = [0, Number.POSITIVE_INFINITY]
  const look = () => passed >= goal && reached.resolve()
  return {
    count: () => {
      passed += 1
      look()
    },
    reaches: (number: number) => {
      goal = number
      look()
      return reached.promise
    },
  }
}

/** Onboards, then updates, renews and at last leaves, one after the other until the connection breaks. */
async function liveOn(ees: Ees, connect: Connect, answered: () => void): Promise<void> {
  try {
    await onboardAgain(ees, connect())
    answered()
    while (ees.leaving === 'no') {
      const dice = systemRandom.fraction()
      if (dice < 0.6) await update(ees, connect(ees))
      else if (dice < 0.8) await renew(ees, connect(ees))
      else if (dice < 0.95) await replay(ees, connect())
      else await leave(ees, connect(ees))
      answered()
    }
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'PeerUnavailable') throw error
  }
}

async function onboardAgain(ees: Ees, peer: Peer): Promise<void> {
  if (ees.leaving !== 'no') return
  const response = await peer.request(ees.onboarding)
  assert.equal(response.status, 201, response.body.toString('utf8'))
  const { onboardingInformation: told = assert.fail('no certificate') } = bodyOf<EESRegistrationResp>(response)
  // THREATS ON-05: whoever asks again gets what the first answer said.
  const { registrationId = told.registrationId, eesCertificate = told.eesCertificate } = ees.acknowledged ?? {}
  assert.deepEqual([told.registrationId, told.eesCertificate], [registrationId, eesCertificate])
  ees.acknowledged = told
  ees.profile ??= profileOf(ees.bundle)
  ees.serials.add(serialOf(told.eesCertificate))
}

async function update(ees: Ees, peer: Peer): Promise<void> {
  ees.updates += 1
  const eesProf: EESProfile = { ...profileOf(ees.bundle), easIds: [`eas-${ees.updates}`] }
  ees.perhaps.push(eesProf)
  const { status } = await peer.request(own(ees, 'PUT', { eesProf }))
  assert.equal(status, 200)
  ees.profile = eesProf
  ees.perhaps = []
}

async function renew(ees: Ees, peer: Peer): Promise<void> {
  const headers = { 'content-type': 'application/pkcs10' }
  const body = await csrOf(newEesKey(), ees.bundle.fqdn)
  const response = await peer.request({ method: 'POST', path: '/.well-known/est/simplereenroll', headers, body })
  assert.equal(response.status, 200)
  const [der = assert.fail('no certificate')] = readCertsOnly(Buffer.from(response.body.toString('latin1'), 'base64'))
  ees.serials.add(readCertificate(der).serial)
}

/** The onboarding token once more, with another key. */
async function replay(ees: Ees, peer: Peer): Promise<void> {
  const { status } = await peer.request(await onboardingMessage(ees.bundle, newEesKey()))
  assert.equal(status, 401, 'a token was honoured twice')
}

async function leave(ees: Ees, peer: Peer): Promise<void> {
  ees.leaving = 'perhaps'
  assert.equal((await peer.request(own(ees, 'DELETE'))).status, 204)
  ees.leaving = 'acknowledged'
}

function own({ acknowledged }: Ees, method: 'GET' | 'PUT' | 'DELETE', body?: object): Message {
  const { accessToken = '', registrationId = '' } = acknowledged ?? {}
  const authorization = `Bearer ${accessToken}`
  const path = `${REGISTRATIONS}/${registrationId}`
  if (body === undefined) return { method, path, headers: { authorization } }
  return { method, path, headers: { authorization, 'content-type': 'application/json' }, body: JSON.stringify(body) }
}

/** Invariants 1 to 4: what was told is so, and nothing is on record that nobody asked for. */
async function isAsAcknowledged(folder: string, all: readonly Ees[]): Promise<void> {
  const operator = await adminClient(folder)
  const told = all.filter(({ acknowledged }) => acknowledged !== undefined)
  assert.ok(told.length > 0, 'no onboarding was acknowledged: the kills come too early')
  for (const { bundle, acknowledged, profile, perhaps, serials, leaving } of told) {
    const { state, registrationId, eesProf, certificates } = await operator.show(bundle.eesId)
    assert.equal(registrationId, acknowledged?.registrationId)
    const states = { no: ['live'], perhaps: ['live', 'deregistered'], acknowledged: ['deregistered'] }[leaving]
    assert.ok(states.includes(state), `${state} after leaving: ${leaving}`)
    assert.ok(
      [profile, ...perhaps].some((each) => isSame(each, eesProf)),
      `${JSON.stringify(eesProf)} was not asked for`,
    )
    const standing = new Map(certificates.map((each) => [each.serial, each.state]))
    for (const serial of serials) assert.equal(standing.get(serial), state === 'live' ? 'issued' : 'revoked')
    assert.ok(![...standing.values()].includes('intended'), 'an intent is left over')
  }
  const { ees } = await operator.list()
  assert.equal(new Set(ees.map(({ eesId }) => eesId)).size, ees.length, 'an EES is registered twice')
  assert.equal((await operator.verifyAudit()).ok, true)
  operator.close()
}

/** Every EES can go on, whenever it was cut off; who has left does not get in. */
async function isCompletable(all: readonly Ees[], connect: Connect): Promise<void> {
  for (const ees of all) {
    if (ees.leaving === 'perhaps') continue
    if (ees.leaving === 'no') {
      await onboardAgain(ees, connect())
      await update(ees, connect(ees))
    }
    const { status } = await connect(ees).request(own(ees, 'GET'))
    assert.equal(status, ees.leaving === 'no' ? 200 : 401)
  }
}

/** Whatever certificate anybody ever got: its serial number can be put on the list. */
async function isRevocable(folder: string, all: readonly Ees[], connect: Connect): Promise<void> {
  const operator = await adminClient(folder)
  for (const { bundle } of all) await operator.revoke(bundle.eesId)
  const answer: Response = await connect().request({ method: 'GET', path: '/crl/ees-issuer.crl' })
  const { revoked } = readCrl(answer.body)
  for (const { serials } of all) for (const serial of serials) assert.ok(revoked.has(serial))
  operator.close()
}

function isSame(one: unknown, other: unknown): boolean {
  try {
    assert.deepEqual(one, other)
    return true
  } catch {
    return false
  }
}

function serialOf(chain: string): string {
  const end = '-----END CERTIFICATE-----\n'
  return readCertificate(chain.slice(0, chain.indexOf(end) + end.length)).serial
}
