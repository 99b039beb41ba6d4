import type { KeyObject } from 'node:crypto'
import type { Signer } from '../ports/signer.ts'
import type { Fqdn } from '../spec/identifiers.ts'
import { refuseUnless } from '../spec/refusal.ts'
import { type DerReader, readDer } from './der-reader.ts'
import { contextConstructed, contextPrimitive, TAG } from './der-tags.ts'
import { bitString, element, ia5String, integer, octetString, oid, sequence, setOf, utf8String } from './der-writer.ts'
import { readName, writeName } from './distinguished-name.ts'
import { readExtensionList } from './extension-reader.ts'
import { Malformed, refuseMalformed } from './malformed.ts'
import { OID } from './object-identifiers.ts'
import { derOf } from './pem.ts'
import { acceptPublicKey } from './public-key.ts'
import {
  algorithmOfSigner,
  readSignatureAlgorithm,
  type SignatureAlgorithm,
  signatureVerifies,
  writeSignatureAlgorithm,
} from './signature-algorithm.ts'

/**
 * What is taken from a certification request: the key. The rest is there to be compared with what the registration
 * says.
 */
export interface CertificationRequest {
  readonly publicKey: KeyObject
  readonly spki: Buffer
  /** as asked: any text that an IA5String can hold, and none of it an identity (THREATS CA-01) */
  readonly subjectAltNames: { readonly dnsNames: readonly string[]; readonly uris: readonly string[] }
  /** RFC 2985 5.4.1, where EST carries its channel binding (RFC 7030 3.5) */
  readonly challengePassword?: string
}

/**
 * CertificationRequest (RFC 2986 4): strict DER, a key of the allow-list, signed by that key.
 *
 * @param derOrPem - at most 16 KiB
 * @throws Refusal CERTIFICATION_REQUEST_MALFORMED, PUBLIC_KEY_NOT_ACCEPTED, PROOF_OF_POSSESSION_FAILED
 */
export function readCertificationRequest(derOrPem: Uint8Array | string): CertificationRequest {
  const { info, ...signed } = refuseMalformed('CERTIFICATION_REQUEST_MALFORMED', 'the certification request', () =>
    readDer(derOf('CERTIFICATE REQUEST', derOrPem), readSigned),
  )
  const { spki, attributes } = info
  const publicKey = acceptPublicKey(spki)
  refuseUnless(
    signatureVerifies(signed, publicKey),
    'PROOF_OF_POSSESSION_FAILED',
    'the certification request is not signed by the key it holds',
  )
  return { publicKey, spki, ...attributes }
}

interface Info {
  readonly spki: Buffer
  readonly attributes: Pick<CertificationRequest, 'subjectAltNames' | 'challengePassword'>
}

interface Signed {
  readonly tbs: Buffer
  readonly info: Info
  readonly signatureAlgorithm: SignatureAlgorithm
  readonly signature: Buffer
}

function readSigned(der: DerReader): Signed {
  return der.sequence((request) => {
    const { octets: tbs, value: info } = request.withOctets(readInfo)
    return { tbs, info, signatureAlgorithm: readSignatureAlgorithm(request), signature: request.bitString() }
  })
}

function readInfo(der: DerReader): Info {
  return der.sequence((info) => {
    if (info.smallInteger() !== 0) throw new Malformed('not version 1')
    readName(info)
    const spki = info.withOctets((element) => element.any()).octets
    return { spki, attributes: readAttributes(info) }
  })
}

function readAttributes(der: DerReader): Info['attributes'] {
  const seen = new Set<string>()
  let challengePassword: string | undefined
  let subjectAltNames: CertificationRequest['subjectAltNames'] = { dnsNames: [], uris: [] }
  der.setOf(
    (set) =>
      set.sequence((attribute) => {
        const type = attribute.oid()
        if (seen.has(type)) throw new Malformed('an attribute that is there twice')
        seen.add(type)
        if (type === OID.challengePassword) challengePassword = single(attribute, readChallengePassword)
        else if (type === OID.extensionRequest) subjectAltNames = single(attribute, readRequestedNames)
        else attribute.setOf((value) => value.any())
      }),
    contextConstructed(0),
  )
  return { subjectAltNames, ...(challengePassword !== undefined && { challengePassword }) }
}

/** Both attributes that are read are SINGLE VALUE TRUE (RFC 2985 5.4). */
function single<T>(attribute: DerReader, read: (der: DerReader) => T): T {
  return attribute.constructed(TAG.set, (values) => values.only(read))
}

function readChallengePassword(der: DerReader): string {
  const password = der.text()
  if (password.length === 0 || password.length > 255) throw new Malformed('a challenge password of wrong length')
  return password
}

function readRequestedNames(der: DerReader): CertificationRequest['subjectAltNames'] {
  const dnsNames: string[] = []
  const uris: string[] = []
  readExtensionList(der, (id, _critical, value) => {
    if (id === OID.subjectAltName)
      readDer(value, (names) => names.sequenceOf((name) => readAsked(name, dnsNames, uris)))
  })
  return { dnsNames, uris }
}

function readAsked(name: DerReader, dnsNames: string[], uris: string[]): void {
  if (name.next(DNS_NAME)) dnsNames.push(name.ia5String(DNS_NAME))
  else if (name.next(UNIFORM_RESOURCE_IDENTIFIER)) uris.push(name.ia5String(UNIFORM_RESOURCE_IDENTIFIER))
  else name.any()
}

const DNS_NAME = contextPrimitive(2)
const UNIFORM_RESOURCE_IDENTIFIER = contextPrimitive(6)

interface Asked {
  readonly fqdn: Fqdn
  readonly signer: Signer
  /** up to 255 characters */
  readonly challengePassword?: string
}

/** The request of a client: an empty subject, its FQDN as the only name, signed by its new key. @returns DER */
export async function writeCertificationRequest({ fqdn, signer, challengePassword }: Asked): Promise<Buffer> {
  const info = sequence([
    integer(0),
    writeName({}),
    signer.publicKey.export({ format: 'der', type: 'spki' }),
    setOf(
      [
        attribute(OID.extensionRequest, sequence([subjectAltName(fqdn)])),
        ...(challengePassword === undefined ? [] : [attribute(OID.challengePassword, utf8String(challengePassword))]),
      ],
      contextConstructed(0),
    ),
  ])
  const algorithm = writeSignatureAlgorithm(algorithmOfSigner(signer.publicKey))
  return sequence([info, algorithm, bitString(await signer.sign(info))])
}

function attribute(type: string, value: Buffer): Buffer {
  return sequence([oid(type), element(TAG.set, [value])])
}

function subjectAltName(fqdn: Fqdn): Buffer {
  return sequence([oid(OID.subjectAltName), octetString(sequence([ia5String(fqdn, DNS_NAME)]))])
}
