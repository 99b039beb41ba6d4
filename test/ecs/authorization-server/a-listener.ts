import 'reflect-metadata'
import { webcrypto } from 'node:crypto'
import * as x509 from '@peculiar/x509'
import type { EcsPeers } from '../../../src/ecs/peers.ts'
import type { AuthorizationServer } from '../../../src/ecs/routes/authorization-server-routes.ts'
import { authorizationServerRoutes } from '../../../src/ecs/routes/authorization-server-routes.ts'
import { type Message, openPeer, type Response as PeerResponse } from '../../../src/http/client.ts'
import { createListener } from '../../../src/http/listener.ts'
import { createLog } from '../../../src/http/log.ts'
import { Refusal } from '../../../src/spec/refusal.ts'
import { clientTls } from '../../../src/tls/client.ts'
import { serverTls } from '../../../src/tls/profile.ts'
import { ECS, REGISTERED } from './parties.ts'

/** Stands in for the client certificate: the test says which EES it speaks as. */
export const SPEAKS_AS = 'test-speaks-as'

/** The routes on a real TLS listener; who calls is said by a header, everything else is as it is served. */
export async function serve(ecs: AuthorizationServer) {
  const credential = await selfSigned(ECS)
  const refuse = async () => {
    throw new Refusal('CREDENTIAL_MISSING', 'no such client in this test')
  }
  const listener = createListener<EcsPeers>({
    name: 'test',
    tls: serverTls(credential),
    routes: authorizationServerRoutes(ecs),
    authenticators: {
      public: async () => undefined,
      certificate: async ({ headers }) => REGISTERED.find(({ eesId }) => eesId === headers[SPEAKS_AS]) ?? refuse(),
      onboardingToken: refuse,
      ecs: refuse,
      authorized: refuse,
      psk: refuse,
      entitlement: refuse,
      grant: refuse,
      eecCertificate: refuse,
      returning: refuse,
      operator: refuse,
    },
    hosts: [ECS],
    log: createLog('test', 'silent'),
  })
  const port = await listener.listen('127.0.0.1', 0)
  const resolve = new Map([[ECS as string, '127.0.0.1']])
  const peer = openPeer(`https://${ECS}:${port}`, clientTls([credential.certificateChain]), resolve)
  return {
    request: (message: Message): Promise<PeerResponse> => peer.request(message),
    async close() {
      peer.close()
      await listener.close()
    },
  }
}

async function selfSigned(name: string) {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${name}`,
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + 3_600_000),
    signingAlgorithm: algorithm,
    keys,
    extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: name }])],
  })
  const key = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)
  return { certificateChain: certificate.toString('pem'), privateKey: x509.PemConverter.encode(key, 'PRIVATE KEY') }
}
