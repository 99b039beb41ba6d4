import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { onboard, type RunningEcs, type RunningEes, runEcs } from './running-ecs.ts'

const DEEP = process.env['EDGEWARD_DEEP'] !== undefined
const ROUNDS = DEEP ? 20_000 : 40
const REQUESTS = 10

/** Handles that keep this process alive, by kind, and descriptors where the system tells. */
function held(): Record<string, number> {
  const kinds = Object.groupBy(process.getActiveResourcesInfo(), (kind) => kind)
  const counts = Object.entries(kinds).map(([kind, all = []]) => [kind, all.length] as const)
  const descriptors =
    process.platform === 'linux' ? [['descriptors', readdirSync('/proc/self/fd').length] as const] : []
  return Object.fromEntries([...counts, ...descriptors])
}

/** What is closed goes within some turns of the event loop, and some milliseconds. */
async function settled(atMost: Record<string, number>): Promise<Record<string, number>> {
  for (let round = 0; round < 200; round += 1) {
    const now = held()
    if (Object.entries(now).every(([kind, count]) => count <= (atMost[kind] ?? 0))) return now
    await wait(25)
  }
  return held()
}

function heapUsed(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  return process.memoryUsage().heapUsed
}

describe('an ECS that is used for long', () => {
  let ecs: RunningEcs
  let ees: RunningEes
  before(async () => {
    ecs = await runEcs()
    ees = await onboard(ecs)
  })
  after(() => ecs.close())

  /** One client that comes, asks, errs, and goes; one that goes without a word; and an EES on its kept connection. */
  async function oneRound(): Promise<void> {
    const { port } = new URL(ecs.serving.listeners.server)
    const client = ecs.withoutCertificate(Number(port))
    for (let n = 0; n < REQUESTS; n += 1) {
      const path = n % 2 === 0 ? '/.well-known/oauth-authorization-server' : `/nothing-${n}`
      assert.equal((await client.request({ method: 'GET', path })).status, n % 2 === 0 ? 200 : 404)
    }
    client.close()
    const rude = ecs.withoutCertificate(Number(port))
    const socket = await rude.socket()
    socket.destroy()
    assert.equal((await ees.request({ method: 'GET' })).status, 200)
  }

  test('AV-02: no socket, timer or descriptor is left of those who have gone', async () => {
    for (let round = 0; round < 5; round += 1) await oneRound()
    await wait(250)
    const before = held()
    const heap = heapUsed()
    for (let round = 0; round < ROUNDS; round += 1) await oneRound()
    const after = await settled(before)
    for (const [kind, count] of Object.entries(after)) assert.ok(count <= (before[kind] ?? 0), `${kind}: ${count}`)
    // Bounded caches fill at first: what is asked is that it does not go on with the requests.
    const each = (heapUsed() - heap) / (ROUNDS * REQUESTS)
    if (DEEP) assert.ok(each < 100, `${each} octets of each request stay`)
  })
})
