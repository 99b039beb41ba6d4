import { type Static, Type } from 'typebox'
import { atLeastOneOf, listOf, matching, nullable, openEnum } from '../forms.ts'
import { Fqdn, Uinteger } from './basic-types.ts'
import { Dnai } from './network-identifiers.ts'

/**
 * Addresses and what is reached at them: TS 29.571 5.2 and 5.4. Unlike TS 29.122, this document writes the syntax down.
 */

export const Ipv4Addr = matching(
  /^(([0-9]|[1-9][0-9]|1[0-9][0-9]|2[0-4][0-9]|25[0-5])\.){3}([0-9]|[1-9][0-9]|1[0-9][0-9]|2[0-4][0-9]|25[0-5])$/,
)

/** RFC 5952: lower case, without leading zeros; the two patterns together allow one `::`. */
export const Ipv6Addr = Type.Unsafe<string>({
  type: 'string',
  allOf: [
    {
      pattern:
        /^((:|(0?|([1-9a-f][0-9a-f]{0,3}))):)((0?|([1-9a-f][0-9a-f]{0,3})):){0,6}(:|(0?|([1-9a-f][0-9a-f]{0,3})))$/
          .source,
    },
    { pattern: /^((([^:]+:){7}([^:]+))|((([^:]+:)*[^:]+)?::(([^:]+:)*[^:]+)?))$/.source },
  ],
})

export const TransportProtocol = openEnum(['UDP', 'TCP'])
export type TransportProtocol = Static<typeof TransportProtocol>

export const ServerAddressingInfo = atLeastOneOf(
  Type.Object({
    ipv4Addresses: Type.Optional(listOf(Ipv4Addr)),
    ipv6Addresses: Type.Optional(listOf(Ipv6Addr)),
    fqdnList: Type.Optional(listOf(Fqdn)),
  }),
  ['ipv4Addresses', 'ipv6Addresses', 'fqdnList'],
)
export type ServerAddressingInfo = Static<typeof ServerAddressingInfo>

const socket = Type.Object({
  ipv4Addr: Type.Optional(Ipv4Addr),
  ipv6Addr: Type.Optional(Ipv6Addr),
  portNumber: Uinteger,
})

export const TunnelAddress = atLeastOneOf(socket, ['ipv4Addr', 'ipv6Addr'])
export type TunnelAddress = Static<typeof TunnelAddress>

export const RouteInformation = nullable(socket)
export type RouteInformation = Static<typeof RouteInformation>

/** How traffic finds an application at a DNAI. */
export const RouteToLocation = nullable(
  atLeastOneOf(
    Type.Object({
      dnai: Dnai,
      routeInfo: Type.Optional(RouteInformation),
      routeProfId: Type.Optional(nullable(Type.String())),
    }),
    ['routeInfo', 'routeProfId'],
  ),
)
export type RouteToLocation = Static<typeof RouteToLocation>
