import type { DerReader } from './der-reader.ts'
import { TAG } from './der-tags.ts'
import { element, oid, sequence, utf8String } from './der-writer.ts'
import { Malformed } from './malformed.ts'
import { OID } from './object-identifiers.ts'

/**
 * The attributes of a Name that our certificates carry. Nobody is known by them: an identity is a subjectAltName
 * (THREATS CA-02).
 */
export interface DistinguishedName {
  readonly organization?: string
  readonly commonName?: string
}

/** ub-organization-name and ub-common-name, characters (RFC 5280 A.1). */
export const LONGEST_ATTRIBUTE = 64

const ORGANIZATION_NAME = oid(OID.organizationName)
const COMMON_NAME = oid(OID.commonName)

/** Name (RFC 5280 4.1.2.4): O, then CN, each an RDN of its own. */
export function writeName({ organization, commonName }: DistinguishedName): Buffer {
  return sequence([
    ...(organization === undefined ? [] : [rdn(ORGANIZATION_NAME, organization)]),
    ...(commonName === undefined ? [] : [rdn(COMMON_NAME, commonName)]),
  ])
}

function rdn(type: Buffer, value: string): Buffer {
  return element(TAG.set, [sequence([type, utf8String(value)])])
}

/** Any Name of text attributes. Two names are the same if their octets are. @throws Malformed */
export function readName(der: DerReader): DistinguishedName {
  const attributes = der.sequence((name) => name.rest(readRdn)).flat()
  const [organization, secondOrganization] = valuesOf(OID.organizationName, attributes)
  const [commonName, secondCommonName] = valuesOf(OID.commonName, attributes)
  return {
    ...(organization !== undefined && secondOrganization === undefined && { organization }),
    ...(commonName !== undefined && secondCommonName === undefined && { commonName }),
  }
}

interface Attribute {
  readonly type: string
  readonly value: string
}

function readRdn(der: DerReader): Attribute[] {
  const attributes = der.setOf((set) => set.sequence((pair) => ({ type: pair.oid(), value: pair.text() })))
  if (attributes.length === 0) throw new Malformed('an empty RDN')
  return attributes
}

function valuesOf(type: string, attributes: readonly Attribute[]): string[] {
  return attributes.filter((attribute) => attribute.type === type).map(({ value }) => value)
}
