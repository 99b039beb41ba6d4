import assert from 'node:assert/strict'
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Outcome, run, storyFolder } from './program.ts'

const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url))
const inCheckout = (...path: string[]) => join(CHECKOUT, ...path)
const MODULES = inCheckout('node_modules')

interface Manifest {
  readonly files: readonly string[]
  readonly dependencies: Readonly<Record<string, string>>
}

/** As strict as a program can be, and the declarations of the package are checked as well. */
const TSCONFIG = {
  compilerOptions: {
    target: 'es2024',
    module: 'nodenext',
    types: ['node'],
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: false,
  },
}

/** What the program sees of the two doors: their errors are the same class, and their answers have types. */
const PROGRAM = `
import { Refusal, readCredential, type EcsSession } from 'edgeward/eec'
import { NotUsable, readBundle, Refusal as RefusalOfEes } from 'edgeward/ees'
export { useEdge } from './eec.js'
export { startEes } from './ees.js'

export const eess = async (session: EcsSession): Promise<string[]> =>
  ((await session.provision())?.ednCnfgInfo ?? []).flatMap((info) => info.eess.map(({ eesId }) => eesId))

const said: unknown[] = [Refusal === RefusalOfEes]
try {
  readBundle('{}')
} catch (error) {
  said.push(error instanceof NotUsable)
}
try {
  readCredential('')
} catch (error) {
  said.push(error instanceof Error)
}
console.log(JSON.stringify(said))
`

/**
 * A package is what `npm pack` makes of a build, and it is installed with what it names as dependencies, and no more.
 */
describe('the package in the project of somebody else', () => {
  let story: Awaited<ReturnType<typeof storyFolder>>
  const succeed = ({ code, stdout, stderr }: Outcome) => assert.equal(code, 0, stdout + stderr)
  const tsc = (...arguments_: string[]) =>
    run(process.execPath, [join(MODULES, 'typescript', 'bin', 'tsc'), ...arguments_], { cwd: story.folder })

  async function install(name: string, target = join(MODULES, name)) {
    const link = story.at(`node_modules/${name}`)
    await mkdir(dirname(link), { recursive: true })
    await symlink(target, link)
  }

  before(async () => {
    story = await storyFolder()
    const manifest = JSON.parse(await readFile(inCheckout('package.json'), 'utf8')) as Manifest
    const built = story.at('built')
    for (const name of ['package.json', ...manifest.files.filter((file) => file !== 'dist')])
      await cp(inCheckout(name), join(built, name), { recursive: true })
    succeed(await tsc('-p', inCheckout('tsconfig.build.json'), '--outDir', join(built, 'dist')))
    const options = ['--ignore-scripts', '--pack-destination', story.folder]
    const packed = await run('npm', ['pack', '--silent', ...options], { cwd: built })
    succeed(packed)
    succeed(await run('tar', ['-xzf', packed.stdout.trim()], { cwd: story.folder }))
    await install('edgeward', story.at('package'))
    for (const name of [...Object.keys(manifest.dependencies), '@types/node']) await install(name)
  })
  after(() => story.remove())

  test('our examples and a program of its own compile strictly, and run', async () => {
    for (const name of ['eec', 'ees']) {
      const example = await readFile(inCheckout('examples', `${name}.ts`), 'utf8')
      await writeFile(story.at(`${name}.ts`), example.replace(`../src/${name}/index.ts`, `edgeward/${name}`))
    }
    await writeFile(story.at('program.ts'), PROGRAM)
    await writeFile(story.at('package.json'), JSON.stringify({ type: 'module' }))
    await writeFile(story.at('tsconfig.json'), JSON.stringify({ ...TSCONFIG, include: ['*.ts'] }))
    succeed(await tsc('-p', story.folder))
    const { stdout, stderr } = await run(process.execPath, [story.at('program.js')])
    assert.equal(stdout, '[true,true,true]\n', stderr)
  })

  test('the command line is built too, with the thread that writes', async () => {
    const program = story.at('node_modules/edgeward/bin/edgeward.mjs')
    const options = ['--dir', story.at('ecs1'), '--fqdn', 'ecs1.example.com']
    succeed(await run(process.execPath, [program, 'ecs', 'init', ...options]))
  })
})
