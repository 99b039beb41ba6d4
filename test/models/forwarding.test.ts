import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { folderWith, needs } from '../judges.ts'

const MODEL = readFileSync(new URL('../../docs/models/forwarding.pml', import.meta.url), 'utf8')

/** Every state that the model can reach. @returns what the verifier says of them */
function verdict(...definitions: readonly string[]): string {
  using folder = folderWith({ 'model.pml': MODEL })
  const cwd = folder.path('.')
  const run = (command: string, ...args: string[]) => {
    const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8', timeout: 120_000 })
    if (error) throw error
    assert.equal(status, 0, `${command}: ${stdout}${stderr}`)
    return stdout
  }
  run('spin', '-a', ...definitions, 'model.pml')
  run('gcc', '-O2', '-DSAFETY', '-o', 'pan', 'pan.c')
  return run('./pan', '-m100000')
}

describe('the model of forwarding: docs/models/forwarding.pml', needs('spin', 'gcc'), () => {
  test('FW-01: three ECSs, two clients: no circle, three messages at most, an answer for everybody', () => {
    const said = verdict()
    assert.match(said, /errors: 0/)
    assert.doesNotMatch(said, /max search depth too small|Search not completed/)
  })

  test('it would find a circle: without the list of the visited there is one', () => {
    assert.match(verdict('-DBLIND'), /assertion violated|errors: 1/)
  })
})
