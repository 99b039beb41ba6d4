import type { DetailedPeerCertificate, TLSSocket } from 'node:tls'

/** @returns DER of the certificate that the peer proved possession of, or undefined if it showed none */
export function peerCertificate(socket: TLSSocket): Buffer | undefined {
  return socket.getPeerX509Certificate()?.raw
}

/** @returns DER of all certificates that the peer showed, its own first; those that it left out may be missing */
export function peerCertificates(socket: TLSSocket): Buffer[] {
  const chain: Buffer[] = []
  let next: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true)
  // A root is its own issuer; an empty object stands for a peer that showed none.
  while (next?.raw !== undefined && !chain.some((raw) => raw.equals(next?.raw ?? raw))) {
    chain.push(next.raw)
    next = next.issuerCertificate
  }
  return chain
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

/**
 * Whether the peer showed a certificate with this URI among its names; for finding connections, never for trusting one.
 */
export function showsUri(socket: TLSSocket, uri: string): boolean {
  return socket.getPeerX509Certificate()?.subjectAltName?.split(', ').includes(`URI:${uri}`) === true
}
