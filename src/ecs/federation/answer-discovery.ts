import { fqdnOf } from '../../http/origin.ts'
import { type Fqdn, parseFqdn } from '../../spec/identifiers.ts'
import type { EcsInfoDiscoveryResp, SupportedEcsp } from '../../spec/messages/ecs-discovery.ts'
import type { ServProvResp } from '../../spec/messages/ecs-service-provisioning.ts'
import type { EndPoint } from '../../spec/messages/end-point.ts'
import type { EcsInfoDiscoveryReqForEes, ServProvReqForEes } from '../../spec/messages/requesting-ees.ts'
import type { EESInfo } from '../../spec/messages/service-provisioning.ts'
import { Refusal, refuseUnless } from '../../spec/refusal.ts'
import { mayKnow } from '../authorization-server/decide.ts'
import type { Policy } from '../authorization-server/policy.ts'
import { type ProvisioningPorts, toEdnConfigInfo } from '../provisioning/provision-service.ts'
import type { IndexedEes } from '../provisioning/registration-index.ts'
import { type Aspects, wishesOf } from '../provisioning/service-wishes.ts'
import { forEess } from './discover-target-ees.ts'
import { checkVouching, type VouchingPorts } from './receive-request.ts'

/** In one answer, of which another ECS reads 64 KiB: EESs, octets of JSON of one of them, and of all. */
const ROOM = { eess: 50, each: 4_096, all: 60_000 }
/** How long another ECS may believe that EESs of this one serve an application, in milliseconds. */
const LIFETIME = 60_000

/** Who asks, as the connection and the head of the request say. */
export interface AskingEcs {
  readonly fqdn: Fqdn
  /** as the request is named in the audit trail of that ECS, if it says so */
  readonly correlation?: string | undefined
}

/** A line of the audit trail: what was told, to whom. */
export interface DiscoveryAnswer {
  readonly correlation?: string
  readonly srcEcs: Fqdn
  readonly client?: Fqdn
  readonly operation: 'GetECSDiscInfo' | 'ServProvRetReq'
  readonly eess: readonly Fqdn[]
}

export interface AnsweringPorts extends ProvisioningPorts, VouchingPorts {
  /** `https://FQDN[:PORT]` of the listener for other ECSs */
  readonly mtlsRoot: string
  now(): number
  policy(): Policy
  /** Durable before the answer leaves: what cannot be recorded is not told. */
  recordAnswer(answer: DiscoveryAnswer): Promise<void>
}

/**
 * Eecs_ECSDiscovery: TS 23.558 8.17.2. An ECS speaks for itself alone, so no request goes on from here (THREATS FW-01).
 *
 * @throws Refusal CLIENT_MISMATCH, MANDATORY_IE_INCORRECT, POLICY_DENIED; REGISTRATION_NOT_FOUND if nothing here serves that
 */
export async function describeItself(
  ecs: AnsweringPorts,
  asking: AskingEcs,
  request: EcsInfoDiscoveryReqForEes,
): Promise<EcsInfoDiscoveryResp> {
  const { ecsAddr, acProfs = [], connInf = [], ueLoc = [], requestingEes } = request
  refuseUnless(
    nameOf(ecsAddr) === asking.fqdn,
    'CLIENT_MISMATCH',
    'ecsAddr is another ECS than that of the certificate',
  )
  const wishes = wishesOf({ acProfs, connInfo: connInf })
  const places = ueLoc.map((locInf) => wishesOf({ locInf }))
  const wanted = {
    ...wishes,
    cell: new Set(places.flatMap(({ cell }) => [...cell])),
    trackingArea: new Set(places.flatMap(({ trackingArea }) => [...trackingArea])),
  }
  const eess = await tellable(ecs, asking, { operation: 'GetECSDiscInfo', wanted, requestingEes })
  const suppEcsps = ecspsOf(eess.map(({ eesInfo }) => eesInfo))
  const lifeTime = Math.min(ecs.now() + LIFETIME, ...eess.map(({ expiresAt }) => expiresAt))
  const itself = { endPt: { uri: ecs.mtlsRoot }, ...(suppEcsps.length > 0 && { suppPlmns: [{ suppEcsps }] }) }
  return { ecsInfo: [{ ecs: itself, lifeTime: new Date(lifeTime).toISOString() }] }
}

/**
 * Eecs_ECSServiceProvisioning, request: TS 23.558 8.17.2. Another ECS learns of an EES what an EES of this ECS would, and
 * of its EASs those that were asked for.
 *
 * @throws Refusal MANDATORY_IE_INCORRECT, POLICY_DENIED, REGISTRATION_NOT_FOUND
 */
export async function describeItsEess(
  ecs: AnsweringPorts,
  asking: AskingEcs,
  request: ServProvReqForEes,
): Promise<ServProvResp> {
  const { acProfs = [], appInfos = [], connInfo = [], locInfo, suppFeat, requestingEes } = request
  const appInfo = appInfos.map(({ acProf }) => ({ acProf }))
  const wanted = wishesOf({ acProfs, appInfo, connInfo, ...(locInfo && { locInf: locInfo }) })
  const eess = await tellable(ecs, asking, { operation: 'ServProvRetReq', wanted, requestingEes })
  // None of the features of the API is supported.
  return { ednConfigInfo: toEdnConfigInfo(eess), ...(suppFeat !== undefined && { suppFeat: '0' }) }
}

/** The name in an end point that has one. */
export function nameOf({ fqdn, uri }: EndPoint): Fqdn | undefined {
  if (fqdn !== undefined) return parseFqdn(fqdn)
  return uri === undefined ? undefined : fqdnOf(uri)
}

interface Question {
  readonly operation: DiscoveryAnswer['operation']
  readonly wanted: Aspects
  readonly requestingEes: string | undefined
}

/** TK-14 between ECSs: the rules about tokens for EESs of that ECS say what these may know, and what may be told to it. */
async function tellable(
  ecs: AnsweringPorts,
  { fqdn: srcEcs, correlation }: AskingEcs,
  { operation, wanted, requestingEes }: Question,
): Promise<IndexedEes[]> {
  const client = requestingEes === undefined ? undefined : vouchedFor(ecs, srcEcs, requestingEes)
  const asker = { ecs: srcEcs, ...(client !== undefined && { fqdn: client }) }
  const found = ecs.findEess(wanted, mayKnow(ecs.policy(), asker))
  const told = withRoom(found.map((ees) => ({ ...ees, eesInfo: onlyAsked(forEess(ees.eesInfo), wanted.easId) })))
  if (told.length === 0) throw new Refusal('REGISTRATION_NOT_FOUND', 'there is no such EES here')
  await ecs.recordAnswer({
    ...(correlation !== undefined && { correlation }),
    srcEcs,
    ...(client !== undefined && { client }),
    operation,
    eess: told.map(({ fqdn }) => fqdn),
  })
  return told
}

/** THREATS FW-03 */
function vouchedFor(ecs: VouchingPorts, srcEcs: Fqdn, requestingEes: string): Fqdn {
  const sub = parseFqdn(requestingEes)
  refuseUnless(sub, 'MANDATORY_IE_INCORRECT', 'requestingEes is not an FQDN')
  checkVouching(ecs, { sub, srcEcs })
  return sub
}

function onlyAsked(eesInfo: EESInfo, asked: ReadonlySet<string>): EESInfo {
  const { easIds } = eesInfo
  return easIds === undefined || asked.size === 0
    ? eesInfo
    : { ...eesInfo, easIds: easIds.filter((id) => asked.has(id)) }
}

/** An EES that says much of itself takes no room from the others. */
function withRoom(eess: readonly IndexedEes[]): IndexedEes[] {
  let left = ROOM.all
  const isLeft = ({ eesInfo }: IndexedEes) => {
    const octets = Buffer.byteLength(JSON.stringify(eesInfo))
    if (octets > Math.min(ROOM.each, left)) return false
    left -= octets
    return true
  }
  return eess.filter(isLeft).slice(0, ROOM.eess)
}

function ecspsOf(eess: readonly EESInfo[]): SupportedEcsp[] {
  const named = eess.filter(({ ecspInfo, easIds = [] }) => ecspInfo !== undefined && easIds.length > 0)
  return [...Map.groupBy(named, ({ ecspInfo = '' }) => ecspInfo)].map(([ecspId, group]) => ({
    ecspId,
    easIds: [...new Set(group.flatMap(({ easIds = [] }) => easIds))],
  }))
}
