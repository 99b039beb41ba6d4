import type { EesId, Fqdn } from '../../spec/identifiers.ts'
import { Refusal, refuseUnless } from '../../spec/refusal.ts'
import {
  type ForwardedRequest,
  type Forwarding,
  type VerifiedForwarding,
  verifyForwarding,
} from '../../tokens/forwarding-assertion.ts'
import type { KeySource } from '../../tokens/key-set.ts'
import { hashedTokenId } from '../audit.ts'
import { decide } from '../authorization-server/decide.ts'
import { issueForEes, type TokenResponse } from '../authorization-server/issue-token.ts'
import { NOT_GRANTED, type TokenPorts } from '../authorization-server/request-token.ts'
import { type ForwardingPorts, forwardOn } from './forward-request.ts'
import { isInNameSpace } from './peer-ecs.ts'
import type { TrustedPeer } from './trusted-peer.ts'

export interface VouchingPorts {
  peers(): readonly TrustedPeer[]
  /** Tells the operator that a peer vouches for a client that is not its own. */
  vouchedForAnother(peer: Fqdn, client: Fqdn): void
}

export interface ReceivingPorts extends ForwardingPorts, VouchingPorts {
  /** the keys with which a peer signs what it forwards; undefined for everybody else */
  forwardingKeysOf(ecs: Fqdn): KeySource | undefined
  /** @returns whether this is the first time that the request is seen (THREATS FW-07) */
  isFirst(request: VerifiedForwarding): boolean
  readonly tokens: TokenPorts
}

/**
 * A token request that another ECS forwards: TS 33.501 13.4.1.1.3, D-19.
 *
 * @param from - the ECS that the connection belongs to
 * @throws Refusal FORWARDING_INVALID, FORWARDING_LOOP, POLICY_DENIED, SCOPE_NOT_GRANTED, and what a further ECS says
 */
export async function receiveForwarding(
  ecs: ReceivingPorts,
  from: Fqdn,
  forwarding: Forwarding,
): Promise<TokenResponse> {
  const { fqdn: own, mostHops } = ecs
  // The whole way here is proven: the ECS of the client signed the request, each ECS in between that it passed on that one,
  const keysOf = (name: Fqdn) => ecs.forwardingKeysOf(name)
  const verified = await verifyForwarding(forwarding, { own, from, keysOf, mostHops, now: ecs.now() })
  const { request, jti, visited } = verified

  // its ECS speaks for clients of its own name space alone,
  checkVouching(ecs, request)
  refuseUnless(ecs.isFirst(verified), 'FORWARDING_INVALID', 'the request was made before')

  // and the ECS that has the target decides by itself; any other passes the request on.
  const target = await ecs.tokens.findEes({ fqdn: request.target })
  if (target === undefined) return forwardOn(ecs, { request, forwarding, jti, visited })
  for (const scope of request.scope) authorize(ecs, request, { scope, targetEesId: target.eesId })
  const { sub, certificateThumbprint, scope, eecId, srcEcs } = request
  const client = { fqdn: sub, certificateThumbprint }
  return issueForEes(
    ecs.tokens,
    { client, target: target.fqdn, scope, eecId },
    { now: ecs.now(), lifetime: ecs.tokens.lifetimes.atEes },
    { ecs: srcEcs, correlation: hashedTokenId(jti) },
  )
}

/** An ECS speaks for EESs of its own name space alone (THREATS FW-03). @throws Refusal POLICY_DENIED */
export function checkVouching(ecs: VouchingPorts, { sub, srcEcs }: Pick<ForwardedRequest, 'sub' | 'srcEcs'>): void {
  const home = ecs.peers().find(({ fqdn }) => fqdn === srcEcs)
  if (home !== undefined && isInNameSpace(home.nameSpace, sub)) return
  ecs.vouchedForAnother(srcEcs, sub)
  throw new Refusal('POLICY_DENIED', 'the ECS does not speak for this client')
}

function authorize(
  ecs: ReceivingPorts,
  { sub, target, eecId, srcEcs }: ForwardedRequest,
  asked: { readonly scope: string; readonly targetEesId: EesId },
): void {
  const request = { ...asked, fqdn: sub, target, ecs: srcEcs, ...(eecId !== undefined && { eecId }) }
  const { allowed, because } = decide(ecs.tokens.policy(), request)
  if (!allowed) throw new Refusal('SCOPE_NOT_GRANTED', NOT_GRANTED, { cause: because })
}
