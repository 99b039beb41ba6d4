import type { TLSSocket } from 'node:tls'
import { openPeer, PeerUnavailable, type Resolve } from '../../http/client.ts'
import { clientTls } from '../../tls/client.ts'
import { channelBinding, peerCertificate } from '../../tls/connection.ts'
import type { Connect } from '../connection.ts'

/**
 * @param resolve - where names are reached when DNS shall not be asked; certificates are checked against the name all
 *   the same
 */
export function connectOver(resolve?: Resolve): Connect {
  return (origin, root, credential, judge = () => {}) => {
    const judged = (socket: TLSSocket) => judge({ connection: socket, certificate: () => peerCertificate(socket) })
    const peer = openPeer(origin, clientTls([root], credential), resolve, judged)
    return {
      async request(message) {
        // The connection may be one of before, and its server may have been revoked since.
        const socket = await peer.socket()
        try {
          judged(socket)
        } catch (cause) {
          peer.close()
          throw new PeerUnavailable('connect', `${origin}: ${cause instanceof Error ? cause.message : ''}`, { cause })
        }
        return peer.request(message)
      },
      channelBinding: async () => channelBinding(await peer.socket()),
      close: () => peer.close(),
    }
  }
}
