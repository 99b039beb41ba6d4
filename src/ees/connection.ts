import type { Message, Response } from '../http/client.ts'
import type { EesCredential } from './registration/record.ts'

/** A way to one listener of a server; the server has proven its name before the first octet of a message leaves. */
export interface Connection {
  /** @throws PeerUnavailable */
  request(message: Message): Promise<Response>
  /** RFC 9266 of the connection on which the next request goes; undefined before TLS 1.3 @throws PeerUnavailable */
  channelBinding(): Promise<Buffer | undefined>
  close(): void
}

/**
 * Opens connections on which only one root is trusted, and the certificate must be for the name in the origin.
 *
 * @param credential - shown when the server asks for a certificate
 */
export type Connect = (origin: string, root: string, credential?: EesCredential) => Connection
