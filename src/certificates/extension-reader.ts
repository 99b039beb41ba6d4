import { type Fqdn, parseFqdn } from '../spec/identifiers.ts'
import { type DerReader, readDer } from './der-reader.ts'
import { contextConstructed, contextPrimitive } from './der-tags.ts'
import { Malformed } from './malformed.ts'
import { OID } from './object-identifiers.ts'

/** KeyUsage (RFC 5280 4.2.1.3), each name at the place of its bit. */
export const KEY_USAGES = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
] as const
export type KeyUsage = (typeof KEY_USAGES)[number]

/** KeyPurposeId by the names of RFC 5280 4.2.1.12; others stay dotted decimal. */
const KEY_PURPOSES = new Map<string, string>([
  [OID.serverAuth, 'serverAuth'],
  [OID.clientAuth, 'clientAuth'],
])

interface SubjectAltNames {
  readonly dnsNames: readonly Fqdn[]
  readonly uris: readonly string[]
}

export interface BasicConstraints {
  readonly ca: boolean
  readonly pathLength?: number
}

/** What the extensions of a certificate say. A member is left out where its extension is. */
export interface Extensions {
  /** every extension in the order of the certificate, by dotted decimal */
  readonly extensions: readonly { readonly id: string; readonly critical: boolean }[]
  readonly subjectAltNames: SubjectAltNames
  readonly crlDistributionPoints: readonly string[]
  readonly basicConstraints?: BasicConstraints
  readonly keyUsage?: readonly KeyUsage[]
  readonly extendedKeyUsage?: readonly string[]
  readonly authorityKeyId?: Buffer
  readonly subjectKeyId?: Buffer
  /** what a network function is, by the names of TS 29.510 NFType (RFC 9310 4) */
  readonly nfTypes?: readonly string[]
}

const READERS = new Map<string, (der: DerReader) => Partial<Extensions>>([
  [OID.subjectAltName, (der) => ({ subjectAltNames: readSubjectAltNames(der) })],
  [OID.crlDistributionPoints, (der) => ({ crlDistributionPoints: readCrlDistributionPoints(der) })],
  [OID.basicConstraints, (der) => ({ basicConstraints: readBasicConstraints(der) })],
  [OID.keyUsage, (der) => ({ keyUsage: readKeyUsage(der) })],
  [OID.extKeyUsage, (der) => ({ extendedKeyUsage: readExtendedKeyUsage(der) })],
  [OID.authorityKeyIdentifier, (der) => ({ authorityKeyId: readAuthorityKeyId(der) })],
  [OID.subjectKeyIdentifier, (der) => ({ subjectKeyId: readKeyId(der.octetString()) })],
  [OID.nfTypes, (der) => ({ nfTypes: readNfTypes(der) })],
])

/** They restrict what a certificate is good for, so they are refused also where they are not critical. */
const RESTRICTIONS: ReadonlySet<string> = new Set([
  OID.nameConstraints,
  OID.policyConstraints,
  OID.policyMappings,
  OID.inhibitAnyPolicy,
  OID.ipAddrBlocks,
  OID.autonomousSysIds,
  OID.proxyCertInfo,
  OID.netscapeCertType,
])

/**
 * Extensions (RFC 5280 4.2). A critical one that is not read here is refused, any other is passed over.
 *
 * @throws Malformed
 */
export function readExtensions(der: DerReader): Extensions {
  const values: Partial<Extensions> = {}
  const extensions = readExtensionList(der, (id, critical, value) => {
    const reader = READERS.get(id)
    if (reader) Object.assign(values, readDer(value, reader))
    else if (critical || RESTRICTIONS.has(id)) throw new Malformed('an extension that is not supported')
  })
  return { ...NO_EXTENSIONS, ...values, extensions }
}

/** What a certificate says that has none. */
export const NO_EXTENSIONS: Extensions = {
  extensions: [],
  subjectAltNames: { dnsNames: [], uris: [] },
  crlDistributionPoints: [],
}

/** The frame of every Extensions, in certificates, CRLs and certification requests. @throws Malformed */
export function readExtensionList(
  der: DerReader,
  each: (id: string, critical: boolean, value: Buffer) => void,
): { id: string; critical: boolean }[] {
  const seen = new Set<string>()
  return der.sequenceOf((list) =>
    list.sequence((extension) => {
      const id = extension.oid()
      if (seen.has(id)) throw new Malformed('an extension that is there twice')
      seen.add(id)
      const critical = extension.defaultFalse()
      each(id, critical, extension.octetString())
      return { id, critical }
    }),
  )
}

/**
 * AuthorityKeyIdentifier (RFC 5280 4.2.1.1) with a key identifier alone: issuer and serial would be a second opinion.
 */
export function readAuthorityKeyId(der: DerReader): Buffer {
  return der.sequence((identifier) => readKeyId(identifier.primitive(contextPrimitive(0))))
}

function readKeyId(octets: Buffer): Buffer {
  if (octets.length === 0 || octets.length > 64) throw new Malformed('a key identifier of wrong length')
  return octets
}

const DNS_NAME = contextPrimitive(2)
const UNIFORM_RESOURCE_IDENTIFIER = contextPrimitive(6)

/**
 * Identities are FQDNs and URIs. A name of another kind is an identity that nobody here could check, so it is refused.
 */
function readSubjectAltNames(der: DerReader): SubjectAltNames {
  const dnsNames: Fqdn[] = []
  const uris: string[] = []
  der.sequenceOf((names) => {
    if (names.next(DNS_NAME)) dnsNames.push(readFqdn(names))
    else if (names.next(UNIFORM_RESOURCE_IDENTIFIER)) uris.push(readUri(names))
    else throw new Malformed('a subjectAltName that is neither dNSName nor URI')
  })
  return { dnsNames, uris }
}

/** Lower case already: a name is written one way only (D-32). */
function readFqdn(der: DerReader): Fqdn {
  const text = der.ia5String(DNS_NAME)
  const fqdn = parseFqdn(text)
  if (fqdn === undefined || fqdn !== text) throw new Malformed('a dNSName that is not an FQDN in lower case')
  return fqdn
}

function readUri(der: DerReader): string {
  const text = der.ia5String(UNIFORM_RESOURCE_IDENTIFIER)
  if (text.length > 2048 || !/^[A-Za-z][A-Za-z0-9+.-]*:[\x21-\x7e]+$/.test(text)) throw new Malformed('a wrong URI')
  return text
}

function readBasicConstraints(der: DerReader): BasicConstraints {
  return der.sequence((constraints) => {
    const ca = constraints.defaultFalse()
    if (!constraints.more) return { ca }
    if (!ca) throw new Malformed('a path length without cA')
    return { ca, pathLength: constraints.smallInteger() }
  })
}

function readKeyUsage(der: DerReader): KeyUsage[] {
  const usages = der.namedBits().map((bit) => KEY_USAGES[bit])
  if (usages.length === 0) throw new Malformed('an empty key usage')
  return usages.map((usage) => {
    if (usage === undefined) throw new Malformed('an unknown key usage')
    return usage
  })
}

function readExtendedKeyUsage(der: DerReader): string[] {
  const purposes = der.sequenceOf((list) => list.oid())
  if (new Set(purposes).size < purposes.length) throw new Malformed('a key purpose that is there twice')
  return purposes.map((purpose) => KEY_PURPOSES.get(purpose) ?? purpose)
}

/** NFTypes (RFC 9310 4): at least one, each once, in ascending order. */
function readNfTypes(der: DerReader): string[] {
  const types = der.sequenceOf((list) => list.ia5String())
  const inOrder = types.every((type, index) => index === 0 || (types[index - 1] ?? '') < type)
  if (!inOrder || !types.every((type) => /^[!-~]{1,32}$/.test(type))) {
    throw new Malformed('wrong NF types')
  }
  return types
}

/** CRLDistributionPoints (RFC 5280 4.2.1.13) by URI: no relative names, no partition by reason, no indirect CRL. */
function readCrlDistributionPoints(der: DerReader): string[] {
  const points = der.sequenceOf((list) =>
    list.sequence((point) =>
      point.constructed(contextConstructed(0), (name) => name.sequenceOf(readUri, contextConstructed(0))),
    ),
  )
  return points.flat()
}
