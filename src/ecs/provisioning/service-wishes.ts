import type { EESProfile } from '../../spec/messages/ees-registration.ts'
import type { ECSServProvReq } from '../../spec/messages/service-provisioning.ts'

/** What an EEC wants of an EES, or what an EES has: values of one kind are compared with values of the same kind only. */
export type Aspect = 'easId' | 'ecspId' | 'cell' | 'trackingArea' | 'plmn'

/** Of an EEC: an aspect without values is not asked about. Of an EES: it says nothing about that aspect. */
export type Aspects = Readonly<Record<Aspect, ReadonlySet<string>>>

/** Who says nothing about where it serves, serves everywhere. Who says nothing about what it serves, serves nothing. */
export const EVERYWHERE_IF_SILENT: Readonly<Record<Aspect, boolean>> = {
  easId: false,
  ecspId: false,
  cell: true,
  trackingArea: true,
  plmn: true,
}

export const ASPECTS = Object.keys(EVERYWHERE_IF_SILENT) as readonly Aspect[]

/** The members that requests and subscriptions share, and the location that only a request has. */
export type ProvisioningFilters = Pick<ECSServProvReq, 'acProfs' | 'appInfo' | 'ecspIds' | 'locInf' | 'connInfo'>

/** @returns any of the values of each aspect will do, and every aspect that has values must */
export function wishesOf({
  acProfs = [],
  appInfo = [],
  ecspIds = [],
  locInf,
  connInfo = [],
}: ProvisioningFilters): Aspects {
  const profiles = [...acProfs, ...appInfo.map(({ acProf }) => acProf)]
  return {
    easId: setOf(profiles.flatMap(({ eass = [] }) => eass.map(({ easId }) => easId))),
    ecspId: setOf(ecspIds),
    cell: setOfHex([locInf?.cellId]),
    trackingArea: setOfHex([locInf?.trackingAreaId]),
    plmn: setOf(connInfo.flatMap(({ plmnId }) => (plmnId === undefined ? [] : [nameOfPlmn(plmnId)]))),
  }
}

export function servedBy({ easIds, provId, svcArea }: EESProfile): Aspects {
  const { ncgis = [], ecgis = [], tais = [], plmnIds = [] } = svcArea?.topServAr ?? {}
  return {
    easId: setOf(easIds ?? []),
    ecspId: setOf(provId === undefined ? [] : [provId]),
    cell: setOfHex([...ncgis.map(({ nrCellId }) => nrCellId), ...ecgis.map(({ eutraCellId }) => eutraCellId)]),
    trackingArea: setOfHex(tais.map(({ tac }) => tac)),
    plmn: setOf(plmnIds.map(nameOfPlmn)),
  }
}

export function fits(served: Aspects, wanted: Aspects): boolean {
  return ASPECTS.every((aspect) => {
    if (wanted[aspect].size === 0) return true
    if (served[aspect].size === 0) return EVERYWHERE_IF_SILENT[aspect]
    for (const value of wanted[aspect]) if (served[aspect].has(value)) return true
    return false
  })
}

const nameOfPlmn = ({ mcc, mnc }: { readonly mcc: string; readonly mnc: string }) => `${mcc}-${mnc}`

/** Identifiers of cells and tracking areas are hexadecimal: case says nothing (TS 29.571 5.4.2). */
function setOfHex(texts: readonly (string | undefined)[]): ReadonlySet<string> {
  return setOf(texts.flatMap((text) => text?.toLowerCase() ?? []))
}

const NONE: ReadonlySet<string> = new Set()

/** Most EESs say nothing about most aspects: one set does for all of them. */
const setOf = (values: readonly string[]): ReadonlySet<string> => (values.length === 0 ? NONE : new Set(values))
