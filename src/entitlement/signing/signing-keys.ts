import type { KeyObject } from 'node:crypto'
import { type Certificate, x5tS256 } from '../../certificates/certificate.ts'
import { checkChain } from '../../certificates/chain.ts'
import type { Fqdn } from '../../spec/identifiers.ts'
import { Refusal, refuseUnless } from '../../spec/refusal.ts'
import { jwkOf, jwkThumbprint } from '../../tokens/jwk.ts'

/** A certified key for tokens (D-29). Times are milliseconds since 1970. */
export interface SigningKey {
  /** RFC 7638 thumbprint */
  readonly kid: string
  readonly publicKey: KeyObject
  /** the certificate of the key, then its issuers up to but without the root */
  readonly chain: readonly [Certificate, ...Certificate[]]
  readonly signsFrom: number
  /** once another key takes its place: until the last token that it signed has expired */
  readonly publishedUntil: number | undefined
}

/** Seconds: D-13. */
export const LONGEST_LIFETIME = 3_600
/** Milliseconds: the longest life of a token, and the skew of a verifier's clock (D-30). */
const LONGEST_USE = (LONGEST_LIFETIME + 30) * 1000

/** @throws Refusal NF_CONGESTION if no key may sign now: its certificate has to last for a token of one second */
export function signingKeyAt(keys: readonly SigningKey[], now: number): SigningKey {
  const ready = publishedKeys(keys, now)
    .filter(({ signsFrom }) => signsFrom <= now)
    .toSorted((a, b) => b.signsFrom - a.signsFrom)
  const [key] = ready
  const certified = key !== undefined && now + 1_000 <= key.chain[0].notAfter
  refuseUnless(certified, 'NF_CONGESTION', 'no signing key is certified now')
  return key
}

/** @returns the key that no other one follows, once two thirds of the life of its certificate are over (D-7) */
export function endingKey(keys: readonly SigningKey[], now: number): SigningKey | undefined {
  const last = keys.find(({ publishedUntil }) => publishedUntil === undefined)
  if (last === undefined) return undefined
  const { notBefore, notAfter } = last.chain[0]
  return now >= notBefore + ((notAfter - notBefore) * 2) / 3 ? last : undefined
}

/** What verifiers can find: also a key that does not sign yet, so that none of them meets it unprepared. */
export function publishedKeys(keys: readonly SigningKey[], now: number): SigningKey[] {
  return keys.filter(({ publishedUntil }) => publishedUntil === undefined || now < publishedUntil)
}

/** RFC 7517 4.7 and 5: each key with its certificates. */
export function certificateSet(keys: readonly SigningKey[]): { readonly keys: object[] } {
  return {
    keys: keys.map(({ kid, publicKey, chain }) => ({
      ...jwkOf(publicKey),
      use: 'sig',
      alg: 'ES256',
      kid,
      x5c: chain.map(({ der }) => der.toString('base64')),
    })),
  }
}

/** `x5t#S256` of the certificate of a key. */
export const certificateThumbprint = ({ chain }: SigningKey): string => x5tS256(chain[0].der)

/** What the operator brings for a key that this server has made. */
export interface Certification {
  /** the certificate, then its issuers */
  readonly chain: readonly Certificate[]
  /** the old keys are not trusted any more: they end now, with every token that they signed */
  readonly replacesAll: boolean
}

export interface InstallationPorts {
  readonly fqdn: Fqdn
  readonly root: Certificate
  /** milliseconds for which a key is shown before it signs */
  readonly publishedBefore: number
  now(): number
  signingKeys(): readonly SigningKey[]
  /** whether this server has made that key, and keeps its private half */
  hasPrivateKey(kid: string): Promise<boolean>
  /** One commit: the key is there, and those before it end when it says. */
  storeSigningKey(key: SigningKey, othersEndAt: number): Promise<void>
}

/**
 * A key gets its certificate and takes the place of those before it, which are shown until their last token has expired
 * (THREATS EN-07).
 *
 * @throws Refusal SIGNING_KEY_NOT_ACCEPTED
 */
export async function installSigningKey(ent: InstallationPorts, certification: Certification): Promise<SigningKey> {
  const now = ent.now()
  const [leaf, ...intermediates] = certification.chain
  refuseUnless(leaf !== undefined, 'SIGNING_KEY_NOT_ACCEPTED', 'there is no certificate')
  const kid = jwkThumbprint(leaf.publicKey)
  refuseUnless(await ent.hasPrivateKey(kid), 'SIGNING_KEY_NOT_ACCEPTED', 'this server has not made that key')
  // With another certificate it would have to be shown anew before it signs, and nothing would sign meanwhile.
  const isNew = ent.signingKeys().every((key) => key.kid !== kid)
  refuseUnless(isNew, 'SIGNING_KEY_NOT_ACCEPTED', 'the key has a certificate: make a new key')
  checkOwnChain(ent, { leaf, intermediates, now })

  const others = publishedKeys(ent.signingKeys(), now)
  const signsAtOnce = certification.replacesAll || others.length === 0
  const signsFrom = signsAtOnce ? now : now + ent.publishedBefore
  const key: SigningKey = {
    kid,
    publicKey: leaf.publicKey,
    chain: [leaf, ...intermediates],
    signsFrom,
    publishedUntil: undefined,
  }
  await ent.storeSigningKey(key, certification.replacesAll ? now : signsFrom + LONGEST_USE)
  return key
}

function checkOwnChain(
  { fqdn, root }: InstallationPorts,
  { leaf, intermediates, now }: { leaf: Certificate; intermediates: readonly Certificate[]; now: number },
): void {
  refuseUnless(leaf.subjectAltNames.dnsNames[0] === fqdn, 'SIGNING_KEY_NOT_ACCEPTED', 'it is for another name')
  try {
    checkChain({ leaf, intermediates, anchors: [root], role: 'nf', now })
  } catch (cause) {
    if (!(cause instanceof Refusal)) throw cause
    throw new Refusal('SIGNING_KEY_NOT_ACCEPTED', 'the root of this server does not vouch for it', { cause })
  }
}
