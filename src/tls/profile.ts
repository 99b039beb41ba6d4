import { constants } from 'node:crypto'
import type { SecureServerOptions } from 'node:http2'

/**
 * The TLS profile of TS 33.210 6.2: TLS 1.3 with every suite of RFC 8446, TLS 1.2 with ECDHE and AEAD only.
 *
 * Tickets are off: a resumed session would carry neither the client's certificate nor its PSK (THREATS R3).
 * The handshake has five seconds (THREATS PS-10).
 */
export const TLS_PROFILE = {
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.3',
  ciphers: [
    'TLS_AES_128_GCM_SHA256',
    'TLS_AES_256_GCM_SHA384',
    'TLS_CHACHA20_POLY1305_SHA256',
    'ECDHE-ECDSA-AES128-GCM-SHA256',
    'ECDHE-ECDSA-AES256-GCM-SHA384',
    'ECDHE-RSA-AES128-GCM-SHA256',
    'ECDHE-RSA-AES256-GCM-SHA384',
  ].join(':'),
  ecdhCurve: 'X25519:P-256:P-384',
  sigalgs: [
    'ecdsa_secp256r1_sha256',
    'ecdsa_secp384r1_sha384',
    'ed25519',
    'rsa_pss_rsae_sha256',
    'rsa_pss_rsae_sha384',
    'rsa_pss_rsae_sha512',
  ].join(':'),
  honorCipherOrder: true,
  secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_COMPRESSION,
} as const

/** What a server shows, and whom it lets in. */
export interface ServerCredential {
  /** PEM: the server's certificate, then its issuers up to but without the root */
  readonly certificateChain: string
  /** PEM, PKCS#8 */
  readonly privateKey: string
}

/** Server certificate, no client certificate. */
export function serverTls({ certificateChain, privateKey }: ServerCredential): SecureServerOptions {
  return { ...TLS_PROFILE, handshakeTimeout: 5_000, cert: certificateChain, key: privateKey, requestCert: false }
}

/**
 * Mutual TLS: a client without a certificate under these authorities does not get through the handshake.
 *
 * Node's servers build a path to a root always (they do not take `allowPartialTrustChain`), and under one root there
 * are other branches: which of them may come here is for the check of each connection to say (THREATS R3, CA-11).
 *
 * @param authorities - PEM of the root, and of the issuing authority, which clients need not send
 */
export function mutualTls(credential: ServerCredential, authorities: readonly string[]): SecureServerOptions {
  return { ...serverTls(credential), requestCert: true, rejectUnauthorized: true, ca: [...authorities] }
}
