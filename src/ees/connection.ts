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

/** A server that has proven in the handshake of a connection who it is. */
export interface ProvenServer {
  /** the same object for every request that the connection carries */
  readonly connection: object
  /** DER */
  readonly certificate: () => Buffer | undefined
}

/** Says whether a server is an EES that may be talked to. */
export interface ServerJudge {
  /** Before a connection is opened: learns whom our ECS trusts by now, which may be more than a moment ago. */
  learn(): Promise<void>
  /** @throws Refusal if nothing, or nothing more, shall be said to this server */
  judge(server: ProvenServer): void
}

/**
 * Opens connections on which only one root is trusted, and the certificate must be for the name in the origin.
 *
 * @param credential - shown when the server asks for a certificate
 * @param judge - asked of each new connection, and before each message
 */
export type Connect = (
  origin: string,
  root: string,
  credential?: EesCredential,
  judge?: ServerJudge['judge'],
) => Connection
