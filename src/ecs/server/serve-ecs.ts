import type { TLSSocket } from 'node:tls'
import type { Listener } from '../../http/listener.ts'
import { regularly } from '../../nf/server/upkeep.ts'
import { showsUri } from '../../tls/connection.ts'
import { tlsSelfTest } from '../../tls/self-test.ts'
import { forgetExpiredTokens } from '../adapters/authorization-server.ts'
import { recordedAhead } from '../adapters/certificate-store.ts'
import type { EcsContext } from '../adapters/context.ts'
import { openFederation } from '../adapters/federation.ts'
import type { OpenEcs } from '../adapters/open-ecs.ts'
import { operatorCommands } from '../adapters/operator.ts'
import { endingPorts } from '../adapters/registrar.ts'
import type { OperatorCommands } from '../operator/commands.ts'
import { deregisterExpired } from '../registrar/end-registration.ts'
import { urlsOf, withContext } from './context.ts'
import { type EecAuthentication, eecAuthentication } from './eec-authentication.ts'
import { openEecListener } from './eec-listener.ts'
import { openEecSide } from './eec-side.ts'
import { ecsListeners, eecListenerOptions, listenerTls } from './listeners.ts'
import { choosePorts, type ListenerName, type Ports } from './ports.ts'
import { keepRevocationLists, type RevocationLists } from './revocation-lists.ts'
import { newServerCredential, type OwnCredential } from './server-certificate.ts'
import { keepYearly } from './yearly.ts'

const SECOND = 1_000
const HOUR = 3_600 * SECOND

/** An ECS that answers. */
export interface ServingEcs {
  readonly fqdn: string
  /** `https://ADDRESS:PORT` of each listener, as it is reached on this machine */
  readonly listeners: Readonly<Record<ListenerName, string>>
  /** the operator's commands, without a connection */
  readonly operator: OperatorCommands
  /** Answers what is under way, then closes the listeners and the store. */
  close(): Promise<void>
}

/**
 * @param selfTest - of the TLS stack; without it there is no listener (THREATS R5)
 * @throws TlsSelfTestFailed
 * @throws Error with code EADDRINUSE or EACCES if a configured port cannot be had
 */
export async function serveEcs(opened: OpenEcs, selfTest: () => Promise<void> = tlsSelfTest): Promise<ServingEcs> {
  await selfTest()
  const ports = await choosePorts(opened)
  const urls = urlsOf(opened, ports)
  const lists = keepRevocationLists(opened)
  const listeners: Partial<Record<ListenerName, Listener>> = {}
  let credential = await newServerCredential(opened, urls)
  const eecSide = await openEecSide(opened, () => credential)
  const federation = await openFederation(opened, {
    urls,
    credential: () => credential,
    rootsChanged: () => listeners.mtls?.setSecureContext(listenerTls(ecs, { eecs, credential, federation }).mtls),
  })
  let renew = async () => {}
  const ecs = withContext(opened, urls, {
    cutOff: cutOff(opened, lists, () => listeners.mtls),
    changing: eecSide.changing,
    peersChanged: federation.reload,
    peerStanding: federation.standing,
    async authoritiesChanged() {
      await lists.refresh()
      await renew()
    },
  })
  const pskRoot = `https://${opened.configuration.fqdn}:${ports.psk}`
  const eecs = await eecAuthentication(ecs, pskRoot, () => credential)
  const parts = { lists, eecs, eecSide, federation, credential }
  Object.assign(listeners, ecsListeners(ecs, parts))

  const { address } = opened.configuration.listen
  await warnOfClock(opened)
  await lists.publish()
  const stopYearly = await keepYearly(opened)
  const open = Object.entries(listeners) as [ListenerName, Listener][]
  for (const [name, listener] of open) await listener.listen(address, ports[name])
  const { certificates } = eecSide
  const forCertificates =
    certificates && (await openEecListener(certificates, address, credential, eecListenerOptions(ecs, parts)))
  renew = async () => {
    credential = await newServerCredential(opened, urls)
    const contexts = listenerTls(ecs, { eecs, credential, federation })
    // The psk listener has no certificate to renew.
    for (const [name, listener] of open) if (name !== 'psk') listener.setSecureContext(contexts[name])
    forCertificates?.setCredential(credential)
  }
  const stop = upkeep(ecs, {
    current: () => credential,
    renew,
    endKeys() {
      if (eecs.sweep()) listeners.psk?.drop((socket) => !isProven(eecs, socket))
    },
    confirmKeys: () => eecs.confirmKeys(),
    keepSubscriptions: () => eecSide.notifier.keep(),
    refreshPeers: () => federation.refresh(),
  })
  eecSide.notifier.notifications.resume()
  return {
    fqdn: opened.configuration.fqdn,
    listeners: localUrls(address, ports),
    operator: operatorCommands(ecs),
    async close() {
      stop()
      stopYearly()
      lists.stop()
      await Promise.all([forCertificates?.close(), ...open.map(([, listener]) => listener.close())])
      await eecSide.close()
      federation.close()
      await opened.close()
    },
  }
}

function localUrls(address: string, ports: Ports): ServingEcs['listeners'] {
  const host = address.includes(':') ? `[${address}]` : address
  const url = (name: ListenerName) => `https://${host}:${ports[name]}`
  return { server: url('server'), mtls: url('mtls'), psk: url('psk'), admin: url('admin') }
}

/** A registration has ended: nothing of it stays open, and everybody can read that it is over (THREATS CA-06). */
function cutOff(
  { timers, log }: OpenEcs,
  lists: RevocationLists,
  mtls: () => Listener | undefined,
): EcsContext['cutOff'] {
  return async (registrationId, when) => {
    const drop = () => mtls()?.drop((socket) => showsUri(socket, `urn:uuid:${registrationId}`))
    if (when === 'now') drop()
    else timers.after(200, drop)
    await lists.publish().catch((error: unknown) => log.error({ err: error }, 'a revocation is not published yet'))
  }
}

/** A connection ends with its key (D-25). */
function isProven(eecs: EecAuthentication, socket: TLSSocket): boolean {
  try {
    eecs.provenKey(socket)
    return true
  } catch {
    return false
  }
}

/** Somebody has to set the clock, or to revoke what was signed while it was ahead (THREATS CA-08). */
async function warnOfClock({ store, clock, log }: OpenEcs): Promise<void> {
  const ahead = await recordedAhead(store, clock.now())
  if (ahead !== undefined) log.error(ahead, 'the clock is behind a certificate on record: nothing is signed now')
}

/** What must happen without being asked for. @returns the way to stop it */
function upkeep(
  ecs: OpenEcs & EcsContext,
  own: {
    current(): OwnCredential
    renew(): Promise<void>
    endKeys(): void
    confirmKeys(): Promise<void>
    keepSubscriptions(): Promise<void>
    refreshPeers(): Promise<void>
  },
): () => void {
  const { timers, clock } = ecs
  const every = (period: number, name: string, work: () => Promise<unknown>) => regularly(ecs, period, name, work)
  const stops = [
    every(SECOND, 'expired registrations', () => deregisterExpired(endingPorts(ecs))),
    timers.every(SECOND, own.endKeys),
    every(5 * SECOND, 'keys in doubt', own.confirmKeys),
    every(60 * SECOND, 'subscriptions', own.keepSubscriptions),
    every(SECOND, 'trust in other ECSs', own.refreshPeers),
    every(60 * SECOND, 'signing keys', () => ecs.keepKeys()),
    every(60 * SECOND, 'clock', () => warnOfClock(ecs)),
    every(HOUR, 'expired tokens', () => forgetExpiredTokens(ecs)),
    every(HOUR, 'server certificate', async () => {
      if (clock.now() >= own.current().renewAfter) await own.renew()
    }),
  ]
  return () => {
    for (const stop of stops) stop()
  }
}
