import { type Certificate, readCertificateList } from '../../certificates/certificate.ts'
import { EEC_URN } from '../../certificates/template.ts'
import type { Progress } from '../../ports/progress.ts'
import type { EecId } from '../../spec/subscriber-identifiers.ts'
import type { ServerCredential } from '../../tls/profile.ts'
import { withProof } from '../bound-token.ts'
import type { Connect } from '../connection.ts'
import { NotUsable } from '../errors.ts'
import type { ProofKey } from '../proof-key.ts'
import { at } from './at-step.ts'
import type { AuthenticatedConnection, Ecs } from './authenticated-connection.ts'

/** What an EEC shows in the handshake. */
export interface OwnCertificate {
  /** PEM: the certificate, and its issuers if the ECS does not have them */
  readonly credential: ServerCredential
  /** milliseconds since 1970 */
  readonly expiresAt: number
}

export interface CertificateAuthenticationPorts {
  readonly certificate: OwnCertificate
  readonly connect: Pick<Connect, 'byCertificate'>
  readonly key: ProofKey
  readonly progress: Progress
}

/** @throws NotUsable if it is not a certificate of this EEC that is good now */
export function ownCertificate(credential: ServerCredential, eecId: EecId, now: number): OwnCertificate {
  const leaf = firstOf(credential.certificateChain)
  if (!leaf?.subjectAltNames.uris.includes(`${EEC_URN}${eecId}`)) {
    throw new NotUsable(`the certificate is not one of ${eecId}`)
  }
  if (now < leaf.notBefore || now > leaf.notAfter) throw new NotUsable('the certificate of the EEC is not valid now')
  return { credential, expiresAt: leaf.notAfter }
}

function firstOf(pem: string): Certificate | undefined {
  try {
    return readCertificateList(pem)[0]
  } catch (cause) {
    throw new NotUsable('what the EEC is to show is no certificate', { cause })
  }
}

/**
 * EEC authentication by certificate: TS 33.558 6.2, `TLS_CLIENT_SERVER_CERTIFICATE`, at the listener that the metadata of
 * the ECS name. In TLS 1.3 the client is done before the server has judged it, so that an ECS that does not take the
 * certificate is heard of with the first request.
 *
 * @param origin - `https://FQDN[:PORT]` of that listener
 * @throws AuthenticationStepFailed; there is no second method
 */
export function authenticateByCertificate(
  { certificate, connect, key, progress }: CertificateAuthenticationPorts,
  ecs: Ecs,
  origin: string,
): Promise<AuthenticatedConnection> {
  return at('certificate', async () => {
    const connection = connect.byCertificate(origin, certificate.credential)
    try {
      const arrow = { clause: 'TS 33.558 6.2', from: 'EEC', to: ecs.fqdn }
      await progress.step(arrow, 'TLS with the certificates of both', () => connection.open())
    } catch (error) {
      connection.close()
      throw error
    }
    const tokenGrant = { connection, origin, parameters: { grant_type: 'client_credentials' } }
    return { connection, proven: withProof(connection, origin, key), expiresAt: certificate.expiresAt, tokenGrant }
  })
}
