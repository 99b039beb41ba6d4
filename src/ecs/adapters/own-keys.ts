import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import type { Issuer as Authority } from '../../certificates/authority.ts'
import { type Certificate, readCertificate } from '../../certificates/certificate.ts'
import { issueCertificate } from '../../certificates/issue.ts'
import { writePem } from '../../certificates/pem.ts'
import { drawSerial, type Issuance, type Subject, templateFor } from '../../certificates/template.ts'
import type { Random } from '../../ports/random.ts'
import { signerOf } from '../../ports/signer.ts'
import { FileRefused } from '../../store/private-file.ts'
import { readSealedFile, type SealingSecret, writeSealedFile } from '../../store/sealed-file.ts'

/** A certificate of our own, with the key that goes with it. */
export interface OwnCertificate {
  readonly certificate: Certificate
  readonly pem: string
  readonly key: KeyObject
}

/** On P-256, which TS 33.310 recommends and every TLS stack has. */
export function newKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
}

export async function issueOwn(
  issuer: Authority,
  subject: Subject,
  issuance: Pick<Issuance, 'now' | 'lifetime' | 'crlDistributionPoint'>,
  random: Random,
): Promise<OwnCertificate> {
  const key = newKey()
  const spki = signerOf(key).publicKey.export({ type: 'spki', format: 'der' })
  const template = templateFor(subject, { ...issuance, issuer: issuer.certificate, spki, serial: drawSerial(random) })
  const der = await issueCertificate(template, issuer.signer)
  return { certificate: readCertificate(der), pem: writePem('CERTIFICATE', der), key }
}

export const pemOfKey = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString()

export async function writeSealedKey(file: string, key: KeyObject, secret: SealingSecret): Promise<void> {
  await writeSealedFile(file, key.export({ type: 'pkcs8', format: 'der' }), secret, { replace: true })
}

/** @throws FileRefused if the file is readable by others, or sealed with another secret (THREATS CA-12) */
export async function readSealedKey(file: string, secret: SealingSecret): Promise<KeyObject> {
  return createPrivateKey({ key: await readSealedFile(file, secret), format: 'der', type: 'pkcs8' })
}

/** `NAME.crt` for everybody, `NAME.key` sealed. */
export async function writeAuthority(
  path: string,
  { certificate }: Authority,
  key: KeyObject,
  secret: SealingSecret,
): Promise<void> {
  await writeSealedKey(`${path}.key`, key, secret)
  await writeFile(`${path}.crt`, writePem('CERTIFICATE', certificate.der))
}

/** @throws FileRefused as {@link readSealedKey}, or if the key is that of another certificate */
export async function readAuthority(path: string, secret: SealingSecret): Promise<Authority> {
  const certificate = readCertificate(await readFile(`${path}.crt`, 'utf8'))
  const signer = signerOf(await readSealedKey(`${path}.key`, secret))
  if (!signer.publicKey.equals(certificate.publicKey)) {
    throw new FileRefused(`${path}.key is not the key of ${path}.crt: put back the two that belong together`)
  }
  return { certificate, signer }
}
