import { type Static, Type } from 'typebox'
import { EES_METHODS } from '../spec/authentication-methods.ts'

const strict = { additionalProperties: false }
const eesMethods = Type.Array(Type.Enum([...EES_METHODS]), {
  minItems: 1,
  maxItems: EES_METHODS.length,
  uniqueItems: true,
})
const serviceName = Type.String({ pattern: '^[a-z][a-z0-9-]{0,63}$' })

/** An entitlement configuration server whose tokens are taken (P2). */
export const EntitlementServerConfiguration = Type.Object(
  {
    /** `iss` of its tokens: `https://FQDN` */
    issuer: Type.String({ pattern: '^https://[a-z0-9.-]+$' }),
    /** where it is asked for its certificates; `https://FQDN` unless given */
    apiRoot: Type.Optional(Type.String({ pattern: '^https://' })),
    /** where it is asked about tokens, over mutual TLS */
    introspectionRoot: Type.Optional(Type.String({ pattern: '^https://' })),
    /** PEM files of the roots that its certificates are under */
    anchors: Type.Array(Type.String(), { minItems: 1, maxItems: 8 }),
    /** by its certificate, by asking it, or both (D-14) */
    verify: Type.Enum(['certificate', 'introspection', 'both']),
    /** whether a token that is bound to no key is taken, once */
    unbound: Type.Enum(['refused', 'allowed']),
  },
  strict,
)
export type EntitlementServerConfiguration = Static<typeof EntitlementServerConfiguration>

/** Certificates of EECs, and the listener that takes them. */
export const EecCertificatesConfiguration = Type.Object(
  {
    port: Type.Integer({ minimum: 1, maximum: 65_535 }),
    /** PEM files: the issuing authorities for EECs, each with its root */
    authorities: Type.Array(Type.String(), { minItems: 1, maxItems: 16 }),
    /** EEC IDs that are let in no more */
    refused: Type.Optional(Type.Array(Type.String(), { maxItems: 10_000 })),
  },
  strict,
)
export type EecCertificatesConfiguration = Static<typeof EecCertificatesConfiguration>

/** How EECs authenticate at the EESs, and what tokens they get for that (TS 33.558 6.2). */
export const EecPolicyConfiguration = Type.Object(
  {
    /** of every EES that is not listed below */
    eesAuthMethods: eesMethods,
    /** by EES ID */
    ees: Type.Record(Type.String(), eesMethods),
    /** the services of EESs that an EEC can have a token for */
    services: Type.Array(serviceName, { maxItems: 32, uniqueItems: true }),
    /** seconds that a token for an EES is good */
    tokenLifetime: Type.Integer({ minimum: 30, maximum: 900 }),
  },
  strict,
)
export type EecPolicyConfiguration = Static<typeof EecPolicyConfiguration>

export const ProvisioningConfiguration = Type.Object(
  {
    /** EESs that one answer names */
    mostEess: Type.Integer({ minimum: 1, maximum: 10_000 }),
    /** hosts that notifications may go to: an FQDN, or `.FQDN` for all names below it */
    notificationHosts: Type.Array(Type.String({ pattern: '^[a-z0-9.-]+$' }), { maxItems: 256 }),
    /** addresses that notifications may go to although they are none of the public internet: `10.1.0.0/16` */
    notificationNetworks: Type.Array(Type.String({ pattern: '^[0-9a-f.:]+/[0-9]{1,3}$' }), { maxItems: 64 }),
    /** PEM files of the roots that the certificates of these hosts are under; the root of this ECS if there is none */
    notificationRoots: Type.Array(Type.String(), { maxItems: 16 }),
    /** subscriptions of one EEC (THREATS HT-11) */
    subscriptionsPerEec: Type.Integer({ minimum: 1, maximum: 10_000 }),
    /** subscriptions of all EECs */
    subscriptions: Type.Integer({ minimum: 1, maximum: 10_000_000 }),
    /** seconds that a subscription lasts unless it is updated */
    subscriptionLifetime: Type.Integer({ minimum: 60, maximum: 31_536_000 }),
  },
  strict,
)
export type ProvisioningConfiguration = Static<typeof ProvisioningConfiguration>

export const EEC_DEFAULTS = {
  provisioning: {
    mostEess: 100,
    notificationHosts: [],
    notificationNetworks: [],
    notificationRoots: [],
    subscriptionsPerEec: 16,
    subscriptions: 200_000,
    subscriptionLifetime: 86_400,
  },
  eecPolicy: {
    eesAuthMethods: ['EDGE_ACCESS_TOKEN', 'ENTITLEMENT_TOKEN'],
    ees: {},
    services: ['eees-eecregistration', 'eees-easdiscovery'],
    tokenLifetime: 600,
  },
} satisfies { provisioning: ProvisioningConfiguration; eecPolicy: EecPolicyConfiguration }

export const EEC_CONFIGURATION_TEXT = `# provisioning:         # what EECs are told (EDGE-4)
#   mostEess: 100       # in one answer
#   notificationHosts: ['.apps.example.com']   # where notifications may go; nowhere if nothing is written here
#   notificationNetworks: ['10.1.0.0/16']      # addresses that are none of the public internet, and may be called
#   notificationRoots: [apps-root.crt]         # instead of the root of this ECS
#   subscriptionsPerEec: 16
#   subscriptions: 200000
#   subscriptionLifetime: 86400   # seconds

# eecPolicy:            # how EECs authenticate at the EESs
#   eesAuthMethods: [EDGE_ACCESS_TOKEN, ENTITLEMENT_TOKEN]
#   ees:
#     ees-without-tokens: [ENTITLEMENT_TOKEN]
#   services: [eees-eecregistration, eees-easdiscovery]
#   tokenLifetime: 600  # seconds

`
