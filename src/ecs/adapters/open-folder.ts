import type { KeyObject } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import { parse } from 'yaml'
import { type Certificate, readCertificate } from '../../certificates/certificate.ts'
import { findInvalidSetting } from '../../http/schema.ts'
import { newSigningKey, readSealedPrivateKey } from '../../nf/adapters/own-keys.ts'
import { type Signer, signerOf } from '../../ports/signer.ts'
import { type Fqdn, parseFqdn } from '../../spec/identifiers.ts'
import type { SealingSecret } from '../../store/sealed-file.ts'
import { type Policy, parsePolicy } from '../authorization-server/policy.ts'
import { Configuration, withDefaults } from '../configuration.ts'
import { POLICED_OPERATIONS } from '../operations.ts'
import { OPERATOR_ROOT } from './authority-files.ts'
import { writeSealedKey } from './own-keys.ts'

/** A file of the operator's that cannot be used; the message says which and why. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError'
}

/** What stands in the folder of an ECS, apart from the store. */
export interface EcsFolder {
  readonly folder: string
  readonly configuration: Configuration & { readonly fqdn: Fqdn }
  readonly policy: LoadedPolicy
  readonly secret: SealingSecret
  /** whoever has a certificate of this authority operates the ECS */
  readonly operatorIssuer: Certificate
  /** above it */
  readonly operatorRoot: Certificate
  /** the provisioning authority of this ECS: signs onboarding tokens */
  readonly onboarding: Signer
  /** signs token requests that go to other ECSs, and nothing else */
  readonly forwardingSigner: Signer
}

export interface LoadedPolicy {
  readonly policy: Policy
  /** the file as it was read */
  readonly text: string
}

/**
 * Reads and checks everything an ECS needs before it may start. The root's private key is not among it: it can be
 * somewhere else (THREATS CA-12).
 *
 * @throws ConfigurationError, FileRefused
 */
export async function openFolder(folder: string, passphrase: string | undefined): Promise<EcsFolder> {
  const configuration = await readConfiguration(join(folder, 'ecs.yaml'))
  const secret = sealingSecret(folder, configuration, passphrase)
  const certificate = async (name: string) => readCertificate(await readFile(join(folder, 'ca', name), 'utf8'))
  return {
    folder,
    configuration,
    policy: await readPolicy(folder),
    secret,
    operatorIssuer: await certificate('operator-issuer.crt'),
    operatorRoot: await certificate(existsSync(join(folder, 'ca', OPERATOR_ROOT)) ? OPERATOR_ROOT : 'root.crt'),
    onboarding: signerOf(await readSealedPrivateKey(join(folder, 'keys', 'onboarding.key'), secret)),
    forwardingSigner: signerOf(await forwardingKey(join(folder, 'keys', 'forwarding.key'), secret)),
  }
}

/** Made at the first start, also of an ECS that is older than its peers. */
async function forwardingKey(file: string, secret: SealingSecret): Promise<KeyObject> {
  if (!existsSync(file)) await writeSealedKey(file, newSigningKey(), secret)
  return readSealedPrivateKey(file, secret)
}

/**
 * @param text - what shall stand in the file, if not what stands there
 * @throws ConfigurationError
 */
export async function readConfiguration(file: string, text?: string): Promise<Configuration & { fqdn: Fqdn }> {
  const written = mappingOf(file, text ?? (await readText(file)))
  const configuration = withDefaults(written)
  const invalid = findInvalidSetting(Configuration, configuration)
  if (invalid !== undefined) throw new ConfigurationError(`${file}: ${invalid}`)
  const { fqdn, ...rest } = configuration as Configuration
  const name = parseFqdn(fqdn)
  if (name === undefined) throw new ConfigurationError(`${file}: fqdn is not a fully qualified host name`)
  return { ...rest, fqdn: name }
}

export async function readPolicy(folder: string): Promise<LoadedPolicy> {
  const file = join(folder, 'policy.yaml')
  const text = await readText(file)
  try {
    return { policy: parsePolicy(parse(text), POLICED_OPERATIONS), text }
  } catch (cause) {
    throw new ConfigurationError(`${file}: ${cause instanceof Error ? cause.message : 'not readable'}`, { cause })
  }
}

function mappingOf(file: string, text: string): Record<string, unknown> {
  try {
    const document: unknown = parse(text)
    if (typeof document === 'object' && document !== null && !Array.isArray(document)) return { ...document }
  } catch (cause) {
    throw new ConfigurationError(`${file}: not YAML`, { cause })
  }
  throw new ConfigurationError(`${file}: not a YAML mapping`)
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    throw new ConfigurationError(`${file} cannot be read: was this folder made by "edgeward ecs init"?`, { cause })
  }
}

function sealingSecret(folder: string, { sealing }: Configuration, passphrase: string | undefined): SealingSecret {
  if (passphrase !== undefined) return { passphrase }
  const { keyFile } = sealing
  if (keyFile === undefined) throw new ConfigurationError('there is no sealing.keyFile: set EDGEWARD_PASSPHRASE')
  return { keyFile: isAbsolute(keyFile) ? keyFile : join(folder, keyFile) }
}
