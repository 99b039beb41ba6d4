import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Certificate, readCertificateList } from '../../certificates/certificate.ts'
import { type FilePair, type PairContent, replacePair } from '../../store/file-pair.ts'
import { writePrivateFile } from '../../store/private-file.ts'
import { seal } from '../../store/sealed-file.ts'
import type { NfIdentity } from '../configuration.ts'
import {
  CORE_AUTHORITIES,
  type CoreAuthority,
  certify,
  coreAuthorities,
  type Making,
  OPERATOR,
  OPERATOR_AUTHORITY,
  pemOf,
} from './core-authority.ts'
import { ConfigurationError, type NfFolder } from './folder.ts'
import { nfPair, operatorPair } from './own-credential.ts'
import { pemOfPkcs8 } from './own-keys.ts'
import type { Renewed } from './renew-authority.ts'

/** A certificate in the folder of a network function, and whether this run has made it. */
export interface RenewedCertificate extends Renewed {
  readonly renewed: boolean
}

/**
 * New keys and certificates for a network function and its operator, where they end within `notice` milliseconds. Whatever
 * happens meanwhile, key and certificate belong together; a server takes them while it serves.
 *
 * @throws ConfigurationError if the folder is of another core; FileRefused, CannotOpenStore `locked`
 */
export async function renewNf(
  nf: NfFolder<NfIdentity>,
  notice: number,
  authority: CoreAuthority,
  making: Making,
): Promise<RenewedCertificate[]> {
  const { folder, configuration, secret, root } = nf
  if (root !== authority.root) throw new ConfigurationError(`${folder} is of another core: its root.crt says so`)
  await writeAuthorities(folder, authority)
  const { fqdn, nfInstanceId, nfType } = configuration
  const due = ({ notAfter }: Certificate) => notAfter - making.clock.now() <= notice
  const own = await renewPair(nfPair(folder), {
    due,
    async make() {
      const { chain, key } = await certify({ role: 'nf', fqdn, nfInstanceId, nfType }, authority, making)
      return { certificate: Buffer.from(chain), key: await seal(key, secret).finally(() => key.fill(0)) }
    },
  })
  const operator = operatorPair(folder)
  if (!existsSync(join(folder, operator.certificate))) return [own]
  const ofOperator = await renewPair(operator, {
    due,
    async make() {
      const { chain, key } = await certify(OPERATOR, authority, making)
      return { certificate: Buffer.from(chain), key: Buffer.from(pemOfPkcs8(key)) }
    },
  })
  return [own, ofOperator]
}

/** Before certificates that only the newer of these leads to are shown. */
async function writeAuthorities(folder: string, authority: CoreAuthority): Promise<void> {
  const files = {
    [CORE_AUTHORITIES]: coreAuthorities(authority),
    [OPERATOR_AUTHORITY]: pemOf(authority.operatorIssuer),
  }
  for (const [name, pem] of Object.entries(files)) {
    const file = join(folder, name)
    if (!existsSync(file) || (await readFile(file, 'utf8')) === pem) continue
    await writePrivateFile(file, Buffer.from(pem), { replace: true })
  }
}

/** When two files are renewed, and what takes the place of their content. */
export interface PairRenewal {
  due(present: Certificate): boolean
  make(present: Certificate): Promise<PairContent>
}

/** A certificate with its key, if it is due. @throws CannotOpenStore `locked` while somebody else renews it */
export async function renewPair(pair: FilePair, { due, make }: PairRenewal): Promise<RenewedCertificate> {
  const file = join(pair.folder, pair.certificate)
  const before = leafOf(await readFile(file, 'utf8'), file)
  if (!due(before)) return { file, until: before.notAfter, renewed: false }
  const next = await make(before)
  await replacePair(pair, next)
  return { file, until: leafOf(next.certificate.toString(), file).notAfter, renewed: true }
}

function leafOf(chain: string, file: string): Certificate {
  const [leaf] = readCertificateList(chain)
  if (leaf === undefined) throw new ConfigurationError(`${file} holds no certificate`)
  return leaf
}
