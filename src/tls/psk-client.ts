import type { KeyObject } from 'node:crypto'
import type { ConnectionOptions, TLSSocket } from 'node:tls'
import { isByPsk, isPreSharedKey, PSK_PROFILE } from './psk-profile.ts'

/** A key that one client shares with one server, and the name under which both know it. */
export interface Psk {
  /** printable ASCII of 1 to 128 characters: it travels in the clear (RFC 8446 4.2.11) */
  readonly identity: string
  /** 32 octets */
  readonly key: KeyObject
}

/**
 * TLS towards a server that proves itself by the PSK and by nothing else: no authority is trusted, and a certificate,
 * be it of the right name, ends the handshake (THREATS R4, PS-07). One identity is offered, by a client, never by a
 * server (PS-06).
 *
 * Options alone are no proof: each connection also passes {@link requirePsk} before anything is sent on it.
 *
 * @throws RangeError if the key or the identity is not of its form
 */
export function pskClientTls({ identity, key }: Psk): ConnectionOptions {
  if (!/^[\x21-\x7e]{1,128}$/.test(identity)) throw new RangeError('not a PSK identity that every peer can read')
  if (!isPreSharedKey(key)) throw new RangeError('a PSK has 32 octets that are not all the same')
  return {
    ...PSK_PROFILE,
    ca: [],
    rejectUnauthorized: true,
    checkServerIdentity: () => new Error('the server shows a certificate instead of the shared key'),
    pskCallback: () => {
      const psk = key.export()
      // The TLS stack copies the octets when this returns.
      setImmediate(() => psk.fill(0))
      return { psk, identity }
    },
  }
}

/** As {@link pskClientTls} wants it to end: TLS 1.3, by the PSK, nothing else. @throws Error if not */
export function requirePsk(socket: TLSSocket): void {
  if (!isByPsk(socket)) throw new Error('the server has not proven that it knows the shared key')
}
