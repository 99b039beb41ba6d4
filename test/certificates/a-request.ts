import { createPublicKey, type KeyObject, sign } from 'node:crypto'
import { contextConstructed, TAG } from '../../src/certificates/der-tags.ts'
import {
  bitString,
  element,
  integer,
  octetString,
  oid,
  sequence,
  setOf,
  TRUE,
} from '../../src/certificates/der-writer.ts'
import { writeName } from '../../src/certificates/distinguished-name.ts'
import { OID } from '../../src/certificates/object-identifiers.ts'

interface RequestParts {
  readonly key: KeyObject
  readonly spki?: Uint8Array
  readonly version?: Uint8Array
  readonly subject?: Uint8Array
  /** Attribute, DER; sorted into the [0] of the request */
  readonly attributes?: readonly Uint8Array[]
  /** the whole [0], in place of `attributes` */
  readonly attributeSet?: readonly Uint8Array[]
  readonly algorithm?: Uint8Array
  readonly hash?: string
}

/** A certification request of any content, signed by `key` over that content: what honest tools would not write. */
export function aRequest(parts: RequestParts): Buffer {
  const { key, attributes = [], hash = 'sha256' } = parts
  const info = sequence([
    parts.version ?? integer(0),
    parts.subject ?? writeName({}),
    parts.spki ?? createPublicKey(key).export({ format: 'der', type: 'spki' }),
    ...(parts.attributeSet ?? [setOf(attributes, contextConstructed(0))]),
  ])
  const algorithm = parts.algorithm ?? sequence([oid(OID.ecdsaWithSha256)])
  return sequence([info, algorithm, bitString(sign(hash, info, key))])
}

export function anAttribute(type: string, ...values: Uint8Array[]): Buffer {
  return sequence([oid(type), setOf(values)])
}

export function extensionRequest(...extensions: Uint8Array[]): Buffer {
  return anAttribute(OID.extensionRequest, sequence(extensions))
}

export function anExtension(id: string, value: Uint8Array, critical = false): Buffer {
  return sequence([oid(id), ...(critical ? [TRUE] : []), octetString(value)])
}

/** @param names - GeneralName, DER */
export function subjectAltName(...names: Uint8Array[]): Buffer {
  return anExtension(OID.subjectAltName, sequence(names))
}

/** A GeneralName of a primitive kind: 1 e-mail, 2 DNS, 6 URI, 7 IP address, 8 registered ID. */
export function aName(kind: number, value: string | Uint8Array): Buffer {
  return element(0x80 | kind, [typeof value === 'string' ? Buffer.from(value, 'latin1') : value])
}

export const set = (...values: Uint8Array[]): Buffer => element(TAG.set, values)
