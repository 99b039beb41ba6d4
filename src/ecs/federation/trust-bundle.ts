import type { KeyObject } from 'node:crypto'
import { type Certificate, readCertificate } from '../../certificates/certificate.ts'
import { checkChain } from '../../certificates/chain.ts'
import type { Crl } from '../../certificates/crl.ts'
import { keyIdentifier } from '../../certificates/public-key.ts'
import { isOriginOf } from '../../http/origin.ts'
import { decodeBase64url, encodeBase64url } from '../../octets/base64url.ts'
import { sameOctets } from '../../octets/digest.ts'
import type { Signer } from '../../ports/signer.ts'
import { type Fqdn, parseFqdn } from '../../spec/identifiers.ts'
import { Refusal, refuseUnless } from '../../spec/refusal.ts'
import { checkTimes, stringClaim } from '../../tokens/claims.ts'
import { isJsonObject, type JsonObject } from '../../tokens/json.ts'
import { publicKeyOf } from '../../tokens/jwk.ts'
import { parseJws, signJws, verifyJwsWith } from '../../tokens/jws.ts'
import { type JwkSet, type KeySet, keySetOf, toJwkSet } from '../../tokens/key-set.ts'
import { TOKEN_TYPES } from '../../tokens/token-types.ts'

const TYPE = TOKEN_TYPES.trustBundle
const DAY = 86_400
const LIFETIME = { usual: DAY, ceiling: 7 * DAY }

/** What one ECS tells the others of itself: ours, after the trust bundles of SPIFFE and the role of TS 33.501 13.4.1.1.3. */
export interface TrustBundle {
  readonly fqdn: Fqdn
  /** `iss` of its access tokens */
  readonly issuer: string
  /** `https://FQDN[:PORT]` of its `mtls` listener */
  readonly mtlsRoot: string
  readonly nameSpace: readonly Fqdn[]
  /** of its access tokens */
  readonly tokenKeys: KeySet
  /** of the requests that it forwards */
  readonly forwardingKeys: KeySet
  /** its present root first, then those before and after it while one takes the place of the other */
  readonly roots: readonly Certificate[]
  /** the authorities below them */
  readonly issuers: readonly Certificate[]
  /** seconds until it should be fetched again */
  readonly refresh: number
}

/** As it was read. */
export interface HeardBundle extends TrustBundle {
  /** that has signed it */
  readonly certificate: Certificate
  /** milliseconds since 1970-01-01T00:00:00Z: nothing of it is believed from then on */
  readonly expires: number
}

export interface BundleSigning {
  /** of the ECS's own certificate, that of the role `ecs` */
  readonly signer: Signer
  readonly certificate: Certificate
  /** milliseconds since 1970-01-01T00:00:00Z */
  readonly now: number
}

/** @returns compact JWS, signed with the key of the ECS's certificate */
export function signTrustBundle(bundle: TrustBundle, { signer, certificate, now }: BundleSigning): Promise<string> {
  const { fqdn, issuer, mtlsRoot, nameSpace, tokenKeys, forwardingKeys, roots, issuers, refresh } = bundle
  const iat = Math.floor(now / 1000)
  const claims = {
    iss: fqdn,
    iat,
    exp: iat + LIFETIME.usual,
    refresh,
    issuer,
    mtlsRoot,
    nameSpace,
    tokenKeys: toJwkSet(tokenKeys),
    forwardingKeys: toJwkSet(forwardingKeys),
    roots: roots.map(textOf),
    issuers: issuers.map(textOf),
    certificate: textOf(certificate),
  }
  return signJws(TYPE, claims, signer)
}

export interface BundleReader {
  readonly fqdn: Fqdn
  /** what is trusted for this ECS now */
  readonly anchors: readonly Certificate[]
  readonly now: number
}

/**
 * A bundle is believed if a certificate of the role `ecs`, for the name that was asked for and under a root that is
 * trusted for it already, signed it. So a new root comes in under the old one, and the old one leaves under the new.
 *
 * @throws Refusal TRUST_BUNDLE_INVALID, CERTIFICATE_NOT_ACCEPTED
 */
export async function readTrustBundle(text: string, { fqdn, anchors, now }: BundleReader): Promise<HeardBundle> {
  const jws = parseJws(text, TYPE)
  const { claims } = jws
  accept(claims['iss'] === fqdn, 'the bundle is of another ECS')
  const issuers = certificatesOf(claims, 'issuers')
  const leaf = certificateOf(claims['certificate'])
  checkChain({ leaf, intermediates: issuers, anchors, role: 'ecs', now })
  accept(leaf.subjectAltNames.dnsNames[0] === fqdn, 'the certificate is of another ECS')
  await verifyJwsWith(jws, leaf.publicKey)
  const { exp } = checkTimes(claims, { now, maxLifetime: LIFETIME.ceiling }, LIFETIME, TYPE)

  const roots = certificatesOf(claims, 'roots')
  accept(roots.length > 0 && roots.every(isSelfIssued), 'there is no root in the bundle')
  const origins = { issuer: originClaim(claims, 'issuer', fqdn), mtlsRoot: originClaim(claims, 'mtlsRoot', fqdn) }
  const keys = { tokenKeys: keysClaim(claims, 'tokenKeys'), forwardingKeys: keysClaim(claims, 'forwardingKeys') }
  const authorities = { roots, issuers, refresh: refreshClaim(claims), expires: exp * 1000 }
  return { fqdn, certificate: leaf, ...origins, nameSpace: namesClaim(claims), ...keys, ...authorities }
}

/**
 * What has signed the bundle is not revoked, as the lists say that were fetched for it: whoever has a stolen key shall
 * not bring in roots of its own after that (THREATS CA-06, FW-03).
 *
 * @throws Refusal CERTIFICATE_REVOKED, CERTIFICATE_NOT_ACCEPTED
 */
export function refuseRevokedSigner(bundle: HeardBundle, crls: readonly Crl[], now: number): void {
  const { certificate: leaf, issuers: intermediates, roots: anchors } = bundle
  checkChain({ leaf, intermediates, anchors, role: 'ecs', now, crls })
}

/** Whether later lists say so of a bundle that was believed. */
export function isSignerRevoked(bundle: HeardBundle, crls: readonly Crl[], now: number): boolean {
  try {
    refuseRevokedSigner(bundle, crls, now)
    return false
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return error.code === 'CERTIFICATE_REVOKED'
  }
}

const textOf = ({ der }: Certificate) => encodeBase64url(der)

const isSelfIssued = ({ subject, issuer }: Certificate) => sameOctets(subject, issuer)

function accept(condition: unknown, otherwise: string): asserts condition {
  refuseUnless(condition, TYPE.refusal, otherwise)
}

function certificatesOf(claims: JsonObject, name: string): Certificate[] {
  const list = claims[name]
  accept(Array.isArray(list) && list.length <= 8, `${name} is not a list of certificates`)
  const certificates = list.map(certificateOf)
  accept(certificates.every(isNamedByItsKey), `${name} has the identifier of another key`)
  return certificates
}

/** Authorities and their lists are found by this identifier: no peer gets in the place of another (THREATS FW-03). */
const isNamedByItsKey = ({ subjectKeyId, spki }: Certificate) => subjectKeyId?.equals(keyIdentifier(spki))

function certificateOf(text: unknown): Certificate {
  const der = typeof text === 'string' ? decodeBase64url(text) : undefined
  accept(der, 'a certificate is not base64url')
  return readCertificate(der)
}

function originClaim(claims: JsonObject, name: string, fqdn: Fqdn): string {
  const origin = stringClaim(claims, name, TYPE)
  accept(isOriginOf(origin, fqdn), `${name} is at another host`)
  return origin
}

function keysClaim(claims: JsonObject, name: string): KeySet {
  const set = claims[name]
  const jwks: unknown = isJsonObject(set) ? set['keys' satisfies keyof JwkSet] : undefined
  accept(Array.isArray(jwks) && jwks.length > 0 && jwks.length <= 8, `${name} is not a JWK Set`)
  const keys = jwks.map(publicKeyOf).filter((key) => key !== undefined)
  accept(keys.length === jwks.length && keys.every(isP256), `${name} has a key of another kind`)
  return keySetOf(keys)
}

const isP256 = (key: KeyObject) => key.asymmetricKeyDetails?.namedCurve === 'prime256v1'

function namesClaim({ nameSpace }: JsonObject): Fqdn[] {
  accept(Array.isArray(nameSpace) && nameSpace.length <= 32, 'nameSpace is not a list of names')
  return nameSpace.map((name: unknown) => {
    const fqdn = typeof name === 'string' ? parseFqdn(name) : undefined
    accept(fqdn, 'nameSpace has something else than a name')
    return fqdn
  })
}

/** Not so often that it would be a burden, not so seldom that a revocation is missed. */
function refreshClaim({ refresh }: JsonObject): number {
  accept(Number.isSafeInteger(refresh), 'refresh is not a number of seconds')
  return Math.min(Math.max(Number(refresh), 10), 3_600)
}
