import type { KeyObject } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import type { Issuer as Authority } from '../../certificates/authority.ts'
import { type Certificate, readCertificate } from '../../certificates/certificate.ts'
import { issueCertificate } from '../../certificates/issue.ts'
import { writePem } from '../../certificates/pem.ts'
import { drawSerial, type Issuance, type Subject, templateFor } from '../../certificates/template.ts'
import { newSigningKey, pkcs8, readSealedPrivateKey } from '../../nf/adapters/own-keys.ts'
import type { Random } from '../../ports/random.ts'
import { signerOf } from '../../ports/signer.ts'
import { FileRefused } from '../../store/private-file.ts'
import { type SealingSecret, writeSealedFile } from '../../store/sealed-file.ts'

/** A certificate of our own, with the key that goes with it. */
export interface OwnCertificate {
  readonly certificate: Certificate
  readonly pem: string
  readonly key: KeyObject
}

export async function issueOwn(
  issuer: Authority,
  subject: Subject,
  issuance: Pick<Issuance, 'now' | 'lifetime' | 'crlDistributionPoint'>,
  random: Random,
): Promise<OwnCertificate> {
  const key = newSigningKey()
  const spki = signerOf(key).publicKey.export({ type: 'spki', format: 'der' })
  const template = templateFor(subject, { ...issuance, issuer: issuer.certificate, spki, serial: drawSerial(random) })
  const der = await issueCertificate(template, issuer.signer)
  return { certificate: readCertificate(der), pem: writePem('CERTIFICATE', der), key }
}

export const pemOfKey = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString()

export async function writeSealedKey(file: string, key: KeyObject, secret: SealingSecret): Promise<void> {
  const octets = pkcs8(key)
  try {
    await writeSealedFile(file, octets, secret, { replace: true })
  } finally {
    octets.fill(0)
  }
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

/** @throws FileRefused as {@link readSealedPrivateKey}, or if the key is that of another certificate */
export async function readAuthority(path: string, secret: SealingSecret): Promise<Authority> {
  const certificate = readCertificate(await readFile(`${path}.crt`, 'utf8'))
  const signer = signerOf(await readSealedPrivateKey(`${path}.key`, secret))
  if (!signer.publicKey.equals(certificate.publicKey)) {
    throw new FileRefused(`${path}.key is not the key of ${path}.crt: put back the two that belong together`)
  }
  return { certificate, signer }
}
