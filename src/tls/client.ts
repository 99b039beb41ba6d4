import { X509Certificate } from 'node:crypto'
import type { ConnectionOptions, PeerCertificate } from 'node:tls'
import { type ServerCredential, TLS_PROFILE } from './profile.ts'

/**
 * TLS towards a server that must show a certificate for the name we call it by.
 *
 * @param roots - PEM; the only certificates trusted, never the system's (THREATS ON-07)
 * @param credential - what we show when the server asks for a certificate
 */
export function clientTls(roots: readonly string[], credential?: ServerCredential): ConnectionOptions {
  return {
    ...TLS_PROFILE,
    ca: [...roots],
    rejectUnauthorized: true,
    checkServerIdentity: refuseOtherName,
    ...(credential && { cert: credential.certificateChain, key: credential.privateKey }),
  }
}

/**
 * RFC 9525, strictly: one of the certificate's DNS names is the name we asked for. Node's own check would also take
 * wildcards and, without DNS names, the common name.
 */
function refuseOtherName(name: string, { raw }: PeerCertificate): Error | undefined {
  const named = new X509Certificate(raw).checkHost(name, { subject: 'never', wildcards: false }) !== undefined
  return named ? undefined : new Error(`the server's certificate is not for ${name}`)
}
