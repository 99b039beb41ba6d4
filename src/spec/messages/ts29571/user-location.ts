import { type Static, Type } from 'typebox'
import { exactlyOneOf, hexDigits, listOf, matching, openEnum } from '../forms.ts'
import { Bytes, DateTime, Uinteger } from './basic-types.ts'
import { Ipv4Addr, Ipv6Addr, TransportProtocol } from './ip-addresses.ts'
import { Ecgi, Ncgi, PlmnId, PlmnIdNid, Tac, Tai } from './network-identifiers.ts'
import { GlobalRanNodeId } from './radio-access-nodes.ts'
import { Gci, Gli } from './subscriber-identifiers.ts'

/** Where the network has seen a UE: TS 29.571 5.4.4. */

const lac = hexDigits(4)

export const CellGlobalId = Type.Object({ plmnId: PlmnId, lac, cellId: hexDigits(4) })
export const ServiceAreaId = Type.Object({ plmnId: PlmnId, lac, sac: hexDigits(4) })
export const LocationAreaId = Type.Object({ plmnId: PlmnId, lac })
export const RoutingAreaId = Type.Object({ plmnId: PlmnId, lac, rac: hexDigits(2) })

const sighting = {
  /** minutes */
  ageOfLocationInformation: Type.Optional(Type.Integer({ minimum: 0, maximum: 32767 })),
  ueLocationTimestamp: Type.Optional(DateTime),
  /** TS 29.002, 8 octets and 10 octets */
  geographicalInformation: Type.Optional(matching(/^[0-9A-F]{16}$/)),
  geodeticInformation: Type.Optional(matching(/^[0-9A-F]{20}$/)),
}

export const EutraLocation = Type.Object({
  tai: Tai,
  ignoreTai: Type.Optional(Type.Boolean()),
  ecgi: Ecgi,
  ignoreEcgi: Type.Optional(Type.Boolean()),
  ...sighting,
  globalNgenbId: Type.Optional(GlobalRanNodeId),
  globalENbId: Type.Optional(GlobalRanNodeId),
})
export type EutraLocation = Static<typeof EutraLocation>

/** The tracking areas that a satellite cell broadcasts. */
export const NtnTaiInfo = Type.Object({
  plmnId: PlmnIdNid,
  tacList: listOf(Tac),
  derivedTac: Type.Optional(Tac),
})
export type NtnTaiInfo = Static<typeof NtnTaiInfo>

export const NrLocation = Type.Object({
  tai: Tai,
  ncgi: Ncgi,
  ignoreNcgi: Type.Optional(Type.Boolean()),
  ...sighting,
  globalGnbId: Type.Optional(GlobalRanNodeId),
  ntnTaiInfo: Type.Optional(NtnTaiInfo),
})
export type NrLocation = Static<typeof NrLocation>

export const TnapId = Type.Object({
  ssId: Type.Optional(Type.String()),
  bssId: Type.Optional(Type.String()),
  civicAddress: Type.Optional(Bytes),
})
export const TwapId = Type.Object({
  ssId: Type.String(),
  bssId: Type.Optional(Type.String()),
  civicAddress: Type.Optional(Bytes),
})
export const HfcNId = Type.String({ maxLength: 6 })
export const HfcNodeId = Type.Object({ hfcNId: HfcNId })
export const LineType = openEnum(['DSL', 'PON'])

export const N3gaLocation = Type.Object({
  n3gppTai: Type.Optional(Tai),
  n3IwfId: Type.Optional(matching(/^[A-Fa-f0-9]+$/)),
  ueIpv4Addr: Type.Optional(Ipv4Addr),
  ueIpv6Addr: Type.Optional(Ipv6Addr),
  portNumber: Type.Optional(Uinteger),
  protocol: Type.Optional(TransportProtocol),
  tnapId: Type.Optional(TnapId),
  twapId: Type.Optional(TwapId),
  hfcNodeId: Type.Optional(HfcNodeId),
  gli: Type.Optional(Gli),
  w5gbanLineType: Type.Optional(LineType),
  gci: Type.Optional(Gci),
})
export type N3gaLocation = Static<typeof N3gaLocation>

const areas = {
  cgi: Type.Optional(CellGlobalId),
  sai: Type.Optional(ServiceAreaId),
  lai: Type.Optional(LocationAreaId),
  rai: Type.Optional(RoutingAreaId),
}

export const UtraLocation = exactlyOneOf(Type.Object({ ...areas, ...sighting }), ['cgi', 'sai', 'rai'])
export type UtraLocation = Static<typeof UtraLocation>

export const GeraLocation = exactlyOneOf(
  Type.Object({
    locationNumber: Type.Optional(Type.String()),
    ...areas,
    vlrNumber: Type.Optional(Type.String()),
    mscNumber: Type.Optional(Type.String()),
    ...sighting,
  }),
  ['cgi', 'sai', 'lai'],
)
export type GeraLocation = Static<typeof GeraLocation>

export const UserLocation = Type.Object({
  eutraLocation: Type.Optional(EutraLocation),
  nrLocation: Type.Optional(NrLocation),
  n3gaLocation: Type.Optional(N3gaLocation),
  utraLocation: Type.Optional(UtraLocation),
  geraLocation: Type.Optional(GeraLocation),
})
export type UserLocation = Static<typeof UserLocation>
