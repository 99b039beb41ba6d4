import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { keepRegistered } from '../../src/ees/registration/keep-registered.ts'
import { RefusedByServer } from '../../src/http/response.ts'
import type { EESRegistration, EESRegistrationPatch } from '../../src/spec/messages/ees-registration.ts'
import { aClock, aRegistration as aRealRegistration, NOW } from './a-registration.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** Time that passes by jumping from one timer to the next. */
function simulatedTime() {
  const clock = aClock()
  let waiting: { at: number; action: () => void }[] = []
  const timers = {
    after(milliseconds: number, action: () => void) {
      const timer = { at: clock.monotonic() + milliseconds, action }
      waiting.push(timer)
      return () => {
        waiting = waiting.filter((other) => other !== timer)
      }
    },
  }
  const settle = () => new Promise((resolve) => setImmediate(resolve))
  return {
    clock,
    timers,
    waiting: () => waiting.length,
    async run(milliseconds: number) {
      const end = clock.monotonic() + milliseconds
      await settle()
      for (;;) {
        const [next] = waiting.toSorted((a, b) => a.at - b.at)
        if (next === undefined || next.at > end) break
        waiting = waiting.filter((timer) => timer !== next)
        clock.pass(next.at - clock.monotonic())
        next.action()
        await settle()
      }
      clock.pass(end - clock.monotonic())
    },
  }
}

/** What is kept alive: a certificate of 30 days, and a registration that lasts as long unless it is granted less. */
function aKept(clock: { now(): number }, { granted = Number.POSITIVE_INFINITY } = {}) {
  let [notBefore, notAfter] = [clock.now(), clock.now() + 30 * DAY]
  let expires = Math.min(notAfter, clock.now() + granted)
  const events: [what: string, day: number][] = []
  const state = { failing: undefined as Error | undefined, there: true }
  const note = (what: string) => {
    if (state.failing !== undefined) throw state.failing
    events.push([what, (clock.now() - NOW) / DAY])
  }
  const message = (): EESRegistration => ({ expTime: new Date(expires).toISOString() }) as EESRegistration
  const registration = {
    get record() {
      const renewAfter = new Date(notBefore + ((notAfter - notBefore) * 2) / 3).toISOString()
      return { registration: message(), authInfo: { renewAfter } } as Kept['record']
    },
    get certificate() {
      return { notBefore, notAfter } as Kept['certificate']
    },
    reload: async () => state.there,
    renew: async () => {
      note('renew')
      ;[notBefore, notAfter] = [clock.now(), clock.now() + 30 * DAY]
      expires = Math.min(notAfter, clock.now() + granted)
      return message()
    },
    modify: async ({ expTime }: EESRegistrationPatch) => {
      note('extend')
      expires = Math.min(Date.parse(expTime ?? ''), clock.now() + granted)
      return message()
    },
    alive: () => clock.now() < notAfter && clock.now() < expires,
  }
  return { registration, events, state }
}

type Kept = Parameters<typeof keepRegistered>[0]

function keep(fraction: number, options?: Parameters<typeof aKept>[1]) {
  const time = simulatedTime()
  const kept = aKept(time.clock, options)
  const heard: string[] = []
  const failures: number[] = []
  const stop = keepRegistered(
    kept.registration,
    { ...time, random: { fraction: () => fraction } },
    {
      renewed: () => heard.push('renewed'),
      extended: () => heard.push('extended'),
      failed: (_error, again) => failures.push(again),
      ended: () => heard.push('ended'),
    },
  )
  return { ...time, ...kept, heard, failures, stop }
}

describe('a registration that keeps itself alive (D-6, D-7; TS 23.558 8.4.4.3)', () => {
  test('the certificate is renewed from two thirds of its life, spread over a tenth of the rest', async () => {
    for (const [fraction, day] of [
      [0, 20],
      [0.5, 20.5],
      [0.999, 20.999],
    ] as const) {
      const { run, events, heard } = keep(fraction)
      await run(25 * DAY)
      assert.equal(events.length, 1)
      assert.ok(Math.abs((events[0]?.[1] ?? 0) - day) < 0.05, `${events}`)
      assert.deepEqual(heard, ['renewed'])
    }
  })

  test('it goes on for years', async () => {
    const { run, events, registration } = keep(0.5)
    await run(2 * 365 * DAY)
    assert.equal(events.length, 35)
    assert.ok(registration.alive())
  })

  test('a registration that is granted less than its certificate is extended at two thirds of that', async () => {
    const { run, events, registration } = keep(0, { granted: DAY })
    for (let hour = 0; hour < 19 * 24; hour++) {
      await run(HOUR)
      assert.ok(registration.alive(), `hour ${hour}`)
    }
    assert.ok(events.every(([what]) => what === 'extend'))
    assert.equal(events.length, 28)
    await run(3 * DAY)
    assert.equal(events.filter(([what]) => what === 'renew').length, 1)
    assert.ok(registration.alive())
  })

  test('AV-01: a failure is tried again, more and more seldom, never all at once', async () => {
    const { run, state, failures, registration } = keep(0.5)
    await run(20 * DAY)
    state.failing = new Error('the ECS is down')
    await run(DAY)
    assert.deepEqual(failures.slice(0, 4), [3_750, 7_500, 15_000, 30_000])
    assert.equal(Math.max(...failures), 675_000)
    assert.ok(failures.length < 100)
    state.failing = undefined
    await run(HOUR)
    assert.ok(registration.certificate.notAfter > NOW + 50 * DAY)
  })

  test('TM-01: a wall clock that is set ahead is noticed within the hour', async () => {
    const { run, clock, events } = keep(0)
    await run(HOUR)
    clock.set(clock.now() + 22 * DAY)
    await run(HOUR)
    assert.equal(events.length, 1)
  })

  test('TM-01: a wall clock that is set back makes no storm', async () => {
    const { run, clock, events } = keep(0)
    await run(20.01 * DAY)
    clock.set(NOW - 10 * 365 * DAY)
    await run(DAY)
    assert.equal(events.length, 1)
  })

  test('AV-01: an ECS that answers impossible times is not asked again and again', async () => {
    const { run, events } = keep(0, { granted: -DAY })
    await run(HOUR)
    assert.ok(events.length > 0 && events.length <= 360, `${events.length} requests in an hour`)
  })

  test('ON-11: a registration that has ended is not asked for again', async () => {
    for (const code of ['REGISTRATION_NOT_FOUND', 'CERTIFICATE_REVOKED']) {
      const { run, state, heard, waiting } = keep(0)
      state.failing = new RefusedByServer({ status: 404, code })
      await run(21 * DAY)
      assert.deepEqual(heard, ['ended'])
      assert.equal(waiting(), 0)
    }
    const { run, state, heard, waiting } = keep(0)
    state.there = false
    await run(HOUR)
    assert.deepEqual([heard, waiting()], [['ended'], 0])
  })

  test('stopped is stopped, also in the middle of a renewal', async () => {
    const { run, stop, waiting, registration } = keep(0)
    let finish = () => {}
    registration.renew = () => new Promise((resolve) => (finish = () => resolve({} as EESRegistration)))
    await run(20 * DAY + HOUR)
    stop()
    finish()
    await run(0)
    assert.equal(waiting(), 0)
  })

  test('whatever fails for less than a week, neither certificate nor registration ever runs out', async () => {
    const outage = fc.record({ from: fc.nat(60 * 24), hours: fc.nat(7 * 24) })
    await fc.assert(
      fc.asyncProperty(outage, fc.double({ min: 0, max: 0.999, noNaN: true }), async ({ from, hours }, fraction) => {
        const { run, state, registration } = keep(fraction)
        await run(from * HOUR)
        state.failing = new Error('the ECS is down')
        await run(hours * HOUR)
        assert.ok(registration.alive())
        state.failing = undefined
        await run(HOUR)
        assert.ok(registration.alive())
        await run(30 * DAY)
        assert.ok(registration.alive())
      }),
      { numRuns: process.env['EDGEWARD_DEEP'] ? 1_000 : 25 },
    )
  })

  test('with the real registration, the next certificate and the next end come from the ECS', async () => {
    const { registration, clock, ecs } = await aRealRegistration()
    const time = simulatedTime()
    const before = registration.certificate
    const { promise: renewed, resolve, reject } = Promise.withResolvers<EESRegistration>()
    const ports = { clock, timers: time.timers, random: { fraction: () => 0 } }
    const stop = keepRegistered(registration, ports, { renewed: resolve, failed: reject })
    clock.pass(before.notAfter - 9 * DAY - clock.now())
    await time.run(12_000)
    const { expTime } = await renewed
    stop()
    assert.equal(ecs.paths()[0], 'POST /.well-known/est/simplereenroll')
    assert.ok(registration.certificate.notAfter > before.notAfter)
    assert.equal(Date.parse(expTime ?? ''), registration.certificate.notAfter)
  })
})
