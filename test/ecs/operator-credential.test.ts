import assert from 'node:assert/strict'
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { createIssuer, createRoot } from '../../src/certificates/authority.ts'
import { readCertificate } from '../../src/certificates/certificate.ts'
import { writePem } from '../../src/certificates/pem.ts'
import { ADMIN_FILE, adminClient } from '../../src/ecs/adapters/admin-client.ts'
import { renewOperator } from '../../src/ecs/adapters/operator-credential.ts'
import { issueOwn, pemOfKey, readAuthority } from '../../src/ecs/adapters/own-keys.ts'
import { createLog } from '../../src/http/log.ts'
import { systemClock } from '../../src/ports/clock.ts'
import { systemRandom } from '../../src/ports/random.ts'
import { type Signer, signerOf } from '../../src/ports/signer.ts'
import type { Fqdn } from '../../src/spec/identifiers.ts'
import { newEesKey, type RunningEcs, runEcs } from './running-ecs.ts'

const DAY = 86_400_000
const rootIn = ({ folder }: RunningEcs) => join(folder, 'ca', 'root')
const DOMAIN = 'example.com' as Fqdn
const making = { clock: systemClock, random: systemRandom }

describe('the certificate of the operator of an ECS', () => {
  let ecs: RunningEcs
  const warnings: string[] = []
  const at = (name: string) => join(ecs.folder, 'operator', name)
  const present = async () => readCertificate(await readFile(at('admin.crt'), 'utf8'))
  before(async () => {
    const log = createLog('ecs', 'silent')
    log.warn = (...[fields, message]: unknown[]) => void warnings.push(`${message} ${JSON.stringify(fields)}`)
    ecs = await runEcs('ecs1.example.com', { log })
    await writeFile(
      join(ecs.folder, ADMIN_FILE),
      JSON.stringify({ fqdn: ecs.fqdn, admin: ecs.serving.listeners.admin }),
    )
  })
  after(() => ecs.close())

  const authorityIn = async () =>
    (await readAuthority(join(ecs.folder, 'ca', 'operator-issuer'), ecs.opened.secret)).signer
  /** As if the ECS had been made so many days before: by the key of its authority, with a certificate that is old enough. */
  async function age(days: number, signer?: Signer) {
    const [crlDistributionPoint = ''] = (await present()).crlDistributionPoints
    const now = Date.now() - days * DAY
    const given = { now, random: systemRandom, crlDistributionPoint }
    const root = await createRoot(DOMAIN, { ...given, signer: signerOf(newEesKey()) })
    const issuer = await createIssuer('operator-issuer', root, { ...given, signer: signer ?? (await authorityIn()) })
    const issuance = { now, lifetime: 398 * DAY, crlDistributionPoint }
    const { pem, key } = await issueOwn(issuer, { role: 'operator', name: 'admin' }, issuance, systemRandom)
    for (const [name, text] of Object.entries({ 'admin.crt': pem, 'admin.key': pemOfKey(key) })) {
      await rm(at(name), { force: true })
      await writeFile(at(name), text, { mode: 0o600 })
    }
  }
  async function works() {
    const client = await adminClient(ecs.folder)
    await client.list().finally(() => client.close())
  }

  test('is renewed while the ECS serves, once it is time, for the same name', async () => {
    const first = await present()
    assert.equal((await renewOperator(ecs.folder, 30 * DAY, making)).renewed, false)
    assert.deepEqual(await present(), first)
    await works()
    await age(370)
    const old = await present()
    const { renewed, until } = await renewOperator(ecs.folder, 30 * DAY, making)
    const next = await present()
    assert.deepEqual([renewed, until], [true, next.notAfter])
    assert.ok(next.notAfter > Date.now() + 390 * DAY && !next.spki.equals(old.spki))
    assert.deepEqual(
      [next.subjectAltNames, next.crlDistributionPoints],
      [old.subjectAltNames, old.crlDistributionPoints],
    )
    await works()
  })

  test('OP-04: is warned of at the start of the ECS, with the command', async () => {
    warnings.length = 0
    await ecs.restart()
    assert.deepEqual(warnings, [])
    await ecs.restart(() => age(370))
    const [warning = ''] = warnings
    assert.match(warning, /^the certificate of the operator ends soon: renew it /)
    assert.ok(warning.includes(`edgeward ecs operator renew --dir ${ecs.folder}`))
  })

  test('OP-04: once it is over, commands say so, and it can be renewed all the same', async () => {
    await age(399)
    await assert.rejects(works(), {
      name: 'FileRefused',
      message: new RegExp(`admin\\.crt ended at .*: run edgeward ecs operator renew --dir ${ecs.folder}$`),
    })
    await renewOperator(ecs.folder, 30 * DAY, making)
    await works()
  })

  test('its authority is certified again, for the key that it has, before it ends', async () => {
    const path = join(ecs.folder, 'ca', 'operator-issuer')
    const [issuer, root] = [
      await readAuthority(path, ecs.opened.secret),
      await readAuthority(rootIn(ecs), ecs.opened.secret),
    ]
    const given = { signer: issuer.signer, now: Date.now(), random: systemRandom, lifetime: 300 * DAY }
    const short = await createIssuer('operator-issuer', root, given)
    await writeFile(`${path}.crt`, writePem('CERTIFICATE', short.certificate.der))
    await ecs.restart()
    await renewOperator(ecs.folder, Number.POSITIVE_INFINITY, making)
    const { certificate } = await readAuthority(path, ecs.opened.secret)
    assert.ok(certificate.notAfter > Date.now() + 1_800 * DAY)
    assert.ok((await present()).notAfter > Date.now() + 390 * DAY)
    // Also at the ECS that knows the authority as it was, and at one that has started since.
    await works()
    await ecs.restart()
    await works()
  })

  test('the ECS starts without it, and with a file that is none: it may be kept elsewhere', async () => {
    const saved = await readFile(at('admin.crt'))
    await ecs.restart(() => rm(at('admin.crt')))
    await ecs.restart(() => writeFile(at('admin.crt'), 'damaged'))
    await writeFile(at('admin.crt'), saved)
    await works()
  })

  test('CA-10: one that its authority has not issued is not renewed', async () => {
    await age(370, signerOf(newEesKey()))
    const before = await present()
    await assert.rejects(renewOperator(ecs.folder, 30 * DAY, making), {
      name: 'ConfigurationError',
      message: /admin\.crt is not by the authority that would renew it/,
    })
    assert.deepEqual(await present(), before)
    await age(370)
    await renewOperator(ecs.folder, 30 * DAY, making)
    await works()
  })

  test('CA-12: without the key of its authority it stays what it is', async () => {
    const key = join(ecs.folder, 'ca', 'operator-issuer.key')
    const before = await present()
    await rename(key, `${key}.away`)
    await assert.rejects(renewOperator(ecs.folder, Number.POSITIVE_INFINITY, making), { code: 'ENOENT' })
    await rename(`${key}.away`, key)
    assert.deepEqual(await present(), before)
  })
})
