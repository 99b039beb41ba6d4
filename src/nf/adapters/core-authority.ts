import type { KeyObject } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createIssuer, createRoot, type Issuer } from '../../certificates/authority.ts'
import { readCertificate } from '../../certificates/certificate.ts'
import { issueCrl } from '../../certificates/crl.ts'
import { readDer } from '../../certificates/der-reader.ts'
import { readName } from '../../certificates/distinguished-name.ts'
import { issueCertificate } from '../../certificates/issue.ts'
import { writePem } from '../../certificates/pem.ts'
import type { IssuerRole } from '../../certificates/profile.ts'
import { drawSerial, type Subject, templateFor } from '../../certificates/template.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Random } from '../../ports/random.ts'
import { signerOf } from '../../ports/signer.ts'
import { type Fqdn, parseFqdn } from '../../spec/identifiers.ts'
import { writePrivateFile } from '../../store/private-file.ts'
import { createKeyFile, type SealingSecret } from '../../store/sealed-file.ts'
import { configurationText, type NewNf, type PeerEntry, peersText } from '../configuration.ts'
import { PEERS_FILE } from './folder.ts'
import { newSigningKey, pemOfPkcs8, pkcs8, readSealedPrivateKey, writeSealed } from './own-keys.ts'

/** What vouches for the network functions of one domain: its root and their issuer. */
export const CORE_AUTHORITIES = 'core.crt'
/** What vouches for the operator of a network function. */
export const OPERATOR_AUTHORITY = 'operator-issuer.crt'
/** Whoever can read the folder. */
export const OPERATOR = { role: 'operator', name: 'admin' } as const

const DAY = 86_400_000
export const CRL_LIFETIME = 365 * DAY
/** Of a certificate that nothing renews by itself: the longest life there is. */
export const CERTIFICATE_LIFETIME = 398 * DAY

export interface Making {
  readonly clock: Clock
  readonly random: Random
  /** seals the private keys instead of a key file */
  readonly passphrase?: string | undefined
}

/** The certificate authority of a core network, to make its network functions with. */
export interface CoreAuthority {
  /** the domain, which all its certificates name */
  readonly domain: Fqdn
  /** PEM */
  readonly root: string
  readonly nfIssuer: Issuer
  readonly operatorIssuer: Issuer
}

/** Makes `<folder>`: root, issuing authorities for network functions and operators, an empty CRL of each. */
export async function createCoreAuthority(folder: string, domain: Fqdn, making: Making): Promise<CoreAuthority> {
  const { clock, random } = making
  await mkdir(folder, { mode: 0o700 })
  const secret = await sealingSecretFor(folder, making.passphrase)
  const now = clock.now()
  const write = async (name: string, issuer: Issuer, key: ReturnType<typeof newSigningKey>) => {
    const crl = { number: 1n, thisUpdate: now, nextUpdate: now + CRL_LIFETIME, entries: [] }
    await writeFile(join(folder, `${name}.crt`), pemOf(issuer))
    await writeFile(join(folder, `${name}.crl`), await issueCrl({ issuer, ...crl }))
    await writeSealed(join(folder, `${name}.key`), pkcs8(key), secret)
    return issuer
  }
  const rootKey = newSigningKey()
  const root = await write('root', await createRoot(domain, { signer: signerOf(rootKey), now, random }), rootKey)
  const issuing = async (role: IssuerRole) => {
    const key = newSigningKey()
    const given = { signer: signerOf(key), now, random, crlDistributionPoint: crlOf(domain, 'root') }
    return write(role, await createIssuer(role, root, given), key)
  }
  return {
    domain,
    root: pemOf(root),
    nfIssuer: await issuing('nf-issuer'),
    operatorIssuer: await issuing('operator-issuer'),
  }
}

/** What opens the keys of the authority. */
export function authoritySecret(folder: string, passphrase: string | undefined): SealingSecret {
  return passphrase === undefined ? { keyFile: join(folder, 'sealing.key') } : { passphrase }
}

/**
 * The authority of a core that stands already, to certify one more.
 *
 * @throws FileRefused, or Error if a file is missing
 */
export async function openCoreAuthority(folder: string, passphrase: string | undefined): Promise<CoreAuthority> {
  const secret = authoritySecret(folder, passphrase)
  const root = await readFile(join(folder, 'root.crt'), 'utf8')
  const { organization } = readDer(readCertificate(root).subject, readName)
  const domain = organization === undefined ? undefined : parseFqdn(organization)
  if (domain === undefined) throw new Error(`${folder}/root.crt names no domain`)
  const issuing = async (role: IssuerRole) => ({
    certificate: readCertificate(await readFile(join(folder, `${role}.crt`), 'utf8')),
    signer: signerOf(await readSealedPrivateKey(join(folder, `${role}.key`), secret)),
  })
  return { domain, root, nfIssuer: await issuing('nf-issuer'), operatorIssuer: await issuing('operator-issuer') }
}

/**
 * Makes the folder of one network function: keys, certificate, configuration and, if it serves, its allow-list.
 *
 * @param name - of its configuration, as `ausf`
 * @returns what seals its secrets, for those of its own
 */
export async function createNfFolder(
  folder: string,
  name: string,
  { nf, peers }: { readonly nf: NewNf; readonly peers?: readonly PeerEntry[] },
  authority: CoreAuthority,
  making: Making,
): Promise<SealingSecret> {
  await mkdir(folder, { mode: 0o700 })
  const secret = await sealingSecretFor(folder, making.passphrase)
  const { fqdn, nfInstanceId, nfType } = nf
  const { chain, key } = await certify({ role: 'nf', fqdn, nfInstanceId, nfType }, authority, making)
  await writeSealed(join(folder, 'nf.key'), key, secret)
  await writeFile(join(folder, 'nf.crt'), chain)
  await writeFile(join(folder, 'root.crt'), authority.root)
  await writeFile(join(folder, CORE_AUTHORITIES), coreAuthorities(authority))
  await writeFile(join(folder, `${name}.yaml`), configurationText(nf))
  if (peers !== undefined) await writeFile(join(folder, PEERS_FILE), peersText(peers))
  return secret
}

/**
 * Makes the credential of whoever can read the folder: `operator.crt`, `operator.key`, and the authority to check it
 * by.
 */
export async function createOperator(folder: string, authority: CoreAuthority, making: Making): Promise<void> {
  const { chain, key } = await certify(OPERATOR, authority, making)
  await writeFile(join(folder, 'operator.crt'), chain)
  await writePrivateFile(join(folder, 'operator.key'), Buffer.from(pemOfPkcs8(key)))
  await writeFile(join(folder, OPERATOR_AUTHORITY), pemOf(authority.operatorIssuer))
}

type Certified = Subject & { readonly role: 'nf' | 'operator' }

/** A new key with its certificate. @returns the chain as of {@link certifyKey}; the key as PKCS #8, DER */
export async function certify(subject: Certified, authority: CoreAuthority, making: Making) {
  const key = newSigningKey()
  return { chain: await certifyKey(subject, signerOf(key).publicKey, authority, making), key: pkcs8(key) }
}

/** @returns PEM: the certificate, then its issuer */
export async function certifyKey(
  subject: Certified,
  publicKey: KeyObject,
  { domain, nfIssuer, operatorIssuer }: CoreAuthority,
  { clock, random }: Pick<Making, 'clock' | 'random'>,
): Promise<string> {
  const issuer = subject.role === 'nf' ? nfIssuer : operatorIssuer
  const template = templateFor(subject, {
    issuer: issuer.certificate,
    spki: publicKey.export({ type: 'spki', format: 'der' }),
    serial: drawSerial(random),
    now: clock.now(),
    lifetime: CERTIFICATE_LIFETIME,
    crlDistributionPoint: crlOf(domain, `${subject.role}-issuer`),
  })
  return writePem('CERTIFICATE', await issueCertificate(template, issuer.signer)) + pemOf(issuer)
}

/** PEM of what `core.crt` holds. */
export const coreAuthorities = ({ root, nfIssuer }: CoreAuthority) => root + pemOf(nfIssuer)

export const pemOf = ({ certificate }: Issuer) => writePem('CERTIFICATE', certificate.der)

/** Where the domain's web server shows what the authority has revoked; the files lie beside the authority's keys. */
const crlOf = (domain: Fqdn, name: string) => `http://crl.${domain}/${name}.crl`

async function sealingSecretFor(folder: string, passphrase: string | undefined): Promise<SealingSecret> {
  if (passphrase !== undefined) return { passphrase }
  const keyFile = join(folder, 'sealing.key')
  await createKeyFile(keyFile)
  return { keyFile }
}
