import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, describe, test } from 'node:test'
import type { Certificate } from '../../src/certificates/certificate.ts'
import { writePem } from '../../src/certificates/pem.ts'
import { onboard, type Registration } from '../../src/ees/index.ts'
import { followAuthority } from '../../src/ees/registration/follow-authority.ts'
import type { EESRegistration } from '../../src/spec/messages/ees-registration.ts'
import { PARTNERS_PATH } from '../../src/spec/messages/partners.ts'
import { aDomain } from '../certificates/a-domain.ts'
import { anEcs, type Ecs, json, PROFILE } from './an-ecs.ts'
import { ecsCredential, overTls } from './ecs-over-tls.ts'

const pemOf = ({ der }: Certificate) => writePem('CERTIFICATE', der)

describe('what an ECS tells of its own authorities is followed: RFC 7030 4.1.3, THREATS CA-12', async () => {
  const [domain, next] = await Promise.all([aDomain(), aDomain()])
  const [own, later] = [domain.root.certificate, next.root.certificate].map(pemOf) as [string, string]
  const [issuer, nextIssuer] = [domain, next].map(({ issuers }) => pemOf(issuers.ees.certificate)) as [string, string]
  const folder = mkdtempSync(join(tmpdir(), 'edgeward-follow-'))
  let told: object = {}
  let ecs: Ecs
  let network: Awaited<ReturnType<typeof overTls>>
  let registration: Registration

  before(async () => {
    const answers = { [`GET ${PARTNERS_PATH}`]: () => json(200, { partners: [], ...told }) }
    ecs = await anEcs({ domain, answers })
    network = await overTls(ecs, await ecsCredential(domain))
    const { resolve } = network
    registration = await onboard(JSON.stringify(ecs.bundleFile()), { eesProf: PROFILE }, { store: folder, resolve })
  })
  after(() => {
    registration.close()
    network.close()
    rmSync(folder, { recursive: true })
  })
  beforeEach(async () => {
    told = { own: { roots: [own], issuers: [issuer] } }
    await registration.partners(0)
  })

  const kept = () => readFileSync(join(folder, 'ca.crt'), 'utf8')
  const isAsBefore = async () => {
    assert.deepEqual([registration.root, kept()], [own, own])
    assert.equal((await registration.show()).eesProf.eesId, PROFILE.eesId)
  }

  test('a root beside the present one is trusted and kept, and so is the one that is left', async () => {
    told = { own: { roots: [own, later], issuers: [issuer, nextIssuer] } }
    await registration.partners(0)
    const both = [own, later].toSorted().join('')
    assert.deepEqual([registration.root, kept(), registration.overtaken], [both, both, false])
    told = { own: { roots: [own], issuers: [issuer] } }
    await registration.partners(0)
    await isAsBefore()
  })

  test('roots under which the ECS itself is not reached are not taken', async () => {
    told = { own: { roots: [later], issuers: [nextIssuer] } }
    await assert.rejects(registration.partners(0), { name: 'PeerUnavailable' })
    await isAsBefore()
  })

  test('what is no root, nothing at all, and what is no certificate are not taken', async () => {
    const wrong = [
      { roots: [own, issuer], issuers: [issuer] },
      { roots: [], issuers: [issuer] },
      { roots: [own, later, own, later, own], issuers: [issuer] },
      { roots: [own, 'x'], issuers: [issuer] },
      { roots: [own, later], issuers: [] },
      { roots: [own, later], issuers: ['x'] },
    ]
    for (const each of wrong) {
      told = { own: each }
      await assert.rejects(registration.partners(0), { name: 'AnswerNotAccepted' }, JSON.stringify(each).slice(0, 80))
      await isAsBefore()
    }
  })

  test('an ECS that tells nothing of itself is trusted as the bundle says', async () => {
    told = {}
    await registration.partners(0)
    await isAsBefore()
  })

  test('when another authority signs, the certificate is overtaken', async () => {
    told = { own: { roots: [own, later], issuers: [nextIssuer, issuer] } }
    await registration.partners(0)
    assert.equal(registration.overtaken, true)
  })
})

/** Timers that fire when the test says. */
function timersByHand() {
  const waiting: { at: number; action: () => void; every?: number }[] = []
  let now = 0
  const add = (at: number, action: () => void, every?: number) => {
    const timer = { at, action, ...(every !== undefined && { every }) }
    waiting.push(timer)
    return () => void (waiting.includes(timer) && waiting.splice(waiting.indexOf(timer), 1))
  }
  return {
    waiting: () => waiting.length,
    timers: {
      after: (milliseconds: number, action: () => void) => add(now + milliseconds, action),
      every: (milliseconds: number, action: () => void) => add(now + milliseconds, action, milliseconds),
    },
    async pass(milliseconds: number) {
      const end = now + milliseconds
      for (;;) {
        const [next] = waiting.filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at)
        if (next === undefined) break
        now = next.at
        if (next.every === undefined) waiting.splice(waiting.indexOf(next), 1)
        else next.at += next.every
        next.action()
        await new Promise((settled) => setImmediate(settled))
      }
      now = end
    },
  }
}

describe('an EES that keeps itself registered follows by itself', () => {
  function following(fraction: number) {
    const hand = timersByHand()
    const did: string[] = []
    const state = { overtaken: false, failing: undefined as Error | undefined }
    const registration = {
      get overtaken() {
        return state.overtaken
      },
      partners: async () => {
        did.push('ask')
        if (state.failing) throw state.failing
        return { partners: [] }
      },
      renew: async () => {
        did.push('renew')
        if (state.failing) throw state.failing
        state.overtaken = false
        return {} as EESRegistration
      },
    }
    const heard: string[] = []
    const observer = { renewed: () => heard.push('renewed'), failed: () => heard.push('failed') }
    const stop = followAuthority(registration, { timers: hand.timers, random: { fraction: () => fraction } }, observer)
    return { ...hand, did, heard, state, stop }
  }

  test('it asks at the start and every minute, which the ECS counts on before it lets another authority sign', async () => {
    const { pass, did } = following(0)
    await pass(0)
    assert.deepEqual(did, ['ask'])
    await pass(180_000)
    assert.deepEqual(did, ['ask', 'ask', 'ask', 'ask'])
  })

  test('AV-01: EESs renew one after another, each once; a failure is tried again', async () => {
    for (const [fraction, soonest] of [
      [0, 5_000],
      [0.9, 23_000],
    ] as const) {
      const { pass, did, heard, state } = following(fraction)
      state.overtaken = true
      await pass(soonest - 1)
      assert.ok(!did.includes('renew'), `${fraction}`)
      await pass(1)
      assert.deepEqual(heard, ['renewed'])
      await pass(50_000)
      assert.equal(did.filter((each) => each === 'renew').length, 1)
    }
    const { pass, heard, state } = following(0)
    state.overtaken = true
    state.failing = new Error('the ECS is down')
    await pass(12_000)
    assert.deepEqual(heard, ['failed', 'failed'])
    state.failing = undefined
    await pass(5_000)
    assert.equal(heard.at(-1), 'renewed')
  })

  test('stopped is stopped, with a renewal on its way', async () => {
    const { pass, did, state, stop, waiting } = following(0.9)
    state.overtaken = true
    await pass(6_000)
    stop()
    await pass(60_000)
    assert.deepEqual([did, waiting()], [['ask'], 0])
  })
})
