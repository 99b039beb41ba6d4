import { type Static, Type } from 'typebox'
import { Uinteger } from '../ts29571/basic-types.ts'
import { ApplicationlayerId } from '../ts29571/subscriber-identifiers.ts'
import { UserLocation } from '../ts29571/user-location.ts'
import { CivicAddress } from '../ts29572/civic-address.ts'
import { GeographicArea } from '../ts29572/geographic-area.ts'
import { AccuracyFulfilmentIndicator, LdrType, MinorLocationQoS, PositioningMethod } from '../ts29572/positioning.ts'
import {
  LocalArea,
  RangeDirection,
  ThreeDRelativeLocation,
  TwoDRelativeLocation,
} from '../ts29572/relative-location.ts'
import { VelocityEstimate } from '../ts29572/velocity.ts'
import { DurationMin } from './basic-types.ts'

/** What TS 29.122 MonitoringEvent tells of the location of a UE. */

export const UpCumEvtRep = Type.Object({ upLocRepStat: Type.Optional(Uinteger) })

const text = Type.Optional(Type.String())

export const LocationInfo = Type.Object({
  ageOfLocationInfo: Type.Optional(DurationMin),
  cellId: text,
  enodeBId: text,
  routingAreaId: text,
  trackingAreaId: text,
  plmnId: text,
  twanId: text,
  userLocation: Type.Optional(UserLocation),
  geographicArea: Type.Optional(GeographicArea),
  civicAddress: Type.Optional(CivicAddress),
  positionMethod: Type.Optional(PositioningMethod),
  qosFulfilInd: Type.Optional(AccuracyFulfilmentIndicator),
  ueVelocity: Type.Optional(VelocityEstimate),
  ldrType: Type.Optional(LdrType),
  achievedQos: Type.Optional(MinorLocationQoS),
  relAppLayerId: Type.Optional(ApplicationlayerId),
  rangeDirection: Type.Optional(RangeDirection),
  twoDRelLoc: Type.Optional(TwoDRelativeLocation),
  threeDRelLoc: Type.Optional(ThreeDRelativeLocation),
  relVelocity: Type.Optional(VelocityEstimate),
  upCumEvtRep: Type.Optional(UpCumEvtRep),
  localLocEst: Type.Optional(LocalArea),
})
export type LocationInfo = Static<typeof LocationInfo>
