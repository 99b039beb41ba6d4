import { type Static, Type } from 'typebox'
import { MetricsSetting } from '../http/metrics-setting.ts'

const strict = { additionalProperties: false }
const port = Type.Integer({ minimum: 0, maximum: 65_535 })
const count = Type.Integer({ minimum: 1, maximum: 10_000_000 })
const seconds = Type.Integer({ minimum: 1, maximum: 31_536_000 })
const fileName = Type.String({ minLength: 1 })

/** One entitlement configuration server whose tokens are taken. */
const TrustedEnt = Type.Object(
  {
    /** `https://FQDN` */
    issuer: Type.String(),
    /** where it shows its certificates, `https://FQDN:PORT`, if that is not the issuer */
    apiRoot: Type.Optional(Type.String()),
    /** where it is asked about tokens, over mutual TLS, if that is not the issuer */
    introspectionRoot: Type.Optional(Type.String()),
    /** PEM files of the roots that vouch for it */
    anchors: Type.Array(fileName, { minItems: 1 }),
    /** by its certificate, by asking it, or both ways (TR 33.739 6.25.2 step 2) */
    verify: Type.Enum(['certificate', 'introspection', 'both']),
    /** whether a token that is bound to no key is taken */
    unbound: Type.Enum(['refused', 'allowed']),
  },
  strict,
)

/** `ees.yaml` of an EES, once the defaults are filled in. */
export const EesConfiguration = Type.Object(
  {
    /** port 0: any that is free */
    listen: Type.Object({ address: Type.String(), server: port, mtls: port }, strict),
    /** how EECs authenticate: with a token of our ECS, with one of an entitlement server */
    eec: Type.Object(
      {
        methods: Type.Array(Type.Enum(['EDGE_ACCESS_TOKEN', 'ENTITLEMENT_TOKEN']), { minItems: 1, uniqueItems: true }),
        entitlementServers: Type.Array(TrustedEnt),
      },
      strict,
    ),
    eas: Type.Object(
      {
        /** PEM files, each an issuing authority for EASs followed by its root; relative to the folder */
        authorities: Type.Array(fileName),
        /** IDs of EASs whose certificates are taken no more */
        refused: Type.Array(Type.String()),
      },
      strict,
    ),
    /** for how long what is registered here lasts unless it is renewed */
    lifetimes: Type.Object({ eec: seconds, eas: seconds, subscription: seconds }, strict),
    /** THREATS HT-11 */
    quotas: Type.Object({ eecs: count, eass: count, subscriptions: count, subscriptionsOfOneEec: count }, strict),
    notifications: Type.Object(
      {
        /** FQDNs, and `.example.com` for every name below: nobody else is notified */
        hosts: Type.Array(Type.String()),
        /** `192.0.2.0/24`: networks that are called although they are none of the public internet */
        networks: Type.Array(Type.String()),
        /** PEM files of the roots of receivers; the root of the edge is always trusted */
        roots: Type.Array(fileName),
      },
      strict,
    ),
    relocation: Type.Object(
      {
        /** whether a token for the contexts of no EEC in particular is enough (D-17 leaves it open) */
        eecInToken: Type.Enum(['required', 'optional']),
        /** `https://FQDN[:PORT]` by EES ID: whose contexts are fetched when an EEC says that it comes from there */
        sources: Type.Record(Type.String(), Type.String()),
      },
      strict,
    ),
    metrics: Type.Optional(MetricsSetting),
    log: Type.Enum(['debug', 'info', 'warn', 'error', 'silent']),
  },
  strict,
)
export type EesConfiguration = Static<typeof EesConfiguration>

const DAY = 86_400

/** Safe when nothing is said. */
export const EES_DEFAULTS: EesConfiguration = {
  listen: { address: '127.0.0.1', server: 0, mtls: 0 },
  eec: { methods: ['EDGE_ACCESS_TOKEN', 'ENTITLEMENT_TOKEN'], entitlementServers: [] },
  eas: { authorities: [], refused: [] },
  lifetimes: { eec: DAY, eas: DAY, subscription: DAY },
  quotas: { eecs: 100_000, eass: 10_000, subscriptions: 100_000, subscriptionsOfOneEec: 16 },
  notifications: { hosts: [], networks: [], roots: [] },
  relocation: { eecInToken: 'required', sources: {} },
  log: 'info',
}
