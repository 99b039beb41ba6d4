import type { Response } from '../../http/client.ts'
import { encodeBase64url } from '../../octets/base64url.ts'
import type { Random } from '../../ports/random.ts'
import type { Signer } from '../../ports/signer.ts'
import type { Fqdn } from '../../spec/identifiers.ts'
import { Refusal, refuseUnless } from '../../spec/refusal.ts'
import { addHop, createForwarding, type ForwardedRequest, type Forwarding } from '../../tokens/forwarding-assertion.ts'
import type { KeySource } from '../../tokens/key-set.ts'
import { formatScope } from '../../tokens/scope.ts'
import { hashedTokenId } from '../audit.ts'
import type { EesTokenRequest, TokenResponse } from '../authorization-server/issue-token.ts'
import { NOT_GRANTED } from '../authorization-server/request-token.ts'
import { checkAnswer } from './check-answer.ts'
import { type PeerEcs, peersServing } from './peer-ecs.ts'
import type { TrustedPeer } from './trusted-peer.ts'

/** A line of the audit trail. */
export interface ForwardingLine {
  /** the same in the trails of all ECSs that the request comes through: hash of the jti of its assertion (D-33) */
  readonly correlation: string
  readonly srcEcs: Fqdn
  readonly client: Fqdn
  readonly audience: Fqdn
  readonly scope: string
  /** the ECS that it goes to from here */
  readonly to: Fqdn
}

export interface ForwardingPorts {
  readonly fqdn: Fqdn
  /** ECS-to-ECS messages that one request may cost */
  readonly mostHops: number
  readonly random: Pick<Random, 'octets'>
  now(): number
  peers(): readonly TrustedPeer[]
  /** those of which nothing is believed now: no trust bundle of theirs has come, or the last one has run out */
  unheard(): readonly PeerEcs[]
  /** of the key that signs what is forwarded, and nothing else */
  forwardingSigner(): Signer
  /** the keys of the access tokens of a peer; one that is not known yet makes them be fetched */
  tokenKeysOf(peer: Fqdn): KeySource | undefined
  /** Of several peers that may have the EES, the one that has: each is asked (D-18). */
  resolve(candidates: readonly TrustedPeer[], target: Fqdn): Promise<TrustedPeer | undefined>
  /** Durable before anything leaves: what cannot be recorded is not forwarded. */
  recordForwarding(line: ForwardingLine): Promise<void>
  /** @throws Refusal PEER_NOT_AVAILABLE */
  send(peer: TrustedPeer, forwarding: Forwarding, correlation: string): Promise<Response>
}

/**
 * The home ECS: TS 33.501 13.4.1.1.3. The client was authenticated, its parameters were checked and policy lets it ask;
 * the ECS vouches for exactly that with its signature, and for no more (THREATS FW-02).
 *
 * @throws Refusal SCOPE_NOT_GRANTED, FORWARDING_LOOP, PEER_NOT_AVAILABLE, PEER_ANSWER_NOT_ACCEPTED
 */
export async function forwardRequest(ecs: ForwardingPorts, asked: EesTokenRequest): Promise<TokenResponse> {
  const { client, target, scope, eecId } = asked
  const { fqdn: sub, certificateThumbprint } = client
  const request: ForwardedRequest = { sub, target, scope, eecId, certificateThumbprint, srcEcs: ecs.fqdn }
  const route = await findRoute(ecs, target, [])
  const jti = encodeBase64url(ecs.random.octets(16))
  const issuance = { signer: ecs.forwardingSigner(), now: ecs.now(), jti }
  return exchange(ecs, { route, request, forwarding: await createForwarding(request, route.next.fqdn, issuance), jti })
}

/**
 * An ECS in between: it signs that the request came through it, changes nothing, and decides nothing but the way.
 *
 * @param visited - the ECSs that it came through until here
 */
export async function forwardOn(
  ecs: ForwardingPorts,
  came: {
    readonly request: ForwardedRequest
    readonly forwarding: Forwarding
    readonly jti: string
    readonly visited: readonly Fqdn[]
  },
): Promise<TokenResponse> {
  const { request, forwarding, jti, visited } = came
  const route = await findRoute(ecs, request.target, visited)
  const link = { iss: ecs.fqdn, to: route.next.fqdn }
  return exchange(ecs, { route, request, forwarding: await addHop(forwarding, link, ecs.forwardingSigner()), jti })
}

interface Way {
  /** the ECS that has the target, and signs tokens for it */
  readonly goal: TrustedPeer
  readonly next: TrustedPeer
}

/** D-18: by the partner table, and where it leaves a choice, by asking. Nothing that the request says is an address (THREATS FW-05). */
async function findRoute(ecs: ForwardingPorts, target: Fqdn, visited: readonly Fqdn[]): Promise<Way> {
  const known = ecs.peers()
  const serving = peersServing<PeerEcs>([...known, ...ecs.unheard()], target)
  const candidates = known.filter((peer) => serving.includes(peer))
  const silent = serving.length > 0 && candidates.length === 0
  refuseUnless(!silent, 'PEER_NOT_AVAILABLE', 'the other ECS has not been heard of for too long')
  const goal = candidates.length > 1 ? await ecs.resolve(candidates, target) : candidates[0]
  refuseUnless(goal, 'SCOPE_NOT_GRANTED', NOT_GRANTED)
  const next = goal.via === undefined ? goal : known.find(({ fqdn }) => fqdn === goal.via)
  refuseUnless(next, 'PEER_NOT_AVAILABLE', 'the ECS on the way is not known yet')
  const goesOn = !visited.includes(next.fqdn) && visited.length < ecs.mostHops
  refuseUnless(goesOn, 'FORWARDING_LOOP', 'the request would come to the same ECS again, or through too many')
  return { goal, next }
}

interface Exchange {
  readonly route: Way
  readonly request: ForwardedRequest
  readonly forwarding: Forwarding
  readonly jti: string
}

async function exchange(ecs: ForwardingPorts, { route, request, forwarding, jti }: Exchange): Promise<TokenResponse> {
  const { goal, next } = route
  const { sub: client, target: audience, scope, srcEcs } = request
  const correlation = hashedTokenId(jti)
  const line = { correlation, srcEcs, client, audience, scope: formatScope(scope), to: next.fqdn }
  await ecs.recordForwarding(line)
  const response = await ecs.send(next, forwarding, correlation)
  const keys = ecs.tokenKeysOf(goal.fqdn)
  if (keys === undefined) throw new Refusal('PEER_NOT_AVAILABLE', 'the other ECS is no peer any more')
  return checkAnswer(response, { request, issuer: goal.bundle.issuer, keys, now: ecs.now() })
}
