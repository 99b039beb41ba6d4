import { openPeer, type Peer, type Resolve } from '../../http/client.ts'
import { clientTls } from '../../tls/client.ts'
import { pskClientTls, requirePsk } from '../../tls/psk-client.ts'
import type { Connect, Connection } from '../connection.ts'

/**
 * @param root - PEM: the only authority that is trusted for the certificate of an ECS
 * @param resolve - where names are reached when DNS shall not be asked
 */
export function connectOver(root: string, resolve?: Resolve): Connect {
  return {
    byCertificate: (origin, own) => connectionOf(openPeer(origin, clientTls([root], own), resolve)),
    byPsk: (origin, psk) => connectionOf(openPeer(origin, pskClientTls(psk), resolve, requirePsk)),
  }
}

function connectionOf(peer: Peer): Connection {
  return {
    async open() {
      await peer.socket()
    },
    request: (message) => peer.request(message),
    close: () => peer.close(),
  }
}
