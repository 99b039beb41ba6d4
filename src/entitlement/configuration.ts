import { type Static, Type } from 'typebox'
import {
  type NfConfiguration,
  type NfKind,
  Origin,
  PEER_MEMBERS,
  PLMN_MEMBERS,
  Port,
  SERVER_DEFAULTS,
  SERVER_MEMBERS,
} from '../nf/configuration.ts'
import { Rate } from '../nf/rate-limit.ts'

const strict = { additionalProperties: false }
const seconds = (maximum: number) => Type.Integer({ minimum: 1, maximum })

const OWN_MEMBERS = {
  listen: Type.Object({ address: Type.String(), server: Port, mtls: Port, admin: Port }, strict),
  homeNetwork: Type.Object(PLMN_MEMBERS, strict),
  /** any UDM that speaks Nudm_UEAU */
  udm: Origin,
  /** of TS.43: other versions are answered 406 */
  entitlementVersions: Type.Array(Type.String({ pattern: '^[0-9]+[.][0-9]+$' }), { minItems: 1 }),
  authentication: Type.Object(
    {
      /** seconds that a terminal has to answer an EAP request (THREATS EN-03) */
      lifetime: seconds(300),
      /** seconds for which a fast authentication token is good */
      tokenLifetime: seconds(86_400),
      temporaryTokenLifetime: seconds(300),
    },
    strict,
  ),
  operatorTokens: Type.Object(
    {
      /** seconds: THREATS EN-06, D-13 */
      lifetime: seconds(3_600),
      /** whether a token is given that is bound to no key */
      unbound: Type.Enum(['refused', 'allowed']),
      /** the ECSs and EESs that tokens are given for; any if there is no such member */
      audiences: Type.Optional(Type.Array(Type.String(), { minItems: 1 })),
    },
    strict,
  ),
  /** seconds for which a new key is shown before it signs (THREATS EN-07) */
  signingKeys: Type.Object({ publishedBefore: Type.Integer({ minimum: 0, maximum: 86_400 }) }, strict),
  /** of one address, before anybody is authenticated */
  requests: Rate,
  /** of one subscriber */
  tokenRequests: Rate,
}

const EntitlementConfiguration = Type.Object({ ...SERVER_MEMBERS, ...OWN_MEMBERS }, strict)
/** `entitlement.yaml` */
export type EntitlementConfiguration = NfConfiguration & Static<Type.TObject<typeof OWN_MEMBERS>>

export const ENTITLEMENT_SERVER: NfKind = {
  name: 'entitlement',
  schema: EntitlementConfiguration,
  defaults: {
    ...SERVER_DEFAULTS,
    entitlementVersions: ['12.0'],
    authentication: { lifetime: 300, tokenLifetime: 3_600, temporaryTokenLifetime: 300 },
    operatorTokens: { lifetime: 600, unbound: 'refused' },
    signingKeys: { publishedBefore: 600 },
    requests: { perSecond: 200, burst: 2_000 },
    tokenRequests: { perSecond: 2, burst: 50 },
  },
}

/** An ECS or EES that asks about tokens. */
export const EntitlementPeer = Type.Object(PEER_MEMBERS, strict)
