import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import { issuerKeys } from '../../src/tokens/issuer-keys.ts'
import { jwkThumbprint } from '../../src/tokens/jwk.ts'
import { keySetOf, toJwkSet } from '../../src/tokens/key-set.ts'
import { aSigner } from '../certificates/a-domain.ts'
import { aClock } from '../ees/a-registration.ts'

const [first, second] = [aSigner().publicKey, aSigner().publicKey]

function stage() {
  const clock = aClock()
  const issuer = { keys: [first], fetches: 0, fails: false, octets: undefined as Buffer | undefined }
  const failures: unknown[] = []
  const fetch = async () => {
    issuer.fetches++
    await new Promise((resolve) => setImmediate(resolve))
    if (issuer.fails) throw new Error('the issuer is down')
    return issuer.octets ?? Buffer.from(JSON.stringify(toJwkSet(keySetOf(issuer.keys))))
  }
  const keys = issuerKeys({ fetch, clock, failed: (error) => failures.push(error) })
  return { clock, issuer, failures, keys, get: async (key = first) => keys.get(jwkThumbprint(key)) }
}

describe('the keys of an issuer: RFC 7517 5, TS 33.501 14.3.3', () => {
  test('are fetched when they are needed, once however many need them at once', async () => {
    const { issuer, get } = stage()
    const found = await Promise.all(Array.from({ length: 100 }, () => get()))
    assert.ok(found.every((key) => key?.equals(first)))
    assert.equal(issuer.fetches, 1)
  })

  test('TK-12: 10,000 random kids cost one fetch, and honest tokens nothing', async () => {
    const { issuer, keys, get } = stage()
    await get()
    for (let kid = 0; kid < 5_000; kid++) assert.equal(await keys.get(randomBytes(32).toString('base64url')), undefined)
    const many = Array.from({ length: 5_000 }, async () => keys.get(randomBytes(32).toString('base64url')))
    assert.ok((await Promise.all(many)).every((key) => key === undefined))
    assert.equal(issuer.fetches, 1)
    assert.ok(await get())
  })

  test('TK-12: an unknown kid makes them be fetched again after 30 s, and a new key is found', async () => {
    const { clock, issuer, get } = stage()
    await get()
    issuer.keys = [first, second]
    clock.pass(29_999)
    assert.equal(await get(second), undefined)
    clock.pass(1)
    assert.ok((await get(second))?.equals(second))
    assert.equal(issuer.fetches, 2)
  })

  test('TK-13: a key that the issuer has taken back is noticed when it is used after five minutes', async () => {
    const { clock, issuer, get } = stage()
    await get()
    issuer.keys = [second]
    clock.pass(299_999)
    assert.ok(await get())
    assert.equal(issuer.fetches, 1)
    clock.pass(1)
    assert.ok(await get())
    assert.equal(issuer.fetches, 2)
    await get(second)
    assert.equal(await get(), undefined)
  })

  test('TK-13: a key that the issuer has taken back is not used after fifteen minutes', async () => {
    const { clock, issuer, get } = stage()
    await get()
    issuer.keys = [second]
    clock.pass(900_000)
    assert.equal(await get(), undefined)
  })

  test('fail closed, but not for good, while they cannot be had', async () => {
    const { clock, issuer, failures, get } = stage()
    issuer.fails = true
    for (let attempt = 0; attempt < 10; attempt++) await assert.rejects(get(), { code: 'NF_CONGESTION' })
    assert.deepEqual([issuer.fetches, failures.length], [1, 1])
    issuer.fails = false
    clock.pass(30_000)
    assert.ok(await get())
  })

  test('those that are known are used while the issuer is down, for fifteen minutes', async () => {
    const { clock, issuer, get } = stage()
    await get()
    issuer.fails = true
    for (let minute = 0; minute < 14; minute++) {
      clock.pass(60_000)
      assert.ok(await get())
    }
    clock.pass(59_999)
    assert.ok(await get())
    await assert.rejects(get(second), { code: 'NF_CONGESTION' })
    clock.pass(1)
    await assert.rejects(get(), { code: 'NF_CONGESTION' })
  })

  test('TK-02: what is not a strict JWK Set is no key at all', async () => {
    const sets = ['', '{}', '<html>', JSON.stringify({ keys: [{ kty: 'oct', k: 'AAAA' }] })]
    for (const text of sets) {
      const { issuer, get } = stage()
      issuer.octets = Buffer.from(text)
      await assert.rejects(get(), { code: 'NF_CONGESTION' })
    }
  })

  test('TM-01: a wall clock that is set makes no key old or young', async () => {
    const { clock, issuer, get } = stage()
    await get()
    clock.set(clock.now() + 365 * 86_400_000)
    await get()
    assert.equal(issuer.fetches, 1)
    clock.set(0)
    clock.pass(900_000)
    await get()
    assert.equal(issuer.fetches, 2)
  })
})
