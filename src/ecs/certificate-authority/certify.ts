import type { Template } from '../../certificates/template.ts'
import type { AuditEvent } from '../audit.ts'
import type { Registration } from '../registrar/registration.ts'

/** A public key whose private key the sender has proven to hold. */
export interface ProvenKey {
  /** DER SubjectPublicKeyInfo */
  readonly spki: Buffer
  /** base64url */
  readonly spkiSha256: string
}

/** A certificate that is about to be signed: its serial is on record before its signature exists. Times in milliseconds. */
export interface Intent {
  /** 32 lower case hexadecimal digits */
  readonly serial: string
  readonly notBefore: number
  readonly notAfter: number
  /** the authority that will sign it, by its name */
  readonly issuer: string
  /** everything that the certificate will say */
  readonly template: Template
}

export interface IssuedCertificate {
  readonly serial: string
  readonly notBefore: number
  readonly notAfter: number
  /** PEM: the certificate, then its issuer */
  readonly chain: string
  /** `x5t#S256` */
  readonly thumbprint: string
}

export interface CertificationPorts {
  /**
   * One commit: reserves the key for the registration and records the intent.
   *
   * @throws Refusal PUBLIC_KEY_IN_USE, REGISTRATION_NOT_FOUND: then nothing was stored
   */
  intend(registration: Registration, key: ProvenKey): Promise<Intent>
  /** Profile, lint, signature and last look; nothing is stored. */
  sign(intent: Intent): Promise<IssuedCertificate>
  /**
   * Records that the intended certificate exists, and the token that goes with it, and moves the end of the registration.
   *
   * @throws Refusal CERTIFICATE_REVOKED if the registration ended while it was signed
   */
  recordIssued(certificate: IssuedCertificate, registration: Registration, token?: IssuedToken): Promise<void>
  /** What could not be signed shall never be: the serial goes to the revocation list. */
  abandon(intent: Intent): Promise<void>
}

/** A token that its holder has not seen yet. */
export interface IssuedToken {
  readonly accessToken: string
  /** seconds */
  readonly expiresIn: number
  readonly scope: string
  /** its line in the audit trail */
  readonly issue: AuditEvent
}

/**
 * Signs what was intended. Intent first, signature second, record third, so that no valid certificate is unknown
 * here (THREATS CA-04); what could not be signed never will be.
 */
export async function signIntended(ecs: CertificationPorts, intent: Intent): Promise<IssuedCertificate> {
  try {
    return await ecs.sign(intent)
  } catch (error) {
    await ecs.abandon(intent)
    throw error
  }
}

/** D-7: from two thirds of the lifetime. */
export function renewalTime({ notBefore, notAfter }: Pick<IssuedCertificate, 'notBefore' | 'notAfter'>): number {
  return Math.floor(notBefore + ((notAfter - notBefore) * 2) / 3)
}
