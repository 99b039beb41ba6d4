import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createIssuer, createRoot } from '../src/certificates/authority.ts'
import { writeCertificationRequest } from '../src/certificates/certification-request.ts'
import { writePem } from '../src/certificates/pem.ts'
import { initFolder } from '../src/ecs/adapters/init-folder.ts'
import { openEcs } from '../src/ecs/adapters/open-ecs.ts'
import { operatorCommands } from '../src/ecs/adapters/operator.ts'
import { issueOwn, pemOfKey } from '../src/ecs/adapters/own-keys.ts'
import type { Bundle } from '../src/ecs/operator/invite-ees.ts'
import { withoutListeners } from '../src/ecs/server/context.ts'
import { createLog } from '../src/http/log.ts'
import { newSigningKey } from '../src/nf/adapters/own-keys.ts'
import { systemClock } from '../src/ports/clock.ts'
import { systemRandom } from '../src/ports/random.ts'
import { signerOf } from '../src/ports/signer.ts'
import { systemTimers } from '../src/ports/timers.ts'
import type { Fqdn } from '../src/spec/identifiers.ts'

export const ECS = 'ecs1.example.com' as Fqdn
export const environment = {
  clock: systemClock,
  random: systemRandom,
  timers: systemTimers,
  log: createLog('bench', 'silent'),
}

export interface Setting {
  readonly folder: string
  readonly ecs: string
  remove(): Promise<void>
}

/** An ECS that does not serve yet, and the certificate of the bare server. */
export async function prepare(): Promise<Setting> {
  const folder = await mkdtemp(join(tmpdir(), 'edgeward-bench-'))
  const ecs = join(folder, 'ecs')
  const listen = { address: '127.0.0.1', server: 0, mtls: 0, psk: 0, admin: 0 }
  await initFolder(ecs, ECS, { ...environment, listen })
  const file = join(ecs, 'ecs.yaml')
  writeFileSync(file, readFileSync(file, 'utf8').replace('log: info', 'log: error'))
  await writeBareCertificates(folder)
  return { folder, ecs, remove: () => rm(folder, { recursive: true, force: true }) }
}

/** Under a root of their own: the bare server's certificate, and one for its client. */
async function writeBareCertificates(folder: string): Promise<void> {
  const common = { now: systemClock.now(), random: systemRandom }
  const issuance = { now: common.now, crlDistributionPoint: 'https://bare.example.com/crl' }
  const root = await createRoot('example.com' as Fqdn, { ...common, signer: signerOf(newSigningKey()) })
  const issuer = await createIssuer('ecs-issuer', root, { ...common, ...issuance, signer: signerOf(newSigningKey()) })
  const chain = writePem('CERTIFICATE', issuer.certificate.der)
  for (const name of ['bare', 'client']) {
    const { pem, key } = await issueOwn(
      issuer,
      { role: 'ecs', fqdn: `${name}.example.com` as Fqdn },
      issuance,
      systemRandom,
    )
    writeFileSync(join(folder, `${name}.crt`), pem + chain)
    writeFileSync(join(folder, `${name}.key`), pemOfKey(key))
  }
  writeFileSync(join(folder, 'root.crt'), writePem('CERTIFICATE', root.certificate.der))
}

export interface Candidate {
  readonly bundle: Bundle
  readonly key: KeyObject
  readonly csr: string
}

/** EESs that are invited and have their keys ready. */
export async function inviteMany(ecs: string, count: number): Promise<Candidate[]> {
  const opened = await openEcs(ecs, environment)
  const operator = operatorCommands(await withoutListeners(opened))
  const candidates: Candidate[] = []
  for (let n = 0; n < count; n += 64) {
    const some = Array.from({ length: Math.min(64, count - n) }, async (_, index) => {
      const name = `ees-${n + index}`
      const bundle = await operator.invite({ eesId: name, fqdn: `${name}.example.com` })
      const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      const der = await writeCertificationRequest({ fqdn: bundle.fqdn as Fqdn, signer: signerOf(privateKey) })
      return { bundle, key: privateKey, csr: writePem('CERTIFICATE REQUEST', der) }
    })
    candidates.push(...(await Promise.all(some)))
  }
  await opened.close()
  return candidates
}
