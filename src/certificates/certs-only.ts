import { type DerReader, readDer } from './der-reader.ts'
import { contextConstructed, TAG } from './der-tags.ts'
import { element, explicit, integer, oid, sequence } from './der-writer.ts'
import { Malformed, refuseMalformed } from './malformed.ts'
import { OID } from './object-identifiers.ts'

/** Octets: a chain, not a trust store. */
const LIMIT = 64 * 1024
const VERSION = 1

/**
 * The certs-only message of EST (RFC 7030 4.1.3): SignedData without content and without signers (RFC 5652 5.1).
 *
 * @param certificates - DER, kept in this order, which BER allows and readers expect: the leaf first
 * @returns ContentInfo, DER but for that order
 */
export function writeCertsOnly(certificates: readonly Uint8Array[]): Buffer {
  const signedData = sequence([
    integer(VERSION),
    element(TAG.set, []),
    sequence([oid(OID.data)]),
    element(contextConstructed(0), certificates),
    element(TAG.set, []),
  ])
  return sequence([oid(OID.signedData), explicit(0, signedData)])
}

/**
 * Reads a certs-only message. The order of its certificates means nothing: `checkChain` finds the path.
 *
 * @returns each certificate, DER, not read yet
 * @throws Refusal CERTIFICATE_NOT_ACCEPTED
 */
export function readCertsOnly(der: Uint8Array): Buffer[] {
  return refuseMalformed('CERTIFICATE_NOT_ACCEPTED', 'the certs-only message', () =>
    readDer(der, readContentInfo, LIMIT),
  )
}

function readContentInfo(der: DerReader): Buffer[] {
  return der.sequence((contentInfo) => {
    if (contentInfo.oid() !== OID.signedData) throw new Malformed('not SignedData')
    return contentInfo.constructed(contextConstructed(0), readSignedData)
  })
}

function readSignedData(der: DerReader): Buffer[] {
  return der.sequence((signedData) => {
    if (signedData.smallInteger() !== VERSION) throw new Malformed('not version 1')
    empty(signedData)
    const contentType = signedData.sequence((content) => content.oid())
    if (contentType !== OID.data) throw new Malformed('content of another type')
    const certificates = signedData.sequenceOf(readElement, contextConstructed(0))
    empty(signedData)
    return certificates
  })
}

function readElement(der: DerReader): Buffer {
  if (!der.next(TAG.sequence)) throw new Malformed('something that is not a certificate')
  return Buffer.from(der.withOctets((certificate) => certificate.any()).octets)
}

function empty(der: DerReader): void {
  der.constructed(TAG.set, () => undefined)
}
