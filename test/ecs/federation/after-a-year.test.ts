import assert from 'node:assert/strict'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { issueCrl, readCrl } from '../../../src/certificates/crl.ts'
import { readAuthority } from '../../../src/ecs/adapters/own-keys.ts'
import { anEes, eesName, type Member, requestToken, startMember, trust } from './a-federation.ts'
import { until } from './a-serving-ees.ts'

const DAY = 86_400_000

describe('the list of a root, which is signed for a year', () => {
  let [a, b]: Member[] = []
  before(async () => {
    ;[a, b] = await Promise.all(['a', 'b'].map((label) => startMember(label, ['a', 'b'])))
    await trust(member(a), member(b))
    await trust(member(b), member(a))
    await anEes(member(a))
  })
  after(() => Promise.all([a, b].map((each) => each?.ecs.close())))

  const member = (one: Member | undefined) => one ?? assert.fail('no such member')
  const file = (name: string) => join(member(b).ecs.folder, 'ca', name)

  /** As if the ECS had been made a year before. */
  async function ageList() {
    const { ecs } = member(b)
    const issuer = await readAuthority(file('root'), ecs.opened.secret)
    const now = Date.now()
    const times = { thisUpdate: now - 366 * DAY, nextUpdate: now - DAY }
    const revokedAt = now - (now % 1000) - 300 * DAY
    const list = await issueCrl({ issuer, number: 3n, ...times, entries: [{ serial: '0a0b', revokedAt }] })
    await writeFile(file('root.crl'), list)
    return revokedAt
  }

  test('CA-07: an ECS signs its own again, and other ECSs let in what is below it', async () => {
    const { ecs } = member(b)
    const revokedAt = await ageList()
    await ecs.restart(() => rename(file('root.key'), file('offline.key')))
    // Its key is somewhere else: the list stays what it is, and A hears of none that is current.
    assert.equal(readCrl(await readFile(file('root.crl'))).number, 3n)
    await member(a).ecs.restart()
    const without = await anEes(member(b), 2)
    for (let tries = 0; tries < 20; tries += 1) {
      assert.notEqual((await requestToken(without, eesName('a'))).status, 200)
      await new Promise((wait) => setTimeout(wait, 100))
    }

    await ecs.restart(() => rename(file('offline.key'), file('root.key')))
    const list = readCrl(await readFile(file('root.crl')))
    assert.equal(list.number, 4n)
    assert.ok(list.nextUpdate > Date.now() + 360 * DAY)
    assert.deepEqual([...list.revoked], [['0a0b', { revokedAt }]])
    await member(a).ecs.restart()
    const ees = await anEes(member(b), 3)
    await until(async () => (await requestToken(ees, eesName('a'))).status === 200, 'a token for an EES of A')
  })
})
