import { existsSync } from 'node:fs'
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { createIssuer, createRoot, type Issuer } from '../../certificates/authority.ts'
import type { IssuerRole } from '../../certificates/profile.ts'
import type { Resolve } from '../../http/client.ts'
import { choosePorts } from '../../http/free-ports.ts'
import { CERTIFICATE_LIFETIME, OPERATOR } from '../../nf/adapters/core-authority.ts'
import { newSigningKey } from '../../nf/adapters/own-keys.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Random } from '../../ports/random.ts'
import { signerOf } from '../../ports/signer.ts'
import type { Fqdn } from '../../spec/identifiers.ts'
import { ensureFolder } from '../../store/ensure-folder.ts'
import { openStore } from '../../store/open-store.ts'
import { writePrivateFile } from '../../store/private-file.ts'
import { createKeyFile, type SealingSecret } from '../../store/sealed-file.ts'
import { DEFAULT_POLICY } from '../authorization-server/policy.ts'
import { type Configuration, configurationText } from '../configuration.ts'
import { ECS_MIGRATIONS } from '../tables.ts'
import { emptyCrl } from './authority-files.ts'
import { issueOwn, pemOfKey, writeAuthority, writeSealedKey } from './own-keys.ts'
import { writeSetting } from './settings.ts'

const ISSUER_ROLES: readonly IssuerRole[] = ['ees-issuer', 'ecs-issuer', 'operator-issuer']

/** The folder holds something: an ECS is never written over another one. */
export class FolderInUse extends Error {
  override readonly name = 'FolderInUse'
}

export interface InitOptions {
  readonly clock: Clock
  readonly random: Random
  /** seals the private keys instead of a key file */
  readonly passphrase?: string | undefined
  /** what to listen on; a port of 0 is any that is free now, and kept */
  readonly listen: Configuration['listen']
  /** where names are reached, instead of asking DNS */
  readonly resolve?: Resolve | undefined
}

/**
 * Makes the folder of a new ECS: root and issuing authorities, keys, store, policy and configuration.
 * It appears whole or not at all.
 *
 * @throws FolderInUse
 */
export async function initFolder(folder: string, fqdn: Fqdn, options: InitOptions): Promise<void> {
  const { clock, random, passphrase, listen, resolve: names } = options
  const final = resolve(folder)
  if (existsSync(final) && (await readdir(final)).length > 0)
    throw new FolderInUse(`${folder} is not empty: take another folder, or remove it first`)
  await ensureFolder(dirname(final))
  const draft = join(dirname(final), `.${basename(final)}.${random.octets(6).toString('hex')}`)
  try {
    await ensureFolder(join(draft, 'ca'), 0o700)
    await mkdir(join(draft, 'operator'), { mode: 0o700 })
    await mkdir(join(draft, 'keys'), { mode: 0o700 })
    const keyFile = join(draft, 'sealing.key')
    if (passphrase === undefined) await createKeyFile(keyFile)
    const secret: SealingSecret = passphrase === undefined ? { keyFile } : { passphrase }
    const ports = await createStore(draft, listen)
    const issuance = { now: clock.now(), random, crls: `https://${fqdn}:${ports.server}/crl` }
    const issuers = await createAuthorities(draft, fqdn, secret, issuance)
    await createOperator(draft, issuers['operator-issuer'], issuance)
    await writeSealedKey(join(draft, 'keys', 'onboarding.key'), newSigningKey(), secret)
    await writeFile(join(draft, 'policy.yaml'), DEFAULT_POLICY)
    await writeFile(join(draft, 'ecs.yaml'), configurationText(fqdn, listen, names))
    await rename(draft, final)
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
}

interface Issuance {
  readonly now: number
  readonly random: Random
  /** where the revocation lists are */
  readonly crls: string
}

async function createAuthorities(folder: string, fqdn: Fqdn, secret: SealingSecret, { now, random, crls }: Issuance) {
  const rootKey = newSigningKey()
  const root = await createRoot(domainOf(fqdn), { signer: signerOf(rootKey), now, random })
  await writeAuthority(join(folder, 'ca', 'root'), root, rootKey, secret)
  await writeFile(join(folder, 'ca', 'root.crl'), await emptyCrl(root, now))
  const made: Partial<Record<IssuerRole, Issuer>> = {}
  for (const role of ISSUER_ROLES) {
    const key = newSigningKey()
    made[role] = await createIssuer(role, root, {
      signer: signerOf(key),
      now,
      random,
      crlDistributionPoint: `${crls}/root.crl`,
    })
    await writeAuthority(join(folder, 'ca', role), made[role], key, secret)
  }
  return made as Record<IssuerRole, Issuer>
}

/** The operator's domain, which its certificates name as their organization: at most 64 characters (RFC 5280 A.1). */
function domainOf(fqdn: Fqdn): Fqdn {
  const labels = fqdn.split('.')
  const domains = labels.map((_label, index) => labels.slice(index).join('.')).slice(labels.length > 2 ? 1 : 0)
  return (domains.find((domain) => domain.length <= 64) ?? fqdn) as Fqdn
}

/** The credential of the `admin` listener: for the command line of whoever can read this folder, and for the console. */
async function createOperator(folder: string, issuer: Issuer, { now, random, crls }: Issuance): Promise<void> {
  const issuance = { now, lifetime: CERTIFICATE_LIFETIME, crlDistributionPoint: `${crls}/operator-issuer.crl` }
  const { pem, key } = await issueOwn(issuer, OPERATOR, issuance, random)
  await writeFile(join(folder, 'ca', 'operator-issuer.crl'), await emptyCrl(issuer, now))
  await writeFile(join(folder, 'operator', 'admin.crt'), pem)
  await writePrivateFile(join(folder, 'operator', 'admin.key'), Buffer.from(pemOfKey(key)))
}

const LISTENERS = ['server', 'mtls', 'psk', 'admin'] as const

/** @returns the ports: where 0 is asked for, one that nobody listens on now, kept because addresses stand in bundles */
async function createStore(folder: string, listen: Configuration['listen']) {
  const store = await openStore({ file: join(folder, 'ecs.db'), migrations: ECS_MIGRATIONS })
  const chosen = await choosePorts(
    '127.0.0.1',
    LISTENERS.map((name) => listen[name]),
  )
  const ports = LISTENERS.map((name, index) => [name, chosen[index] ?? 0] as const)
  await store.commit(ports.map(([name, port]) => writeSetting(`port.${name}`, String(port))))
  await store.close()
  return Object.fromEntries(ports) as Record<(typeof LISTENERS)[number], number>
}
