import { checkEecId, checkUeId, type EecIdentity } from '../../eec-authentication/eec-identity.ts'
import type {
  DiscoveredEas,
  EasCharacteristics,
  EasDiscoveryFilter,
  EasDiscoveryReq,
  EasDiscoveryResp,
} from '../../spec/messages/eas-discovery.ts'
import type { EASProfile } from '../../spec/messages/eas-profile.ts'
import { refuseUnless } from '../../spec/refusal.ts'
import type { EasRegistration } from '../eas-registration/registration.ts'
import { isIdentityOf } from '../guard/ees-identity.ts'
import type { Caller } from '../guard/guard.ts'

export interface DiscoveryPorts {
  /** @returns EASs that are registered now */
  liveEass(): readonly EasRegistration[]
}

/**
 * Eees_EASDiscovery, request by an EEC: TS 23.558 8.5.2.
 *
 * @throws Refusal EEC_MISMATCH for another EEC, or a UE that is not the credential's (THREATS RS-01)
 */
export function discoverForEec(ees: DiscoveryPorts, peer: EecIdentity, request: EasDiscoveryReq): EasDiscoveryResp {
  const { eecId } = request.requestorId
  refuseUnless(eecId !== undefined, 'EEC_MISMATCH', 'requestorId is not the EEC that has authenticated')
  checkEecId(peer, eecId)
  checkUeId(peer, request.ueId)
  for (const ueId of request.appGrpUeIds ?? []) checkUeId(peer, ueId)
  return discover(ees, request)
}

/**
 * Eees_EASDiscovery, request by an EES (EDGE-9).
 *
 * @throws Refusal EES_MISMATCH for another EES; EEC_MISMATCH for a UE, which the token of an EES never tells
 */
export function discoverForEes(ees: DiscoveryPorts, caller: Caller, request: EasDiscoveryReq): EasDiscoveryResp {
  const { eesId } = request.requestorId
  refuseUnless(
    eesId !== undefined && isIdentityOf(caller, eesId),
    'EES_MISMATCH',
    'requestorId is not the EES of the credential',
  )
  const namesUe = request.ueId !== undefined || request.appGrpUeIds !== undefined
  refuseUnless(!namesUe, 'EEC_MISMATCH', 'the token speaks for no UE')
  return discover(ees, request)
}

function discover(ees: DiscoveryPorts, { easDiscoveryFilter, easSvcContinuity }: EasDiscoveryReq): EasDiscoveryResp {
  const found = ees.liveEass().filter(({ easProf }) => fits(easProf, { easDiscoveryFilter, easSvcContinuity }))
  return { discoveredEas: found.map(toDiscovered) }
}

export function toDiscovered({ easProf, expiresAt }: EasRegistration): DiscoveredEas {
  return { eas: easProf, lifeTime: new Date(expiresAt).toISOString() }
}

export interface Wanted {
  readonly easDiscoveryFilter?: EasDiscoveryFilter | undefined
  readonly easSvcContinuity?: EasCharacteristics['easSvcContinuity'] | undefined
}

/** Whether an EAS is one of those that are looked for; who names nothing looks for all. */
export function fits(profile: EASProfile, { easDiscoveryFilter = {}, easSvcContinuity = [] }: Wanted): boolean {
  const { acChars = [], easChars = [] } = easDiscoveryFilter
  const forClients = acChars.flatMap(({ acProf: { eass = [] } }) => eass.map(({ easId }) => easId))
  if (!shares(profile.svcContSupp, easSvcContinuity)) return false
  if (forClients.length > 0 && !forClients.includes(profile.easId)) return false
  return easChars.length === 0 || easChars.some((characteristics) => hasCharacteristics(profile, characteristics))
}

function hasCharacteristics(profile: EASProfile, wanted: EasCharacteristics): boolean {
  const { easId, easProvId, stdEasType, easType, svcFeats = [], easSvcContinuity = [], svcPermLevel } = wanted
  return (
    isSame(profile.easId, easId) &&
    isSame(profile.provId, easProvId) &&
    isSame(profile.type, stdEasType) &&
    isSame(profile.flexEasType, easType) &&
    svcFeats.every((feature) => profile.easFeats?.includes(feature)) &&
    shares(profile.svcContSupp, easSvcContinuity) &&
    (svcPermLevel === undefined || profile.permLvl?.includes(svcPermLevel) === true)
  )
}

const isSame = (has: string | undefined, wanted: string | undefined) => wanted === undefined || has === wanted

/** Whether one of what is wanted is there; nothing wanted is always there. */
function shares(has: readonly string[] = [], wanted: readonly string[]): boolean {
  return wanted.length === 0 || wanted.some((each) => has.includes(each))
}
