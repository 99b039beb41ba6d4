import { type Static, Type } from 'typebox'
import { listOf } from '../forms.ts'
import { SupportedFeatures } from '../ts29571/basic-types.ts'
import { Uri } from './basic-types.ts'

/** Which member of the request was wrong. */
export const InvalidParam = Type.Object({
  /** JSON pointer, or name of a query parameter or header */
  param: Type.String(),
  reason: Type.Optional(Type.String()),
})
export type InvalidParam = Static<typeof InvalidParam>

/** The error of every EDGE API: RFC 9457 with the members that TS 29.122 5.2.1.2.12 adds. */
export const ProblemDetails = Type.Object({
  type: Type.Optional(Uri),
  title: Type.Optional(Type.String()),
  status: Type.Optional(Type.Integer()),
  detail: Type.Optional(Type.String()),
  instance: Type.Optional(Uri),
  cause: Type.Optional(Type.String()),
  invalidParams: Type.Optional(listOf(InvalidParam)),
  supportedFeatures: Type.Optional(SupportedFeatures),
})
export type ProblemDetails = Static<typeof ProblemDetails>
