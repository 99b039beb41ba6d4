import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { Certificate } from '../../certificates/certificate.ts'
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
import { openPlainKey, operatorPair } from './operator-credential.ts'
import { nfPair, sealedKeyOpener } from './own-credential.ts'
import { pemOfPkcs8 } from './own-keys.ts'
import { type RenewedCertificate, renewPair } from './renew-pair.ts'

/**
 * New keys and certificates for a network function and its operator. Whatever happens meanwhile, key and certificate
 * belong together; a server takes them while it serves.
 *
 * @param notice - milliseconds: what ends within them is renewed
 * @throws ConfigurationError if the folder is of another core, or says other names than the certificate in it;
 *   FileRefused, CannotOpenStore `locked`
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
  const now = making.clock.now()
  const own = await renewPair(nfPair(folder), {
    issuer: authority.nfIssuer,
    notice,
    now,
    openKey: sealedKeyOpener(secret),
    async make(present) {
      const { fqdn, nfInstanceId, nfType } = configuration
      if (!isOf(present, configuration))
        throw new ConfigurationError(`nf.crt in ${folder} is for another network function than ${fqdn}`)
      const { chain, key } = await certify({ role: 'nf', fqdn, nfInstanceId, nfType }, authority, making)
      return { certificate: Buffer.from(chain), key: await seal(key, secret).finally(() => key.fill(0)) }
    },
  })
  const operator = operatorPair(folder)
  if (!existsSync(join(folder, operator.certificate))) return [own]
  const ofOperator = await renewPair(operator, {
    issuer: authority.operatorIssuer,
    notice,
    now,
    openKey: openPlainKey,
    async make() {
      const { chain, key } = await certify(OPERATOR, authority, making)
      return { certificate: Buffer.from(chain), key: Buffer.from(pemOfPkcs8(key)) }
    },
  })
  return [own, ofOperator]
}

/** A configuration makes nobody somebody else. */
function isOf({ subjectAltNames, nfTypes }: Certificate, { fqdn, nfInstanceId, nfType }: NfIdentity): boolean {
  const said = { dnsNames: [fqdn], uris: [`urn:uuid:${nfInstanceId}`], nfTypes: [nfType] }
  const { dnsNames, uris } = subjectAltNames
  return isDeepStrictEqual({ dnsNames, uris, nfTypes }, said)
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
