import { type Static, Type } from 'typebox'
import { atLeastOneOf, listOf, openEnum } from './forms.ts'

/** EASs that serve an application together: TS 29.558, defined by Eees_EASRegistration. */

export const BdlType = openEnum(['DIRECT', 'PROXY'])
export type BdlType = Static<typeof BdlType>

export const FailureAction = openEnum(['CANCEL', 'PROCEED'])
export type FailureAction = Static<typeof FailureAction>

export const Affinity = openEnum(['STRONG', 'PREFERRED', 'WEAK'])
export type Affinity = Static<typeof Affinity>

export const CoordinatedAcrReqs = Type.Object({
  coordinatedAcrInd: Type.Boolean(),
  failureAction: Type.Optional(FailureAction),
})
export type CoordinatedAcrReqs = Static<typeof CoordinatedAcrReqs>

export const EASBdlReqs = Type.Object({
  coordinatedEasDisc: Type.Optional(Type.Boolean()),
  coordinatedAcr: Type.Optional(CoordinatedAcrReqs),
  affinity: Type.Optional(Affinity),
})
export type EASBdlReqs = Static<typeof EASBdlReqs>

/** A bundle by its identifier, by its members, or both. */
export const EASBundleInfo = atLeastOneOf(
  Type.Object({
    bdlType: BdlType,
    bdlId: Type.Optional(Type.String()),
    easIdsList: Type.Optional(listOf(Type.String())),
    easBdlReqs: Type.Optional(EASBdlReqs),
    mainEasId: Type.Optional(Type.String()),
  }),
  ['bdlId', 'easIdsList'],
)
export type EASBundleInfo = Static<typeof EASBundleInfo>
