import { createPublicKey } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { EncryptionKey } from '../../ausf/configuration.ts'
import { readCertificateList } from '../../certificates/certificate.ts'
import { writePem } from '../../certificates/pem.ts'
import { ConfigurationError } from '../../nf/adapters/folder.ts'
import type { Fqdn } from '../../spec/identifiers.ts'
import { writePrivateFile } from '../../store/private-file.ts'
import { editPeers } from './edit-peers.ts'

export interface TrustedEcs {
  readonly fqdn: Fqdn
  /** PEM: the root of its domain, and the authorities below it that issue to ECSs */
  readonly authorities: string
  /** `ausf` where it is in the operator's domain, `nef` where it is not (TR 33.839 6.x.2.1 steps 5 and 5.1) */
  readonly via: 'ausf' | 'nef'
  /** how the NEF knows it; its host name unless stated */
  readonly afId?: string | undefined
  /** whether it also gets KAF, as an application function of AKMA (TS 33.535 6.2.1); via `ausf` alone */
  readonly akma?: boolean
  /** that its keys are encrypted to (THREATS KE-09) */
  readonly encryptionKey?: EncryptionKey | undefined
}

const SCOPES = { ausf: 'nausf-auth:edge-key', nef: '3gpp-edge-key' } as const
const AKMA_SCOPE = 'naanf-akma:applicationkeyget'

/**
 * Puts an ECS on the list of whom the AUSF, or the NEF, gives keys to. What is on the list already is replaced. Through
 * the NEF, the AUSF learns of it as well: it gives no key for an ECS that it does not know (THREATS KE-10).
 *
 * @throws ConfigurationError
 */
export async function trustEcs(core: string, ecs: TrustedEcs): Promise<void> {
  const { fqdn, authorities, via, afId = fqdn, akma = false } = ecs
  if (akma && via === 'nef') throw new ConfigurationError('KAF is given by the AUSF alone: --akma goes with --via ausf')
  const root = `ecs-${fqdn}.crt`
  const folder = join(core, via)
  const atAusf = { fqdn, ...(ecs.encryptionKey && { encryptionKey: ecs.encryptionKey }) }
  const entry = {
    fqdn,
    nfType: 'ECS',
    root,
    scopes: [SCOPES[via], ...(akma ? [AKMA_SCOPE] : [])],
    ...(via === 'nef' ? { afId } : atAusf),
  }
  await writePrivateFile(join(folder, root), Buffer.from(authorities), { replace: true })
  await editPeers(folder, (list) => [...without(list, fqdn), entry])
  if (via === 'ausf') return
  await editPeers(join(core, 'ausf'), (list) =>
    list.map((peer) => (peer.nfType === 'NEF' ? { ...peer, ecs: [...without(peer.ecs ?? [], fqdn), atAusf] } : peer)),
  )
}

/** @param pem - of a public key on P-256: `openssl pkey -in unwrap.key -pubout` */
export function readEncryptionKey(pem: string): EncryptionKey {
  const key = pem.startsWith('-----BEGIN PUBLIC KEY-----') ? createPublicKey(pem) : undefined
  const { kty, crv, x, y } = key?.export({ format: 'jwk' }) ?? {}
  if (kty === 'EC' && crv === 'P-256' && x !== undefined && y !== undefined) return { kty, crv, x, y }
  throw new ConfigurationError('the encryption key is not a public key on P-256 (PEM)')
}

function without<Entry extends { readonly fqdn: string }>(list: readonly Entry[], fqdn: string): Entry[] {
  return list.filter((each) => each.fqdn !== fqdn)
}

/**
 * @param files - PEM: the root, the issuing authority, or both in one; the latter is also found as `ecs-issuer.crt`,
 *   or `ees-issuer.crt`, beside the root
 * @param of - whom the authority certifies
 * @throws ConfigurationError
 */
export async function readAuthorities(files: readonly string[], of: 'ecs' | 'ees' = 'ecs'): Promise<string> {
  const given = await Promise.all(files.map((file) => readFile(file, 'utf8')))
  const certificates = given.flatMap((pem) => readCertificateList(pem))
  if (certificates.length === 1 && files[0] !== undefined) {
    const beside = await readFile(join(dirname(files[0]), `${of}-issuer.crt`), 'utf8').catch(() => '')
    if (beside !== '') certificates.push(...readCertificateList(beside))
  }
  const roots = certificates.filter(({ issuer, subject }) => issuer.equals(subject))
  const others = certificates.filter((certificate) => !roots.includes(certificate))
  if (roots.length !== 1) throw new ConfigurationError('name the one root of the ECS: --root <its ca/root.crt>')
  if (others.length === 0) {
    throw new ConfigurationError(`name the authority that issued the certificate as well: ca/${of}-issuer.crt`)
  }
  return [...roots, ...others].map(({ der }) => writePem('CERTIFICATE', der)).join('')
}
