import assert from 'node:assert/strict'
import { createDecipheriv, hkdfSync, scryptSync } from 'node:crypto'
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { createKeyFile, readSealedFile, seal, unseal, writeSealedFile } from '../../src/store/sealed-file.ts'
import { aFolder } from './notebook.ts'

async function aKeyFile(context: TestContext): Promise<{ keyFile: string }> {
  const keyFile = join(aFolder(context), 'sealing.key')
  await createKeyFile(keyFile)
  return { keyFile }
}

describe('a sealed file', () => {
  test('CA-12: holds nothing in the clear, is private, and opens with its key file alone', async (context) => {
    const secret = await aKeyFile(context)
    const file = join(aFolder(context), 'ca.key')
    await writeSealedFile(file, Buffer.from('the key of the CA'), secret)
    assert.equal(statSync(file).mode & 0o777, 0o600)
    assert.ok(!readFileSync(file).includes('key of'))
    assert.equal((await readSealedFile(file, secret)).toString(), 'the key of the CA')
    await assert.rejects(readSealedFile(file, await aKeyFile(context)), {
      name: 'FileRefused',
      message: /another secret/,
    })
    await assert.rejects(readSealedFile(file, { passphrase: 'x' }), { name: 'FileRefused', message: /with a key file/ })
    await assert.rejects(writeSealedFile(file, Buffer.from('x'), secret), { code: 'EEXIST' })
  })

  test('CA-12: is not opened if others can read it or its key', async (context) => {
    const secret = await aKeyFile(context)
    const file = join(aFolder(context), 'ca.key')
    await writeSealedFile(file, Buffer.from('key'), secret)
    for (const exposed of [file, secret.keyFile]) {
      chmodSync(exposed, 0o640)
      await assert.rejects(readSealedFile(file, secret), { name: 'FileRefused', message: /open to others/ })
      chmodSync(exposed, 0o600)
    }
    assert.equal((await readSealedFile(file, secret)).toString(), 'key')
  })

  test('opens with its passphrase alone, however the keyboard composes it', async () => {
    const sealed = await seal(Buffer.from('key'), { passphrase: 'Zo\u00eb' })
    assert.equal((await unseal(sealed, { passphrase: 'Zoe\u0308' })).toString(), 'key')
    await assert.rejects(unseal(sealed, { passphrase: 'Zoe' }), { name: 'FileRefused' })
    await assert.rejects(unseal(sealed, { keyFile: 'none' }), { name: 'FileRefused', message: /with a passphrase/ })
    await assert.rejects(seal(Buffer.from('key'), { passphrase: '' }), { name: 'FileRefused' })
  })

  test('with one octet changed, cut off or added does not open', async (context) => {
    const secret = await aKeyFile(context)
    const sealed = await seal(Buffer.from('key'), secret)
    const changed = fc.record({ at: fc.nat(sealed.length - 1), by: fc.integer({ min: 1, max: 255 }) })
    await fc.assert(
      fc.asyncProperty(changed, async ({ at, by }) => {
        const octets = Buffer.from(sealed)
        octets[at] = (octets[at] ?? 0) ^ by
        await assert.rejects(unseal(octets, secret), { name: 'FileRefused' })
      }),
    )
    for (let length = 0; length < sealed.length; length++) {
      await assert.rejects(unseal(sealed.subarray(0, length), secret), { name: 'FileRefused' })
    }
    await assert.rejects(unseal(Buffer.concat([sealed, Buffer.of(0)]), secret), { name: 'FileRefused' })
  })

  test('has the documented form', async (context) => {
    const secret = await aKeyFile(context)
    const passphrase = 'correct horse'
    const scrypt = { N: 131072, r: 8, p: 1, maxmem: 2 ** 28 }
    const sealed = [
      {
        octets: await seal(Buffer.from('key'), secret),
        kind: 2,
        key: (salt: Buffer) => hkdf(readFileSync(secret.keyFile), salt),
      },
      {
        octets: await seal(Buffer.from('key'), { passphrase }),
        kind: 1,
        key: (salt: Buffer) => scryptSync(passphrase, salt, 32, scrypt),
      },
    ]
    for (const { octets, kind, key } of sealed) {
      assert.equal(octets.subarray(0, 8).toString(), 'edgeseal')
      assert.deepEqual([...octets.subarray(8, 10)], [1, kind])
      const decipher = createDecipheriv('aes-256-gcm', key(octets.subarray(10, 26)), octets.subarray(26, 38))
      decipher.setAAD(octets.subarray(0, 38)).setAuthTag(octets.subarray(-16))
      assert.equal(decipher.update(octets.subarray(38, -16)).toString() + decipher.final('utf8'), 'key')
    }
  })

  test('is never sealed twice alike', async (context) => {
    const secret = await aKeyFile(context)
    const [a, b] = await Promise.all([seal(Buffer.from('key'), secret), seal(Buffer.from('key'), secret)])
    assert.notDeepEqual(a.subarray(10, 26), b.subarray(10, 26))
    assert.notDeepEqual(a.subarray(26, 38), b.subarray(26, 38))
  })

  test('needs a key file of 32 octets', async (context) => {
    const keyFile = join(aFolder(context), 'short.key')
    writeFileSync(keyFile, 'short', { mode: 0o600 })
    await assert.rejects(seal(Buffer.from('key'), { keyFile }), { name: 'FileRefused', message: /holds 5 octets/ })
  })
})

function hkdf(key: Buffer, salt: Buffer): Buffer {
  return Buffer.from(hkdfSync('sha256', key, salt, 'edgeseal', 32))
}
