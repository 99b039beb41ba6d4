import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { AccessTokens } from '../../src/ees/registration/access-tokens.ts'
import type { TokenPurpose } from '../../src/ees/registration/token-exchange.ts'
import { fqdn } from '../certificates/a-domain.ts'
import { aClock } from './a-registration.ts'

function stage({ expiresIn = 600 } = {}) {
  const clock = aClock()
  const asked: TokenPurpose[] = []
  const answer = { expiresIn, fails: false }
  const tokens = new AccessTokens(async (purpose) => {
    asked.push(purpose)
    if (answer.fails) throw new Error('the ECS is down')
    return { accessToken: `token ${asked.length}`, scope: purpose.scope, expiresIn: answer.expiresIn }
  }, clock)
  return { clock, asked, answer, tokens }
}

describe('the access tokens that are in use', () => {
  const purpose = { scope: 'a b', target: fqdn('ees2.ecsp.example') }

  test('one is asked for however many ask at once, and used until shortly before it expires', async () => {
    const { clock, asked, tokens } = stage()
    const all = await Promise.all(Array.from({ length: 50 }, () => tokens.get(purpose)))
    assert.equal(new Set(all).size, 1)
    clock.pass(569_999)
    await tokens.get(purpose)
    assert.equal(asked.length, 1)
    clock.pass(1)
    await tokens.get(purpose)
    assert.equal(asked.length, 2)
  })

  test('a short life keeps four fifths of it', async () => {
    const { clock, asked, tokens } = stage({ expiresIn: 10 })
    await tokens.get(purpose)
    clock.pass(7_999)
    await tokens.get(purpose)
    assert.equal(asked.length, 1)
    clock.pass(1)
    await tokens.get(purpose)
    assert.equal(asked.length, 2)
  })

  test('a token without a stated life is used once', async () => {
    const { asked, tokens } = stage({ expiresIn: 0 })
    await tokens.get(purpose)
    await tokens.get(purpose)
    assert.equal(asked.length, 2)
  })

  test('TK-03: each target and each scope has its own; the order of the names does not matter', async () => {
    const { asked, tokens } = stage()
    await tokens.get(purpose)
    await tokens.get({ ...purpose, scope: 'b a' })
    assert.equal(asked.length, 1)
    await tokens.get({ scope: 'a b' })
    await tokens.get({ scope: 'a b', target: fqdn('ees3.ecsp.example') })
    await tokens.get({ ...purpose, scope: 'a' })
    assert.equal(asked.length, 4)
  })

  test('a failure is not kept', async () => {
    const { asked, answer, tokens } = stage()
    answer.fails = true
    await assert.rejects(tokens.get(purpose), { message: 'the ECS is down' })
    answer.fails = false
    await tokens.get(purpose)
    assert.equal(asked.length, 2)
  })

  test('what was refused is forgotten, but not the one that replaced it meanwhile', async () => {
    const { asked, tokens } = stage()
    const first = await tokens.get(purpose)
    tokens.forget(purpose, first)
    const second = await tokens.get(purpose)
    tokens.forget(purpose, first)
    assert.equal(await tokens.get(purpose), second)
    assert.equal(asked.length, 2)
  })

  test('TM-01: a wall clock that is set makes no token old or young', async () => {
    const { clock, asked, tokens } = stage()
    await tokens.get(purpose)
    clock.set(clock.now() + 10 * 365 * 86_400_000)
    await tokens.get(purpose)
    assert.equal(asked.length, 1)
    clock.pass(600_000)
    clock.set(0)
    await tokens.get(purpose)
    assert.equal(asked.length, 2)
  })
})
