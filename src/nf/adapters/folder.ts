import { readFile } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import type { TSchema } from 'typebox'
import { parse } from 'yaml'
import { readCertificateList } from '../../certificates/certificate.ts'
import { writePem } from '../../certificates/pem.ts'
import { findInvalidSetting } from '../../http/schema.ts'
import { parseFqdn, parseNfInstanceId } from '../../spec/identifiers.ts'
import type { SealingSecret } from '../../store/sealed-file.ts'
import { type NfIdentity, type NfKind, type NfNames, type PeerEntry, withDefaults } from '../configuration.ts'
import type { Authorities, Peers } from '../peers.ts'
import { type OwnCredential, openOwnCredential } from './own-credential.ts'

/** A file of the operator's that cannot be used; the message says which and why. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError'
}

/** What stands in the folder of a network function, apart from a store and the allow-list. */
export interface NfFolder<Configuration extends NfIdentity> {
  readonly folder: string
  readonly configuration: Configuration
  readonly secret: SealingSecret
  readonly credential: OwnCredential
  /** PEM of the root of its own domain */
  readonly root: string
}

export const PEERS_FILE = 'peers.yaml'
const LONGEST_FILE = 1_048_576

/** @throws ConfigurationError, FileRefused */
export async function openNfFolder<Configuration extends NfIdentity>(
  folder: string,
  kind: NfKind,
  passphrase: string | undefined,
): Promise<NfFolder<Configuration>> {
  const configuration = await readConfiguration<Configuration>(join(folder, `${kind.name}.yaml`), kind)
  const secret = sealingSecret(folder, configuration, passphrase)
  return {
    folder,
    configuration,
    secret,
    credential: await openOwnCredential(folder, secret),
    root: await readText(join(folder, 'root.crt')),
  }
}

async function readConfiguration<Configuration extends NfNames>(file: string, kind: NfKind): Promise<Configuration> {
  const configuration = withDefaults(await readMapping(file), kind.defaults)
  const invalid = findInvalidSetting(kind.schema, configuration)
  if (invalid !== undefined) throw new ConfigurationError(`${file}: ${invalid}`)
  const fqdn = parseFqdn(String(configuration['fqdn']))
  const nfInstanceId = parseNfInstanceId(String(configuration['nfInstanceId']))
  if (fqdn === undefined) throw new ConfigurationError(`${file}: fqdn is not a fully qualified host name`)
  if (nfInstanceId === undefined) throw new ConfigurationError(`${file}: nfInstanceId is not a version 4 UUID`)
  return { ...configuration, fqdn, nfInstanceId } as Configuration
}

/** @throws ConfigurationError */
export async function readPeers<Entry extends PeerEntry>(folder: string, schema: TSchema): Promise<Peers<Entry>> {
  const file = join(folder, PEERS_FILE)
  const list = await readYaml(file)
  if (!Array.isArray(list)) throw new ConfigurationError(`${file}: not a list`)
  const entries = new Map<string, Entry>()
  const authorities = new Map<string, Authorities>()
  for (const [index, written] of list.entries()) {
    const invalid = findInvalidSetting(schema, written)
    if (invalid !== undefined) throw new ConfigurationError(`${file}: /${index}${invalid}`)
    const entry = written as Entry
    if (parseFqdn(entry.fqdn) !== entry.fqdn) throw new ConfigurationError(`${file}: /${index}/fqdn is not an FQDN`)
    if (entries.has(entry.fqdn)) throw new ConfigurationError(`${file}: ${entry.fqdn} stands there twice`)
    entries.set(entry.fqdn, entry)
    if (!authorities.has(entry.root)) authorities.set(entry.root, await readAuthorities(inFolder(folder, entry.root)))
  }
  return { entries, authorities }
}

/** PEM: the root, then the authorities below it. */
async function readAuthorities(file: string): Promise<Authorities> {
  const [root, ...issuers] = readCertificateList(await readText(file))
  if (root === undefined) throw new ConfigurationError(`${file} holds no certificate`)
  if (!root.issuer.equals(root.subject)) throw new ConfigurationError(`${file} does not begin with a root`)
  return { root, issuers }
}

/** PEM of every root that an entry names, for the TLS layer. */
export function rootPems({ authorities }: Peers): string[] {
  return [...authorities.values()].map(({ root }) => writePem('CERTIFICATE', root.der))
}

/** File names in a configuration are relative to its folder. */
export const inFolder = (folder: string, file: string) => (isAbsolute(file) ? file : join(folder, file))

async function readMapping(file: string): Promise<Record<string, unknown>> {
  const document = await readYaml(file)
  if (typeof document === 'object' && document !== null && !Array.isArray(document)) return { ...document }
  throw new ConfigurationError(`${file}: not a YAML mapping`)
}

async function readYaml(file: string): Promise<unknown> {
  const text = await readText(file)
  try {
    return parse(text, { maxAliasCount: 0 })
  } catch (cause) {
    throw new ConfigurationError(`${file}: not YAML`, { cause })
  }
}

async function readText(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new ConfigurationError(`${file} cannot be read: was this folder made by "edgeward core init"?`, { cause })
  })
  if (text.length > LONGEST_FILE) throw new ConfigurationError(`${file} is too long`)
  return text
}

function sealingSecret(folder: string, { sealing }: NfIdentity, passphrase: string | undefined): SealingSecret {
  if (passphrase !== undefined) return { passphrase }
  const { keyFile } = sealing
  if (keyFile === undefined) throw new ConfigurationError('there is no sealing.keyFile: set EDGEWARD_PASSPHRASE')
  return { keyFile: inFolder(folder, keyFile) }
}
