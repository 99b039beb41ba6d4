import { type Static, Type } from 'typebox'
import { encodeBase64url } from '../../octets/base64url.ts'
import type { Random } from '../../ports/random.ts'
import type { Signer } from '../../ports/signer.ts'
import { type EesId, type Fqdn, parseEesId, parseFqdn } from '../../spec/identifiers.ts'
import type { EesToken } from '../../spec/messages/ees-tokens.ts'
import { refuseUnless } from '../../spec/refusal.ts'
import { type EecId, parseEecId } from '../../spec/subscriber-identifiers.ts'
import { issueEecAccessToken } from '../../tokens/eec-access-token.ts'
import { covers, formatScope, parseScope, type Scope } from '../../tokens/scope.ts'
import { hashedTokenId } from '../audit.ts'
import type { AuthenticatedEec } from '../provisioning/provision-service.ts'
import { type EecPolicy, takesTokens } from './eec-policy.ts'

/** RFC 6749 4.4 and RFC 7523 2.1, with `audience` of RFC 8693: the EES by its FQDN or its identifier. */
export const EecTokenForm = Type.Object({
  grant_type: Type.String(),
  scope: Type.String(),
  audience: Type.String(),
  /** only where one key stands for several EECs of a UE */
  client_id: Type.Optional(Type.String()),
})
export type EecTokenForm = Static<typeof EecTokenForm>

/** On the listener where the entitlement token is the grant. */
export const EecAssertionForm = Type.Object({ ...EecTokenForm.properties, assertion: Type.Optional(Type.String()) })
export type EecAssertionForm = Static<typeof EecAssertionForm>

/** An EES as a token names it. */
export interface Producer {
  readonly eesId: EesId
  readonly fqdn: Fqdn
}

/** A line of the audit trail. */
export interface EecTokenIssue {
  /** hash of the jti (D-33) */
  readonly token: string
  readonly client: EecId
  readonly audience: Fqdn
  readonly scope: string
}

export interface EecTokenPorts {
  readonly issuer: string
  readonly eecPolicy: EecPolicy
  readonly random: Pick<Random, 'octets'>
  now(): number
  signer(): Signer
  /** @returns the EES if it is registered here and its time has not passed */
  findProducer(named: { readonly fqdn: Fqdn } | { readonly eesId: EesId }): Promise<Producer | undefined>
  /** All of them in one commit, durable before the tokens exist: what cannot be recorded is not issued. */
  recordEecTokens(issues: readonly EecTokenIssue[]): Promise<void>
}

/** RFC 6749 5.1, RFC 9449 5. */
export interface EecTokenResponse {
  readonly access_token: string
  readonly token_type: 'DPoP'
  readonly expires_in: number
  readonly scope: string
}

/** One sentence for what does not exist, takes no tokens and is not allowed: the answer tells nothing of other EESs. */
const NOT_GRANTED = 'the scope is not granted for this audience'

/**
 * A token for one EES (TS 33.558 6.2, D-12): for the EEC that has authenticated, bound to the key that it has proven.
 *
 * @throws Refusal CREDENTIAL_MISSING without a proof, CLIENT_MISMATCH, MANDATORY_IE_MISSING, OPTIONAL_IE_INCORRECT,
 *   SCOPE_NOT_GRANTED
 */
export async function requestEecToken(
  ecs: EecTokenPorts,
  peer: AuthenticatedEec,
  { scope: asked, audience, client_id }: EecTokenForm,
): Promise<EecTokenResponse> {
  const eecId = clientOf(peer, client_id)
  refuseUnless(asked, 'MANDATORY_IE_MISSING', 'scope is required')
  const scope = parseScope(asked)
  refuseUnless(scope, 'SCOPE_NOT_GRANTED', 'the scope is not well formed')
  refuseUnless(covers(ecs.eecPolicy.services, scope), 'SCOPE_NOT_GRANTED', NOT_GRANTED)
  const producer = await findProducer(ecs, audience)
  const [token] = await issueTokens(ecs, { ...peer, eecId }, [producer], scope)
  refuseUnless(token, 'SCOPE_NOT_GRANTED', NOT_GRANTED)
  const { accessToken, expiresIn, scope: granted } = token
  return { access_token: accessToken, token_type: 'DPoP', expires_in: expiresIn, scope: granted }
}

/** Tokens with a provisioning answer: signing takes time, so not for more EESs than an EEC will visit. */
const MOST_TOKENS = 16

/** `eesTokens`: a token for each of these EESs that takes tokens, for all services that policy lets EECs use. */
export function issueEesTokens(
  ecs: EecTokenPorts,
  eec: AuthenticatedEec & { readonly eecId: EecId },
  producers: readonly Producer[],
): Promise<EesToken[]> {
  return issueTokens(ecs, eec, producers.slice(0, MOST_TOKENS), ecs.eecPolicy.services)
}

async function issueTokens(
  ecs: EecTokenPorts,
  { eecId, gpsi, jkt }: AuthenticatedEec & { readonly eecId: EecId },
  producers: readonly Producer[],
  scope: Scope,
): Promise<EesToken[]> {
  refuseUnless(jkt, 'CREDENTIAL_MISSING', 'the header DPoP is required: a token is bound to a key')
  const targets = producers.filter(({ eesId }) => takesTokens(ecs.eecPolicy, eesId))
  if (targets.length === 0 || scope.size === 0) return []
  const named = targets.map((producer) => ({ ...producer, jti: encodeBase64url(ecs.random.octets(16)) }))
  const granted = formatScope(scope)
  await ecs.recordEecTokens(
    named.map(({ jti, fqdn }) => ({ token: hashedTokenId(jti), client: eecId, audience: fqdn, scope: granted })),
  )
  const { tokenLifetime } = ecs.eecPolicy
  const issuance = { signer: ecs.signer(), now: ecs.now(), lifetime: tokenLifetime }
  const grant = { iss: ecs.issuer, eecId, scope, jkt, ...(gpsi !== undefined && { gpsi }) }
  return Promise.all(
    named.map(async ({ eesId, fqdn, jti }): Promise<EesToken> => {
      const accessToken = await issueEecAccessToken({ ...grant, aud: fqdn }, { ...issuance, jti })
      return { eesId, audience: fqdn, accessToken, tokenType: 'DPoP', expiresIn: tokenLifetime, scope: granted }
    }),
  )
}

/** The one EEC that the credential is of; if it is of several, the one that the request names among them. */
function clientOf({ eecIds }: AuthenticatedEec, client_id: string | undefined): EecId {
  const [only] = eecIds
  const named = client_id || (eecIds.size === 1 ? only : undefined)
  refuseUnless(named, 'MANDATORY_IE_MISSING', 'client_id is required')
  const eecId = eecIds.has(named) ? parseEecId(named) : undefined
  refuseUnless(eecId, 'CLIENT_MISMATCH', 'the request names another client than the credential')
  return eecId
}

async function findProducer(ecs: EecTokenPorts, audience: string): Promise<Producer> {
  refuseUnless(audience, 'MANDATORY_IE_MISSING', 'audience is required')
  const fqdn = parseFqdn(audience)
  const eesId = parseEesId(audience)
  const found = (fqdn && (await ecs.findProducer({ fqdn }))) ?? (eesId && (await ecs.findProducer({ eesId })))
  refuseUnless(found, 'SCOPE_NOT_GRANTED', NOT_GRANTED)
  return found
}
