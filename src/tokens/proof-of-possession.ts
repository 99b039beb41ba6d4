import { decodeBase64url, encodeBase64url } from '../octets/base64url.ts'
import { sameOctets, sha256Base64url } from '../octets/digest.ts'
import type { Signer } from '../ports/signer.ts'
import type { Fqdn } from '../spec/identifiers.ts'
import { refuseUnless } from '../spec/refusal.ts'
import { canonicalJson } from './canonical-json.ts'
import { checkAudience } from './claims.ts'
import { type EcPublicJwk, jwkOf, jwkThumbprint, publicKeyOf } from './jwk.ts'
import { parseJws, signJws, verifyJws } from './jws.ts'
import { TOKEN_TYPES } from './token-types.ts'

const TYPE = TOKEN_TYPES.proofOfPossession
const EXPORTER_LENGTH = 32

/** A public key with the proof that its sender holds the private one: the second form of D-3. */
export interface KeyProof {
  readonly publicKey: EcPublicJwk
  /** compact JWS by that key */
  readonly proof: string
}

/** What both ends of the connection know, and what the proof is about (THREATS ON-03). */
export interface ProofContext {
  readonly ecs: Fqdn
  /** as sent */
  readonly onboardingToken: string
  /** RFC 9266 `tls-exporter` of this connection, 32 octets: a proof seen elsewhere is worth nothing here */
  readonly exporter: Uint8Array
  /** `eesProf` of the request, members that we do not know included */
  readonly eesProf: unknown
}

/**
 * The claims of a proof, all of them digests or names:
 *
 *     aud       the ECS's FQDN
 *     ath       SHA-256 of the onboarding token (RFC 9449 4.2), so of its jti as well; the EES need not look into it
 *     exporter  the TLS exporter value
 *     profile   SHA-256 of eesProf in canonical form (RFC 8785)
 */
interface ProofClaims {
  readonly aud: Fqdn
  readonly ath: string
  readonly exporter: string
  readonly profile: string
}

/**
 * @param signer - of the new key, on P-256 or P-384
 * @throws RangeError if the exporter or the profile is none
 */
export async function createProof(context: ProofContext, signer: Signer): Promise<KeyProof> {
  const profile = digestOf(context.eesProf)
  if (!profile) throw new RangeError('eesProf is not a JSON value')
  const claims: ProofClaims = {
    aud: context.ecs,
    ath: sha256Base64url(context.onboardingToken),
    exporter: encodeBase64url(exporterOf(context)),
    profile,
  }
  return { publicKey: jwkOf(signer.publicKey), proof: await signJws(TYPE, claims, signer) }
}

/**
 * Proves possession, not fitness: whether the key is acceptable is for the rules of certificates to say.
 *
 * @param publicKey - a JWK (RFC 7517) as the message carries it
 * @returns the DER SubjectPublicKeyInfo (RFC 5280 4.1.2.7) of the proven key
 * @throws Refusal PROOF_OF_POSSESSION_FAILED
 */
export async function verifyProof(
  { publicKey, proof }: { readonly publicKey: unknown; readonly proof: string },
  context: ProofContext,
): Promise<Buffer> {
  const jws = parseJws(proof, TYPE)
  const key = publicKeyOf(publicKey)
  refuseUnless(key, TYPE.refusal, 'publicKey is not a strict public JWK on P-256 or P-384')
  await verifyJws(jws, new Map([[jwkThumbprint(key), key]]))

  const { ath, exporter, profile } = jws.claims
  checkAudience(jws.claims, context.ecs, TYPE)
  refuseUnless(ath === sha256Base64url(context.onboardingToken), TYPE.refusal, 'the proof is for another token')
  const seen = typeof exporter === 'string' ? decodeBase64url(exporter) : undefined
  refuseUnless(seen && sameOctets(seen, exporterOf(context)), TYPE.refusal, 'the proof is for another connection')
  const expected = digestOf(context.eesProf)
  refuseUnless(expected && profile === expected, TYPE.refusal, 'the proof is for another profile')
  return key.export({ type: 'spki', format: 'der' })
}

/** Without this, two connections without exporter would look the same. */
function exporterOf({ exporter }: ProofContext): Uint8Array {
  if (exporter.length !== EXPORTER_LENGTH) throw new RangeError('a TLS exporter value is 32 octets')
  return exporter
}

function digestOf(eesProf: unknown): string | undefined {
  const text = canonicalJson(eesProf)
  return text === undefined ? undefined : sha256Base64url(text)
}
