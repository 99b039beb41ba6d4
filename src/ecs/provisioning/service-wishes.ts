import type { EESProfile } from '../../spec/messages/ees-registration.ts'
import type { ECSServProvReq } from '../../spec/messages/service-provisioning.ts'

/** What an EEC wants of an EES, or what an EES has: values of one kind are compared with values of the same kind only. */
export type Aspect = 'easId' | 'ecspId' | 'cell' | 'trackingArea' | 'plmn'

/** Of an EEC: an aspect without values is not asked about. */
export type Aspects = Readonly<Record<Aspect, ReadonlySet<string>>>

/** Of an EES: it says nothing about an aspect without values. Lists, because there are many EESs with short ones. */
export type Served = Readonly<Record<Aspect, readonly string[]>>

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
    easId: new Set(profiles.flatMap(({ eass = [] }) => eass.map(({ easId }) => easId))),
    ecspId: new Set(ecspIds),
    cell: setOfHex(locInf?.cellId),
    trackingArea: setOfHex(locInf?.trackingAreaId),
    plmn: new Set(connInfo.flatMap(({ plmnId }) => (plmnId === undefined ? [] : [nameOfPlmn(plmnId)]))),
  }
}

export function servedBy({ easIds = NONE, provId, svcArea }: EESProfile): Served {
  const { ncgis = [], ecgis = [], tais = [], plmnIds = [] } = svcArea?.topServAr ?? {}
  const cells = [...ncgis.map(({ nrCellId }) => nrCellId), ...ecgis.map(({ eutraCellId }) => eutraCellId)]
  return {
    easId: easIds,
    ecspId: provId === undefined ? NONE : [provId],
    cell: orNone(cells.map(canonicalHex)),
    trackingArea: orNone(tais.map(({ tac }) => canonicalHex(tac))),
    plmn: orNone(plmnIds.map(nameOfPlmn)),
  }
}

/** Most EESs say nothing about most aspects: one list does for all of them. */
const NONE: string[] = []
const orNone = (values: readonly string[]): readonly string[] => (values.length === 0 ? NONE : values)

export function fits(served: Served, wanted: Aspects): boolean {
  return ASPECTS.every((aspect) => {
    const [has, wants] = [served[aspect], wanted[aspect]]
    if (wants.size === 0) return true
    return has.length === 0 ? EVERYWHERE_IF_SILENT[aspect] : has.some((value) => wants.has(value))
  })
}

const nameOfPlmn = ({ mcc, mnc }: { readonly mcc: string; readonly mnc: string }) => `${mcc}-${mnc}`

/** Identifiers of cells and tracking areas are hexadecimal: case says nothing (TS 29.571 5.4.2). */
const canonicalHex = (text: string) => text.toLowerCase()

const setOfHex = (text: string | undefined): ReadonlySet<string> =>
  new Set(text === undefined ? [] : [canonicalHex(text)])
