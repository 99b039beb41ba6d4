import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { appendFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeCertificationRequest } from '../../src/certificates/certification-request.ts'
import { writePem } from '../../src/certificates/pem.ts'
import { initFolder } from '../../src/ecs/adapters/init-folder.ts'
import { type EcsEnvironment, type OpenEcs, openEcs } from '../../src/ecs/adapters/open-ecs.ts'
import type { OperatorCommands } from '../../src/ecs/operator/commands.ts'
import type { Bundle, Invitation } from '../../src/ecs/operator/invite-ees.ts'
import { type ServingEcs, serveEcs } from '../../src/ecs/server/serve-ecs.ts'
import { type Message, openPeer, type Peer, type Response } from '../../src/http/client.ts'
import { createLog } from '../../src/http/log.ts'
import { systemClock } from '../../src/ports/clock.ts'
import { systemRandom } from '../../src/ports/random.ts'
import { signerOf } from '../../src/ports/signer.ts'
import { systemTimers } from '../../src/ports/timers.ts'
import type { Fqdn } from '../../src/spec/identifiers.ts'
import type { EESRegistrationResp } from '../../src/spec/messages/onboarding-information.ts'
import { clientTls } from '../../src/tls/client.ts'

export const REGISTRATIONS = '/eecs-eesregistration/v1/registrations'

/** A real ECS in this process: a folder of its own, a real store, real TLS on loopback. */
export interface RunningEcs {
  readonly folder: string
  readonly fqdn: Fqdn
  readonly opened: OpenEcs
  readonly serving: ServingEcs
  readonly operator: OperatorCommands
  /** milliseconds that the ECS's clock is ahead of ours */
  advance(milliseconds: number): void
  invite(invitation?: Partial<Invitation>): Promise<Bundle>
  /** a connection without client certificate */
  anybody(): Peer
  /** a connection with one, to the mtls listener or another */
  withCertificate(certificateChain: string, key: KeyObject, listener?: 'mtls' | 'admin' | 'server'): Peer
  /** a connection without one, to any port */
  withoutCertificate(port: number): Peer
  /** stops, and starts again on the same folder */
  restart(meanwhile?: () => Promise<void>): Promise<void>
  close(): Promise<void>
}

/** @param configuration - more lines of its `ecs.yaml` */
export async function runEcs(
  name = 'ecs1.example.com',
  change: Partial<EcsEnvironment> = {},
  configuration = '',
): Promise<RunningEcs> {
  const folder = join(await mkdtemp(join(tmpdir(), 'edgeward-')), 'ecs')
  const fqdn = name as Fqdn
  let ahead = 0
  const clock = { now: () => systemClock.now() + ahead, monotonic: systemClock.monotonic }
  const environment: EcsEnvironment = {
    clock,
    random: systemRandom,
    timers: systemTimers,
    log: createLog('ecs', process.env['EDGEWARD_TEST_LOG'] ?? 'silent'),
    ...change,
  }
  const listen = { address: '127.0.0.1', server: 0, mtls: 0, psk: 0, admin: 0 }
  await initFolder(folder, fqdn, { ...environment, listen })
  await appendFile(join(folder, 'ecs.yaml'), configuration)
  const peers = new Set<Peer>()
  const start = async () => {
    const opened = await openEcs(folder, environment)
    const serving = await serveEcs(opened)
    return { opened, serving }
  }
  let { opened, serving } = await start()
  const connect = (
    listener: 'server' | 'mtls' | 'admin',
    credential?: { certificateChain: string; privateKey: string },
  ) => {
    const port = new URL(serving.listeners[listener]).port
    const peer = openPeer(
      `https://${fqdn}:${port}`,
      clientTls([opened.ca.root()], credential),
      new Map([[fqdn, '127.0.0.1']]),
    )
    peers.add(peer)
    return peer
  }
  const stop = async () => {
    for (const peer of peers) peer.close()
    peers.clear()
    await serving.close()
  }
  return {
    folder,
    fqdn,
    get opened() {
      return opened
    },
    get serving() {
      return serving
    },
    get operator() {
      return serving.operator
    },
    advance(milliseconds) {
      ahead += milliseconds
    },
    invite: (invitation = {}) => serving.operator.invite({ eesId: 'ees-1', fqdn: 'ees1.example.com', ...invitation }),
    anybody: () => connect('server'),
    withCertificate: (certificateChain, key, listener = 'mtls') =>
      connect(listener, { certificateChain, privateKey: pemOf(key) }),
    withoutCertificate: (port) =>
      openPeer(`https://${fqdn}:${port}`, clientTls([opened.ca.root()]), new Map([[fqdn, '127.0.0.1']])),
    async restart(meanwhile) {
      await stop()
      await meanwhile?.()
      ;({ opened, serving } = await start())
    },
    async close() {
      await stop()
      await rm(join(folder, '..'), { recursive: true, force: true })
    },
  }
}

export const pemOf = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString()

export const newEesKey = (): KeyObject => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey

/** PEM of a certification request for a key. */
export async function csrOf(key: KeyObject, fqdn = 'ees1.example.com', challengePassword?: string): Promise<string> {
  const signer = signerOf(createPrivateKey(pemOf(key)))
  const der = await writeCertificationRequest({
    fqdn: fqdn as Fqdn,
    signer,
    ...(challengePassword !== undefined && { challengePassword }),
  })
  return writePem('CERTIFICATE REQUEST', der)
}

export const profileOf = ({ eesId = 'ees-1', fqdn = 'ees1.example.com' } = {}) => ({
  eesId,
  endPt: { fqdn },
  eecRegConf: false,
  easIds: ['eas-1'],
})

/** The onboarding message, step 3 of figure 6.Y.2-1. */
export async function onboardingMessage(bundle: Bundle, key: KeyObject, change: object = {}): Promise<Message> {
  const body = { eesProf: profileOf(bundle), onboardingInformation: { csr: await csrOf(key, bundle.fqdn) }, ...change }
  return {
    method: 'POST',
    path: REGISTRATIONS,
    headers: { authorization: `Bearer ${bundle.onboardingToken}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  }
}

export const bodyOf = <Body>(response: Response): Body => JSON.parse(response.body.toString('utf8')) as Body

/** An EES with its certificate, its token and its connection. */
export interface RunningEes {
  readonly key: KeyObject
  readonly registrationId: string
  readonly certificateChain: string
  readonly accessToken: string
  readonly answer: EESRegistrationResp
  readonly peer: Peer
  /** a request with its certificate and its token */
  request(message: Omit<Message, 'path'> & { path?: string }): Promise<Response>
}

/** Invites and onboards one EES, over the wire. */
export async function onboard(ecs: RunningEcs, who: Partial<Invitation> = {}): Promise<RunningEes> {
  const bundle = await ecs.invite(who)
  const key = newEesKey()
  const peer = ecs.anybody()
  const response = await peer.request(await onboardingMessage(bundle, key))
  peer.close()
  if (response.status !== 201) throw new Error(`not onboarded: ${response.body.toString('utf8')}`)
  const answer = bodyOf<EESRegistrationResp>(response)
  const { registrationId, eesCertificate, accessToken = '' } = answer.onboardingInformation ?? {}
  if (registrationId === undefined || eesCertificate === undefined) throw new Error('the answer is not complete')
  const own = ecs.withCertificate(eesCertificate, key)
  return {
    key,
    registrationId,
    certificateChain: eesCertificate,
    accessToken,
    answer,
    peer: own,
    request: ({ path = `${REGISTRATIONS}/${registrationId}`, headers, ...message }) =>
      own.request({ ...message, path, headers: { authorization: `Bearer ${accessToken}`, ...headers } }),
  }
}
