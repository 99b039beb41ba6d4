import type { Listener } from '../../http/listener.ts'
import { showsUri } from '../../tls/connection.ts'
import type { EcsContext } from '../adapters/context.ts'
import { type LiveFederation, openFederation } from '../adapters/federation.ts'
import type { OpenEcs } from '../adapters/open-ecs.ts'
import { urlsOf, withContext } from './context.ts'
import { type EecAuthentication, eecAuthentication } from './eec-authentication.ts'
import { createEecListener, type EecListener } from './eec-listener.ts'
import { type EecSide, openEecSide } from './eec-side.ts'
import { ecsListeners, eecListenerOptions, type ListenerParts, listenerTls } from './listeners.ts'
import type { ListenerName, Ports } from './ports.ts'
import { keepRevocationLists, type RevocationLists } from './revocation-lists.ts'
import { newServerCredential, type OwnCredential } from './server-certificate.ts'

interface Listeners {
  readonly listeners: Readonly<Record<ListenerName, Listener>>
  /** where certificates of EECs are taken */
  readonly eecListener: EecListener | undefined
}

export interface AssembledEcs extends Listeners {
  readonly ecs: OpenEcs & EcsContext
  readonly lists: RevocationLists
  readonly eecs: EecAuthentication
  readonly eecSide: EecSide
  readonly federation: LiveFederation
  credential(): OwnCredential
  /** Shows a new certificate from the next handshake on, and takes clients of the authorities of now. */
  renew(): Promise<void>
}

/** The parts of an ECS; what changes in one of them reaches the others that it concerns. Nothing listens yet. */
export async function assembleEcs(opened: OpenEcs, ports: Ports): Promise<AssembledEcs> {
  const urls = urlsOf(opened, ports)
  const lists = keepRevocationLists(opened)
  let made: Listeners | undefined
  let credential = await newServerCredential(opened, urls)
  const eecSide = await openEecSide(opened, () => credential)
  const federation = await openFederation(opened, {
    urls,
    credential: () => credential,
    rootsChanged: () => made?.listeners.mtls.setSecureContext(listenerTls(ecs, { eecs, credential, federation }).mtls),
  })
  const renew = async () => {
    credential = await newServerCredential(opened, urls)
    // The psk listener has no certificate to renew.
    const contexts = listenerTls(ecs, { eecs, credential, federation })
    for (const name of ['server', 'mtls', 'admin'] as const) made?.listeners[name].setSecureContext(contexts[name])
    made?.eecListener?.setCredential(credential)
  }
  const ecs = withContext(opened, urls, {
    cutOff: cutOff(opened, lists, () => made?.listeners.mtls),
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
  made = { listeners: ecsListeners(ecs, parts), eecListener: eecListenerOf(ecs, parts) }
  return { ecs, lists, eecs, eecSide, federation, ...made, credential: () => credential, renew }
}

function eecListenerOf(ecs: OpenEcs & EcsContext, parts: ListenerParts): EecListener | undefined {
  const { certificates } = parts.eecSide
  return certificates && createEecListener(certificates, parts.credential, eecListenerOptions(ecs, parts))
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
