import type { Issuer } from './authority.ts'
import { readSerial } from './certificate.ts'
import { type DerReader, readDer } from './der-reader.ts'
import { TAG } from './der-tags.ts'
import { bitString, element, explicit, headerLength, integer, oid, sequence, time, writeHeader } from './der-writer.ts'
import { readName } from './distinguished-name.ts'
import { readAuthorityKeyId, readExtensionList } from './extension-reader.ts'
import { extension, writeAuthorityKeyId } from './extension-writer.ts'
import { Malformed, refuseMalformed } from './malformed.ts'
import { OID } from './object-identifiers.ts'
import { derOf } from './pem.ts'
import {
  algorithmOfSigner,
  readSignatureAlgorithm,
  type SignatureAlgorithm,
  signatureVerifiesAside,
  writeSignatureAlgorithm,
} from './signature-algorithm.ts'

/**
 * CRLReason (RFC 5280 5.3.1). `unspecified` is said by leaving the reason out, `removeFromCRL` exists in delta CRLs
 * only.
 */
export const CRL_REASONS = {
  keyCompromise: 1,
  cACompromise: 2,
  affiliationChanged: 3,
  superseded: 4,
  cessationOfOperation: 5,
  certificateHold: 6,
  privilegeWithdrawn: 9,
  aACompromise: 10,
} as const
export type CrlReason = keyof typeof CRL_REASONS

interface Revocation {
  /** milliseconds since the epoch */
  readonly revokedAt: number
  readonly reason?: CrlReason
}

export interface RevokedCertificate extends Revocation {
  /** as in `Certificate.serial` */
  readonly serial: string
}

interface CrlContent {
  readonly issuer: Issuer
  /** CRL number; each CRL of an issuer has a larger one than the last */
  readonly number: bigint
  /** milliseconds since the epoch */
  readonly thisUpdate: number
  readonly nextUpdate: number
  /** each serial once; times are rounded down to the second */
  readonly entries: Iterable<RevokedCertificate>
}

/** A CRL that was read. Whose it is and whether it is current is judged in `checkChain`. */
export interface Crl {
  readonly der: Buffer
  readonly tbs: Buffer
  readonly signatureAlgorithm: SignatureAlgorithm
  readonly signature: Buffer
  /** Name, DER */
  readonly issuer: Buffer
  readonly authorityKeyId: Buffer
  readonly number: bigint
  /** milliseconds since the epoch */
  readonly thisUpdate: number
  readonly nextUpdate: number
  /** by serial number, as in `Certificate.serial` */
  readonly revoked: ReadonlyMap<string, Revocation>
}

/** Octets: some 400,000 entries. */
const CRL_LIMIT = 16 * 1024 * 1024

/**
 * CertificateList, version 2, complete, with CRL number and authority key identifier (RFC 5280 5.1, 5.2).
 *
 * @returns DER
 */
export async function issueCrl({ issuer, number, thisUpdate, nextUpdate, entries }: CrlContent): Promise<Buffer> {
  const { certificate, signer } = issuer
  const { subjectKeyId } = certificate
  if (subjectKeyId === undefined || !certificate.keyUsage?.includes('cRLSign')) throw new Error('not an issuer of CRLs')
  if (nextUpdate <= thisUpdate) throw new Error('a CRL that ends before it begins')

  const signatureAlgorithm = algorithmOfSigner(signer.publicKey)
  const revoked = writeEntries(entries)
  const tbs = sequence([
    integer(1),
    writeSignatureAlgorithm(signatureAlgorithm),
    certificate.subject,
    wholeSeconds(thisUpdate),
    wholeSeconds(nextUpdate),
    // An empty list is left out, not written as an empty SEQUENCE (RFC 5280 5.1.2.6).
    ...(revoked.length === 0 ? [] : [sequence(revoked)]),
    explicit(0, sequence([writeAuthorityKeyId(subjectKeyId), extension(CRL_NUMBER, integer(number))])),
  ])
  const signature = await signer.sign(tbs)
  const verified = await signatureVerifiesAside({ tbs, signature, signatureAlgorithm }, certificate.publicKey)
  if (!verified) throw new Error('the signer is not that of the issuer')
  return sequence([tbs, writeSignatureAlgorithm(signatureAlgorithm), bitString(signature)])
}

const CRL_NUMBER = oid(OID.crlNumber)
const REASON_CODE = oid(OID.reasonCode)

/** Positive and minimal, at most 20 octets (RFC 5280 4.1.2.2). */
const SERIAL = /^(?!00[0-7]|00$)[0-7][0-9a-f](?:[0-9a-f]{2}){0,19}$/
const LONGEST_ENTRY = 64
const CHUNK = 1000 * LONGEST_ENTRY

/** All entries, one after another, written where they will stay: there may be 100,000 of them. */
function writeEntries(entries: Iterable<RevokedCertificate>): Buffer[] {
  const seen = new Set<string>()
  const chunks: Buffer[] = []
  let chunk = Buffer.allocUnsafe(CHUNK)
  let at = 0
  for (const entry of entries) {
    if (!SERIAL.test(entry.serial) || seen.has(entry.serial)) throw new Error('a wrong serial number, or one twice')
    seen.add(entry.serial)
    if (at > CHUNK - LONGEST_ENTRY) {
      chunks.push(chunk.subarray(0, at))
      chunk = Buffer.allocUnsafe(CHUNK)
      at = 0
    }
    at = writeEntry(chunk, at, entry)
  }
  if (at > 0) chunks.push(chunk.subarray(0, at))
  return chunks
}

/** @returns the position behind the entry */
function writeEntry(chunk: Buffer, start: number, { serial, revokedAt, reason }: RevokedCertificate): number {
  const serialLength = serial.length / 2
  const date = wholeSeconds(revokedAt)
  const extensions = reason === undefined ? NOTHING : REASONS[reason]
  const length = headerLength(serialLength) + serialLength + date.length + extensions.length
  let at = writeHeader(chunk, start, TAG.sequence, length)
  at = writeHeader(chunk, at, TAG.integer, serialLength)
  at += chunk.write(serial, at, 'hex')
  chunk.set(date, at)
  chunk.set(extensions, at + date.length)
  return at + date.length + extensions.length
}

const NOTHING = Buffer.alloc(0)

/** crlEntryExtensions with the reason alone. */
const REASONS = Object.fromEntries(
  Object.entries(CRL_REASONS).map(([reason, code]) => [
    reason,
    sequence([extension(REASON_CODE, element(TAG.enumerated, [Uint8Array.of(code)]))]),
  ]),
) as Record<CrlReason, Buffer>

function wholeSeconds(ms: number): Buffer {
  return time(ms - (ms % 1000))
}

/**
 * CertificateList (RFC 5280 5.1), version 2, strictly. A delta, indirect or partitioned CRL says so critically and is
 * refused.
 *
 * @param derOrPem - at most 16 MiB
 * @throws Refusal CERTIFICATE_NOT_ACCEPTED
 */
export function readCrl(derOrPem: Uint8Array | string): Crl {
  return refuseMalformed('CERTIFICATE_NOT_ACCEPTED', 'the CRL', () => {
    const der = derOf('X509 CRL', derOrPem, CRL_LIMIT)
    return { ...readDer(der, readSigned, CRL_LIMIT), der }
  })
}

function readSigned(der: DerReader): Omit<Crl, 'der'> {
  return der.sequence((list) => {
    const { octets: tbs, value: fields } = list.withOctets(readTbsCertList)
    if (readSignatureAlgorithm(list) !== fields.signatureAlgorithm) throw new Malformed('two signature algorithms')
    return { ...fields, tbs, signature: list.bitString() }
  })
}

function readTbsCertList(der: DerReader): Omit<Crl, 'der' | 'tbs' | 'signature'> {
  return der.sequence((tbs) => {
    if (tbs.smallInteger() !== 1) throw new Malformed('not version 2')
    const signatureAlgorithm = readSignatureAlgorithm(tbs)
    const issuer = tbs.withOctets(readName).octets
    const thisUpdate = tbs.time()
    const nextUpdate = tbs.time()
    const revoked = tbs.next(TAG.sequence) ? readEntries(tbs) : new Map<string, Revocation>()
    const extensions = tbs.explicit(0, readCrlExtensions)
    if (extensions === undefined) throw new Malformed('no CRL number')
    return { signatureAlgorithm, issuer, thisUpdate, nextUpdate, revoked, ...extensions }
  })
}

function readCrlExtensions(der: DerReader): Pick<Crl, 'number' | 'authorityKeyId'> {
  let number: bigint | undefined
  let authorityKeyId: Buffer | undefined
  readExtensionList(der, (id, critical, value) => {
    if (id === OID.crlNumber) number = readDer(value, (extension) => extension.unsigned())
    else if (id === OID.authorityKeyIdentifier) authorityKeyId = readDer(value, readAuthorityKeyId)
    else if (critical) throw new Malformed('a critical extension that is not supported')
  })
  if (number === undefined || authorityKeyId === undefined) throw new Malformed('no CRL number or no key identifier')
  return { number, authorityKeyId }
}

function readEntries(der: DerReader): Map<string, Revocation> {
  const revoked = new Map<string, Revocation>()
  der.sequenceOf((list) =>
    list.sequence((entry) => {
      const serial = readSerial(entry)
      if (revoked.has(serial)) throw new Malformed('a serial number that is there twice')
      const revokedAt = entry.time()
      const reason = entry.more ? readReason(entry) : undefined
      revoked.set(serial, reason === undefined ? { revokedAt } : { revokedAt, reason })
    }),
  )
  return revoked
}

const REASON_OF_CODE = new Map(
  Object.entries(CRL_REASONS).map(([reason, code]) => [code as number, reason as CrlReason]),
)

/** A code that is unknown here, or `unspecified`, revokes all the same. */
function readReason(der: DerReader): CrlReason | undefined {
  let reason: CrlReason | undefined
  readExtensionList(der, (id, critical, value) => {
    if (id === OID.reasonCode) {
      reason = REASON_OF_CODE.get(readDer(value, (extension) => extension.smallInteger(TAG.enumerated)))
    } else if (critical) throw new Malformed('a critical extension that is not supported')
  })
  return reason
}
