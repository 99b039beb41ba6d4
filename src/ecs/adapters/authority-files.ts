import { mkdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createIssuer, createRoot, crossCertify, type Issuer } from '../../certificates/authority.ts'
import { type Certificate, readCertificate } from '../../certificates/certificate.ts'
import { issueCrl } from '../../certificates/crl.ts'
import { readDer } from '../../certificates/der-reader.ts'
import { readName } from '../../certificates/distinguished-name.ts'
import { writePem } from '../../certificates/pem.ts'
import { newSigningKey } from '../../nf/adapters/own-keys.ts'
import { sha256 } from '../../octets/digest.ts'
import type { Random } from '../../ports/random.ts'
import { signerOf } from '../../ports/signer.ts'
import type { Fqdn } from '../../spec/identifiers.ts'
import { syncFolder, writePrivateFile } from '../../store/private-file.ts'
import type { SealingSecret } from '../../store/sealed-file.ts'
import { type Authorities, revocationListOf } from '../certificate-authority/authorities.ts'
import { readAuthority, writeSealedKey } from './own-keys.ts'

/** The root above the authority for operators, once it is no root of anything else. */
export const OPERATOR_ROOT = 'operator-root.crt'
const ROLES = ['ees-issuer', 'ecs-issuer'] as const
const YEAR = 365 * 86_400_000
const BACKDATED_BY = 300_000

export interface Making {
  readonly now: number
  readonly random: Random
  /** where the revocation lists are */
  readonly crls: string
}

/**
 * The authorities of an ECS on disk: the first in `ca`, each later one in a folder of its own below it, which appears whole
 * and never changes. Which of them signs stands in the store.
 */
export function authorityFiles(folder: string, secret: SealingSecret) {
  const at = (id: string, ...name: readonly string[]) => join(folder, 'ca', id, ...name)
  const certificateIn = async (id: string, name: string) => readCertificate(await readFile(at(id, name), 'utf8'))
  return {
    at,
    async load(id: string): Promise<Authorities> {
      const cross = await certificateIn(id, 'cross.crt').catch(unlessMissing)
      return {
        id,
        root: await certificateIn(id, 'root.crt'),
        eesIssuer: await readAuthority(at(id, 'ees-issuer'), secret),
        ecsIssuer: await readAuthority(at(id, 'ecs-issuer'), secret),
        ...(cross && { cross }),
      }
    },
    /** The next authority of the domain, certified by the root before it if the key of that one is here. */
    async make(before: Authorities, making: Making): Promise<Authorities> {
      const draft = at(`.next.${making.random.octets(6).toString('hex')}`)
      await mkdir(draft, { mode: 0o700 })
      try {
        const root = await writeDomain(draft, before.root, secret, making)
        const under = await readAuthority(at(before.id, 'root'), secret).catch(unlessMissing)
        if (under !== undefined) {
          const crlDistributionPoint = `${making.crls}/${revocationListOf(before.root)}`
          const cross = await crossCertify(root, under, { ...making, crlDistributionPoint })
          await writeCertificate(join(draft, 'cross.crt'), cross)
        }
        const id = sha256(root.der).toString('hex').slice(0, 16)
        await rename(draft, at(id))
        await syncFolder(at(''))
        return await this.load(id)
      } finally {
        await rm(draft, { recursive: true, force: true })
      }
    },
    /** No private key of it is left; whoever looks for our authority in `ca` finds the present one. */
    async destroy(id: string, present: Authorities): Promise<void> {
      if (id === '') await keepOperatorRoot(at(''))
      else await rm(at(id), { recursive: true, force: true })
      for (const name of ['root', ...ROLES]) await rm(at('', `${name}.key`), { force: true })
      await writeCertificate(at('', 'root.crt'), present.root)
      await writeCertificate(at('', 'ees-issuer.crt'), present.eesIssuer.certificate)
      await writeCertificate(at('', 'ecs-issuer.crt'), present.ecsIssuer.certificate)
    },
  }
}

export type AuthorityFiles = ReturnType<typeof authorityFiles>

/** The authority for operators stays, and TLS wants the root above it (`mutualTls`). */
async function keepOperatorRoot(ca: string): Promise<void> {
  const root = await readFile(join(ca, 'root.crt'))
  await writePrivateFile(join(ca, OPERATOR_ROOT), root).catch((error: unknown) => {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  })
}

async function writeDomain(path: string, before: Certificate, secret: SealingSecret, making: Making) {
  const { now, random, crls } = making
  const { organization } = readDer(before.subject, readName)
  const rootKey = newSigningKey()
  const root = await createRoot(organization as Fqdn, { signer: signerOf(rootKey), now, random })
  await writeSealedKey(join(path, 'root.key'), rootKey, secret)
  await writeCertificate(join(path, 'root.crt'), root.certificate)
  await writePrivateFile(join(path, 'root.crl'), await emptyCrl(root, now))
  const crlDistributionPoint = `${crls}/${revocationListOf(root.certificate)}`
  for (const role of ROLES) {
    const key = newSigningKey()
    const { certificate } = await createIssuer(role, root, { signer: signerOf(key), now, random, crlDistributionPoint })
    await writeSealedKey(join(path, `${role}.key`), key, secret)
    await writeCertificate(join(path, `${role}.crt`), certificate)
  }
  return root.certificate
}

function writeCertificate(file: string, { der }: Certificate): Promise<void> {
  return writePrivateFile(file, Buffer.from(writePem('CERTIFICATE', der)), { replace: true })
}

/** An authority whose key can leave after this: it has said once, for a year, that nothing of it is revoked. */
export function emptyCrl(issuer: Issuer, now: number): Promise<Buffer> {
  return issueCrl({ issuer, number: 1n, thisUpdate: now - BACKDATED_BY, nextUpdate: now + YEAR, entries: [] })
}

function unlessMissing(error: unknown): undefined {
  if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
}
