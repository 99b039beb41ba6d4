import { Type } from 'typebox'
import { readCertificateList } from '../../certificates/certificate.ts'
import { writeCertsOnly } from '../../certificates/certs-only.ts'
import { spkiSha256 } from '../../certificates/public-key.ts'
import { ok, type Route, routesOf } from '../../http/route.ts'
import { refuseUnless } from '../../spec/refusal.ts'
import { channelBinding } from '../../tls/connection.ts'
import type { CertificationPorts } from '../certificate-authority/certify.ts'
import { renewCertificate } from '../certificate-authority/renew-certificate.ts'
import { CRL, EST } from '../operations.ts'
import type { EcsPeers } from '../peers.ts'
import { checkBinding, readRequestText } from '../registrar/prove-possession.ts'

const route = routesOf<EcsPeers>()

export interface PublicCertificates {
  /** DER: the issuing authorities and the root, as an EES must know them */
  caCertificates(): readonly Buffer[]
  /** DER, by the name of the issuing authority; undefined if there is none of that name */
  revocationList(issuer: string): Promise<Buffer | undefined>
}

/** On every listener: what anybody may know. */
export function publicCertificateRoutes(ecs: PublicCertificates): Route<EcsPeers>[] {
  return [
    route({
      operation: EST.CaCerts,
      credential: 'public',
      async handle() {
        return certificates(ecs.caCertificates())
      },
    }),
    route({
      operation: CRL,
      credential: 'public',
      async handle({ params }) {
        const der = await ecs.revocationList(params['issuer'] ?? '')
        refuseUnless(der !== undefined, 'RESOURCE_URI_STRUCTURE_NOT_FOUND', 'there is no such revocation list')
        return ok(der, { 'content-type': 'application/pkix-crl', 'cache-control': 'max-age=60' })
      },
    }),
  ]
}

/** On the `mtls` listener: a new certificate by the power of the present one. */
export function reenrolmentRoute(ecs: CertificationPorts, bindingRequired: boolean): Route<EcsPeers> {
  return route({
    operation: EST.SimpleReenroll,
    credential: 'authorized',
    content: { mediaType: 'application/pkcs10', schema: Type.String() },
    async handle({ peer, body, socket }) {
      const { spki, subjectAltNames, challengePassword } = readRequestText(body)
      checkBinding(challengePassword, { channelBinding: () => channelBinding(socket), bindingRequired })
      const key = { spki, spkiSha256: spkiSha256(spki) }
      const issued = await renewCertificate(ecs, peer, { key, names: subjectAltNames })
      return certificates(readCertificateList(issued.chain).map(({ der }) => der))
    },
  })
}

/** RFC 7030 4.1.3, 4.2.3: base64 of a certs-only message of CMS, in lines as RFC 8951 allows them. */
function certificates(chain: readonly Buffer[]) {
  const base64 = writeCertsOnly(chain).toString('base64').replaceAll(/.{64}/g, '$&\n')
  return ok(`${base64}\n`, {
    'content-type': 'application/pkcs7-mime; smime-type=certs-only',
    'content-transfer-encoding': 'base64',
  })
}
