import type { KeyObject } from 'node:crypto'
import { sha256Base64url } from '../octets/digest.ts'
import { Refusal } from '../spec/refusal.ts'
import { type DerReader, readDer } from './der-reader.ts'
import { readName } from './distinguished-name.ts'
import { type Extensions, NO_EXTENSIONS, readExtensions } from './extension-reader.ts'
import { Malformed, refuseMalformed } from './malformed.ts'
import { derOf, readPemList } from './pem.ts'
import { acceptPublicKey } from './public-key.ts'
import { readSignatureAlgorithm, type SignatureAlgorithm } from './signature-algorithm.ts'

/** TBSCertificate (RFC 5280 4.1.2). Names and keys stay DER: two of them are the same if their octets are. */
export interface TbsCertificate extends Extensions {
  /** two's complement in lower case hex, as on a CRL; always positive */
  readonly serial: string
  readonly signatureAlgorithm: SignatureAlgorithm
  readonly issuer: Buffer
  /** milliseconds since the epoch */
  readonly notBefore: number
  readonly notAfter: number
  readonly subject: Buffer
  readonly spki: Buffer
}

/** A certificate that was read. Nothing about its issuer is known yet: that is `checkChain`. */
export interface Certificate extends TbsCertificate {
  readonly der: Buffer
  readonly tbs: Buffer
  readonly signature: Buffer
  readonly publicKey: KeyObject
}

/**
 * Certificate (RFC 5280 4.1), version 3, strictly: no extension twice, no critical one unknown, no key or algorithm off
 * the lists.
 *
 * @param derOrPem - one certificate, at most 16 KiB
 * @throws Refusal CERTIFICATE_NOT_ACCEPTED
 */
export function readCertificate(derOrPem: Uint8Array | string): Certificate {
  return refuseMalformed('CERTIFICATE_NOT_ACCEPTED', 'the certificate', () =>
    withPublicKey(readDer(derOf('CERTIFICATE', derOrPem), (der) => der.withOctets(readSigned))),
  )
}

/**
 * A chain as it travels: PEM texts one after another, the leaf first.
 *
 * @throws Refusal CERTIFICATE_NOT_ACCEPTED
 */
export function readCertificateList(pem: string): Certificate[] {
  const list = refuseMalformed('CERTIFICATE_NOT_ACCEPTED', 'the certificates', () =>
    readPemList('CERTIFICATE', pem, LONGEST_LIST),
  )
  return list.map(readCertificate)
}

const LONGEST_LIST = 64 * 1024

/** RFC 8705 3.1: SHA-256 of the certificate as base64url. */
export function x5tS256(der: Uint8Array): string {
  return sha256Base64url(der)
}

interface Signed {
  readonly tbs: Buffer
  readonly fields: TbsCertificate
  readonly signature: Buffer
}

function withPublicKey({ octets, value }: { octets: Buffer; value: Signed }): Certificate {
  const { tbs, fields, signature } = value
  return { ...fields, der: octets, tbs, signature, publicKey: acceptPublicKeyOf(fields) }
}

function acceptPublicKeyOf({ spki }: TbsCertificate): KeyObject {
  try {
    return acceptPublicKey(spki)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    throw new Refusal('CERTIFICATE_NOT_ACCEPTED', `the certificate: ${error.detail}`, { cause: error })
  }
}

function readSigned(der: DerReader): Signed {
  return der.sequence((certificate) => {
    const { octets: tbs, value: fields } = certificate.withOctets(readTbsCertificate)
    if (readSignatureAlgorithm(certificate) !== fields.signatureAlgorithm)
      throw new Malformed('two signature algorithms')
    return { tbs, fields, signature: certificate.bitString() }
  })
}

/** @throws Malformed */
export function readTbsCertificate(der: DerReader): TbsCertificate {
  return der.sequence((tbs) => {
    if (tbs.explicit(0, (version) => version.smallInteger()) !== 2) throw new Malformed('not version 3')
    const serial = readSerial(tbs)
    const signatureAlgorithm = readSignatureAlgorithm(tbs)
    const issuer = tbs.withOctets(readName).octets
    const { notBefore, notAfter } = tbs.sequence((validity) => ({
      notBefore: validity.time(),
      notAfter: validity.time(),
    }))
    const subject = tbs.withOctets(readName).octets
    const spki = tbs.withOctets((der) => der.any()).octets
    // The unique identifiers [1] and [2] come from version 2; conforming CAs never write them (RFC 5280 4.1.2.8).
    const extensions = tbs.explicit(3, readExtensions) ?? NO_EXTENSIONS
    return { serial, signatureAlgorithm, issuer, notBefore, notAfter, subject, spki, ...extensions }
  })
}

/** Positive, at most 20 octets (RFC 5280 4.1.2.2). @returns lower case hex @throws Malformed */
export function readSerial(der: DerReader): string {
  const octets = der.integer()
  if (octets.length > 20 || octets.readInt8(0) < 0 || octets.equals(ZERO)) throw new Malformed('a wrong serial number')
  return octets.toString('hex')
}

const ZERO = Buffer.of(0)
