import { type Static, Type } from 'typebox'

const strict = { additionalProperties: false }
const origin = Type.String({ pattern: '^https://[a-z0-9.-]+(:[0-9]{1,5})?$', maxLength: 300 })

/**
 * What the operator of a core network hands to the operator of an ECS. Nothing in it is secret. That nobody has changed
 * it on its way is seen by the fingerprint of the root, which both are told.
 */
const MEMBERS = {
  /** the ECS that it is for, and no other */
  ecsFqdn: Type.String({ pattern: '^[a-z0-9.-]{1,253}$' }),
  /** PEM: what the certificates of whom is trusted are under */
  root: Type.String({ maxLength: 32_768 }),
}

/** Who gives keys of EECs to the ECS: TR 33.839 6.x.2.1 steps 5 and 5.1. */
export const KeyServiceHandover = Type.Object(
  {
    ...MEMBERS,
    keyService: Type.Object(
      {
        /** of the home network, as in the Kedge ID: `mnc001.mcc001` */
        realm: Type.String({ pattern: '^(nid[0-9a-f]{11}\\.)?mnc[0-9]{3}\\.mcc[0-9]{3}$' }),
        via: Type.Enum(['ausf', 'nef']),
        apiRoot: origin,
        /** how the NEF knows the ECS */
        afId: Type.Optional(Type.String({ pattern: '^[!-~]{1,256}$' })),
        /** whether it gets keys of AKMA as well; via `ausf` alone */
        akma: Type.Optional(Type.Boolean()),
      },
      strict,
    ),
    /** what the AUSF gives: the key of one EEC at this ECS, or Kedge itself */
    keyProfile: Type.Enum(['bound', 'literal']),
  },
  strict,
)
export type KeyServiceHandover = Static<typeof KeyServiceHandover>

/** Whose tokens of EECs the ECS takes: TR 33.739 6.25.2 step 2. How it verifies them is its own operator's to say. */
export const EntitlementServerHandover = Type.Object(
  {
    ...MEMBERS,
    entitlementServer: Type.Object(
      {
        /** `iss` of its tokens */
        issuer: Type.String({ pattern: '^https://[a-z0-9.-]+$', maxLength: 300 }),
        /** where it is asked for its certificates */
        apiRoot: origin,
        /** where it is asked about tokens, over mutual TLS */
        introspectionRoot: origin,
      },
      strict,
    ),
  },
  strict,
)
export type EntitlementServerHandover = Static<typeof EntitlementServerHandover>

export type TrustHandover = KeyServiceHandover | EntitlementServerHandover
