import { refuseUnless } from '../spec/refusal.ts'
import type { Certificate } from './certificate.ts'
import type { Crl } from './crl.ts'
import { readDer } from './der-reader.ts'
import { readName } from './distinguished-name.ts'
import { AUTHORITY_NAMES, type LeafRole, PROFILES } from './profile.ts'
import { deviations } from './role-rules.ts'
import { signatureVerifies } from './signature-algorithm.ts'

export interface ChainQuestion {
  readonly leaf: Certificate
  /** what the peer sent along, in any order; at most 8 */
  readonly intermediates: readonly Certificate[]
  /** what is trusted for this purpose: roots, or issuing CAs themselves */
  readonly anchors: readonly Certificate[]
  readonly role: LeafRole
  /** milliseconds since the epoch */
  readonly now: number
  /** where given, every certificate below the anchor needs a current CRL of its issuer */
  readonly crls?: readonly Crl[]
  /** the highest CRL number seen so far, by the issuer's key identifier in lower case hex */
  readonly lastCrlNumbers?: ReadonlyMap<string, bigint>
}

type Path = readonly Certificate[]

const MOST_INTERMEDIATES = 8
/** Certificates, with leaf and anchor. */
const LONGEST_PATH = 5
/** Signatures that one question may cost, whatever the peer sent. */
const MOST_SIGNATURES = 16

/**
 * Certification path validation (RFC 5280 6.1) for a leaf that claims a role.
 *
 * @returns the path: the leaf, what lies between, the anchor
 * @throws Refusal CERTIFICATE_NOT_ACCEPTED, CERTIFICATE_REVOKED
 */
export function checkChain(question: ChainQuestion): Path {
  const { leaf, intermediates, role, now } = question
  accept(intermediates.length <= MOST_INTERMEDIATES, 'too many intermediate certificates')
  accept(isCurrent(leaf, now), 'the certificate is not valid now')
  accept(deviations(leaf, role).length === 0, `the certificate is not of the role ${role}`)
  // Each role has its own issuer, so the issuer's name says for which role the certificate was signed (THREATS CA-11).
  const { commonName } = readDer(leaf.issuer, readName)
  accept(commonName === AUTHORITY_NAMES[PROFILES[role].issuedBy], `the issuer does not certify the role ${role}`)

  const path = findPath([leaf], leaf, question, { signatures: MOST_SIGNATURES })
  accept(path !== undefined, 'no valid path leads to a trusted issuer')
  checkRevocation(path, question)
  return path
}

/**
 * Depth first: a CA that was renewed, or has two certificates for one key, may offer a path that is invalid beside one
 * that is not.
 */
function findPath(
  path: Path,
  last: Certificate,
  question: ChainQuestion,
  left: { signatures: number },
): Path | undefined {
  if (path.length === LONGEST_PATH) return undefined
  const mayIssue = (candidate: Certificate) =>
    mayHaveIssued(candidate, last, path.slice(1).filter(isNoLaterRoot).length, question) &&
    left.signatures-- > 0 &&
    signatureVerifies(last, candidate.publicKey)
  const anchor = question.anchors.find(mayIssue)
  if (anchor) return [...path, anchor]
  for (const intermediate of question.intermediates) {
    if (path.includes(intermediate) || !mayIssue(intermediate)) continue
    const found = findPath([...path, intermediate], intermediate, question, left)
    if (found) return found
  }
  return undefined
}

/**
 * A self-issued certificate is no step down (RFC 5280 6.1.4 l): here, only a root that the root before it has
 * certified.
 */
function isNoLaterRoot({ subject, issuer }: Certificate): boolean {
  return !subject.equals(issuer) || readDer(subject, readName).commonName !== AUTHORITY_NAMES.root
}

/**
 * Everything that RFC 5280 6.1.4 asks of an issuer but its signature.
 *
 * @param below - CA certificates between it and the leaf that count
 */
function mayHaveIssued(issuer: Certificate, child: Certificate, below: number, { now, role }: ChainQuestion): boolean {
  const { basicConstraints, keyUsage, extendedKeyUsage } = issuer
  return (
    issuer.subject.equals(child.issuer) &&
    isKeyOf(issuer, child.authorityKeyId) &&
    isCurrent(issuer, now) &&
    basicConstraints?.ca === true &&
    (basicConstraints.pathLength ?? below) >= below &&
    keyUsage?.includes('keyCertSign') === true &&
    PROFILES[role].extendedKeyUsage.every((purpose) => extendedKeyUsage?.includes(purpose) ?? true)
  )
}

function isCurrent({ notBefore, notAfter }: Certificate, now: number): boolean {
  return notBefore <= now && now <= notAfter
}

/** Both identifiers must be there: an issuer is found by name and key. */
function isKeyOf({ subjectKeyId }: Certificate, keyId: Buffer | undefined): boolean {
  return subjectKeyId !== undefined && keyId !== undefined && subjectKeyId.equals(keyId)
}

/** Fails closed: whoever asks for CRLs gets no answer without them (THREATS CA-07). */
function checkRevocation(path: Path, { crls, lastCrlNumbers, now }: ChainQuestion): void {
  if (crls === undefined) return
  path.slice(1).forEach((issuer, index) => {
    const crl = newest(
      crls.filter((each) => each.issuer.equals(issuer.subject) && isKeyOf(issuer, each.authorityKeyId)),
    )
    accept(crl !== undefined, 'the issuer has no CRL here')
    accept(isSignedBy(crl, issuer), 'the CRL is not signed by the issuer')
    accept(crl.thisUpdate <= now && now <= crl.nextUpdate, 'the CRL is not current')
    const last = lastCrlNumbers?.get(crl.authorityKeyId.toString('hex')) ?? 0n
    accept(crl.number >= last, 'the CRL is older than one that was seen')
    const revoked = crl.revoked.has(path[index]?.serial ?? '')
    refuseUnless(!revoked, 'CERTIFICATE_REVOKED', 'the certificate, or one of its issuers, is revoked')
  })
}

function newest(crls: readonly Crl[]): Crl | undefined {
  return crls.reduce<Crl | undefined>((best, crl) => (best && best.number >= crl.number ? best : crl), undefined)
}

/** A CRL of 100,000 entries is hashed once for each key that it is compared with, not once for each connection. */
const SIGNER_KEYS = new WeakMap<Crl, Buffer>()

function isSignedBy(crl: Crl, { keyUsage, publicKey, spki }: Certificate): boolean {
  if (!keyUsage?.includes('cRLSign')) return false
  if (SIGNER_KEYS.get(crl)?.equals(spki)) return true
  const signed = signatureVerifies(crl, publicKey)
  if (signed) SIGNER_KEYS.set(crl, spki)
  return signed
}

function accept(condition: boolean, otherwise: string): asserts condition {
  refuseUnless(condition, 'CERTIFICATE_NOT_ACCEPTED', otherwise)
}
