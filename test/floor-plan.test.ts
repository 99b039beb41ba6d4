import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, relative, resolve } from 'node:path'
import { describe, test } from 'node:test'

const ENTITIES = ['ue', 'eec', 'ees', 'ecs', 'udm', 'ausf', 'nef', 'entitlement']

/** Lowest floor first. A room imports from floors below only, never from a room on its own floor. */
const FLOORS = [
  ['spec', 'octets'],
  ['ports'],
  ['keys', 'tokens', 'certificates'],
  ['http', 'tls', 'store'],
  ['nf'],
  ['eec-authentication'],
  ENTITIES,
  ['bin'],
]

/**
 * Within a room of an entity, from the procedures up: what has no folder of these names is a procedure, with its ports.
 * `index.ts` is the door of a room, and stands above all.
 */
const LAYERS = ['procedures', 'routes', 'adapters', 'server', 'door']

/** Who cannot import a function cannot misuse it: only these share a key with the subscriber. */
const MAY_DERIVE_KEYS = ['ue', 'udm', 'ausf', 'entitlement']

/** What only one party shall be able to make, or to open. Other functions of the room `keys` are shared by two ends. */
const MAKERS: Readonly<Record<string, readonly string[]>> = {
  // the subscription and its challenges: TS 33.102 6.3, TS 33.501 C.3
  authenticationVector: ['udm'],
  nextSqn: ['udm'],
  revealSupi: ['udm'],
  concealSupi: ['ue'],
  verifyAutn: ['ue'],
  akaPrimeChallenge: ['ausf'],
  akaChallenge: ['entitlement'],
  // the edge: TR 33.839 6.x.2.1, TS 33.535 6.1
  deriveKedge: ['ue', 'ausf'],
  deriveKedgeOfStudy: ['ue', 'ausf'],
  deriveKecs: ['ue', 'ausf'],
  deriveKakma: ['ue', 'ausf'],
  deriveKaf: ['ue', 'ausf'],
  // a key in an answer to another network function
  hexOf: ['udm', 'ausf'],
  encryptJwe: ['ausf'],
  decryptJwe: ['ecs'],
  // tokens: each has one kind of issuer
  issueOnboardingToken: ['ecs'],
  issueAccessToken: ['ecs'],
  issueEecAccessToken: ['ecs'],
  createForwarding: ['ecs'],
  addHop: ['ecs'],
  issueEntitlementToken: ['entitlement'],
  createDpopProof: ['eec'],
  // certificates: of EESs, of EASs, and of the network functions of a core
  issueCertificate: ['ecs', 'ees', 'nf'],
  crossCertify: ['ecs'],
  issueCrl: ['ecs', 'nf'],
}

/** The shell and the adapters of the ports: the only places of input and output, clock and dice. */
const SHELL = /^src\/(http|tls|store|bin|ports)\/|^src\/[a-z-]+\/(adapters|server)\//

/** What is imported outside the shell, ports and procedures alike: nothing that does input or output. */
const PURE_MODULES = ['node:crypto', 'lru-cache', 'typebox', 'yaml']
/** `systemClock` and its like stand beside their ports, and come in as arguments. */
const SYSTEM_PORT = /^system[A-Z]/
const IMPURE_CALLS =
  /\b(Date\.now|new Date\(\)|performance|Math\.random|set(Timeout|Interval|Immediate)|queueMicrotask|AbortSignal\.timeout|random(Bytes|UUID|Int|Fill|FillSync)|generateKey\w*|generatePrime\w*|getRandomValues|process\.|console\.|globalThis|import\.meta)/

const sources = globSync('src/**/*.ts').sort()
const floorOf = (room: string) => FLOORS.findIndex((rooms) => rooms.includes(room))
const roomOf = (file: string) => file.split('/')[1] ?? ''

function layerOf(file: string): number {
  const [, , folder = '', name] = file.split('/')
  if (name === undefined) return LAYERS.indexOf(folder === 'index.ts' ? 'door' : 'procedures')
  return Math.max(LAYERS.indexOf(folder), LAYERS.indexOf('procedures'))
}

interface Import {
  /** as it is written */
  readonly module: string
  readonly isType: boolean
  /** of what is imported, in its own module */
  readonly names: readonly string[]
}

const WORDS = /^(type\s+)?(\w+)/

/** Also what is exported again, and what is loaded later. */
function importsOf(file: string): Import[] {
  const code = codeOf(file)
  const declared = code.matchAll(/^(?:import|export)\s+(type\s+)?([^'";]*?)\s*from\s+'([^']+)'/gm)
  const loaded = code.matchAll(/\bimport\s*\(?\s*'([^']+)'/g)
  return [
    ...[...declared].map(([, type, clause = '', module = '']) => {
      const names = /\{([^}]*)\}/.exec(clause)?.[1]?.split(',') ?? [clause]
      const values = names.map((name) => WORDS.exec(name.trim())).filter((words) => words !== null && !words[1])
      return { module, isType: type !== undefined, names: values.map((words) => words?.[2] ?? '') }
    }),
    ...[...loaded].map(([, module = '']) => ({ module, isType: false, names: [] })),
  ]
}

function codeOf(file: string): string {
  return readFileSync(file, 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*/gm, '')
}

function importedFiles(file: string): string[] {
  return importsOf(file)
    .filter(({ module }) => module.startsWith('.'))
    .map(({ module }) => relative('.', resolve(dirname(file), module)))
}

describe('the floor plan', () => {
  test('every file stands in a room of the plan, and every room is there', () => {
    assert.ok(sources.length > 0)
    for (const file of sources) assert.notEqual(floorOf(roomOf(file)), -1, `${file}: no such room in the plan`)
    for (const room of FLOORS.flat()) assert.ok(existsSync(`src/${room}`), `no room ${room}`)
  })

  test('every import is seen', () => {
    for (const file of sources) {
      const written = codeOf(file).match(/\bfrom\s+'|\bimport\s*\(?\s*'/g)?.length ?? 0
      assert.equal(importsOf(file).length, written, file)
    }
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

  test('in an entity, procedures know no route, routes no adapter, and adapters no server', () => {
    for (const file of sources.filter((name) => floorOf(roomOf(name)) >= floorOf('nf') && roomOf(name) !== 'bin')) {
      for (const imported of importedFiles(file).filter((name) => roomOf(name) === roomOf(file)))
        assert.ok(layerOf(imported) <= layerOf(file), `${file} imports ${imported}, which is above it`)
    }
  })

  test('only the parties that share a key with the subscriber can derive one', () => {
    for (const file of sources) {
      if (roomOf(file) === 'keys' || MAY_DERIVE_KEYS.includes(roomOf(file))) continue
      for (const imported of importedFiles(file))
        assert.notEqual(roomOf(imported), 'keys', `${file} imports ${imported}`)
    }
  })

  test('what one party alone shall make, sign or open, no other can import', () => {
    const importers = new Map(Object.keys(MAKERS).map((name) => [name, new Set<string>()]))
    for (const file of sources.filter((name) => floorOf(roomOf(name)) > floorOf('keys')))
      for (const name of importsOf(file).flatMap(({ isType, names }) => (isType ? [] : names)))
        importers.get(name)?.add(roomOf(file))
    for (const [name, rooms] of Object.entries(MAKERS))
      assert.deepEqual([...(importers.get(name) ?? [])].sort(), [...rooms].sort(), `who imports ${name}`)
  })

  test('outside the shell there is no input or output, no clock and no dice', () => {
    for (const file of sources.filter((name) => !SHELL.test(name))) {
      for (const { module, isType, names } of importsOf(file)) {
        assert.ok(module.startsWith('.') || isType || PURE_MODULES.includes(module), `${file} imports ${module}`)
        assert.ok(isType || !names.some((name) => SYSTEM_PORT.test(name)), `${file} imports ${names} of ${module}`)
      }
      assert.doesNotMatch(codeOf(file), IMPURE_CALLS, `${file} reaches for the clock, the dice or the process`)
    }
  })
})
