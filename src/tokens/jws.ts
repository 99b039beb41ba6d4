import type { KeyObject } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { decodeBase64url, encodeBase64url } from '../octets/base64url.ts'
import { isDigest } from '../octets/digest.ts'
import type { Signer } from '../ports/signer.ts'
import { Refusal, refuseUnless } from '../spec/refusal.ts'
import { type Curve, concatenatedSignature, curveOf, verifySignature } from './ecdsa.ts'
import { isJsonObject, type JsonObject, parseJson } from './json.ts'
import { type EcPublicJwk, jwkOf, jwkThumbprint } from './jwk.ts'
import type { KeySource } from './key-set.ts'
import type { HeaderMember, TokenType } from './token-types.ts'

/** Unless the type says otherwise. */
const MAX_LENGTH = 8 * 1024

/** Everything that a header may say: what is not here (jku, x5c, crit, b64, zip ...) is refused (THREATS TK-02). */
interface JwsHeader {
  readonly alg: string
  readonly typ: string
  /** RFC 7638 thumbprint of the key: a map key, never a path or an address */
  readonly kid?: string
  /** base64url of SHA-256 over the signer's certificate in DER (RFC 7515 4.1.8) */
  readonly 'x5t#S256'?: string
  /** the key of a proof that vouches for nothing but its possession (RFC 9449 4.2) */
  readonly jwk?: JsonObject
}

const DEFAULT_HEADER: readonly HeaderMember[] = ['kid']

const HEADER_MEMBERS: Readonly<Record<HeaderMember, (value: unknown) => boolean>> = {
  kid: (value) => typeof value === 'string',
  'x5t#S256': isDigest,
  jwk: isJsonObject,
}

/** A compact JWS that is well formed. Nothing in it is proven until `verifyJws`. */
export interface Jws {
  readonly type: TokenType
  readonly header: JwsHeader
  readonly claims: JsonObject
  readonly signingInput: string
  /** r || s */
  readonly signature: Buffer
}

/**
 * @param claims - members that are undefined are left out
 * @param certificateThumbprint - for the types whose header has `x5t#S256`
 * @returns RFC 7515 7.1 compact serialization, at most 8 KiB or as long as the type says
 * @throws RangeError if it would be longer, or without the thumbprint: no verifier of ours would take it
 */
export async function signJws(
  { typ, header: names = DEFAULT_HEADER, longest = MAX_LENGTH }: Pick<TokenType, 'typ' | 'header' | 'longest'>,
  claims: object,
  signer: Signer,
  certificateThumbprint?: string,
): Promise<string> {
  const { curve, kid, jwk } = identityOf(signer.publicKey)
  if (names.includes('x5t#S256') && !isDigest(certificateThumbprint))
    throw new RangeError('the thumbprint is 32 octets in base64url')
  const members = { kid, 'x5t#S256': certificateThumbprint, jwk }
  const header = JSON.stringify({
    alg: curve.alg,
    typ,
    ...Object.fromEntries(names.map((name) => [name, members[name]])),
  })
  const signingInput = `${encodeBase64url(header)}.${encodeBase64url(JSON.stringify(claims))}`
  const signature = concatenatedSignature(await signer.sign(Buffer.from(signingInput, 'latin1')), curve)
  const token = `${signingInput}.${encodeBase64url(signature)}`
  if (token.length > longest) throw new RangeError('a token is at most 8 KiB')
  return token
}

interface SignerIdentity {
  readonly curve: Curve
  readonly kid: string
  readonly jwk: EcPublicJwk
}

const identities = new WeakMap<KeyObject, SignerIdentity>()

/** A signer's key never changes, and its thumbprint costs as much as a signature. */
function identityOf(publicKey: KeyObject): SignerIdentity {
  const known = identities.get(publicKey)
  if (known) return known
  const curve = curveOf(publicKey)
  if (!curve) throw new TypeError('a token key is on P-256 or P-384')
  const identity = { curve, kid: jwkThumbprint(publicKey), jwk: jwkOf(publicKey) }
  identities.set(publicKey, identity)
  return identity
}

/**
 * Reads a compact JWS of one type, strictly: at most 8 KiB, three segments of canonical base64url, JSON of one meaning
 * (THREATS TK-10), a header of exactly the members that the type has (THREATS TK-02).
 */
export function parseJws(token: string, type: TokenType): Jws {
  refuseUnless(token.length <= (type.longest ?? MAX_LENGTH), type.refusal, 'the token is longer than 8 KiB')
  const segments = token.split('.', 4)
  const [header = '', ...others] = segments
  const [claims, signature] = others.map(decodeBase64url)
  refuseUnless(segments.length === 3 && claims && signature, type.refusal, 'the token is not a compact JWS')
  const members = parseJson(claims)
  refuseUnless(isJsonObject(members), type.refusal, 'the claims are not a strict JSON object')
  return {
    type,
    header: readHeader(header, type),
    claims: members,
    signingInput: token.slice(0, token.lastIndexOf('.')),
    signature,
  }
}

/** By type and text, and bounded in characters: all tokens of one key have one header. */
const headers = new LRUCache<string, JwsHeader>({ maxSize: 2 ** 22, sizeCalculation: (_, { length }) => length })

/** @returns the same object for the same text, as long as it is remembered */
function readHeader(segment: string, type: TokenType): JwsHeader {
  const name = `${type.typ}.${segment}`
  const known = headers.get(name)
  if (known) return known
  const octets = decodeBase64url(segment)
  refuseUnless(octets, type.refusal, 'the token is not a compact JWS')
  const header = headerOf(parseJson(octets), type)
  headers.set(name, header)
  return header
}

function headerOf(members: unknown, type: TokenType): JwsHeader {
  refuseUnless(isJsonObject(members), type.refusal, 'the header is not a strict JSON object')
  const { alg, typ } = members
  if (typeof alg !== 'string' || typeof typ !== 'string') throw inexact(type)
  // RFC 9068 4: both spellings of the media type are to be taken.
  const named = typ === type.typ || typ === `application/${type.typ}`
  refuseUnless(named, type.refusal, 'the token is of another type')
  const names = type.header ?? DEFAULT_HEADER
  const counted = Object.keys(members).length === names.length + 2
  if (!counted || !names.every((name) => HEADER_MEMBERS[name](members[name]))) throw inexact(type)
  return { ...members, alg, typ }
}

function inexact({ header = DEFAULT_HEADER, refusal }: TokenType): Refusal {
  return new Refusal(refusal, `the header is not exactly alg, typ and ${header.join(' and ')}`)
}

/** The type that a token claims to be of, to choose its verifier by. Nothing of it is proven. */
export function shownType(token: string): string | undefined {
  if (token.length > MAX_LENGTH) return undefined
  const [header = ''] = token.split('.', 1)
  const octets = decodeBase64url(header)
  const members = octets && parseJson(octets)
  const typ = isJsonObject(members) ? members['typ'] : undefined
  return typeof typ === 'string' ? typ.replace(/^application\//, '') : undefined
}

/** The key is the one that the issuer has under this `kid`; the algorithm is the key's (THREATS TK-01). */
export async function verifyJws(jws: Jws, keys: KeySource): Promise<void> {
  const { type, header } = jws
  const key = header.kid === undefined ? undefined : await keys.get(header.kid, header['x5t#S256'])
  refuseUnless(key, type.refusal, 'the token is signed with no key of its issuer')
  await verifyJwsWith(jws, key)
}

/** @param key - the only one that the signature may be of */
export async function verifyJwsWith({ type, header, signingInput, signature }: Jws, key: KeyObject): Promise<void> {
  refuseUnless(header.alg === curveOf(key)?.alg, type.refusal, 'the algorithm is not the one of the key')
  const valid = await verifySignature(Buffer.from(signingInput, 'latin1'), signature, key)
  if (!valid) throw new Refusal(type.refusal, 'the signature is not valid')
}
