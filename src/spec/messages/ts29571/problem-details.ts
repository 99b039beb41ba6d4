import { type Static, Type } from 'typebox'
import { AccessTokenErr, AccessTokenReq } from '../access-token.ts'
import { listOf } from '../forms.ts'
import { ProblemDetails as NorthboundProblemDetails } from '../ts29122/problem-details.ts'
import { NoProfileMatchInfo } from '../ts29510/nf-discovery.ts'
import { Fqdn } from './basic-types.ts'

/** The error of an NF: RFC 9457 with the members of TS 29.571 5.2.4.1, which are those of TS 29.122 and some more. */
export const ProblemDetails = Type.Object({
  ...NorthboundProblemDetails.properties,
  accessTokenError: Type.Optional(AccessTokenErr),
  accessTokenRequest: Type.Optional(AccessTokenReq),
  nrfId: Type.Optional(Fqdn),
  supportedApiVersions: Type.Optional(listOf(Type.String())),
  noProfileMatchInfo: Type.Optional(NoProfileMatchInfo),
})
export type ProblemDetails = Static<typeof ProblemDetails>
