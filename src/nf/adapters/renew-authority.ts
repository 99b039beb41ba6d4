import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createIssuer, type Issuer } from '../../certificates/authority.ts'
import { readCertificate } from '../../certificates/certificate.ts'
import { issueCrl, readCrl } from '../../certificates/crl.ts'
import type { IssuerRole } from '../../certificates/profile.ts'
import { signatureVerifies } from '../../certificates/signature-algorithm.ts'
import { signerOf } from '../../ports/signer.ts'
import { FileRefused, writePrivateFile } from '../../store/private-file.ts'
import {
  authoritySecret,
  CERTIFICATE_LIFETIME,
  type CoreAuthority,
  CRL_LIFETIME,
  type Making,
  openCoreAuthority,
  pemOf,
} from './core-authority.ts'
import { readSealedPrivateKey } from './own-keys.ts'

/** A file that was made anew, and the time that it is good until (milliseconds since 1970). */
export interface Renewed {
  readonly file: string
  readonly until: number
}

/**
 * Whether it ends within the notice, or is not good yet: then the clock was ahead when it was made (THREATS TM-01). In
 * milliseconds.
 */
export function isDue(from: number, until: number, { notice, now }: { notice: number; now: number }): boolean {
  return from > now || until - now <= notice
}

/**
 * The authority of a core, good for as long as what it certifies now. An issuing authority that is not gets another
 * certificate for the key that it has, so that what it has signed stays good; a revocation list that ends soon is signed
 * again, as it is. What only the root can sign is left as it is where the key of the root is not.
 *
 * @param notice - milliseconds: a list that ends within them is signed again
 * @throws FileRefused, or Error if a file is missing
 */
export async function renewCoreAuthority(
  folder: string,
  notice: number,
  making: Making,
): Promise<{ readonly authority: CoreAuthority; readonly renewed: readonly Renewed[] }> {
  const secret = authoritySecret(folder, making.passphrase)
  const opened = await openCoreAuthority(folder, making.passphrase)
  const root = existsSync(join(folder, 'root.key'))
    ? { certificate: readCertificate(opened.root), signer: await signerIn(join(folder, 'root.key'), secret) }
    : undefined
  const renewed: Renewed[] = []
  const kept = async (role: 'nf-issuer' | 'operator-issuer', issuer: Issuer): Promise<Issuer> => {
    const file = join(folder, `${role}.crt`)
    const next = root && (await renewIssuer(file, { role, issuer, root }, making))
    if (next) renewed.push({ file, until: next.certificate.notAfter })
    return next ?? issuer
  }
  const authority = {
    ...opened,
    nfIssuer: await kept('nf-issuer', opened.nfIssuer),
    operatorIssuer: await kept('operator-issuer', opened.operatorIssuer),
  }
  const issuers = { root, 'nf-issuer': authority.nfIssuer, 'operator-issuer': authority.operatorIssuer }
  for (const name of ['root', 'nf-issuer', 'operator-issuer'] as const) {
    const issuer = issuers[name]
    const list = issuer && (await renewCrl(join(folder, `${name}.crl`), issuer, notice, making.clock.now()))
    if (list) renewed.push(list)
  }
  return { authority, renewed }
}

/**
 * Another certificate for the key of an issuing authority that would end before what it signs.
 *
 * @param file - of its certificate
 * @returns undefined if it is good for long enough
 */
export async function renewIssuer(
  file: string,
  { role, issuer, root }: { readonly role: IssuerRole; readonly issuer: Issuer; readonly root: Issuer },
  { clock, random }: Making,
): Promise<Issuer | undefined> {
  const now = clock.now()
  const { notBefore, notAfter, crlDistributionPoints } = issuer.certificate
  if (!isDue(notBefore, notAfter, { notice: CERTIFICATE_LIFETIME, now })) return undefined
  const [crlDistributionPoint] = crlDistributionPoints
  const given = { signer: issuer.signer, now, random, ...(crlDistributionPoint && { crlDistributionPoint }) }
  const next = await createIssuer(role, root, given)
  await writePrivateFile(file, Buffer.from(pemOf(next)), { replace: true })
  return next
}

const signerIn = async (file: string, secret: ReturnType<typeof authoritySecret>) =>
  signerOf(await readSealedPrivateKey(file, secret))

/**
 * With what is on it, under the next number (THREATS CA-07).
 *
 * @returns undefined if it is good for long enough
 * @throws FileRefused if this issuer has not signed what is there
 */
export async function renewCrl(
  file: string,
  issuer: Issuer,
  notice: number,
  now: number,
): Promise<Renewed | undefined> {
  const list = readCrl(await readFile(file))
  const { number, thisUpdate, nextUpdate, revoked } = list
  if (!isDue(thisUpdate, nextUpdate, { notice, now })) return undefined
  const { subject, publicKey } = issuer.certificate
  if (!list.issuer.equals(subject) || !signatureVerifies(list, publicKey))
    throw new FileRefused(`${file} is not signed by its authority: put the list of before back`)
  const entries = [...revoked].map(([serial, revocation]) => ({ serial, ...revocation }))
  const until = now - (now % 1000) + CRL_LIFETIME
  const der = await issueCrl({ issuer, number: number + 1n, thisUpdate: now, nextUpdate: until, entries })
  await writePrivateFile(file, der, { replace: true })
  return { file, until }
}
