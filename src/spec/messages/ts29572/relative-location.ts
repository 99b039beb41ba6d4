import { type Static, Type } from 'typebox'
import { oneOf } from '../forms.ts'
import { Float } from '../ts29571/basic-types.ts'
import {
  Angle,
  Confidence,
  GADShape,
  GeographicArea,
  GeographicalCoordinates,
  Orientation,
  Uncertainty,
  UncertaintyEllipse,
} from './geographic-area.ts'

/** Where something is, seen from another thing or from a local origin: TS 29.572 6.1.6.2, after TS 23.032. */

export const RangeDirection = Type.Object({
  distance: Type.Optional(Type.Number()),
  azimuthDirection: Type.Optional(Angle),
  elevationDirection: Type.Optional(Angle),
})
export type RangeDirection = Static<typeof RangeDirection>

/** `2DRelativeLocation` */
export const TwoDRelativeLocation = Type.Object({
  semiMinor: Type.Optional(Uncertainty),
  semiMajor: Type.Optional(Uncertainty),
  orientationAngle: Type.Optional(Angle),
})

/** `3DRelativeLocation` */
export const ThreeDRelativeLocation = Type.Object({
  ...TwoDRelativeLocation.properties,
  verticalUncertainty: Type.Optional(Uncertainty),
})

/** tenths of a degree */
export const HorizAxesOrientation = Type.Integer({ minimum: 0, maximum: 3600 })

export const LocalOrigin = Type.Object({
  coordinateId: Type.String(),
  point: Type.Optional(GeographicalCoordinates),
  area: Type.Optional(GeographicArea),
  horizAxesOrientation: Type.Optional(HorizAxesOrientation),
})
export type LocalOrigin = Static<typeof LocalOrigin>

export const RelativeCartesianLocation = Type.Object({ x: Float, y: Float, z: Type.Optional(Float) })

export const UncertaintyEllipsoid = Type.Object({
  semiMajor: Uncertainty,
  semiMinor: Uncertainty,
  vertical: Uncertainty,
  orientationMajor: Orientation,
})

const localPoint = {
  ...GADShape.properties,
  localOrigin: LocalOrigin,
  point: RelativeCartesianLocation,
  confidence: Confidence,
}

export const Local2dPointUncertaintyEllipse = Type.Object({ ...localPoint, uncertaintyEllipse: UncertaintyEllipse })

export const Local3dPointUncertaintyEllipsoid = Type.Object({
  ...localPoint,
  uncertaintyEllipsoid: UncertaintyEllipsoid,
  vConfidence: Type.Optional(Confidence),
})

export const LocalArea = oneOf(Local2dPointUncertaintyEllipse, Local3dPointUncertaintyEllipsoid)
export type LocalArea = Static<typeof LocalArea>
