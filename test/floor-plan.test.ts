import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, relative, resolve } from 'node:path'
import { describe, test } from 'node:test'

/** Lowest floor first. A room imports from floors below only, never from a room on its own floor. */
const FLOORS = [
  ['spec', 'octets'],
  ['ports'],
  ['keys', 'tokens', 'certificates'],
  ['http', 'tls', 'store'],
  ['nf'],
  ['eec-authentication'],
  ['ue', 'eec', 'ees', 'ecs', 'udm', 'ausf', 'nef', 'entitlement'],
  ['console'],
  ['bin'],
]

/** Who cannot import a function cannot misuse it: only these may derive keys. */
const MAY_DERIVE_KEYS = ['ue', 'udm', 'ausf', 'entitlement', 'bin']

/** The shell and the adapters of the ports: the only places of input and output, clock and dice. */
const SHELL = /^src\/(http|tls|store|bin|ports)\/|^src\/[a-z-]+\/(adapters|server)\//

const IMPURE_MODULES =
  /^node:(fs|net|tls|http|https|http2|dgram|dns|child_process|worker_threads|timers|sqlite|os|process)(\/|$)|^(fastify|undici|pino)$/
const IMPURE_CALLS =
  /\b(Date\.now|new Date\(\)|Math\.random|setTimeout|setInterval|randomBytes|randomUUID|randomInt|performance\.now)\b/

const sources = globSync('src/**/*.ts').sort()
const floorOf = (room: string) => FLOORS.findIndex((rooms) => rooms.includes(room))
const roomOf = (file: string) => file.split('/')[1] ?? ''

function importsOf(file: string): string[] {
  return [...readFileSync(file, 'utf8').matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(([, name]) => name ?? '')
}

function importedFiles(file: string): string[] {
  return importsOf(file)
    .filter((name) => name.startsWith('.'))
    .map((name) => relative('.', resolve(dirname(file), name)))
}

describe('the floor plan', () => {
  test('every file stands in a room of the plan', () => {
    assert.ok(sources.length > 0)
    for (const file of sources) assert.notEqual(floorOf(roomOf(file)), -1, `${file}: no such room in the plan`)
  })

  test('a room imports only from floors below', () => {
    for (const file of sources) {
      for (const imported of importedFiles(file)) {
        const [here, there] = [roomOf(file), roomOf(imported)]
        if (here === there) continue
        assert.ok(floorOf(there) < floorOf(here), `${file} imports ${imported}, which is not below it`)
      }
    }
  })

  test('only the parties that share a key with the subscriber can derive one', () => {
    for (const file of sources) {
      if (roomOf(file) === 'keys' || MAY_DERIVE_KEYS.includes(roomOf(file))) continue
      for (const imported of importedFiles(file))
        assert.notEqual(roomOf(imported), 'keys', `${file} imports ${imported}`)
    }
  })

  test('outside the shell there is no input or output, no clock and no dice', () => {
    for (const file of sources.filter((name) => !SHELL.test(name))) {
      for (const name of importsOf(file)) assert.doesNotMatch(name, IMPURE_MODULES, `${file} imports ${name}`)
      const code = readFileSync(file, 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')
      assert.doesNotMatch(code, IMPURE_CALLS, `${file} reaches for the clock or the dice`)
    }
  })
})
