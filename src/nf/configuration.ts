import { type Static, type TSchema, Type } from 'typebox'
import { stringify } from 'yaml'
import { MetricsSetting } from '../http/metrics-setting.ts'
import type { Fqdn, NfInstanceId } from '../spec/identifiers.ts'

const strict = { additionalProperties: false }
const fileName = Type.String({ minLength: 1 })

/** Of a listener. */
export const Port = Type.Integer({ minimum: 1, maximum: 65_535 })
/** `https://FQDN:PORT` of another network function. */
export const Origin = Type.String({ pattern: '^https://' })
/** TS 29.571 PlmnId: digits, in quotes in YAML. */
export const PLMN_MEMBERS = {
  mcc: Type.String({ pattern: '^[0-9]{3}$' }),
  mnc: Type.String({ pattern: '^[0-9]{2,3}$' }),
}

/** What the configuration of every network function says, be it a server or only a client. */
export const IDENTITY_MEMBERS = {
  nfInstanceId: Type.String(),
  /** TS 29.510 NFType */
  nfType: Type.String({ minLength: 1, maxLength: 32 }),
  /** the name in its certificate */
  fqdn: Type.String(),
  sealing: Type.Object({ keyFile: Type.Optional(fileName) }, strict),
  /** where names are reached when DNS shall not be asked */
  resolve: Type.Record(Type.String(), Type.String()),
  log: Type.Enum(['debug', 'info', 'warn', 'error', 'silent']),
}

/** What a network function with a listener says beside that. */
export const SERVER_MEMBERS = {
  ...IDENTITY_MEMBERS,
  listen: Type.Object({ address: Type.String(), mtls: Port }, strict),
  metrics: Type.Optional(MetricsSetting),
  /** `static`: the allow-list alone decides; `token+static`: the caller brings an access token as well (D-10) */
  authorization: Type.Object(
    {
      mode: Type.Enum(['static', 'token+static']),
      /** the authorization servers whose tokens are taken, each with a file of its JWK Set */
      issuers: Type.Array(Type.Object({ iss: Type.String(), keys: fileName }, strict)),
    },
    strict,
  ),
}

/** Safe when nothing is said. */
export const SERVER_DEFAULTS = {
  sealing: { keyFile: 'sealing.key' },
  resolve: {},
  authorization: { mode: 'static', issuers: [] },
  log: 'info',
} as const

const Identity = Type.Object(IDENTITY_MEMBERS)
const Server = Type.Object(SERVER_MEMBERS)

/** Once read, the names in it are known to be names. */
export interface NfNames {
  readonly fqdn: Fqdn
  readonly nfInstanceId: NfInstanceId
}
export type NfIdentity = Static<typeof Identity> & NfNames
export type NfConfiguration = Static<typeof Server> & NfNames

/** What tells one network function's files from another's. */
export interface NfKind {
  /** of the configuration, without `.yaml`, and of the command that serves it */
  readonly name: string
  /** of the configuration once the defaults are filled in */
  readonly schema: TSchema
  readonly defaults: object
}

/** What an entry of the allow-list says, whatever network function it calls. */
export const PEER_MEMBERS = {
  /** the dNSName of its certificate */
  fqdn: Type.String(),
  /**
   * TS 29.510 NFType, which its certificate must name as well; `ECS` or `EES` for a server of the edge, which has none
   */
  nfType: Type.String({ minLength: 1, maxLength: 32 }),
  /** the root that vouches for it, and for no other entry unless that says so too */
  root: fileName,
  scopes: Type.Array(Type.String()),
}

const Peer = Type.Object(PEER_MEMBERS)

/** Who may call, and what for. Nobody else may (TS 33.501 13.3.0). */
export type PeerEntry = Static<typeof Peer>

/** What is written stands above the defaults, one level deep. */
export function withDefaults(written: Record<string, unknown>, defaults: object): Record<string, unknown> {
  const filled: Record<string, unknown> = { ...defaults, ...written }
  for (const [name, section] of Object.entries(defaults)) {
    const given = written[name]
    if (isSection(section) && isSection(given)) filled[name] = { ...section, ...given }
  }
  return filled
}

function isSection(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** What a folder is made with. */
export interface NewNf extends NfNames {
  readonly nfType: string
  /** left out for a network function that only calls others */
  readonly listen?: { readonly address: string; readonly mtls: number }
  readonly resolve: Readonly<Record<string, string>>
  /** members of its own */
  readonly own: object
}

/** Every value where it stands: our reader takes no aliases. */
const yaml = (value: object) => stringify(value, { aliasDuplicateObjects: false })

/** `<name>.yaml` of a new network function. */
export function configurationText({ own, ...nf }: NewNf): string {
  return `# ${nf.nfType} ${nf.fqdn}. Who may call stands in peers.yaml.\n${yaml({ ...nf, ...own })}`
}

/** `peers.yaml` of a new network function. */
export function peersText(peers: readonly PeerEntry[]): string {
  return `# Who may call, and what for; nobody else may. What is changed here holds a second later.\n${yaml(peers)}`
}
