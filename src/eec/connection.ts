import type { Message, Response } from '../http/client.ts'
import type { ServerCredential } from '../tls/profile.ts'
import type { Psk } from '../tls/psk-client.ts'

/** A way to one listener of a server; the server has proven itself before the first octet of a message leaves. */
export interface Connection {
  /** Resolves when the handshake is done. @throws PeerUnavailable */
  open(): Promise<void>
  /** @throws PeerUnavailable */
  request(message: Message): Promise<Response>
  close(): void
}

/** The two ways in which an EEC lets an ECS prove itself; each connection knows one of them. */
export interface Connect {
  /**
   * The ECS shows a certificate for the name in the origin, under the pinned root.
   *
   * @param own - what the EEC shows, if it is asked
   */
  byCertificate(origin: string, own?: ServerCredential): Connection
  /** The ECS knows the key; a certificate is of no use to it. */
  byPsk(origin: string, psk: Psk): Connection
}
