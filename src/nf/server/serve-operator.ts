import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { readCertificate } from '../../certificates/certificate.ts'
import { checkChain } from '../../certificates/chain.ts'
import { createListener, type Listener } from '../../http/listener.ts'
import type { Log } from '../../http/log.ts'
import type { Route } from '../../http/route.ts'
import type { Clock } from '../../ports/clock.ts'
import { refuseUnless } from '../../spec/refusal.ts'
import { peerCertificate } from '../../tls/connection.ts'
import { mutualTls } from '../../tls/profile.ts'
import { OPERATOR_AUTHORITY } from '../adapters/core-authority.ts'
import type { NfFolder } from '../adapters/folder.ts'
import type { NfIdentity } from '../configuration.ts'
import { explain } from './serve-nf.ts'

/** What a client can be at the `admin` listener. */
export interface OperatorPeers {
  operator: { readonly name: string }
}

/**
 * The listener of a network function for its operator, whose certificate is of an authority of its own (THREATS CA-11).
 */
export async function operatorListener(
  { folder, configuration, credential, root }: NfFolder<NfIdentity>,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
  routes: readonly Route<OperatorPeers>[],
): Promise<Listener> {
  const readIssuer = () => readFile(join(folder, OPERATOR_AUTHORITY), 'utf8')
  let issuer = await readIssuer()
  let anchor = readCertificate(issuer)
  const tls = () => mutualTls(credential.current(), [issuer, root])
  const shown = (socket: TLSSocket) => {
    const der = peerCertificate(socket)
    refuseUnless(der !== undefined, 'CREDENTIAL_MISSING', 'a client certificate is required')
    const leaf = readCertificate(der)
    checkChain({ leaf, intermediates: [], anchors: [anchor], role: 'operator', now: clock.now() })
    return leaf
  }
  const listener = createListener<OperatorPeers>({
    name: 'admin',
    tls: tls(),
    routes,
    authenticators: {
      operator: async ({ socket }) => {
        const [uri = ''] = shown(socket).subjectAltNames.uris
        return { name: uri.slice(uri.lastIndexOf(':') + 1) }
      },
    },
    admit: shown,
    hosts: [configuration.fqdn],
    explain,
    log,
  })
  credential.onRenewal(async () => {
    issuer = await readIssuer()
    anchor = readCertificate(issuer)
    listener.setSecureContext(tls())
  })
  return listener
}
