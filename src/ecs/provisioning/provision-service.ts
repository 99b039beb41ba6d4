import type { ECSServProvReq, ECSServProvResp, EESInfo } from '../../spec/messages/service-provisioning.ts'
import { refuseUnless } from '../../spec/refusal.ts'
import type { Registration } from '../registrar/registration.ts'

/** An EEC that has authenticated: what it may say of itself is what its credential says (D-16). */
export interface EecPeer {
  /** the one that its key is bound to, or those of its UE that share the key */
  readonly eecIds: ReadonlySet<string>
  readonly gpsi?: string | undefined
}

export interface ProvisioningPorts {
  /** @returns registrations that live now */
  liveRegistrations(): Promise<readonly Registration[]>
}

/**
 * Eecs_ServiceProvisioning, request: TS 24.558 5.2; TS 23.558 8.3.3.2.2. The ECS tells the EEC the EESs that serve its
 * application clients where it is.
 *
 * @returns undefined if there is none (204)
 */
export async function provisionService(
  ecs: ProvisioningPorts,
  peer: EecPeer,
  request: ECSServProvReq,
): Promise<ECSServProvResp | undefined> {
  refuseUnless(peer.eecIds.has(request.eecId), 'EEC_MISMATCH', 'eecId is not the EEC that has authenticated')
  refuseUnless(
    request.ueId === undefined || request.ueId === peer.gpsi,
    'EEC_MISMATCH',
    'ueId is not the UE that has authenticated',
  )
  const wanted = wishesOf(request)
  const fitting = (await ecs.liveRegistrations()).filter(({ eesProf }) => fits(eesProf, wanted))
  const networks = Map.groupBy(fitting, ({ eesProf }) => eesProf.ednInfoSets?.dnn ?? '')
  const ednCnfgInfo = [...networks].map(([dnn, registrations]) => ({
    ednConInfo: dnn === '' ? {} : { dnn },
    eess: registrations.map(toEesInfo),
    lifeTime: new Date(Math.min(...registrations.map(({ expiresAt }) => expiresAt))).toISOString(),
  }))
  return ednCnfgInfo.length === 0 ? undefined : { ednCnfgInfo }
}

type Profile = Registration['eesProf']

interface Wishes {
  /** any of these EASs is wanted; empty: any EES is */
  readonly easIds: ReadonlySet<string>
  readonly ecspIds: ReadonlySet<string>
  readonly cellId: string | undefined
  readonly trackingArea: string | undefined
  /** `mcc-mnc` */
  readonly plmns: ReadonlySet<string>
}

function wishesOf({ acProfs = [], appInfo = [], ecspIds = [], locInf, connInfo = [] }: ECSServProvReq): Wishes {
  const profiles = [...acProfs, ...appInfo.map(({ acProf }) => acProf)]
  return {
    easIds: new Set(profiles.flatMap(({ eass = [] }) => eass.map(({ easId }) => easId))),
    ecspIds: new Set(ecspIds),
    cellId: locInf?.cellId,
    trackingArea: locInf?.trackingAreaId,
    plmns: new Set(connInfo.flatMap(({ plmnId }) => (plmnId === undefined ? [] : [`${plmnId.mcc}-${plmnId.mnc}`]))),
  }
}

/** Who says nothing about itself serves everywhere; who is asked nothing about is not filtered by it. */
function fits(profile: Profile, { easIds, ecspIds, cellId, trackingArea, plmns }: Wishes): boolean {
  const { easIds: served = [], provId, svcArea } = profile
  if (easIds.size > 0 && !served.some((easId) => easIds.has(easId))) return false
  if (ecspIds.size > 0 && (provId === undefined || !ecspIds.has(provId))) return false
  const area = svcArea?.topServAr
  if (area === undefined) return true
  const cells = [
    ...(area.ncgis ?? []).map(({ nrCellId }) => nrCellId),
    ...(area.ecgis ?? []).map(({ eutraCellId }) => eutraCellId),
  ]
  if (cellId !== undefined && cells.length > 0 && !includesText(cells, cellId)) return false
  const tacs = (area.tais ?? []).map(({ tac }) => tac)
  if (trackingArea !== undefined && tacs.length > 0 && !includesText(tacs, trackingArea)) return false
  const networks = (area.plmnIds ?? []).map(({ mcc, mnc }) => `${mcc}-${mnc}`)
  return plmns.size === 0 || networks.length === 0 || networks.some((network) => plmns.has(network))
}

/** Identifiers of cells are hexadecimal: case says nothing (TS 29.571 5.4.2). */
function includesText(list: readonly string[], text: string): boolean {
  return list.some((each) => each.toLowerCase() === text.toLowerCase())
}

function toEesInfo({ eesProf }: Registration): EESInfo {
  const { eesId, endPt, easIds, provId, appLocs, svcContSupp, eecRegConf } = eesProf
  return {
    eesId,
    endPt,
    eecRegConf,
    ...(easIds && { easIds }),
    ...(provId !== undefined && { ecspInfo: provId }),
    ...(appLocs && { dnais: appLocs }),
    ...(svcContSupp && { eesSvcContSupp: svcContSupp }),
  }
}
