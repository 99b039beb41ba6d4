import { type Static, Type } from 'typebox'
import { exactlyOneOf, listOf } from './forms.ts'
import { Ipv4Addr, Ipv6Addr, Uri } from './ts29122/basic-types.ts'
import { Fqdn } from './ts29571/basic-types.ts'

/** Where an EAS, EES or ECS is reached, in exactly one way: TS 29.558, defined by Eees_EASRegistration. */
export const EndPoint = exactlyOneOf(
  Type.Object({
    fqdn: Type.Optional(Fqdn),
    ipv4Addrs: Type.Optional(listOf(Ipv4Addr)),
    ipv6Addrs: Type.Optional(listOf(Ipv6Addr)),
    uri: Type.Optional(Uri),
  }),
  ['uri', 'fqdn', 'ipv4Addrs', 'ipv6Addrs'],
)
export type EndPoint = Static<typeof EndPoint>
