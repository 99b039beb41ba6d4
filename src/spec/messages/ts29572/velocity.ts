import { type Static, Type } from 'typebox'
import { closedEnum, openEnum } from '../forms.ts'
import { Angle } from './geographic-area.ts'

/**
 * How fast something moves, and whither: TS 29.572 6.1.6.2, after TS 23.032. Kilometres per hour where no unit is told.
 */

export const HorizontalSpeed = Type.Number({ minimum: 0, maximum: 2047 })
export const VerticalSpeed = Type.Number({ minimum: 0, maximum: 255 })
export const SpeedUncertainty = Type.Number({ minimum: 0, maximum: 255 })
export const VerticalDirection = closedEnum(['UPWARD', 'DOWNWARD'])
export const UnitsLinearVelocity = openEnum(['MPERS', 'CMPERS'])
export const UnitsAngularVelocity = openEnum(['DEGPERSEC1', 'DEGPERSEC01'])
export const RadialVelocityValue = Type.Integer({ minimum: -2048, maximum: 2047 })
export const RadialVelocityUncertainty = Type.Integer({ minimum: 0, maximum: 255 })
export const AngularVelocityValue = Type.Integer({ minimum: -1024, maximum: 1023 })
export const AngularVelocityUncertainty = Type.Integer({ minimum: 0, maximum: 255 })

export const HorizontalVelocity = Type.Object({ hSpeed: HorizontalSpeed, bearing: Angle })

export const HorizontalWithVerticalVelocity = Type.Object({
  ...HorizontalVelocity.properties,
  vSpeed: VerticalSpeed,
  vDirection: VerticalDirection,
})

export const HorizontalVelocityWithUncertainty = Type.Object({
  ...HorizontalVelocity.properties,
  hUncertainty: SpeedUncertainty,
})

export const HorizontalWithVerticalVelocityAndUncertainty = Type.Object({
  ...HorizontalWithVerticalVelocity.properties,
  hUncertainty: SpeedUncertainty,
  vUncertainty: SpeedUncertainty,
})

export const RadialVelocity = Type.Object({
  unitsRadialVelocity: UnitsLinearVelocity,
  radialVelocity: RadialVelocityValue,
  rVelocityUncertainty: RadialVelocityUncertainty,
})

export const AngularVelocity = Type.Object({
  unitsAngularVelocity: UnitsAngularVelocity,
  angularVelocity: AngularVelocityValue,
  aVelocityUncertainty: AngularVelocityUncertainty,
})

export const RelativeVelocityWithUncertainty = Type.Object({
  rVelocity: Type.Optional(RadialVelocity),
  aTransverseVelocity: Type.Optional(AngularVelocity),
  eTransverseVelocity: Type.Optional(AngularVelocity),
})

export const VelocityEstimate = Type.Union([
  HorizontalVelocity,
  HorizontalWithVerticalVelocity,
  HorizontalVelocityWithUncertainty,
  HorizontalWithVerticalVelocityAndUncertainty,
  RelativeVelocityWithUncertainty,
])
export type VelocityEstimate = Static<typeof VelocityEstimate>
