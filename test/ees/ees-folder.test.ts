import assert from 'node:assert/strict'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import { eesFolder } from '../../src/ees/adapters/ees-folder.ts'
import type { StoredRegistration } from '../../src/ees/registration/record.ts'
import { signerOf } from '../../src/ports/signer.ts'
import { spkiOf } from '../certificates/a-domain.ts'
import { ask, needs } from '../judges.ts'
import { aPrivateKey } from './a-store.ts'
import { anEcs, ECS_FQDN, EES_FQDN, EES_ID, PROFILE } from './an-ecs.ts'
import { dieBefore, quickly } from './dying-disk.ts'

const ecs = await anEcs()
/** After how many of the deaths the next renewal is tried. */
const RECOVER_EVERY = process.env['EDGEWARD_DEEP'] ? 1 : 5

type Credential = StoredRegistration['credential']

/** Two certificates for the first key, and one for each of the others. */
const [FIRST, SAME_KEY, SECOND, THIRD] = await credentials()

async function credentials() {
  const first = await certified(aPrivateKey())
  const others = [await certified(first.privateKey), await certified(aPrivateKey()), await certified(aPrivateKey())]
  return [first, ...others] as [Credential, Credential, Credential, Credential]
}

async function certified(privateKey: string): Promise<Credential> {
  const chain = await ecs.certify(spkiOf(signerOf(createPrivateKey(privateKey))))
  return { privateKey, certificateChain: chain.join('') }
}

function aRegistration(credential: Credential): StoredRegistration {
  return {
    record: {
      ecs: { apiRoot: ecs.origins.server, fqdn: ECS_FQDN },
      eesId: EES_ID,
      fqdn: EES_FQDN,
      registrationId: ecs.registrationId,
      registration: { eesProf: PROFILE },
      authInfo: ecs.authInfo(),
    },
    root: ecs.rootPem,
    credential,
  }
}

/** An onboarded EES in a folder of its own, which goes away with `using`. */
async function aFolder() {
  const parent = mkdtempSync(join(tmpdir(), 'edgeward-ees-'))
  const folder = join(parent, 'ees')
  const store = eesFolder(folder)
  mkdirSync(folder, { mode: 0o700 })
  writeFileSync(join(folder, 'ees.key'), FIRST.privateKey, { mode: 0o600 })
  const registration = aRegistration(FIRST)
  await quickly(() => store.create(registration))
  return { ...folderAt(folder), registration }
}

function copyOf(folder: string) {
  const copy = join(mkdtempSync(join(tmpdir(), 'edgeward-ees-')), 'ees')
  cpSync(folder, copy, { recursive: true, verbatimSymlinks: true })
  return folderAt(copy)
}

function folderAt(folder: string) {
  return {
    folder,
    store: eesFolder(folder),
    path: (name: string) => join(folder, name),
    read: (name: string) => readFileSync(join(folder, name), 'utf8'),
    [Symbol.dispose]: () => rmSync(dirname(folder), { recursive: true }),
  }
}

/** As openssl and curl see it: two files by their names. */
function assertFits({ path }: Pick<ReturnType<typeof folderAt>, 'path'>): string {
  const certificate = new X509Certificate(readFileSync(path('ees.crt')))
  assert.ok(certificate.checkPrivateKey(createPrivateKey(readFileSync(path('ees.key')))), 'key and certificate differ')
  assert.equal(statSync(path('ees.key')).mode & 0o777, 0o600)
  return certificate.serialNumber
}

const serialOf = ({ certificateChain }: Credential) => new X509Certificate(certificateChain).serialNumber

describe('the folder of an EES', () => {
  test('CA-12: holds four files that only their owner can read', async () => {
    using ees = await aFolder()
    assert.deepEqual(readdirSync(ees.folder).sort(), ['ca.crt', 'ees.crt', 'ees.key', 'registration.json'])
    for (const name of readdirSync(ees.folder)) assert.equal(statSync(ees.path(name)).mode & 0o777, 0o600, name)
    assert.equal(statSync(ees.folder).mode & 0o777, 0o700)
    assert.deepEqual(await ees.store.load(), ees.registration)
  })

  test('CA-12: is refused if others can read the key', async () => {
    using ees = await aFolder()
    chmodSync(ees.path('ees.key'), 0o640)
    await assert.rejects(ees.store.load(), { name: 'FileRefused' })
  })

  test('ON-05: has one key, also for two that ask at once', async () => {
    const parent = mkdtempSync(join(tmpdir(), 'edgeward-ees-'))
    const store = eesFolder(join(parent, 'ees'))
    const keys = await Promise.all([store.privateKey(), store.privateKey(), store.privateKey()])
    assert.equal(new Set([...keys, await store.privateKey()]).size, 1)
    assert.equal(await store.load(), undefined)
    rmSync(parent, { recursive: true })
  })

  test('DB-03: a record or a key that was changed is refused, not used', async () => {
    using ees = await aFolder()
    writeFileSync(ees.path('ees.key'), aPrivateKey())
    await assert.rejects(ees.store.load(), { name: 'NotUsable', message: /belong together/ })
    writeFileSync(ees.path('registration.json'), '{"eesId":"ees-1"}')
    await assert.rejects(ees.store.load(), { name: 'NotUsable', message: /not a registration/ })
  })

  test('a renewal that keeps the key replaces the certificate alone', async () => {
    using ees = await aFolder()
    await ees.store.saveCredential(SAME_KEY)
    assert.equal(ees.read('ees.crt'), SAME_KEY.certificateChain)
    assert.deepEqual(readdirSync(ees.folder).sort(), ['ca.crt', 'ees.crt', 'ees.key', 'registration.json'])
  })

  test('a new key comes with its certificate, again and again, and the old key is gone', async () => {
    using ees = await aFolder()
    for (let renewal = 0; renewal < 3; renewal++) {
      const next = await certified(aPrivateKey())
      await ees.store.saveCredential(next)
      assert.equal(ees.read('ees.key'), next.privateKey)
      assert.equal(assertFits(ees), serialOf(next))
      assert.equal(readdirSync(ees.path('pairs')).length, 1)
      const sameKey = await certified(next.privateKey)
      await ees.store.saveCredential(sameKey)
      assert.equal(assertFits(ees), serialOf(sameKey))
      assert.deepEqual((await ees.store.load())?.credential, sameKey)
    }
    assert.ok(realpathSync(ees.path('ees.key')).startsWith(realpathSync(ees.folder)))
  })

  test('ON-12: two processes that renew at once leave a pair that fits, and one of them may be told to wait', async () => {
    for (let round = 0; round < 10; round++) {
      using ees = await aFolder()
      const other = eesFolder(ees.folder)
      const saves = [ees.store.saveCredential(SECOND), other.saveCredential(THIRD)]
      const [second, third] = await Promise.allSettled(saves)
      assert.ok(second?.status === 'fulfilled' || third?.status === 'fulfilled')
      assert.ok([serialOf(SECOND), serialOf(THIRD)].includes(assertFits(ees)))
      await ees.store.saveCredential(FIRST)
      assert.equal(assertFits(ees), serialOf(FIRST))
    }
  })

  test('DB-01: killed anywhere in a renewal, key and certificate are both the old or both the new', async () => {
    let [deaths, old, fresh] = [0, 0, 0]
    for (const { layout, before, next } of [
      { layout: 'files', before: FIRST, next: SAME_KEY },
      { layout: 'files', before: FIRST, next: SECOND },
      { layout: 'links', before: SECOND, next: FIRST },
      { layout: 'links', before: FIRST, next: SAME_KEY },
    ]) {
      using start = await aFolder()
      if (layout === 'links') await quickly(() => start.store.saveCredential(SECOND))
      await quickly(() => start.store.saveCredential(before))
      for (let step = 0, over = false; !over; step++) {
        using ees = copyOf(start.folder)
        over = await dieBefore(step, () => ees.store.saveCredential(next))
        if (!over) deaths++
        const serial = assertFits(ees)
        if (serial === serialOf(next)) fresh++
        else if (serial === serialOf(before)) old++
        else assert.fail('neither the old nor the new')
        assert.deepEqual((await ees.store.load())?.credential, serial === serialOf(next) ? next : before)

        if (step % RECOVER_EVERY !== 0) continue
        await quickly(() => ees.store.saveCredential(THIRD))
        assert.equal(assertFits(ees), serialOf(THIRD))
      }
    }
    assert.ok(deaths > 40 && old > 10 && fresh > 10, `${deaths} deaths, ${old} old, ${fresh} new`)
  })

  test('DB-01: killed anywhere in an onboarding, it is whole or not there, and the key stays the same', async () => {
    for (let step = 0, over = false; !over; step++) {
      using ees = await aFolder()
      rmSync(ees.folder, { recursive: true })
      const whole = async () => {
        const privateKey = await ees.store.privateKey()
        await ees.store.create(aRegistration(await certified(privateKey)))
      }
      over = await dieBefore(step, whole)
      const key = existsSync(ees.path('ees.key')) ? ees.read('ees.key') : undefined
      const kept = await ees.store.load()
      if (kept !== undefined) assertFits(ees)
      else await quickly(whole)
      assertFits(ees)
      if (key !== undefined) assert.equal(ees.read('ees.key'), key)
    }
  })

  test('DB-01: killed anywhere while it is removed, it is whole or can be made anew', async () => {
    for (let step = 0, over = false; !over; step++) {
      using ees = await aFolder()
      await ees.store.saveCredential(SECOND)
      over = await dieBefore(step, () => ees.store.remove())
      if (await ees.store.load()) assertFits(ees)
      else await ees.store.create(aRegistration(await certified(await ees.store.privateKey())))
      assertFits(ees)
      await ees.store.remove()
      assert.deepEqual(readdirSync(ees.folder), [])
    }
  })

  test('openssl reads and verifies what is there, with and without links', needs('openssl'), async () => {
    using ees = await aFolder()
    for (const next of [SAME_KEY, SECOND]) {
      await ees.store.saveCredential(next)
      const files = ['-CAfile', ees.path('ca.crt'), '-untrusted', ees.path('ees.crt')]
      const verdict = ask('openssl', ['verify', '-x509_strict', '-purpose', 'sslclient', ...files, ees.path('ees.crt')])
      assert.ok(verdict.accepted, verdict.said)
      const ofKey = ask('openssl', ['pkey', '-in', ees.path('ees.key'), '-pubout'])
      const ofCertificate = ask('openssl', ['x509', '-in', ees.path('ees.crt'), '-pubkey', '-noout'])
      assert.equal(ofKey.said, ofCertificate.said)
    }
  })
})
