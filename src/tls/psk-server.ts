import { createHmac } from 'node:crypto'
import type { SecureServerOptions } from 'node:http2'
import type { TLSSocket } from 'node:tls'
import { Refusal, refuseUnless } from '../spec/refusal.ts'
import { isByPsk, PSK_LENGTH, PSK_PROFILE } from './psk-profile.ts'

/** The identity that a connection offered, for which this side gave a key. The name alone proves nothing. */
const OFFERED = Symbol('PSK identity offered')

type PskSocket = TLSSocket & { [OFFERED]?: string }

export interface PskServerOptions {
  /** @returns 32 octets that are good now, or undefined */
  readonly keyOf: (identity: string) => Uint8Array | undefined
  /** for keys that nobody has: 32 random octets, the same for the life of the listener */
  readonly dummySecret: Uint8Array
}

/**
 * A listener of its own, without any certificate, so that a handshake succeeds with a known key or not at all
 * (THREATS R1, section 0 fact 1).
 *
 * Whatever identity is offered, a dummy key is made and a key looked up, and the handshake goes on to the binder, which
 * only the real key satisfies: known and unknown identities look alike, in the alert and in the time (PS-03, PS-04).
 */
export function pskServerTls({ keyOf, dummySecret }: PskServerOptions): SecureServerOptions {
  return {
    ...PSK_PROFILE,
    handshakeTimeout: 5_000,
    pskCallback(socket: PskSocket, identity: string) {
      const dummy = createHmac('sha256', dummySecret).update(identity).digest()
      const key = keyOf(identity)
      const usable = key !== undefined && key.length === PSK_LENGTH
      // The last call of a handshake counts: OpenSSL may ask for each identity that is offered.
      socket[OFFERED] = usable ? identity : ''
      return usable ? key : dummy
    },
  } as SecureServerOptions
}

/**
 * The identity that this connection has proven to hold the key of (THREATS R2): asked of every new connection, and of
 * every request, because a key can end before its connection does.
 *
 * @throws Refusal CREDENTIAL_MISSING
 */
export function provenPskIdentity(socket: TLSSocket, isGoodNow: (identity: string) => boolean): string {
  const identity = (socket as PskSocket)[OFFERED] ?? ''
  refuseUnless(isByPsk(socket) && identity !== '', 'CREDENTIAL_MISSING', 'the connection has no pre-shared key')
  if (!isGoodNow(identity)) throw new Refusal('CREDENTIAL_MISSING', 'the pre-shared key has ended')
  return identity
}
