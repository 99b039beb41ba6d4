import type { Response } from '../../http/client.ts'
import { AnswerNotAccepted, RefusedByServer, readJson, requireStatus } from '../../http/response.ts'
import { isOfSchema } from '../../http/schema.ts'
import { encodeBase64url } from '../../octets/base64url.ts'
import type { Random } from '../../ports/random.ts'
import { type Fqdn, parseEesId } from '../../spec/identifiers.ts'
import { onlyKnownMembers } from '../../spec/known-members.ts'
import { EcsInfoDiscoveryResp } from '../../spec/messages/ecs-discovery.ts'
import { ServProvResp } from '../../spec/messages/ecs-service-provisioning.ts'
import type { EcsInfoDiscoveryReqForEes, ServProvReqForEes } from '../../spec/messages/requesting-ees.ts'
import type { EDNConfigInfo, EESInfo } from '../../spec/messages/service-provisioning.ts'
import type { Operation } from '../../spec/operation.ts'
import { OPERATIONS } from '../../spec/operations.ts'
import { Refusal } from '../../spec/refusal.ts'
import { mayKnow, mayKnowBelow } from '../authorization-server/decide.ts'
import type { Policy } from '../authorization-server/policy.ts'
import type { EesPeer } from '../registrar/registration.ts'
import { nameOf } from './answer-discovery.ts'
import { forEess, type Wanted } from './discover-target-ees.ts'
import { type PeerEcs, peersServing } from './peer-ecs.ts'
import type { TrustedPeer } from './trusted-peer.ts'

/** ECSs that one discovery asks: each costs two messages at most. */
const MOST_ASKED = 8

/** What other ECSs answer. */
export const DISCOVERY_ANSWERS = [EcsInfoDiscoveryResp, ServProvResp]

/** A line of the audit trail. */
export interface DiscoveryLine {
  /** the same in the trails of all ECSs that are asked */
  readonly correlation: string
  readonly client: Fqdn
  readonly easId: string
  readonly to: readonly Fqdn[]
}

export interface DiscoveringPorts {
  readonly fqdn: Fqdn
  /** `https://FQDN[:PORT]` of our listener for other ECSs */
  readonly mtlsRoot: string
  readonly random: Pick<Random, 'octets'>
  policy(): Policy
  peers(): readonly TrustedPeer[]
  /** those of which nothing is believed now */
  unheard(): readonly PeerEcs[]
  /** Durable before anything leaves. */
  recordDiscovery(line: DiscoveryLine): Promise<void>
  /**
   * Asks a peer where its trust bundle says that it is: no address in a request or an answer is one (THREATS FW-05).
   *
   * @throws Refusal PEER_NOT_AVAILABLE
   */
  ask(peer: TrustedPeer, operation: Operation, message: object, correlation: string): Promise<Response>
  /** @throws Refusal PEER_NOT_AVAILABLE after as long as a request to another ECS may take, whatever it consists of */
  inTime<Result>(work: Promise<Result>): Promise<Result>
}

/**
 * Target EESs of other ECSs: TS 23.558 8.8.3.3 with 8.17.2. Eecs_ECSDiscovery tells which ECSs serve the application,
 * Eecs_ECSServiceProvisioning with which EESs. Every peer is asked directly and none asks further, so there is no loop.
 *
 * @throws Refusal REGISTRATION_NOT_FOUND if there is none; PEER_NOT_AVAILABLE, PEER_ANSWER_NOT_ACCEPTED if there might be
 */
export async function discoverElsewhere(
  ecs: DiscoveringPorts,
  caller: EesPeer,
  wanted: Wanted,
): Promise<EDNConfigInfo[]> {
  const isWorthIt = ({ via, nameSpace }: PeerEcs) =>
    via === undefined && nameSpace.some((suffix) => mayKnowBelow(ecs.policy(), caller, suffix))
  const asked = ecs.peers().filter(isWorthIt).slice(0, MOST_ASKED)
  const found = new Map<Fqdn, EDNConfigInfo[]>()
  const failures = asked.length === 0 ? [] : await askAll({ ecs, caller, wanted, asked, found })
  const ednCnfgInfo = asked.flatMap(({ fqdn }) => found.get(fqdn) ?? [])
  if (ednCnfgInfo.length > 0) return ednCnfgInfo
  if (failures.length > 0) throw failures[0]
  if (ecs.unheard().some(isWorthIt))
    throw new Refusal('PEER_NOT_AVAILABLE', 'another ECS has not been heard of for too long')
  throw new Refusal('REGISTRATION_NOT_FOUND', 'there is no such EES for this one')
}

interface Discovery {
  readonly ecs: DiscoveringPorts
  readonly caller: EesPeer
  readonly wanted: Wanted
  readonly asked: readonly TrustedPeer[]
  /** what has come in time, by the ECS that answered */
  readonly found: Map<Fqdn, EDNConfigInfo[]>
}

/** @returns why peers did not answer */
async function askAll(discovery: Discovery): Promise<unknown[]> {
  const { ecs, caller, wanted, asked } = discovery
  const correlation = encodeBase64url(ecs.random.octets(16))
  const to = asked.map(({ fqdn }) => fqdn)
  await ecs.recordDiscovery({ correlation, client: caller.fqdn, easId: wanted.easId, to })
  const begun = new Map<Fqdn, Promise<void>>()
  const outcomes = await Promise.allSettled(
    asked.map((peer) => ecs.inTime(askOne(discovery, peer, { begun, correlation }))),
  )
  const reasons = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []))
  const ownFault = reasons.find((reason) => !(reason instanceof Refusal))
  if (ownFault !== undefined) throw ownFault
  return reasons
}

/**
 * Whom one peer names as serving the application is asked for its EESs, if it is one that is asked anyway (D-18): once, and
 * whoever named it waits for that, so that no peer can make another one's answer come too late.
 */
async function askOne(
  discovery: Discovery,
  peer: TrustedPeer,
  { begun, correlation }: { readonly begun: Map<Fqdn, Promise<void>>; readonly correlation: string },
): Promise<void> {
  const named = await namedBy(discovery, peer, correlation)
  const answers = discovery.asked
    .filter(({ fqdn }) => named.has(fqdn))
    .map((one) => {
      const answer = begun.get(one.fqdn) ?? keepEessOf(discovery, one, correlation)
      begun.set(one.fqdn, answer)
      return answer
    })
  await Promise.all(answers)
}

async function keepEessOf(discovery: Discovery, peer: TrustedPeer, correlation: string): Promise<void> {
  discovery.found.set(peer.fqdn, await eessOf(discovery, peer, correlation))
}

async function namedBy(
  { ecs, caller, wanted }: Discovery,
  peer: TrustedPeer,
  correlation: string,
): Promise<ReadonlySet<Fqdn>> {
  const message: EcsInfoDiscoveryReqForEes = {
    ecsAddr: { uri: ecs.mtlsRoot },
    acProfs: acProfsOf(wanted),
    requestingEes: caller.fqdn,
  }
  const response = await ecs.ask(peer, OPERATIONS.GetECSDiscInfo, message, correlation)
  const { ecsInfo } = accepted(response, (ok) => readJson(ok, EcsInfoDiscoveryResp)) ?? { ecsInfo: [] }
  return new Set(ecsInfo.flatMap(({ ecs: { endPt } }) => nameOf(endPt) ?? []))
}

async function eessOf(discovery: Discovery, peer: TrustedPeer, correlation: string): Promise<EDNConfigInfo[]> {
  const { ecs, caller, wanted } = discovery
  const message: ServProvReqForEes = { acProfs: acProfsOf(wanted), requestingEes: caller.fqdn }
  const response = await ecs.ask(peer, OPERATIONS.ServProvRetReq, message, correlation)
  const answer = accepted(response, (ok) => onlyKnownMembers(ServProvResp, readJson(ok, ServProvResp), isOfSchema))
  return (answer?.ednConfigInfo ?? []).flatMap(({ eess, ...network }) => {
    const credible = eess.filter((ees) => isCredible(discovery, peer, ees)).map(forEess)
    return credible.length === 0 ? [] : [{ ...network, eess: credible }]
  })
}

const acProfsOf = ({ easId }: Wanted) => [{ acId: 'target', eass: [{ easId }] }]

/**
 * A peer speaks of EESs of its own name space, by the FQDN that their certificates have; the caller hears of those that
 * our own rules let it have a token for, and that serve what it asked for (THREATS FW-03, FW-06, TK-14).
 */
function isCredible({ ecs, caller, wanted }: Discovery, peer: TrustedPeer, ees: EESInfo): boolean {
  const { easId, dnai } = wanted
  const fqdn = ees.endPt && nameOf(ees.endPt)
  if (fqdn === undefined || parseEesId(ees.eesId) === undefined) return false
  if (fqdn === caller.fqdn || !peersServing(ecs.peers(), fqdn).includes(peer)) return false
  const fits = ees.easIds?.includes(easId) === true && (dnai === undefined || ees.dnais?.includes(dnai) === true)
  return fits && mayKnow(ecs.policy(), caller)({ fqdn })
}

/** @returns undefined if the peer says that it has none, or none for us; why is for its operator and not for our EES */
function accepted<Answer>(response: Response, read: (ok: Response) => Answer): Answer | undefined {
  try {
    requireStatus(response, 200)
    return read(response)
  } catch (cause) {
    if (cause instanceof RefusedByServer && !cause.isTransient) return undefined
    if (cause instanceof RefusedByServer)
      throw new Refusal('PEER_NOT_AVAILABLE', 'the other ECS is not available now', { cause })
    if (!(cause instanceof AnswerNotAccepted)) throw cause
    throw new Refusal('PEER_ANSWER_NOT_ACCEPTED', 'the other ECS answered something else', { cause })
  }
}
