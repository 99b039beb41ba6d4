import { isDigest } from '../octets/digest.ts'
import { type EesId, type Fqdn, parseEesId, parseFqdn } from '../spec/identifiers.ts'
import { refuseUnless } from '../spec/refusal.ts'
import {
  checkAudience,
  checkTimes,
  type Issuance,
  type IssuedClaims,
  issuedClaims,
  keysOfIssuer,
  type Lifetime,
  stringClaim,
  subjectClaim,
  tokenId,
} from './claims.ts'
import { isJsonObject, type JsonObject } from './json.ts'
import { parseJws, signJws, verifyJws } from './jws.ts'
import type { KeySource } from './key-set.ts'
import { TOKEN_TYPES } from './token-types.ts'

const TYPE = TOKEN_TYPES.onboarding
const SCOPE = 'ees-onboarding'
/** A host name or an IP address, in lower case (D-32): nothing that a URI or a pattern could hide in. */
const HOST = /^[0-9a-z.:-]{1,253}$/
/** ON-01 wants 1 h at most, D-2 grants 24: the shorter one holds until the configuration says otherwise. */
const LIFETIME: Lifetime = { usual: 3600, ceiling: 86_400 }

/** Whom the provisioning authority admits, and as what. */
interface Admission {
  readonly eesId: EesId
  /** the EES's own name, for its certificate and its tokens */
  readonly fqdn: Fqdn
  /** EESProfile.provId, if the EES belongs to one provider */
  readonly provId?: string
  /** hosts that EESProfile.endPt may name beside the FQDN: host names and IP addresses, in lower case */
  readonly endPoints?: readonly string[]
  /**
   * The one key that may be certified, if it is known before: base64url of SHA-256 over its DER SubjectPublicKeyInfo.
   * In the token it is `cnf.spki#S256`, as RFC 8705 writes `x5t#S256`; `jkt` is the RFC 7638 thumbprint (RFC 9449 6.1).
   */
  readonly spkiSha256?: string
}

export interface OnboardingGrant extends Admission {
  /** the provisioning authority */
  readonly iss: string
  /** the ECS that may be told */
  readonly aud: Fqdn
}

/**
 * What a verified onboarding token says. `jti` and `exp` let its use be recorded for as long as it could come again.
 */
export interface OnboardingCredential extends Admission, IssuedClaims {
  readonly iss: string
}

/** @throws RangeError if it would be a token that no verifier takes */
export async function issueOnboardingToken(grant: OnboardingGrant, issuance: Issuance): Promise<string> {
  const { iss, aud, eesId, fqdn, provId, endPoints, spkiSha256 } = grant
  if (endPoints && !isHostList(endPoints))
    throw new RangeError('endPoints is a list of host names and IP addresses in lower case')
  if (spkiSha256 !== undefined && !isDigest(spkiSha256)) throw new RangeError('spkiSha256 is 32 octets in base64url')
  const claims = {
    iss,
    sub: eesId,
    client_id: eesId,
    aud,
    scope: SCOPE,
    fqdn,
    provId,
    endPt: endPoints,
    cnf: spkiSha256 && { 'spki#S256': spkiSha256 },
    ...issuedClaims(issuance, LIFETIME),
  }
  return signJws(TYPE, claims, issuance.signer)
}

export interface OnboardingTokenExpectation {
  /** the provisioning authorities of this ECS, each with its own keys */
  readonly issuers: ReadonlyMap<string, KeySource>
  /** this ECS */
  readonly audience: Fqdn
  /** milliseconds since 1970-01-01T00:00:00Z */
  readonly now: number
  /** seconds, 3600 if not given, at most 86400 */
  readonly maxLifetime?: number
}

/**
 * TR 33.839 6.Y.2 step 4, as far as the token alone tells: whether the profile and the key are those that it admits,
 * and whether its `jti` was used before, is for the write that creates the registration (THREATS ON-01, ON-02).
 *
 * @throws Refusal ONBOARDING_TOKEN_INVALID
 */
export async function verifyOnboardingToken(
  token: string,
  { issuers, audience, now, maxLifetime }: OnboardingTokenExpectation,
): Promise<OnboardingCredential> {
  const jws = parseJws(token, TYPE)
  const { claims } = jws
  await verifyJws(jws, keysOfIssuer(jws, issuers))
  checkAudience(claims, audience, TYPE)
  const times = checkTimes(claims, { now, maxLifetime }, LIFETIME, TYPE)
  refuseUnless(claims['scope'] === SCOPE, TYPE.refusal, 'the token is not for onboarding')
  return {
    iss: stringClaim(claims, 'iss', TYPE),
    ...admissionOf(claims),
    jti: tokenId(claims, TYPE),
    ...times,
  }
}

/** A constraint that cannot be read is not dropped: the token would allow more than its issuer meant. */
function admissionOf(claims: JsonObject): Admission {
  const eesId = parseEesId(subjectClaim(claims, TYPE))
  refuseUnless(eesId, TYPE.refusal, 'sub is not an EES ID')
  const fqdn = parseFqdn(stringClaim(claims, 'fqdn', TYPE))
  refuseUnless(fqdn, TYPE.refusal, 'fqdn is not an FQDN')
  const { provId, endPt, cnf } = claims
  return {
    eesId,
    fqdn,
    ...(provId !== undefined && { provId: stringClaim(claims, 'provId', TYPE) }),
    ...(endPt !== undefined && { endPoints: endPointsOf(endPt) }),
    ...(cnf !== undefined && { spkiSha256: keyConfirmation(cnf) }),
  }
}

function endPointsOf(endPt: unknown): readonly string[] {
  refuseUnless(isHostList(endPt), TYPE.refusal, 'endPt is not a list of hosts')
  return endPt
}

function isHostList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((host) => typeof host === 'string' && HOST.test(host))
}

function keyConfirmation(cnf: unknown): string {
  const digest = isJsonObject(cnf) && Object.keys(cnf).length === 1 ? cnf['spki#S256'] : undefined
  refuseUnless(isDigest(digest), TYPE.refusal, 'the token is bound to a key in a way unknown here')
  return digest
}
