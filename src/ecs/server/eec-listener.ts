import { readFile } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { readCertificateList } from '../../certificates/certificate.ts'
import { createListener, type Listener, type ListenerOptions } from '../../http/listener.ts'
import { peerCertificate } from '../../tls/connection.ts'
import { mutualTls, type ServerCredential } from '../../tls/profile.ts'
import type { OpenEcs } from '../adapters/open-ecs.ts'
import { eecOfCertificate } from '../authentication/by-certificate.ts'
import type { EcsPeers } from '../peers.ts'
import type { EecPeer } from '../provisioning/provision-service.ts'

/** Certificates of EECs, where an authority for them is configured. */
export interface EecCertificates {
  readonly port: number
  /** @throws Refusal */
  eecOf(socket: TLSSocket): EecPeer
  tls(credential: ServerCredential): ReturnType<typeof mutualTls>
}

/** @returns undefined if no authority is configured: then there is no listener for certificates of EECs */
export async function readEecCertificates({
  configuration,
  folder,
  clock,
}: OpenEcs): Promise<EecCertificates | undefined> {
  const { eecCertificates } = configuration.authentication
  if (eecCertificates === undefined) return undefined
  const { port, authorities, refused } = eecCertificates
  const inFolder = (file: string) => (isAbsolute(file) ? file : join(folder, file))
  const pems = await Promise.all(authorities.map((file) => readFile(inFolder(file), 'utf8')))
  const trusted = { anchors: pems.flatMap((pem) => readCertificateList(pem)), refused: new Set(refused) }
  return {
    port,
    eecOf: (socket) => eecOfCertificate(trusted, peerCertificate(socket), clock.now()),
    tls: (credential) => mutualTls(credential, pems),
  }
}

/** What it has in common with the listeners of every ECS. */
export type EecListenerOptions = Omit<ListenerOptions<EcsPeers>, 'name' | 'tls' | 'admit'>

export interface EecListener {
  listen(address: string): Promise<number>
  setCredential(credential: ServerCredential): void
  close(): Promise<void>
}

/** The listener `eec`: mutual TLS, for EECs with a certificate. */
export function createEecListener(
  { port, eecOf, tls }: EecCertificates,
  credential: ServerCredential,
  options: EecListenerOptions,
): EecListener {
  const listener: Listener = createListener({ ...options, name: 'eec', tls: tls(credential), admit: eecOf })
  return {
    listen: (address) => listener.listen(address, port),
    setCredential: (renewed) => listener.setSecureContext(tls(renewed)),
    close: () => listener.close(),
  }
}
