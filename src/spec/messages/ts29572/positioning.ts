import { type Static, Type } from 'typebox'
import { openEnum } from '../forms.ts'

/** How a location was found, and how well: TS 29.572 6.1.6. */

export const PositioningMethod = openEnum([
  'CELLID',
  'ECID',
  'OTDOA',
  'BAROMETRIC_PRESSURE',
  'WLAN',
  'BLUETOOTH',
  'MBS',
  'MOTION_SENSOR',
  'DL_TDOA',
  'DL_AOD',
  'MULTI-RTT',
  'NR_ECID',
  'UL_TDOA',
  'UL_AOA',
  'NETWORK_SPECIFIC',
  'SL_TDOA',
  'SL_TOA',
  'SL_AoA',
  'SL_RT',
  'AIML',
])
export type PositioningMethod = Static<typeof PositioningMethod>

export const AccuracyFulfilmentIndicator = openEnum([
  'REQUESTED_ACCURACY_FULFILLED',
  'REQUESTED_ACCURACY_NOT_FULFILLED',
])
export type AccuracyFulfilmentIndicator = Static<typeof AccuracyFulfilmentIndicator>

export const LdrType = openEnum([
  'UE_AVAILABLE',
  'PERIODIC',
  'ENTERING_INTO_AREA',
  'LEAVING_FROM_AREA',
  'BEING_INSIDE_AREA',
  'MOTION',
])
export type LdrType = Static<typeof LdrType>

/** metres */
export const Accuracy = Type.Number({ minimum: 0 })

export const MinorLocationQoS = Type.Object({
  hAccuracy: Type.Optional(Accuracy),
  vAccuracy: Type.Optional(Accuracy),
})
export type MinorLocationQoS = Static<typeof MinorLocationQoS>
