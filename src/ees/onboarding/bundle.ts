import { type Static, Type } from 'typebox'
import { type Certificate, readCertificate } from '../../certificates/certificate.ts'
import { isOriginOf } from '../../http/origin.ts'
import { isOfSchema } from '../../http/schema.ts'
import { sha256 } from '../../octets/digest.ts'
import { type EesId, type Fqdn, parseEesId, parseFqdn } from '../../spec/identifiers.ts'
import { DateTime } from '../../spec/messages/ts29122/basic-types.ts'
import { Refusal } from '../../spec/refusal.ts'
import { NotUsable } from '../errors.ts'

/** The onboarding information as a file (TR 33.839 6.Y.2 step 1; D-1). It reaches the EES outside the network. */
const BundleFile = Type.Object({
  ecs: Type.Object({ apiRoot: Type.String(), fqdn: Type.String() }),
  /** PEM */
  root: Type.String(),
  /** SHA-256 over the DER of the root, hexadecimal */
  rootFingerprint: Type.String(),
  eesId: Type.String(),
  fqdn: Type.String(),
  onboardingToken: Type.String({ minLength: 1, maxLength: 8192 }),
  expires: DateTime,
})

/** What an EES starts from: whom to ask, whom to trust, and the credential to show once. */
export class OnboardingBundle {
  readonly ecs: { readonly apiRoot: string; readonly fqdn: Fqdn }
  /** PEM: the only certificate authority that this EES will ever trust for its ECS */
  readonly root: string
  readonly eesId: EesId
  /** the EES's own name */
  readonly fqdn: Fqdn
  /** milliseconds since 1970 */
  readonly expires: number
  readonly #onboardingToken: string

  constructor(file: Static<typeof BundleFile>) {
    const { ecs, root, rootFingerprint } = file
    const fqdn = required(parseFqdn(ecs.fqdn), 'ecs.fqdn is not an FQDN')
    requireThat(isOriginOf(ecs.apiRoot, fqdn), 'ecs.apiRoot is not an https origin of ecs.fqdn')
    const fingerprint = sha256(readRoot(root).der).toString('hex')
    requireThat(normalized(rootFingerprint) === fingerprint, 'the root is not the one that rootFingerprint names')
    this.ecs = { apiRoot: new URL(ecs.apiRoot).origin, fqdn }
    this.root = root
    this.eesId = required(parseEesId(file.eesId), 'eesId is not an EES ID')
    this.fqdn = required(parseFqdn(file.fqdn), 'fqdn is not an FQDN')
    this.expires = Date.parse(file.expires)
    this.#onboardingToken = file.onboardingToken
  }

  /** Neither printed nor written as JSON with the rest (THREATS ON-16). */
  get onboardingToken(): string {
    return this.#onboardingToken
  }
}

/** @param text - JSON @throws NotUsable */
export function readBundle(text: string): OnboardingBundle {
  const file = parseJson(text)
  requireThat(isOfSchema(BundleFile, file), 'not a bundle of onboarding information')
  return new OnboardingBundle(file)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // The parser's message would quote the text, and with it the token.
    throw new NotUsable('the bundle is not JSON')
  }
}

function readRoot(pem: string): Certificate {
  try {
    const root = readCertificate(pem)
    requireThat(root.basicConstraints?.ca === true, 'the root is not a certificate authority')
    return root
  } catch (cause) {
    if (!(cause instanceof Refusal)) throw cause
    throw new NotUsable(`the bundle: ${cause.detail}`, { cause })
  }
}

/** People copy fingerprints from tools that write capitals and colons. */
const normalized = (fingerprint: string) => fingerprint.replaceAll(':', '').toLowerCase()

function required<T>(value: T | undefined, otherwise: string): T {
  requireThat(value !== undefined, otherwise)
  return value
}

function requireThat(condition: unknown, otherwise: string): asserts condition {
  if (!condition) throw new NotUsable(`the bundle: ${otherwise}`)
}
