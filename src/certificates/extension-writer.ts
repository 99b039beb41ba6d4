import { contextConstructed, contextPrimitive } from './der-tags.ts'
import { element, ia5String, integer, namedBits, octetString, oid, sequence, TRUE } from './der-writer.ts'
import { type BasicConstraints, KEY_USAGES, type KeyUsage } from './extension-reader.ts'
import { OID } from './object-identifiers.ts'
import { keyIdentifier } from './public-key.ts'
import type { Template } from './template.ts'

/** Extensions (RFC 5280 4.2) of a certificate: those that have something to say, always in this order. */
export function writeExtensions(template: Template): Buffer {
  const { issuer, spki, extendedKeyUsage, subjectAltNames, crlDistributionPoints } = template
  const subjectKeyId = keyIdentifier(spki)
  const list = [
    writeAuthorityKeyId(issuer?.subjectKeyId ?? subjectKeyId),
    extension(SUBJECT_KEY_IDENTIFIER, octetString(subjectKeyId)),
    criticalExtension(KEY_USAGE, keyUsage(template.keyUsage)),
    criticalExtension(BASIC_CONSTRAINTS, basicConstraints(template.basicConstraints)),
  ]
  if (extendedKeyUsage.length > 0) {
    list.push(extension(EXT_KEY_USAGE, sequence(extendedKeyUsage.map((purpose) => KEY_PURPOSES[purpose]))))
  }
  const names = generalNames(subjectAltNames)
  if (names.length > 0) list.push(extension(SUBJECT_ALT_NAME, sequence(names)))
  if (crlDistributionPoints.length > 0) {
    list.push(extension(CRL_DISTRIBUTION_POINTS, sequence(crlDistributionPoints.map(distributionPoint))))
  }
  if (template.nfTypes !== undefined) {
    list.push(extension(NF_TYPES, sequence(template.nfTypes.map((type) => ia5String(type)))))
  }
  return sequence(list)
}

/** AuthorityKeyIdentifier (RFC 5280 4.2.1.1), in certificates and CRLs. */
export function writeAuthorityKeyId(keyId: Uint8Array): Buffer {
  return extension(AUTHORITY_KEY_IDENTIFIER, sequence([element(contextPrimitive(0), [keyId])]))
}

/** @param id - OBJECT IDENTIFIER, DER */
export function extension(id: Uint8Array, value: Uint8Array): Buffer {
  return sequence([id, octetString(value)])
}

function criticalExtension(id: Uint8Array, value: Uint8Array): Buffer {
  return sequence([id, TRUE, octetString(value)])
}

const AUTHORITY_KEY_IDENTIFIER = oid(OID.authorityKeyIdentifier)
const SUBJECT_KEY_IDENTIFIER = oid(OID.subjectKeyIdentifier)
const KEY_USAGE = oid(OID.keyUsage)
const BASIC_CONSTRAINTS = oid(OID.basicConstraints)
const EXT_KEY_USAGE = oid(OID.extKeyUsage)
const SUBJECT_ALT_NAME = oid(OID.subjectAltName)
const CRL_DISTRIBUTION_POINTS = oid(OID.crlDistributionPoints)
const NF_TYPES = oid(OID.nfTypes)
const KEY_PURPOSES = { serverAuth: oid(OID.serverAuth), clientAuth: oid(OID.clientAuth) }

const DNS_NAME = contextPrimitive(2)
const UNIFORM_RESOURCE_IDENTIFIER = contextPrimitive(6)

function keyUsage(usages: readonly KeyUsage[]): Buffer {
  return namedBits(usages.map((usage) => KEY_USAGES.indexOf(usage)))
}

function basicConstraints({ ca, pathLength }: BasicConstraints): Buffer {
  return sequence([...(ca ? [TRUE] : []), ...(pathLength === undefined ? [] : [integer(pathLength)])])
}

function generalNames({ dnsNames, uris }: Template['subjectAltNames']): Buffer[] {
  return [
    ...dnsNames.map((name) => ia5String(name, DNS_NAME)),
    ...uris.map((uri) => ia5String(uri, UNIFORM_RESOURCE_IDENTIFIER)),
  ]
}

function distributionPoint(uri: string): Buffer {
  const fullName = element(contextConstructed(0), [ia5String(uri, UNIFORM_RESOURCE_IDENTIFIER)])
  return sequence([element(contextConstructed(0), [fullName])])
}
