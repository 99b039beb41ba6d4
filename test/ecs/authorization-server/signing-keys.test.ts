import assert from 'node:assert/strict'
import type { KeyObject } from 'node:crypto'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import {
  keepSigningKeys,
  keySchedule,
  needsNext,
  nextChangeAt,
  publishNext,
  rotate,
  type SigningKeys,
  startWith,
  verificationKeys,
} from '../../../src/ecs/authorization-server/signing-keys.ts'
import type { Signer } from '../../../src/ports/signer.ts'
import { issueAccessToken, readAccessToken } from '../../../src/tokens/access-token.ts'
import { jwkThumbprint } from '../../../src/tokens/jwk.ts'
import { aSigner, ECS, HOUR, ISSUER, known, NORTH, NOW, refused } from './parties.ts'

const DAY = 24 * HOUR
const SCHEDULE = keySchedule(30 * DAY)
const [A, B, C] = [aSigner(), aSigner(), aSigner()].map((signer) => signer.publicKey) as [
  KeyObject,
  KeyObject,
  KeyObject,
]
const kids = (keys: SigningKeys) => [...verificationKeys(keys).keys()]
const kidsOf = (...publicKeys: readonly KeyObject[]) => publicKeys.map(jwkThumbprint)

describe('the life of a signing key: D-29', () => {
  test('TK-13: next, active, retired, gone: each stage begins at its millisecond', () => {
    const first = startWith(A, NOW)
    assert.deepEqual(kids(first), kidsOf(A))

    const published = NOW + 29 * DAY
    assert.equal(nextChangeAt(first, SCHEDULE), published)
    assert.equal(needsNext(first, published - 1, SCHEDULE), false)
    assert.equal(needsNext(first, published, SCHEDULE), true)

    const second = publishNext(first, B, published)
    assert.equal(second.active.publicKey, A)
    assert.equal(needsNext(second, NOW + 90 * DAY, SCHEDULE), false)
    assert.deepEqual(kids(second), kidsOf(B, A))

    const activated = NOW + 30 * DAY
    assert.equal(nextChangeAt(second, SCHEDULE), activated)
    assert.equal(rotate(second, activated - 1, SCHEDULE), second)
    const third = rotate(second, activated, SCHEDULE)
    assert.equal(third.active.publicKey, B)
    assert.equal(third.next, undefined)
    assert.deepEqual(kids(third), kidsOf(B, A))

    const gone = activated + 930_000
    assert.equal(nextChangeAt(third, SCHEDULE), gone)
    assert.equal(rotate(third, gone - 1, SCHEDULE), third)
    assert.deepEqual(kids(rotate(third, gone, SCHEDULE)), kidsOf(B))
  })

  test('TK-13: an ECS that was off for a year signs on with the old key until the next one was published', () => {
    const later = NOW + 365 * DAY
    const keys = rotate(startWith(A, NOW), later, SCHEDULE)
    assert.equal(keys.active.publicKey, A)
    const published = publishNext(keys, B, later)
    assert.equal(rotate(published, later + DAY - 1, SCHEDULE).active.publicKey, A)
    assert.equal(rotate(published, later + DAY, SCHEDULE).active.publicKey, B)
  })

  test('an operator rotates before the time: the next key signs after it was published as long as any', () => {
    const keys = publishNext(startWith(A, NOW), B, NOW + HOUR)
    assert.equal(rotate(keys, NOW + HOUR + DAY - 1, SCHEDULE).active.publicKey, A)
    assert.equal(rotate(keys, NOW + HOUR + DAY, SCHEDULE).active.publicKey, B)
  })

  test('TK-13: after a compromise nothing of the keys before is left', () => {
    assert.deepEqual(kids(startWith(C, NOW + DAY)), kidsOf(C))
  })

  test('TM-01: a clock that goes back changes nothing', () => {
    const keys = rotate(publishNext(startWith(A, NOW), B, NOW), NOW + DAY, SCHEDULE)
    for (const now of [0, NOW - 10 * 365 * DAY, NOW]) {
      assert.equal(rotate(keys, now, SCHEDULE), keys)
      assert.equal(needsNext(keys, now, SCHEDULE), false)
    }
  })

  test('keys of an hour are published a quarter of an hour before', () => {
    assert.deepEqual(keySchedule(HOUR), { activeFor: HOUR, publishedBefore: HOUR / 4, publishedAfter: 930_000 })
  })
})

describe('keys that are kept', () => {
  /** A store that keeps keys, their private halves by thumbprint, and how often it was written. */
  function aStore(now: () => number, schedule = SCHEDULE) {
    const signers = new Map<string, Signer>()
    const store = {
      writes: 0,
      stored: undefined as SigningKeys | undefined,
      signerOf: (keys: SigningKeys) => known(signers.get(jwkThumbprint(keys.active.publicKey))),
      ports: {
        keySchedule: schedule,
        now,
        loadSigningKeys: async () => store.stored,
        async generateSigningKey() {
          const signer = aSigner()
          signers.set(jwkThumbprint(signer.publicKey), signer)
          return signer.publicKey
        },
        async storeSigningKeys(keys: SigningKeys, loaded: SigningKeys | undefined) {
          if (store.stored !== loaded) return known(store.stored)
          store.writes += 1
          store.stored = keys
          return keys
        },
      },
    }
    return store
  }

  const grant = (keys: SigningKeys, signer: Signer, now: number) => {
    assert.equal(signer.publicKey, keys.active.publicKey)
    const { fqdn: sub, thumbprint: certificateThumbprint } = NORTH
    const scope = new Set(['est'])
    const issuance = { signer, now, jti: 'one', lifetime: 900 }
    return issueAccessToken({ iss: ISSUER, sub, aud: ECS, scope, certificateThumbprint }, issuance)
  }

  const read = (keys: SigningKeys, token: string, now: number) =>
    readAccessToken(token, {
      issuers: new Map([[ISSUER, verificationKeys(keys)]]),
      audience: ECS,
      maxLifetime: 900,
      now,
    })

  test('TK-13: issued, restarted, rotated, verified; refused after the removal', async () => {
    let now = NOW
    const store = aStore(() => now)
    const before = await keepSigningKeys(store.ports)
    now = NOW + 29 * DAY
    await keepSigningKeys(store.ports)
    now = NOW + 30 * DAY - 1
    const token = await grant(before, store.signerOf(before), now)

    now = NOW + 30 * DAY
    const after = await keepSigningKeys(store.ports)
    assert.notEqual(after.active.publicKey, before.active.publicKey)
    assert.equal((await read(after, token, now)).sub, NORTH.fqdn)
    assert.equal((await read(after, token, now + 898_000)).sub, NORTH.fqdn)

    const removed = rotate(after, now + 930_000, SCHEDULE)
    await refused(read(removed, token, now), 'TOKEN_INVALID')
    await refused(read(startWith(C, now), token, now), 'TOKEN_INVALID')
  })

  test('nothing is written while nothing is due', async () => {
    let now = NOW
    const store = aStore(() => now)
    const keys = await keepSigningKeys(store.ports)
    for (now = NOW; now < nextChangeAt(keys, SCHEDULE); now += DAY) {
      assert.equal(await keepSigningKeys(store.ports), keys)
    }
    assert.equal(store.writes, 1)
  })

  test('TK-13: of two processes that rotate at once, both go on with what was stored first', async () => {
    let now = NOW
    const store = aStore(() => now)
    const [one, other] = await Promise.all([keepSigningKeys(store.ports), keepSigningKeys(store.ports)])
    assert.equal(one, other)
    now = nextChangeAt(one, SCHEDULE)
    const [next, same] = await Promise.all([keepSigningKeys(store.ports), keepSigningKeys(store.ports)])
    assert.equal(next, same)
    assert.equal(store.writes, 2)
  })

  test('TK-13: at whatever times it is kept, every token that has not expired verifies and every signer was known before', async () => {
    const steps = fc.array(fc.integer({ min: 1, max: 40 * 60_000 }), { minLength: 5, maxLength: 25 })
    await fc.assert(
      fc.asyncProperty(steps, async (waits) => {
        let now = NOW
        const store = aStore(() => now, keySchedule(HOUR))
        const issued: { readonly token: string; readonly until: number }[] = []
        let published: readonly string[] = []
        for (const wait of waits) {
          const keys = await keepSigningKeys(store.ports)
          const active = jwkThumbprint(keys.active.publicKey)
          assert.ok(published.length === 0 || published.includes(active), 'a key signs that was not published before')
          published = kids(keys)
          issued.push({ token: await grant(keys, store.signerOf(keys), now), until: now - (now % 1000) + 900_000 })
          for (const { token, until } of issued) if (now < until) await read(keys, token, now)
          now += wait
        }
      }),
      { numRuns: 15 },
    )
  })
})
