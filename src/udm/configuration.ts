import { type Static, Type } from 'typebox'
import {
  type NfConfiguration,
  type NfKind,
  PEER_MEMBERS,
  PLMN_MEMBERS,
  Port,
  SERVER_DEFAULTS,
  SERVER_MEMBERS,
} from '../nf/configuration.ts'

const strict = { additionalProperties: false }

const OWN_MEMBERS = {
  listen: Type.Object({ address: Type.String(), mtls: Port, admin: Port }, strict),
  homeNetwork: Type.Object(PLMN_MEMBERS, strict),
  /** of subscribers for whom no other is given */
  routingIndicator: Type.String({ pattern: '^[0-9]{1,4}$' }),
  /** the private keys under which SUCIs are concealed: TS 33.501 C.3 */
  homeNetworkKeys: Type.Array(
    Type.Object(
      {
        id: Type.Integer({ minimum: 1, maximum: 255 }),
        profile: Type.Enum(['A', 'B']),
        file: Type.String({ minLength: 1 }),
      },
      strict,
    ),
  ),
  /** whether a SUCI that conceals nothing is taken: TS 33.501 C.2 */
  nullScheme: Type.Enum(['refused', 'accepted']),
}

const UdmConfiguration = Type.Object({ ...SERVER_MEMBERS, ...OWN_MEMBERS }, strict)
/** `udm.yaml` */
export type UdmConfiguration = NfConfiguration & Static<Type.TObject<typeof OWN_MEMBERS>>

export const UDM: NfKind = {
  name: 'udm',
  schema: UdmConfiguration,
  defaults: { ...SERVER_DEFAULTS, homeNetworkKeys: [], routingIndicator: '0', nullScheme: 'refused' },
}

export const UdmPeer = Type.Object(PEER_MEMBERS, strict)
