import { type Static, Type } from 'typebox'
import { type EesId, type Fqdn, parseFqdn, parseRegistrationId, type RegistrationId } from '../../spec/identifiers.ts'
import { Refusal, refuseUnless } from '../../spec/refusal.ts'
import { type EecId, parseEecId } from '../../spec/subscriber-identifiers.ts'
import { parseScope, type Scope } from '../../tokens/scope.ts'
import type { EesPeer } from '../registrar/registration.ts'
import { decide } from './decide.ts'
import {
  type EesTokenRequest,
  type IssuePorts,
  issueForEcs,
  issueForEes,
  type TokenClient,
  type TokenResponse,
} from './issue-token.ts'
import { type Policy, tokenApis } from './policy.ts'

/**
 * AccessTokenReq of TS 29.510 as an EES sends it, with `client_id` of RFC 6749, `resource` of RFC 8707 and our `eecId`.
 * Members that no decision depends on are not read.
 */
export const TokenForm = Type.Object({
  grant_type: Type.String(),
  scope: Type.String(),
  client_id: Type.Optional(Type.String()),
  nfInstanceId: Type.Optional(Type.String()),
  requesterFqdn: Type.Optional(Type.String()),
  resource: Type.Optional(Type.String()),
  targetNfInstanceId: Type.Optional(Type.String()),
  /** the EEC that the token shall name: it is good for the contexts of this one then (D-17) */
  eecId: Type.Optional(Type.String()),
})
export type TokenForm = Static<typeof TokenForm>

/** What would make a token good at more places than one, or speak for somebody else (THREATS TK-07). */
const WIDENING = [
  'audience',
  'hnrfAccessTokenUri',
  'sourceNfInstanceId',
  'targetNfServiceSetId',
  'targetNfSetId',
  'targetNfType',
  'targetNsiList',
  'targetPlmn',
  'targetSnpn',
  'targetSnssaiList',
]

/** Another way of client authentication beside the certificate: RFC 6749 2.3 allows one in a request. */
const OTHER_AUTHENTICATION = ['client_assertion', 'client_assertion_type', 'client_secret']

/** The producer that a token is for, if it is not the ECS. */
interface TargetEes {
  readonly eesId: EesId
  readonly fqdn: Fqdn
}

/** A producer that is not registered here: another ECS may know it. */
interface ForeignEes {
  readonly eesId?: never
  readonly fqdn: Fqdn
}

export interface TokenPorts extends IssuePorts {
  policy(): Policy
  /** @returns the EES of this FQDN or registration, if it is registered here and its time has not passed */
  findEes(target: { readonly fqdn: Fqdn } | { readonly registrationId: RegistrationId }): Promise<TargetEes | undefined>
  /**
   * TS 33.501 13.4.1.1.3: asks the ECS of an EES that is not registered here. Without it there are no others.
   *
   * @throws Refusal
   */
  forward?(request: EesTokenRequest): Promise<TokenResponse>
}

/**
 * The token endpoint: TS 33.501 13.4.1.1.2 step 1, with the EES as consumer and the ECS as authorization server
 * (TR 33.839 6.4), by the client credentials grant of RFC 6749 4.4 with mutual TLS (RFC 8705 2, D-11).
 *
 * @param client - what the certificate of the connection proved: the client authentication, and the only one
 * @throws Refusal CLIENT_MISMATCH, CERTIFICATE_NOT_ACCEPTED, UNSUPPORTED_GRANT_TYPE, SCOPE_NOT_GRANTED,
 *   MANDATORY_IE_MISSING, OPTIONAL_IE_INCORRECT, and what `forward` throws
 */
export async function requestToken(ecs: TokenPorts, client: EesPeer, sent: TokenForm): Promise<TokenResponse> {
  // Step 1: the EES requests an access token. Parameters without a value count as omitted (RFC 6749 3.2).
  const form: Partial<TokenForm> = Object.values(sent).includes('') ? withoutEmpty(sent) : sent

  // The ECS verifies that the parameters are those of the certificate, and that its registration goes on,
  const now = ecs.now()
  checkClient(client, form)
  checkRegistration(client, now)
  refuseUnless(form.grant_type, 'MANDATORY_IE_MISSING', 'grant_type is required')
  refuseUnless(form.grant_type === 'client_credentials', 'UNSUPPORTED_GRANT_TYPE', 'the grant is client_credentials')
  refuseMembers(form, WIDENING, 'a token here is for one target, named by resource or targetNfInstanceId')

  // finds the producer,
  const scope = requestedScope(form)
  const eecId = requestedEec(form)
  const target = await findTarget(ecs, form)
  refuseUnless(eecId === undefined || target !== 'ecs', 'OPTIONAL_IE_INCORRECT', 'eecId is for tokens for an EES')

  // authorizes the EES for every service that it asks for: a scope is granted whole or not at all,
  for (const name of scope) authorize(ecs, client, { scope: name, target, ...(eecId !== undefined && { eecId }) })

  // and generates the token, with the producer as its audience and the certificate in its confirmation;
  const { atEcs, atEes } = ecs.lifetimes
  if (target === 'ecs') return issueForEcs(ecs, boundTo(client), scope, timesOf(client, now, atEcs))
  const request: EesTokenRequest = { client: boundTo(client), target: target.fqdn, scope, eecId }
  if (target.eesId !== undefined) return issueForEes(ecs, request, timesOf(client, now, atEes))

  // if another ECS has the producer, that one generates it.
  refuseUnless(ecs.forward, 'SCOPE_NOT_GRANTED', NOT_GRANTED)
  return ecs.forward(request)
}

function withoutEmpty(sent: TokenForm): Partial<TokenForm> {
  return Object.fromEntries(Object.entries(sent).filter(([, value]) => value !== ''))
}

/**
 * The token that the registration response may carry (TR 33.839 6.Y.2 step 4): for every API of this ECS that takes
 * tokens and that policy allows.
 *
 * @returns undefined if there is no such API
 */
export async function firstToken(ecs: TokenPorts, client: CertifiedClient): Promise<TokenResponse | undefined> {
  const policy = ecs.policy()
  const allowed = (scope: string) => decide(policy, { ...identityOf(client), scope, target: 'ecs' }).allowed
  const scope: Scope = new Set(tokenApis(policy).filter(allowed))
  return scope.size === 0
    ? undefined
    : issueForEcs(ecs, boundTo(client), scope, timesOf(client, ecs.now(), ecs.lifetimes.atEcs))
}

type CertifiedClient = Pick<EesPeer, 'eesId' | 'fqdn' | 'thumbprint' | 'registration'>

function boundTo({ fqdn, thumbprint }: CertifiedClient): TokenClient {
  return { fqdn, certificateThumbprint: thumbprint }
}

/** A token ends with the registration at the latest (THREATS ON-11). */
function timesOf({ registration }: CertifiedClient, now: number, longest: number) {
  return { now, lifetime: Math.min(longest, Math.ceil((registration.expiresAt - now) / 1000)) }
}

function identityOf({ eesId, fqdn }: CertifiedClient): TargetEes {
  return { eesId, fqdn }
}

/** Before anything is looked up, and letter by letter (THREATS TK-08). */
function checkClient({ fqdn, registration }: EesPeer, form: Partial<TokenForm>): void {
  const { client_id = fqdn, requesterFqdn = fqdn, nfInstanceId = registration.registrationId } = form
  const same = client_id === fqdn && requesterFqdn === fqdn && nfInstanceId === registration.registrationId
  refuseUnless(same, 'CLIENT_MISMATCH', 'the request names another client than the certificate')
  refuseMembers(form, OTHER_AUTHENTICATION, 'the certificate is the client authentication')
}

/** After its end there are no tokens (THREATS ON-11). */
function checkRegistration({ registration }: CertifiedClient, now: number): void {
  const goesOn = registration.state === 'live' && now < registration.expiresAt
  refuseUnless(goesOn, 'CERTIFICATE_NOT_ACCEPTED', 'the registration of this client has ended')
}

function refuseMembers(form: object, names: readonly string[], detail: string): void {
  const found = names.find((name) => Object.hasOwn(form, name))
  if (found === undefined) return
  throw new Refusal('OPTIONAL_IE_INCORRECT', detail, { invalidParams: [{ param: found }] })
}

function requestedScope({ scope }: Partial<TokenForm>): Scope {
  refuseUnless(scope, 'MANDATORY_IE_MISSING', 'scope is required')
  const names = parseScope(scope)
  refuseUnless(names, 'SCOPE_NOT_GRANTED', 'the scope is not well formed')
  return names
}

function requestedEec({ eecId }: Partial<TokenForm>): EecId | undefined {
  const parsed = eecId === undefined ? undefined : parseEecId(eecId)
  refuseUnless(parsed !== undefined || eecId === undefined, 'OPTIONAL_IE_INCORRECT', 'eecId is not an EEC ID')
  return parsed
}

/** One sentence for what does not exist, is not known and is not allowed: the answer tells nothing of other EESs. */
export const NOT_GRANTED = 'the scope is not granted for this target'

async function findTarget(ecs: TokenPorts, form: Partial<TokenForm>): Promise<'ecs' | TargetEes | ForeignEes> {
  const { resource, targetNfInstanceId } = form
  if (resource === undefined && targetNfInstanceId === undefined) return 'ecs'
  const once = resource === undefined || targetNfInstanceId === undefined
  refuseUnless(once, 'OPTIONAL_IE_INCORRECT', 'the target is named twice')
  if (resource === ecs.issuer) return 'ecs'
  const target = resource === undefined ? byRegistration(targetNfInstanceId) : byResource(resource)
  if ('fqdn' in target && target.fqdn === ecs.fqdn) return 'ecs'
  const found = await ecs.findEes(target)
  if (found !== undefined) return found
  // Another ECS may know the name; a registration identifier means something here alone.
  refuseUnless('fqdn' in target, 'SCOPE_NOT_GRANTED', NOT_GRANTED)
  return target
}

/** RFC 8707 2, in the one form that names an EES: `https://FQDN`. */
function byResource(resource: string): { readonly fqdn: Fqdn } {
  const fqdn = resource.startsWith('https://') ? parseFqdn(resource.slice('https://'.length)) : undefined
  refuseUnless(fqdn, 'OPTIONAL_IE_INCORRECT', 'resource is https:// and an FQDN')
  return { fqdn }
}

function byRegistration(targetNfInstanceId = ''): { readonly registrationId: RegistrationId } {
  const registrationId = parseRegistrationId(targetNfInstanceId)
  refuseUnless(registrationId, 'OPTIONAL_IE_INCORRECT', 'targetNfInstanceId is a registration identifier')
  return { registrationId }
}

interface Asked {
  readonly scope: string
  readonly target: 'ecs' | TargetEes | ForeignEes
  readonly eecId?: EecId
}

function authorize(ecs: TokenPorts, client: CertifiedClient, { target, ...asked }: Asked): void {
  const at =
    target === 'ecs'
      ? { target }
      : { target: target.fqdn, ...(target.eesId !== undefined && { targetEesId: target.eesId }) }
  const { allowed, because } = decide(ecs.policy(), { ...identityOf(client), ...asked, ...at })
  if (!allowed) throw new Refusal('SCOPE_NOT_GRANTED', NOT_GRANTED, { cause: because })
}
