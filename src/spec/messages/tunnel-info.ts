import { type Static, Type } from 'typebox'
import { TunnelAddress } from './ts29571/ip-addresses.ts'

/** A tunnel to a service provider: TS 29.558, defined by Eecs_TargetEESDiscovery. */
export const TunnelInfo = Type.Object({ servProvId: Type.String(), endPoint: TunnelAddress })
export type TunnelInfo = Static<typeof TunnelInfo>
