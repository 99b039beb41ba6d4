import { type Static, Type } from 'typebox'
import { EDGE_FUNCTION_CODES } from '../keys/kedge.ts'
import {
  type NfConfiguration,
  type NfKind,
  Origin,
  PEER_MEMBERS,
  PLMN_MEMBERS,
  SERVER_DEFAULTS,
  SERVER_MEMBERS,
} from '../nf/configuration.ts'
import { Rate } from '../nf/rate-limit.ts'

const strict = { additionalProperties: false }
/** Two octets with FC1 = FF, as TS 33.220 B.2 has them. */
const functionCode = Type.Integer({ minimum: 0xff00, maximum: 0xffff })

const OWN_MEMBERS = {
  homeNetwork: Type.Object(
    {
      ...PLMN_MEMBERS,
      nid: Type.Optional(Type.String({ pattern: '^[0-9a-f]{11}$' })),
    },
    strict,
  ),
  /** any UDM that speaks Nudm_UEAU */
  udm: Origin,
  /** seconds that a UE has for its answer */
  authentication: Type.Object({ lifetime: Type.Integer({ minimum: 1, maximum: 300 }) }, strict),
  edge: Type.Object(
    {
      /** `bound`: an ECS gets K_ECS; `literal`: it gets Kedge (D-20) */
      keyProfile: Type.Enum(['bound', 'literal']),
      /** of Kedge: `edge` as in D-20, or the SUPI and nothing else; the same in the UE */
      kedgeInput: Type.Enum(['edge', 'supi']),
      /** the same in the UE (D-20) */
      functionCodes: Type.Object({ kedge: functionCode, edgeTid: functionCode, kecs: functionCode }, strict),
      /** what says that a subscriber may use the edge; another UDM than ours does not send `edgeInd` (D-22) */
      permission: Type.Enum(['edgeInd', 'akmaInd', 'everyone']),
      /** whether a subscriber for whom the UDM lists no EEC IDs may use any, or none (THREATS NG-04) */
      unlistedEecIds: Type.Enum(['allowed', 'refused']),
      /** seconds until a Kedge ends without a new authentication */
      lifetime: Type.Integer({ minimum: 1, maximum: 86_400 }),
      /** seconds for which the one before stays good, because the UE switches later (THREATS KE-03) */
      grace: Type.Integer({ minimum: 0, maximum: 60 }),
    },
    strict,
  ),
  /** of one caller */
  keyRequests: Rate,
}

const AusfConfiguration = Type.Object({ ...SERVER_MEMBERS, ...OWN_MEMBERS }, strict)
/** `ausf.yaml` */
export type AusfConfiguration = NfConfiguration & Static<Type.TObject<typeof OWN_MEMBERS>>

export const AUSF: NfKind = {
  name: 'ausf',
  schema: AusfConfiguration,
  defaults: {
    ...SERVER_DEFAULTS,
    authentication: { lifetime: 60 },
    edge: {
      keyProfile: 'bound',
      kedgeInput: 'edge',
      functionCodes: EDGE_FUNCTION_CODES,
      permission: 'edgeInd',
      unlistedEecIds: 'allowed',
      lifetime: 86_400,
      grace: 60,
    },
    keyRequests: { perSecond: 50, burst: 200 },
  },
}

/** A public key on P-256 for which an ECS holds the private one: its keys are encrypted to it (THREATS KE-09). */
const EncryptionKey = Type.Object(
  { kty: Type.Literal('EC'), crv: Type.Literal('P-256'), x: Type.String(), y: Type.String() },
  strict,
)
export type EncryptionKey = Static<typeof EncryptionKey>

export const AusfPeerEntry = Type.Object(
  {
    ...PEER_MEMBERS,
    /** of a SEAF: the serving networks that it may speak for (TS 33.501 6.1.2) */
    servingNetworkNames: Type.Optional(Type.Array(Type.String())),
    /** of an ECS */
    encryptionKey: Type.Optional(EncryptionKey),
    /** of a NEF: the ECSs that it may speak for (THREATS KE-10) */
    ecs: Type.Optional(
      Type.Array(Type.Object({ fqdn: Type.String(), encryptionKey: Type.Optional(EncryptionKey) }, strict)),
    ),
  },
  strict,
)
export type AusfPeerEntry = Static<typeof AusfPeerEntry>
