import { type Static, Type } from 'typebox'
import { openEnum } from '../forms.ts'

/**
 * Where something is: TS 29.572 6.1.6.2, after the shapes of TS 23.032.
 * Degrees WGS 84, metres, and percent for a confidence; angles are clockwise from north.
 */

export const SupportedGADShapes = openEnum([
  'POINT',
  'POINT_UNCERTAINTY_CIRCLE',
  'POINT_UNCERTAINTY_ELLIPSE',
  'POLYGON',
  'POINT_ALTITUDE',
  'POINT_ALTITUDE_UNCERTAINTY',
  'ELLIPSOID_ARC',
  'LOCAL_2D_POINT_UNCERTAINTY_ELLIPSE',
  'LOCAL_3D_POINT_UNCERTAINTY_ELLIPSOID',
  'DISTANCE_DIRECTION',
  'RELATIVE_2D_LOCATION_UNCERTAINTY_ELLIPSE',
  'RELATIVE_3D_LOCATION_UNCERTAINTY_ELLIPSOID',
])
export type SupportedGADShapes = Static<typeof SupportedGADShapes>

export const Altitude = Type.Number({ minimum: -32767, maximum: 32767 })
export const Angle = Type.Integer({ minimum: 0, maximum: 360 })
export const Confidence = Type.Integer({ minimum: 0, maximum: 100 })
export const InnerRadius = Type.Integer({ format: 'int32', minimum: 0, maximum: 327675 })
export const Orientation = Type.Integer({ minimum: 0, maximum: 180 })
export const Uncertainty = Type.Number({ minimum: 0 })

export const GeographicalCoordinates = Type.Object({
  lon: Type.Number({ minimum: -180, maximum: 180 }),
  lat: Type.Number({ minimum: -90, maximum: 90 }),
})
export type GeographicalCoordinates = Static<typeof GeographicalCoordinates>

export const UncertaintyEllipse = Type.Object({
  semiMajor: Uncertainty,
  semiMinor: Uncertainty,
  orientationMajor: Orientation,
})
export type UncertaintyEllipse = Static<typeof UncertaintyEllipse>

export const PointList = Type.Array(GeographicalCoordinates, { minItems: 3, maxItems: 15 })

/** What every shape has: its name. No schema ties the name to the members, so a reader goes by both. */
export const GADShape = Type.Object({ shape: SupportedGADShapes })

export const Point = Type.Object({ ...GADShape.properties, point: GeographicalCoordinates })

export const PointUncertaintyCircle = Type.Object({ ...Point.properties, uncertainty: Uncertainty })

export const PointUncertaintyEllipse = Type.Object({
  ...Point.properties,
  uncertaintyEllipse: UncertaintyEllipse,
  confidence: Confidence,
})

export const Polygon = Type.Object({ ...GADShape.properties, pointList: PointList })

export const PointAltitude = Type.Object({ ...Point.properties, altitude: Altitude })

export const PointAltitudeUncertainty = Type.Object({
  ...PointAltitude.properties,
  uncertaintyEllipse: UncertaintyEllipse,
  uncertaintyAltitude: Uncertainty,
  confidence: Confidence,
  vConfidence: Type.Optional(Confidence),
})

export const EllipsoidArc = Type.Object({
  ...Point.properties,
  innerRadius: InnerRadius,
  uncertaintyRadius: Uncertainty,
  offsetAngle: Angle,
  includedAngle: Angle,
  confidence: Confidence,
})

export const GeographicArea = Type.Union([
  Point,
  PointUncertaintyCircle,
  PointUncertaintyEllipse,
  Polygon,
  PointAltitude,
  PointAltitudeUncertainty,
  EllipsoidArc,
])
export type GeographicArea = Static<typeof GeographicArea>
