import { type Static, Type } from 'typebox'

/** What an ECS tells its EESs of another ECS, so that they can call its EESs and be called by them (EDGE-9): ours. */
export const Partner = Type.Object({
  fqdn: Type.String(),
  /** PEM */
  roots: Type.Array(Type.String()),
  /** PEM: the authorities below them */
  issuers: Type.Array(Type.String()),
  /** the names of its EESs are below these */
  nameSpace: Type.Array(Type.String()),
  /** of its listener for client certificates: `https://FQDN[:PORT]` */
  mtlsRoot: Type.String(),
})
export type Partner = Static<typeof Partner>

/** The certificate authorities of the ECS itself: one, or two while one takes the place of the other. */
export const OwnAuthorities = Type.Object({
  /** PEM: whom an EES shall trust from now on */
  roots: Type.Array(Type.String(), { minItems: 1, maxItems: 4 }),
  /** PEM: those that certify EESs, the one that signs now first */
  issuers: Type.Array(Type.String(), { minItems: 1, maxItems: 4 }),
})
export type OwnAuthorities = Static<typeof OwnAuthorities>

export const Partners = Type.Object({ partners: Type.Array(Partner), own: Type.Optional(OwnAuthorities) })
export type Partners = Static<typeof Partners>

export const PARTNERS_PATH = '/.well-known/edge-federation/partners'
