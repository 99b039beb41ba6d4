import type { Issuer } from '../../certificates/authority.ts'
import type { Certificate } from '../../certificates/certificate.ts'
import { writePem } from '../../certificates/pem.ts'
import type { EcsUrls } from '../urls.ts'

/** A root with what is below it: one certificate authority of this ECS. */
export interface Authorities {
  /** the name of its folder; empty for the one that the ECS was made with */
  readonly id: string
  readonly root: Certificate
  /** signs certificates of EESs, and nothing else */
  readonly eesIssuer: Issuer
  /** signs the ECS's own certificates */
  readonly ecsIssuer: Issuer
  /** the root as the one before it certifies it, if the key of that one was there (RFC 4210 4.4: NewWithOld) */
  readonly cross?: Certificate
}

/**
 * How far the next authority has come in taking the place of the present one.
 *
 * - settled: there is one
 * - staged: the next one is published and trusted, and does not sign yet
 * - switched: it signs, and the one before it is still trusted
 */
export type RollOverStage = 'settled' | 'staged' | 'switched'

export interface Standing {
  readonly stage: RollOverStage
  /** signs */
  readonly present: Authorities
  /** the next one when staged, the one before when switched */
  readonly other?: Authorities
  /** of the stage, milliseconds since 1970 */
  readonly since: number
}

/** The present one first. */
export function trustedOf({ present, other }: Standing): readonly Authorities[] {
  return other === undefined ? [present] : [present, other]
}

/**
 * PEM of what goes along with a certificate: its issuer, and while the root before ours is still somebody's only one, how
 * that root certifies ours.
 */
export function chainOf({ present, stage }: Standing, issuer: Issuer): string {
  const between = [issuer.certificate, ...(stage === 'switched' && present.cross ? [present.cross] : [])]
  return between.map(({ der }) => writePem('CERTIFICATE', der)).join('')
}

export const certificatesOf = ({ root, eesIssuer, ecsIssuer }: Authorities): readonly Certificate[] => [
  root,
  eesIssuer.certificate,
  ecsIssuer.certificate,
]

/** By the key of its authority, so that each has a list of its own at every moment. */
export function revocationListOf({ subjectKeyId }: Certificate): string {
  if (subjectKeyId === undefined) throw new Error('an authority without key identifier')
  return `${subjectKeyId.toString('hex')}.crl`
}

/** Where that list is. */
export function crlUrl({ apiRoot }: Pick<EcsUrls, 'apiRoot'>, issuer: Certificate): string {
  return `${apiRoot}/crl/${revocationListOf(issuer)}`
}
