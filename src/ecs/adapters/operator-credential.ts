import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Issuer } from '../../certificates/authority.ts'
import { readCertificateList } from '../../certificates/certificate.ts'
import { CERTIFICATE_LIFETIME, type Making, OPERATOR } from '../../nf/adapters/core-authority.ts'
import { openPlainKey } from '../../nf/adapters/operator-credential.ts'
import { renewIssuer } from '../../nf/adapters/renew-authority.ts'
import { type RenewedCertificate, renewPair } from '../../nf/adapters/renew-pair.ts'
import type { WatchedCertificate } from '../../nf/server/certificate-end.ts'
import type { FilePair } from '../../store/file-pair.ts'
import type { SealingSecret } from '../../store/sealed-file.ts'
import { openFolder } from './open-folder.ts'
import { issueOwn, pemOfKey, readAuthority } from './own-keys.ts'

/** What the operator shows at the `admin` listener. The key is plain: a console takes it as well. */
export const adminPair = (folder: string): FilePair => ({
  folder: join(folder, 'operator'),
  key: 'admin.key',
  certificate: 'admin.crt',
  current: 'current',
})

export const operatorRenewal = (folder: string) => `edgeward ecs operator renew --dir ${resolve(folder)}`

/** None where the operator keeps it elsewhere. */
export async function watchedOperator(folder: string): Promise<WatchedCertificate[]> {
  const pair = adminPair(folder)
  const file = join(pair.folder, pair.certificate)
  const [leaf] = existsSync(file) ? readCertificateList(await readFile(file, 'utf8')) : []
  return leaf === undefined ? [] : [{ name: 'the operator', certificate: leaf, command: operatorRenewal(folder) }]
}

/**
 * A new key and certificate for the operator, if the present one ends within `notice` milliseconds. Only files are read
 * and written, so it is as good while the ECS serves, and after the certificate is over.
 *
 * @throws ConfigurationError, FileRefused, CannotOpenStore `locked`
 */
export async function renewOperator(folder: string, notice: number, making: Making): Promise<RenewedCertificate> {
  const { clock, random, passphrase } = making
  const { secret } = await openFolder(folder, passphrase)
  const issuer = await operatorIssuerIn(join(folder, 'ca'), secret, making)
  const now = clock.now()
  return renewPair(adminPair(folder), {
    issuer,
    openKey: openPlainKey,
    notice,
    now,
    async make({ crlDistributionPoints: [crlDistributionPoint] }) {
      const issuance = { now, lifetime: CERTIFICATE_LIFETIME, ...(crlDistributionPoint && { crlDistributionPoint }) }
      const { pem, key } = await issueOwn(issuer, OPERATOR, issuance, random)
      return { certificate: Buffer.from(pem), key: Buffer.from(pemOfKey(key)) }
    },
  })
}

/** Good for as long as what it signs, if the root above it is still here. @throws FileRefused */
async function operatorIssuerIn(ca: string, secret: SealingSecret, making: Making): Promise<Issuer> {
  const issuer = await readAuthority(join(ca, 'operator-issuer'), secret)
  if (!existsSync(join(ca, 'root.key'))) return issuer
  const root = await readAuthority(join(ca, 'root'), secret)
  const file = join(ca, 'operator-issuer.crt')
  return (await renewIssuer(file, { role: 'operator-issuer', issuer, root }, making)) ?? issuer
}
