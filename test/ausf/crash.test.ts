import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { deriveKecs } from '../../src/keys/kedge.ts'
import { withOctets } from '../../src/keys/key.ts'
import { systemRandom } from '../../src/ports/random.ts'
import type { EecId, Supi } from '../../src/spec/subscriber-identifiers.ts'
import { type Server, serve } from '../stories/program.ts'
import { authenticated, type Caller, ECS1, type RunningCore, runCore, SET_1 } from './a-core.ts'

const ROUNDS = process.env['EDGEWARD_DEEP'] ? 500 : 3
/** A machine that is busy may let all UEs of a round succeed before the kill: then there are more rounds. */
const MOST_ROUNDS = ROUNDS + 30
const EACH_ROUND = 12
const eecId = 'eec-1'

/** A real process, killed while UEs authenticate, again and again; every kill at another moment. */
describe('KE-12: kill -9 between the right RES* and its answer', () => {
  let core: RunningCore
  let ausf: Server
  let ecs: Caller
  const start = () => serve('ausf', 'serve', '--dir', `${core.folder}/ausf`)
  const supiOf = (number: number) => `imsi-00101${String(number).padStart(10, '0')}` as Supi
  before(async () => {
    core = await runCore({ subscribers: [] })
    const count = MOST_ROUNDS * EACH_ROUND
    const subscribers = Array.from({ length: count }, (_, number) => ({
      ...SET_1,
      supi: supiOf(number),
      sqn: '000000000000',
    }))
    for (let from = 0; from < count; from += 1_000) await core.udm.operator.add(subscribers.slice(from, from + 1_000))
    ecs = await core.trustedEcs()
    await core.changeConfiguration('ausf', () => ({ log: 'silent', keyRequests: { perSecond: 1_000, burst: 1_000 } }))
    await core.stopAusf()
    ausf = await start()
  })
  after(async () => {
    await ausf.stop('SIGKILL')
    await core.close()
  })

  test(`${ROUNDS} kills: whoever was told of a success has a key, and everybody else can authenticate again`, async () => {
    let [told, untold] = [0, 0]
    for (let round = 0; round < ROUNDS || (untold === 0 && round < MOST_ROUNDS); round += 1) {
      const ues = Array.from({ length: EACH_ROUND }, (_, number) => supiOf(round * EACH_ROUND + number))
      // The kill comes after a few have heard of their success, a different number each time.
      const fewer = 1 + Math.floor(systemRandom.fraction() * (EACH_ROUND / 2))
      const enough = Promise.withResolvers<void>()
      let heard = 0
      const attempts = ues.map(async (supiOrSuci) => {
        await new Promise((done) => setTimeout(done, systemRandom.fraction() * 60))
        const outcome = await authenticated(core.seaf, { supiOrSuci }).catch(() => undefined)
        if (outcome !== undefined && ++heard === fewer) enough.resolve()
        return outcome
      })
      await enough.promise
      await ausf.stop('SIGKILL')
      const outcomes = await Promise.all(attempts)
      ausf = await start()
      for (const [index, outcome] of outcomes.entries()) {
        const succeeded = outcome?.confirmed.body.authResult === 'AUTHENTICATION_SUCCESS'
        if (succeeded) told += 1
        else untold += 1
        const keys = succeeded ? outcome : await authenticated(core.seaf, { supiOrSuci: ues[index] })
        assert.equal(keys.confirmed.body.authResult, 'AUTHENTICATION_SUCCESS')
        const { status, body } = await ecs.keyRequest({ kedgeId: keys.kedgeId, eecId })
        const expected = deriveKecs(keys.kedge, ECS1, eecId as EecId)
        assert.deepEqual([status, body.kedge], [200, withOctets(expected, (octets) => octets.toString('hex'))])
      }
    }
    assert.ok(told >= ROUNDS && untold > 0, `${told} were told, ${untold} were not`)
  })
})
