import assert from 'node:assert/strict'
import { chmod, copyFile, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { adminClient } from '../../src/ecs/adapters/admin-client.ts'
import { openEcs } from '../../src/ecs/adapters/open-ecs.ts'
import { createLog } from '../../src/http/log.ts'
import { systemClock } from '../../src/ports/clock.ts'
import { systemRandom } from '../../src/ports/random.ts'
import { systemTimers } from '../../src/ports/timers.ts'
import { FileRefused } from '../../src/store/private-file.ts'
import { createKeyFile } from '../../src/store/sealed-file.ts'
import { edgeward } from '../stories/program.ts'
import { onboard, type RunningEcs, runEcs } from './running-ecs.ts'

const environment = {
  clock: systemClock,
  random: systemRandom,
  timers: systemTimers,
  log: createLog('ecs', 'silent'),
}

describe('the keys in the folder of an ECS', () => {
  let ecs: RunningEcs
  let keys: string[]
  before(async () => {
    ecs = await runEcs()
    keys = (await readdir(ecs.folder, { recursive: true })).filter((file) => file.endsWith('.key'))
  })
  after(() => ecs.close())

  const at = (file: string) => join(ecs.folder, file)
  /** The keys that an ECS needs to serve. */
  const needed = () => keys.filter((file) => !file.startsWith('operator/') && !/ca\/(root|operator-issuer)/.test(file))

  async function refused(says: RegExp): Promise<void> {
    const attempt = openEcs(ecs.folder, environment).then((opened) => opened.close())
    await assert.rejects(attempt, (error) => error instanceof FileRefused && says.test(error.message))
  }

  async function serves(eesId: string): Promise<void> {
    const ees = await onboard(ecs, { eesId, fqdn: `${eesId}.example.com` })
    assert.equal((await ees.request({ method: 'GET' })).status, 200)
    assert.equal((await ecs.operator.revoke(eesId)).state, 'revoked')
  }

  test('CA-12: what holds a key is open to its owner alone, and what seals is none of what is sealed', async () => {
    assert.deepEqual(
      needed()
        .filter((file) => !file.includes('token-'))
        .sort(),
      [
        ...['ca/ecs-issuer.key', 'ca/ees-issuer.key'],
        ...['keys/data.key', 'keys/forwarding.key', 'keys/onboarding.key', 'sealing.key'],
      ],
    )
    for (const file of [...keys, 'ecs.db']) assert.equal((await stat(at(file))).mode & 0o777, 0o600, file)
    for (const file of keys.filter((file) => file !== 'sealing.key' && !file.startsWith('operator/'))) {
      assert.equal((await readFile(at(file))).subarray(0, 8).toString(), 'edgeseal', file)
    }
  })

  test('CA-12: an ECS does not start while others can read one of its keys; the sentence says which and what to do', async () => {
    await ecs.restart(async () => {
      for (const file of needed()) {
        for (const mode of [0o640, 0o604, 0o660, 0o644]) {
          await chmod(at(file), mode)
          await refused(new RegExp(`${file} is open to others: run chmod 600`))
        }
        await chmod(at(file), 0o600)
      }
      await chmod(at('sealing.key'), 0o644)
      const { code, stdout, stderr } = await edgeward('ecs', 'serve', '--dir', ecs.folder)
      assert.deepEqual([code, stdout], [1, ''])
      assert.match(
        stderr,
        /^Failed: \S+sealing\.key is open to others: run chmod 600 on it, and replace what it holds\n$/,
      )
      await chmod(at('sealing.key'), 0o600)
    })
    await serves('ees-open')
  })

  test("CA-12: the operator's own key is refused likewise", async () => {
    await writeFile(at('admin.json'), JSON.stringify({ fqdn: ecs.fqdn, admin: ecs.serving.listeners.admin }))
    await chmod(at('operator/admin.key'), 0o644)
    await assert.rejects(adminClient(ecs.folder), FileRefused)
    await chmod(at('operator/admin.key'), 0o600)
    const client = await adminClient(ecs.folder)
    assert.ok((await client.list()).ees.length > 0)
    client.close()
  })

  test('CA-12: with the keys of the root and of the operator authority somewhere else, everything works', async () => {
    for (const name of ['root', 'operator-issuer']) await rename(at(`ca/${name}.key`), at(`../${name}.key`))
    await ecs.restart()
    await serves('ees-offline')
    await ecs.operator.rotateSigningKeys()
    const crls = await Promise.all(
      ['root', 'ees-issuer', 'ecs-issuer', 'operator-issuer'].map((name) =>
        ecs.anybody().request({ method: 'GET', path: `/crl/${name}.crl` }),
      ),
    )
    assert.deepEqual(
      crls.map(({ status }) => status),
      [200, 200, 200, 200],
    )
    for (const name of ['root', 'operator-issuer']) await rename(at(`../${name}.key`), at(`ca/${name}.key`))
  })

  test('CA-12: another sealing key, a passphrase in its place, a damaged or a foreign key are refused', async () => {
    await ecs.restart(async () => {
      await rename(at('sealing.key'), at('right.key'))
      await createKeyFile(at('sealing.key'))
      await refused(/sealed with another secret/)
      await writeFile(at('sealing.key'), Buffer.alloc(31))
      await refused(/sealing\.key is not a key file: it holds 31 octets/)
      await rename(at('right.key'), at('sealing.key'))
      const withPassphrase = openEcs(ecs.folder, { ...environment, passphrase: 'correct horse' })
      await assert.rejects(withPassphrase, /sealed with a key file, not with a passphrase/)
      for (const file of needed().filter((name) => name !== 'sealing.key')) {
        const octets = await readFile(at(file))
        for (const damaged of [Buffer.alloc(0), octets.subarray(0, -1), flipped(octets)]) {
          await writeFile(at(file), damaged)
          await refused(/not a sealed file|sealed with another secret, or changed since/)
        }
        await writeFile(at(file), octets)
      }
      const right = await readFile(at('ca/ees-issuer.key'))
      await copyFile(at('ca/ecs-issuer.key'), at('ca/ees-issuer.key'))
      await refused(/ees-issuer\.key is not the key of/)
      await writeFile(at('ca/ees-issuer.key'), right)
    })
    await serves('ees-mended')
  })
})

function flipped(octets: Buffer): Buffer {
  const changed = Buffer.from(octets)
  changed.writeUInt8(changed.readUInt8(changed.length - 20) ^ 1, changed.length - 20)
  return changed
}
