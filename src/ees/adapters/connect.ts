import { openPeer, type Resolve } from '../../http/client.ts'
import { clientTls } from '../../tls/client.ts'
import { channelBinding } from '../../tls/connection.ts'
import type { Connect } from '../connection.ts'

/**
 * @param resolve - where names are reached when DNS shall not be asked; certificates are checked against the name all
 *   the same
 */
export function connectOver(resolve?: Resolve): Connect {
  return (origin, root, credential) => {
    const peer = openPeer(origin, clientTls([root], credential), resolve)
    return {
      request: (message) => peer.request(message),
      channelBinding: async () => channelBinding(await peer.socket()),
      close: () => peer.close(),
    }
  }
}
