import assert from 'node:assert/strict'
import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, beforeEach, describe, test } from 'node:test'
import { inspect } from 'node:util'
import { newUsimSqnState } from '../../src/keys/sqn.ts'
import { parseKedgeId } from '../../src/spec/kedge-id.ts'
import { readCard } from '../../src/ue/adapters/card.ts'
import { keyFile } from '../../src/ue/adapters/key-file.ts'
import { sqnFile } from '../../src/ue/adapters/sqn-file.ts'
import { exclusively } from '../../src/ue/adapters/ue-folder.ts'
import { describeUe, insertUsim, openUeFolder, type UeFolder } from '../../src/ue/index.ts'
import { hexOf, parsed } from '../keys/octets.ts'
import { aPlace, establishedKeys, insertion, putKeys, VECTOR } from './a-folder.ts'
import { aSubscription, SUBSCRIPTION } from './a-home-network.ts'

const OTHER = { supi: 'imsi-001010000000002', k: '0396eb317b6d1c36f19c1c84cd6ffd16' }

describe('the folder of a UE', () => {
  let ue: UeFolder
  let remove: () => Promise<void>
  const at = (name: string) => join(ue.folder, name)

  beforeEach(async () => {
    await remove?.()
    const place = await aPlace()
    remove = place.remove
    ue = await insertUsim(place.folder, aSubscription(), insertion())
  })
  after(() => remove())

  test('holds a USIM that can be read again', async () => {
    const { subscription } = await readCard(ue)
    const { settings, keys } = aSubscription()
    assert.deepEqual(subscription.settings, settings)
    assert.deepEqual([hexOf(subscription.keys.k), hexOf(subscription.keys.opc)], [hexOf(keys.k), hexOf(keys.opc)])
    assert.deepEqual(await sqnFile(ue.folder, (await readCard(ue)).id).load(), newUsimSqnState())
  })

  test('is closed to everybody else, file by file', async () => {
    await putKeys(ue)
    assert.equal((await stat(ue.folder)).mode & 0o777, 0o700)
    for (const name of await readdir(ue.folder)) assert.equal((await stat(at(name))).mode & 0o077, 0, name)
  })

  test('KE-11: shows no key and no SUPI, in any file but the one that seals', async () => {
    await putKeys(ue)
    const secrets = [SUBSCRIPTION.k, SUBSCRIPTION.opc, VECTOR.kedge].map((text) => Buffer.from(text, 'hex'))
    for (const name of await readdir(ue.folder)) {
      const content = await readFile(at(name))
      for (const secret of secrets) {
        for (const form of [secret, secret.toString('hex'), secret.toString('base64'), secret.toString('base64url')])
          assert.equal(content.indexOf(form), -1, name)
      }
      assert.equal(content.indexOf('001010000000001'), -1, name)
    }
  })

  test('KE-11: what is read from it prints no key', async () => {
    await putKeys(ue)
    const card = await readCard(ue)
    const shown = [card, await keyFile(ue, card.id).load(), ue, await describeUe(ue)]
    const text = `${inspect(shown, { depth: 20, showHidden: true })}${JSON.stringify(shown)}`
    for (const secret of [SUBSCRIPTION.k, SUBSCRIPTION.opc, VECTOR.kedge]) assert.ok(!text.includes(secret))
  })

  test('a second USIM is not put in unless it is said so', async () => {
    const other = aSubscription(OTHER)
    await assert.rejects(insertUsim(ue.folder, other, insertion()), { name: 'NotUsable', message: /not replaced/ })
    assert.equal((await readCard(ue)).subscription.settings.supi, SUBSCRIPTION.supi)
  })

  test('with another USIM the keys are gone, and sequence numbers begin anew (TS 33.501 6.2.2)', async () => {
    await putKeys(ue)
    const { id } = await readCard(ue)
    await sqnFile(ue.folder, id).save({ seqMs: newUsimSqnState().seqMs.with(1, 5) })
    await insertUsim(ue.folder, aSubscription(OTHER), insertion({ replace: true }))
    assert.ok(!(await readdir(ue.folder)).includes('keys'))
    const card = await readCard(ue)
    assert.equal(card.subscription.settings.supi, OTHER.supi)
    assert.equal(await keyFile(ue, card.id).load(), undefined)
    assert.deepEqual(await sqnFile(ue.folder, card.id).load(), newUsimSqnState())
    await assert.rejects(sqnFile(ue.folder, id).load(), { name: 'NotUsable' })
  })

  test('keys of another USIM are deleted, however they came there', async () => {
    await keyFile(ue, 'another card').replace(establishedKeys())
    assert.equal((await describeUe(ue)).edgeKeys, undefined)
    assert.ok(!(await readdir(ue.folder)).includes('keys'))
  })

  test('new keys take the place of the old ones in one step', async () => {
    await putKeys(ue)
    const { id } = await readCard(ue)
    const kedgeId = parsed(parseKedgeId(VECTOR.kedgeId.replace('kid1', 'kid2')))
    await keyFile(ue, id).replace({ ...establishedKeys(), kedgeId })
    assert.equal((await keyFile(ue, id).load())?.kedgeId, kedgeId)
    assert.deepEqual(
      (await readdir(ue.folder)).filter((name) => name.includes('keys')),
      ['keys'],
    )
  })

  test('a sealed file that was changed, or sealed elsewhere, is refused', async () => {
    await putKeys(ue)
    const { id } = await readCard(ue)
    for (const name of ['keys', 'usim.json']) {
      const content = await readFile(at(name))
      content[content.length - 20] = (content.at(-20) ?? 0) ^ 1
      await writeFile(at(name), content)
    }
    await assert.rejects(keyFile(ue, id).load(), { name: 'FileRefused' })
    await assert.rejects(readCard(ue), { name: 'FileRefused' })
  })

  for (const [name, spoil] of [
    ['missing', (file: string) => rm(file)],
    ['empty', (file: string) => writeFile(file, '')],
    ['cut', (file: string) => writeFile(file, '{"usim":"')],
    ['of another card', (file: string) => writeFile(file, JSON.stringify({ usim: 'x', ...newUsimSqnState() }))],
    ['too short', async (file: string) => writeFile(file, JSON.stringify({ ...(await readJson(file)), seqMs: [0] }))],
  ] as const) {
    test(`sequence numbers that are ${name} are no new beginning`, async () => {
      const { id } = await readCard(ue)
      await spoil(at('sqn'))
      await assert.rejects(sqnFile(ue.folder, id).load(), { name: 'NotUsable', message: /put the USIM in anew/ })
    })
  }

  test('sequence numbers that others can read are refused', async () => {
    await chmod(at('sqn'), 0o644)
    await assert.rejects(sqnFile(ue.folder, (await readCard(ue)).id).load(), { name: 'FileRefused' })
  })

  test('one process at a time changes it', async () => {
    await exclusively(ue, async () => {
      await assert.rejects(
        exclusively(ue, async () => {}),
        { name: 'CannotOpenStore', reason: 'locked' },
      )
    })
    await exclusively(ue, async () => {})
  })

  for (const [name, text, message] of [
    ['an unknown member', 'edge: {keyprofile: literal}', /edge/],
    ['an unknown profile', 'edge: {keyProfile: plain}', /keyProfile/],
    ['a function code of one octet', 'edge: {functionCodes: {kedge: 16, edgeTid: 0xffe1, kecs: 0xffe2}}', /kedge/],
    ['a list', '- 1', /not a YAML mapping/],
    ['no YAML', '{', /not a YAML mapping/],
  ] as const) {
    test(`a configuration with ${name} is refused by name`, async () => {
      await writeFile(at('ue.yaml'), text)
      await assert.rejects(openUeFolder(ue.folder, undefined), { name: 'NotUsable', message })
    })
  }

  test('what the configuration leaves out has its default', async () => {
    await writeFile(at('ue.yaml'), 'edge: {keyProfile: literal}')
    const { edge } = (await openUeFolder(ue.folder, undefined)).configuration
    assert.deepEqual(edge, { ...ue.configuration.edge, keyProfile: 'literal' })
  })

  test('a folder that others can enter is refused, be it old or new', async () => {
    const open = at('open')
    await mkdir(open)
    await chmod(open, 0o755)
    await assert.rejects(insertUsim(open, aSubscription(), insertion()), { name: 'NotUsable', message: /chmod 700/ })
    assert.deepEqual(await readdir(open), [])
    await assert.rejects(openUeFolder(at('nowhere'), undefined), { name: 'NotUsable', message: /ue init/ })
  })
})

describe('a UE with a passphrase', () => {
  test('has no key file, and opens with the passphrase alone', { timeout: 20_000 }, async () => {
    const { folder, remove } = await aPlace()
    try {
      const ue = await insertUsim(folder, aSubscription(), insertion({ passphrase: 'correct horse' }))
      assert.ok(!(await readdir(folder)).includes('sealing.key'))
      assert.equal((await readCard(ue)).subscription.settings.supi, SUBSCRIPTION.supi)
      await assert.rejects(readCard(await openUeFolder(folder, 'wrong horse')), { name: 'FileRefused' })
    } finally {
      await remove()
    }
  })
})

const readJson = async (file: string): Promise<object> => JSON.parse(await readFile(file, 'utf8'))
