import { createPublicKey } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createIssuer, createRoot, type Issuer } from '../../certificates/authority.ts'
import { type Certificate, readCertificate } from '../../certificates/certificate.ts'
import { readCertificationRequest } from '../../certificates/certification-request.ts'
import { issueCertificate } from '../../certificates/issue.ts'
import { writePem } from '../../certificates/pem.ts'
import { drawSerial, templateFor } from '../../certificates/template.ts'
import { newSigningKey, pkcs8, readSealedPrivateKey, writeSealed } from '../../nf/adapters/own-keys.ts'
import { systemClock } from '../../ports/clock.ts'
import { systemRandom } from '../../ports/random.ts'
import { signerOf } from '../../ports/signer.ts'
import { type Fqdn, isEntityId } from '../../spec/identifiers.ts'
import { writePrivateFile } from '../../store/private-file.ts'
import { createKeyFile, type SealingSecret } from '../../store/sealed-file.ts'
import { NotUsable } from '../errors.ts'

/** Below the folder of the EES. */
export const EAS_AUTHORITY = join('eas-ca', 'issuer.crt')

interface Certification {
  /** PKCS #10, PEM or DER: nothing but its key is taken from it */
  readonly csr: Uint8Array | string
  readonly easId: string
  /** days; 30 unless stated */
  readonly days?: number | undefined
  /** seals the key of the authority instead of a key file */
  readonly passphrase?: string | undefined
}

/**
 * Certifies an EAS for EDGE-3 by the EES's own authority for EASs, which is made at the first call: its root signs one
 * issuing authority, and the key of the root is not kept.
 *
 * @param folder - of the EES
 * @param domain - FQDN of the EES
 * @returns PEM: the certificate, then its issuer
 * @throws NotUsable, Refusal CERTIFICATION_REQUEST_MALFORMED, PUBLIC_KEY_NOT_ACCEPTED, FileRefused
 */
export async function certifyEas(folder: string, domain: Fqdn, asked: Certification): Promise<string> {
  const { csr, easId, days } = asked
  if (!isEntityId(easId)) throw new NotUsable(`${easId} is not an EAS ID of printable ASCII, 1 to 128 characters`)
  const { spki } = readCertificationRequest(csr)
  const { certificate: issuer, signer } = await openAuthority(folder, domain, asked.passphrase)
  const lifetime = days === undefined ? {} : { lifetime: days * 86_400_000 }
  const crlDistributionPoint = `http://crl.${domain}/eas-issuer.crl`
  const serial = drawSerial(systemRandom)
  const template = templateFor(
    { role: 'eas', easId },
    { issuer, spki, serial, now: systemClock.now(), crlDistributionPoint, ...lifetime },
  )
  return pemOf(await issueCertificate(template, signer)) + pemOf(issuer.der)
}

async function openAuthority(folder: string, domain: Fqdn, passphrase: string | undefined): Promise<Issuer> {
  const place = join(folder, 'eas-ca')
  const secret: SealingSecret = passphrase === undefined ? { keyFile: join(place, 'sealing.key') } : { passphrase }
  const made = await mkdir(place, { mode: 0o700 }).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return false
      throw error
    },
  )
  if (made) return createAuthority(folder, domain, secret)
  const [issuer = ''] = (await readFile(join(folder, EAS_AUTHORITY), 'utf8')).split(/(?<=-----END CERTIFICATE-----\n)/)
  const key = await readSealedPrivateKey(join(place, 'issuer.key'), secret)
  const certificate = readCertificate(issuer)
  if (!certificate.publicKey.equals(createPublicKey(key)))
    throw new NotUsable(`${place} holds the key of another authority`)
  return { certificate, signer: signerOf(key) }
}

async function createAuthority(folder: string, domain: Fqdn, secret: SealingSecret): Promise<Issuer> {
  if ('keyFile' in secret) await createKeyFile(secret.keyFile)
  const given = { now: systemClock.now(), random: systemRandom }
  const root = await createRoot(domain, { ...given, signer: signerOf(newSigningKey()) })
  const key = newSigningKey()
  const issuer = await createIssuer('eas-issuer', root, { ...given, signer: signerOf(key) })
  await writeSealed(join(folder, 'eas-ca', 'issuer.key'), pkcs8(key), secret)
  const chain = [issuer, root].map(({ certificate }) => pemOf(certificate.der))
  // Written last: where it is, the rest is.
  await writePrivateFile(join(folder, EAS_AUTHORITY), Buffer.from(chain.join('')))
  return issuer
}

const pemOf = (der: Certificate['der']) => writePem('CERTIFICATE', der)
