import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { describe, test } from 'node:test'
import type { Figure } from '../../src/bin/up/figure.ts'
import { edgeward, PROGRAM, storyFolder } from './program.ts'

describe('edgeward up', () => {
  test('--once --json: every figure succeeds, every step names its clause, and the program ends by itself', async () => {
    const { code, stdout, stderr } = await edgeward('up', '--once', '--json')
    const { ok, figures } = JSON.parse(stdout) as { ok: boolean; figures: Figure[] }
    assert.deepEqual(
      figures.flatMap(({ steps }) => steps).filter((step) => !step.ok),
      [],
      stderr,
    )
    assert.deepEqual([code, ok], [0, true], stderr)
    assert.deepEqual([...new Set(figures.map(({ id }) => id))].sort(), ['P1', 'P2', 'P3', 'P4', 'P5'])
    const cases = figures.map(({ id, case: name }) => `${id} ${name}`)
    for (const expected of [
      /^P5 inside the domain/,
      /^P5 outside the domain.*NEF/,
      /^P5.*AUSF stopped: refused/,
      /^P2.*by the certificate/,
      /^P2.*asks the entitlement server/,
      /^P2.*discovered EAS/,
      /^P2 AKMA instead of a token/,
      /^P4 within one ECS/,
      /^P4 across two ECSs/,
      /^P4 three ECSs in a row/,
    ]) {
      assert.ok(
        cases.some((name) => expected.test(name)),
        String(expected),
      )
    }
    const across = figures.find(({ case: name }) => name.startsWith('across two ECSs'))
    const discovery = across?.steps.filter(({ message }) => message.startsWith('Eecs_TargetEESDiscovery')) ?? []
    assert.match(
      discovery.map(({ message }) => message).join(),
      /ees3\.edge\.example\.net; ecs1 has none, and asks ecs2$/,
    )
    for (const { steps } of figures) {
      assert.ok(steps.length > 0)
      for (const { clause, from, to, message, ms, ok: done } of steps) {
        assert.match(clause, /^(TR|TS|RFC) \d/)
        assert.ok(from !== '' && to !== '' && message !== '' && ms >= 0 && done)
      }
    }
  })

  test('wrong usage ends with 2, help with 0, a folder that is in use with 1 and a sentence', async () => {
    assert.equal((await edgeward('up', '--sideways')).code, 2)
    assert.equal((await edgeward('ecs', 'init', '--help')).code, 0)
    const { code, stderr } = await edgeward('up', '--dir', 'src')
    assert.equal(code, 1)
    assert.match(stderr, /src is not empty/)
  })

  test('Ctrl-C ends it also while the edge is being made: no server is started any more', async () => {
    const story = await storyFolder()
    const up = spawn(process.execPath, [PROGRAM, 'up', '--dir', story.at('up')], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    let said = ''
    up.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (said === '') up.kill('SIGINT')
      said += text
    })
    const [code] = await once(up, 'exit')
    assert.equal(code, 0)
    assert.match(said, /^made: the core/)
    const logs = readdirSync(story.at('up')).filter((name) => name.endsWith('.log'))
    assert.deepEqual([logs, /runs:/.test(said)], [[], false])
    await story.remove()
  })
})
