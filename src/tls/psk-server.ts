import { createHmac, createSecretKey, type KeyObject } from 'node:crypto'
import type { SecureServerOptions } from 'node:http2'
import type { TLSSocket } from 'node:tls'
import { Refusal, refuseUnless } from '../spec/refusal.ts'
import { isByPsk, isPreSharedKey, PSK_PROFILE } from './psk-profile.ts'

/**
 * Keys that nobody has: more than one, which would lie in the caches of the processor where the keys of others do not,
 * and no more than somebody who measures would ask for in turn.
 */
const NOBODYS = 64

/** A key as its keeper knows it: the same object as long as it is the same key. */
export interface KeptKey {
  readonly key: KeyObject
}

export interface PskServerOptions<Kept extends KeptKey> {
  /** @returns the key that this identity stands for now, if there is one */
  keyOf(identity: string): Kept | undefined
  /** whether this very key is still one that opens connections: asked of connections that have proven it */
  isGoodNow(kept: Kept): boolean
  /** for keys that nobody has: 32 random octets, the same for the life of the listener */
  readonly dummySecret: Uint8Array
}

export interface PskServer<Kept extends KeptKey> {
  readonly tls: SecureServerOptions
  /**
   * The key that this connection has proven to hold (THREATS R2): asked of every new connection, and of every request,
   * because a key can end before its connection does.
   *
   * @throws Refusal CREDENTIAL_MISSING
   */
  provenKey(socket: TLSSocket): Kept
}

/**
 * A listener of its own, without any certificate, so that a handshake succeeds with a known key or not at all
 * (THREATS R1, section 0 fact 1).
 *
 * Whatever identity is offered, a dummy key is made and a key looked up, and the handshake goes on to the binder, which
 * only the real key satisfies: known and unknown identities look alike, in the alert and in the time (PS-03, PS-04).
 */
export function pskServer<Kept extends KeptKey>(options: PskServerOptions<Kept>): PskServer<Kept> {
  const { keyOf, isGoodNow, dummySecret } = options
  // A key object, because octets would be made into one at each handshake, for seven times the price of the HMAC.
  const secret = createSecretKey(dummySecret)
  const hmac = (text: string) => createHmac('sha256', secret).update(text).digest()
  const nobodys = Array.from({ length: NOBODYS }, (_, index) => ({ key: createSecretKey(hmac(`${index}`)) }))
  // A property of the socket, because Node shows the sockets of HTTP/2 through a proxy of their own.
  const offered: unique symbol = Symbol('the key that a handshake was given, which proves nothing yet')
  type PskSocket = TLSSocket & { [offered]?: Kept | undefined }
  return {
    tls: {
      ...PSK_PROFILE,
      handshakeTimeout: 5_000,
      pskCallback(socket: PskSocket, identity: string) {
        const dummy = hmac(identity)
        const nobody = nobodys[dummy.readUInt8(0) % NOBODYS] ?? { key: createSecretKey(dummy) }
        const kept = keyOf(identity)
        // As much is done where there is none.
        const { key } = kept ?? nobody
        const octets = key.export()
        // The TLS stack copies the octets when this returns.
        setImmediate(() => octets.fill(0))
        // The last call of a handshake counts: OpenSSL may ask for each identity that is offered.
        socket[offered] = isPreSharedKey(key) ? kept : undefined
        return socket[offered] === undefined ? dummy : octets
      },
    } as SecureServerOptions,
    provenKey(socket) {
      const kept = (socket as PskSocket)[offered]
      refuseUnless(isByPsk(socket) && kept !== undefined, 'CREDENTIAL_MISSING', 'the connection has no pre-shared key')
      if (!isGoodNow(kept)) throw new Refusal('CREDENTIAL_MISSING', 'the pre-shared key has ended')
      return kept
    },
  }
}
