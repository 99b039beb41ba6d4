import { type Static, Type } from 'typebox'
import { stringify } from 'yaml'
import { MetricsSetting } from '../http/metrics-setting.ts'
import { Rate } from '../nf/rate-limit.ts'
import {
  EEC_CONFIGURATION_TEXT,
  EEC_DEFAULTS,
  EecCertificatesConfiguration,
  EecPolicyConfiguration,
  EntitlementServerConfiguration,
  ProvisioningConfiguration,
} from './eec-configuration.ts'

const port = Type.Integer({ minimum: 0, maximum: 65_535 })
const seconds = (minimum: number, maximum: number) => Type.Integer({ minimum, maximum })
const strict = { additionalProperties: false }

/** Who answers key requests for the subscribers of one home network (P5). */
const KeyServiceConfiguration = Type.Object(
  {
    /** as in the Kedge ID: `mnc001.mcc001` */
    realm: Type.String({ pattern: '^(nid[0-9a-f]{11}\\.)?mnc[0-9]{3}\\.mcc[0-9]{3}$' }),
    /** the AUSF where the ECS is in the operator's domain, the NEF where it is not */
    via: Type.Enum(['ausf', 'nef']),
    apiRoot: Type.String({ pattern: '^https://' }),
    /** PEM file of the root that its certificate is under */
    root: Type.String(),
    /** how the NEF knows this ECS */
    afId: Type.Optional(Type.String()),
    /** whether EECs may come with AKMA: the AUSF is asked for KAF as the AAnF of its subscribers */
    akma: Type.Optional(Type.Boolean()),
  },
  strict,
)
export type KeyServiceConfiguration = Static<typeof KeyServiceConfiguration>

/** `ecs.yaml`. What is not written there has the value of {@link DEFAULTS}; what is not known here is refused. */
export const Configuration = Type.Object(
  {
    /** the name in the certificate, in every token's audience and in the bundle */
    fqdn: Type.String(),
    /** where clients reach the `server` listener, if a forwarder stands before it: `https://FQDN:PORT` */
    apiRoot: Type.Optional(Type.String()),
    /** the same for the `mtls` listener */
    mtlsRoot: Type.Optional(Type.String()),
    listen: Type.Object({ address: Type.String(), server: port, mtls: port, psk: port, admin: port }, strict),
    sealing: Type.Object({ keyFile: Type.Optional(Type.String()) }, strict),
    certificates: Type.Object(
      {
        lifetimeDays: Type.Integer({ minimum: 1, maximum: 398 }),
        /** whether a certification request must carry the channel binding of its connection, or only may */
        channelBinding: Type.Union([Type.Literal('when-present'), Type.Literal('required')]),
      },
      strict,
    ),
    tokens: Type.Object(
      {
        accessLifetime: seconds(30, 900),
        onboardingLifetime: seconds(60, 86_400),
        keyLifetime: seconds(3_600, 31_536_000),
      },
      strict,
    ),
    /** what an expired registration does to its certificates: `revoke` (THREATS ON-11), or `block`, so that the EES can register again (D-8) */
    registrations: Type.Object({ onExpiry: Type.Enum(['revoke', 'block']) }, strict),
    revocationList: Type.Object({ lifetime: seconds(60, 2_592_000), refresh: seconds(10, 2_592_000) }, strict),
    authentication: Type.Object(
      {
        /** `bound`: the key of one EEC at this ECS; `literal`: Kedge itself, as the text of P5 has it */
        keyProfile: Type.Enum(['bound', 'literal']),
        keyServices: Type.Array(KeyServiceConfiguration),
        entitlementServers: Type.Array(EntitlementServerConfiguration),
        eecCertificates: Type.Optional(EecCertificatesConfiguration),
        /** authentication requests that one address may send, an IPv6 one together with its /64 */
        requests: Rate,
        /** handshakes that it may begin at the `psk` listener (THREATS PS-10) */
        handshakes: Rate,
        /**
         * whether a handshake may wait while the key that it offers is asked for, so that an EEC that was here before
         * needs no authentication request; who measures time can tell then which EECs were
         */
        fetchOnHandshake: Type.Boolean(),
        /** file of the private key on P-256, PEM, that the AUSF encrypts keys for this ECS to (THREATS KE-09) */
        unwrapKey: Type.Optional(Type.String({ minLength: 1 })),
      },
      strict,
    ),
    federation: Type.Object(
      {
        /** the suffixes that the names of our EESs have, told to other ECSs; if none is written they keep to what their operators say */
        nameSpace: Type.Array(Type.String(), { maxItems: 32 }),
        /** ECS-to-ECS messages that one token request may cost */
        mostHops: Type.Integer({ minimum: 1, maximum: 4 }),
        /** how often other ECSs shall fetch our trust bundle */
        refresh: seconds(10, 3_600),
      },
      strict,
    ),
    provisioning: ProvisioningConfiguration,
    eecPolicy: EecPolicyConfiguration,
    /** where a name is reached, instead of asking DNS */
    resolve: Type.Record(Type.String(), Type.String()),
    metrics: Type.Optional(MetricsSetting),
    log: Type.Enum(['debug', 'info', 'warn', 'error', 'silent']),
  },
  strict,
)
export type Configuration = Static<typeof Configuration>

/** Safe when nothing is said. Times in seconds. */
export const DEFAULTS = {
  listen: { address: '127.0.0.1', server: 0, mtls: 0, psk: 0, admin: 0 },
  sealing: { keyFile: 'sealing.key' },
  certificates: { lifetimeDays: 30, channelBinding: 'when-present' },
  tokens: { accessLifetime: 600, onboardingLifetime: 3_600, keyLifetime: 2_592_000 },
  registrations: { onExpiry: 'revoke' },
  revocationList: { lifetime: 86_400, refresh: 3_600 },
  authentication: {
    keyProfile: 'bound',
    keyServices: [],
    entitlementServers: [],
    requests: { perSecond: 10, burst: 50 },
    handshakes: { perSecond: 100, burst: 1_000 },
    fetchOnHandshake: false,
  },
  ...EEC_DEFAULTS,
  federation: { nameSpace: [], mostHops: 3, refresh: 300 },
  resolve: {},
  log: 'info',
} satisfies Omit<Configuration, 'fqdn'>

/** One level deep: a section that is written keeps the defaults of the members that it leaves out. */
export function withDefaults(written: Record<string, unknown>): Record<string, unknown> {
  const filled: Record<string, unknown> = { ...DEFAULTS, ...written }
  for (const [name, section] of Object.entries(DEFAULTS)) {
    const given = written[name]
    if (typeof section === 'object' && typeof given === 'object') filled[name] = { ...section, ...given }
  }
  return filled
}

/** As the library of the commands that edit it writes it: what they do not change stays as it is. */
export function configurationText(
  fqdn: string,
  listen: Configuration['listen'],
  resolve: ReadonlyMap<string, string> = new Map(),
): string {
  const names = resolve.size === 0 ? '' : `\n${stringify({ resolve: Object.fromEntries(resolve) })}`
  return `# The Edge Configuration Server ${fqdn}. What is left out has the default written beside it.
fqdn: ${fqdn}

listen:
  address: '${listen.address}' # 0.0.0.0 or '::' to be reached from other machines
  # A port of 0 is the one that was free at init, kept from then on.
  server: ${listen.server} # TLS with server certificate: onboarding, metadata, CA certificates, revocation lists
  mtls: ${listen.mtls} # mutual TLS: registered EESs
  psk: ${listen.psk} # TLS-PSK: EECs with a key of their network, if there are keyServices
  admin: ${listen.admin} # mutual TLS with an operator certificate
# apiRoot: https://${fqdn}:8443    # if a forwarder stands before the server listener
# mtlsRoot: https://${fqdn}:8444   # the same for mtls

sealing:
  # Seals the private keys of the CA and of the tokens; keep it on another medium if you can.
  # With EDGEWARD_PASSPHRASE set at init and at serve, a passphrase takes its place.
  keyFile: sealing.key
certificates:
  lifetimeDays: 30
  channelBinding: when-present # or: required (then openssl and curl alone cannot onboard)

# seconds
tokens:
  accessLifetime: 600
  onboardingLifetime: 3600
  keyLifetime: 2592000

registrations:
  onExpiry: revoke # or block: the EES keeps its certificate, and registers again with it

# seconds
revocationList:
  lifetime: 86400
  refresh: 3600

# federation:           # with other ECSs: edgeward ecs peer add
#   nameSpace: []       # suffixes of the names of our EESs, as edge.example.com
#   mostHops: 3         # ECSs that one token request may come to; 4 at most
#   refresh: 300        # seconds between two looks of theirs at our keys and authorities

# authentication:       # of EECs; without key services and entitlement servers nobody is provisioned: edgeward ecs trust
#   keyProfile: bound
#   keyServices:
#     - realm: mnc001.mcc001
#       via: ausf        # or nef, then with afId
#       apiRoot: https://ausf.5gc.mnc001.mcc001.3gppnetwork.org:8443
#       root: core-root.crt
#       akma: false      # or true, with ausf: EECs may also have the key of AKMA, which all EECs of a UE share
#   entitlementServers:
#     - issuer: https://ent.operator.example
#       anchors: [operator-root.crt]
#       verify: certificate   # or introspection, or both
#       unbound: refused      # or allowed: a token that is bound to no key is taken, once
#   eecCertificates:        # a listener for EECs with a certificate of these authorities
#     port: 8446
#     authorities: [eec-authority.crt]   # the issuing authority with its root
#     refused: []           # EEC IDs that are let in no more
#   unwrapKey: unwrap.key   # P-256: keys come encrypted to it, and through a NEF in no other way
#   fetchOnHandshake: false # or true: EECs that were here before need no authentication request
#   requests:           # authentication requests of one address; more if many EECs are behind one
#     perSecond: 10
#     burst: 50
#   handshakes:         # the same of handshakes by TLS-PSK
#     perSecond: 100
#     burst: 1000

${EEC_CONFIGURATION_TEXT}log: info
${names}`
}
