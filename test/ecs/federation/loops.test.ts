import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { RunningEes } from '../running-ecs.ts'
import { anEes, errorOf, type Member, requestToken, startMember, trail, trust } from './a-federation.ts'

const LABELS = ['a', 'b', 'c', 'd', 'e', 'f']
const SIZES = [2, 3, 4, 5, 6]

describe('rings and meshes of ECSs that all believe another one has the target: THREATS FW-01', () => {
  let members: Member[]
  let client: RunningEes

  before(async () => {
    members = []
    for (const label of LABELS) members.push(await startMember(label, LABELS))
    for (const [at, one] of members.entries()) {
      for (const [to, other] of members.entries()) {
        // In the ring of n each holds its successor for the ECS of `ringN`; in a mesh each holds every other for it.
        const rings = SIZES.filter((n) => at < n && to < n && to === (at + 1) % n).map((n) => `ring${n}`)
        const meshes = SIZES.filter((n) => at < n && to < n).map((n) => `mesh${n}`)
        if (at !== to) await trust(one, other, [...rings, ...meshes])
      }
    }
    client = await anEes(members[0] ?? assert.fail())
  })
  after(() => Promise.all(members.map(({ ecs }) => ecs.close())))

  const forwarded = async () => {
    const trails = await Promise.all(members.map((member) => trail(member, 'token-forwarded')))
    return trails.flat().length
  }

  for (const size of SIZES) {
    test(`FW-01: a ring of ${size} ends after three messages at most, with a clear error`, async () => {
      const before = await forwarded()
      const answer = await requestToken(client, `ees1.ring${size}.example.com`)
      assert.deepEqual([answer.status, errorOf(answer)], [400, 'invalid_request'])
      assert.equal((await forwarded()) - before, Math.min(size - 1, 3))
    })

    test(`FW-01: a mesh of ${size} asks who has it, and forwards nothing that nobody has`, async () => {
      const before = await forwarded()
      const answer = await requestToken(client, `ees1.mesh${size}.example.com`)
      const ring = size === 2
      assert.deepEqual([answer.status, errorOf(answer)], [400, ring ? 'invalid_request' : 'invalid_scope'])
      assert.equal((await forwarded()) - before, ring ? 1 : 0)
    })
  }
})
