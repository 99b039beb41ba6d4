import { type Static, Type } from 'typebox'
import {
  type NfConfiguration,
  type NfKind,
  Origin,
  PEER_MEMBERS,
  SERVER_DEFAULTS,
  SERVER_MEMBERS,
} from '../nf/configuration.ts'
import { Rate } from '../nf/rate-limit.ts'

const strict = { additionalProperties: false }

const OWN_MEMBERS = {
  ausf: Origin,
  /** of one ECS; together they share what the AUSF allows this NEF */
  keyRequests: Rate,
}

const NefConfiguration = Type.Object({ ...SERVER_MEMBERS, ...OWN_MEMBERS }, strict)
/** `nef.yaml` */
export type NefConfiguration = NfConfiguration & Static<Type.TObject<typeof OWN_MEMBERS>>

export const NEF: NfKind = {
  name: 'nef',
  schema: NefConfiguration,
  defaults: { ...SERVER_DEFAULTS, keyRequests: { perSecond: 20, burst: 100 } },
}

/** An ECS outside the operator's domain. Nobody else calls this NEF. */
export const NefPeerEntry = Type.Object(
  {
    ...PEER_MEMBERS,
    nfType: Type.Literal('ECS'),
    /** how it is known as an application function; several ECSs may be of one */
    afId: Type.String({ minLength: 1, maxLength: 256 }),
  },
  strict,
)
export type NefPeerEntry = Static<typeof NefPeerEntry>
