import { constants, type KeyObject } from 'node:crypto'
import type { TLSSocket } from 'node:tls'

/** RFC 9257: at least 128 bits of entropy; ours have 256. */
const PSK_LENGTH = 32

/** 32 octets that are not all the same (THREATS PS-09). */
export function isPreSharedKey(key: KeyObject): boolean {
  if (key.type !== 'secret' || key.symmetricKeySize !== PSK_LENGTH) return false
  const octets = key.export()
  const isVaried = octets.some((octet) => octet !== octets[0])
  octets.fill(0)
  return isVaried
}

const SUITES = ['TLS_AES_128_GCM_SHA256', 'TLS_CHACHA20_POLY1305_SHA256']

/**
 * What both sides of TLS-PSK speak: TLS 1.3, psk_dhe_ke, suites with the hash of an external PSK (RFC 8446 4.2.11),
 * no tickets, no early data (D-25, THREATS R1).
 */
export const PSK_PROFILE = {
  minVersion: 'TLSv1.3',
  maxVersion: 'TLSv1.3',
  ciphers: SUITES.join(':'),
  ecdhCurve: 'X25519:P-256:P-384',
  secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
  ALPNProtocols: ['h2'],
} as const

/** Whether the handshake was by an external PSK, on either side (THREATS R2, R4). */
export function isByPsk(socket: TLSSocket): boolean {
  return (
    socket.getProtocol() === 'TLSv1.3' &&
    SUITES.includes(socket.getCipher().name) &&
    // OpenSSL reports an external PSK as a resumed session; without tickets there is no other way to resume one.
    socket.isSessionReused() &&
    socket.getPeerX509Certificate() === undefined
  )
}
