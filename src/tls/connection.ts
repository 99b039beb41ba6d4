import type { TLSSocket } from 'node:tls'

/** @returns DER of the certificate that the peer proved possession of, or undefined if it showed none */
export function peerCertificate(socket: TLSSocket): Buffer | undefined {
  return socket.getPeerX509Certificate()?.raw
}

/**
 * The TLS exporter as channel binding: two ends of one connection get the same 32 octets, everybody else others.
 *
 * @returns undefined before TLS 1.3, where the value would need extended master secret to be unique (RFC 9266 3)
 */
export function channelBinding(socket: TLSSocket): Buffer | undefined {
  if (socket.getProtocol() !== 'TLSv1.3') return undefined
  return socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0))
}

/** Whether the peer showed a certificate with this URI among its names; for finding connections, never for trusting one. */
export function showsUri(socket: TLSSocket, uri: string): boolean {
  return socket.getPeerX509Certificate()?.subjectAltName?.split(', ').includes(`URI:${uri}`) === true
}
