import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { run } from './stories/program.ts'

/** What runs in production, all levels together. A new one needs a reason, and this number a change. */
const PRODUCTION_PACKAGES = 59

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>
  readonly devDependencies: Readonly<Record<string, string>>
  readonly optionalDependencies: Readonly<Record<string, string>>
}

interface LockedPackage {
  readonly version?: string
  readonly integrity?: string
  readonly resolved?: string
  readonly dev?: boolean
  readonly hasInstallScript?: boolean
}

interface Lock {
  readonly packages: Readonly<Record<string, LockedPackage & Partial<Manifest>>>
}

const read = <Document>(file: string) => JSON.parse(readFileSync(file, 'utf8')) as Document
const manifest = read<Manifest>('package.json')
const lock = read<Lock>('package-lock.json')

const declared = ({ dependencies, devDependencies, optionalDependencies }: Partial<Manifest>) => ({
  ...dependencies,
  ...devDependencies,
  ...optionalDependencies,
})

/** What is wrong with what would be installed. */
function findings(wanted: Manifest, { packages }: Lock): string[] {
  const { '': root = {}, ...installed } = packages
  const ranges = Object.entries(declared(wanted)).filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
  const drift =
    JSON.stringify(declared(wanted)) === JSON.stringify(declared(root)) ? [] : ['the lock is of another list']
  const production = Object.values(installed).filter(({ dev }) => dev !== true).length
  return [
    ...ranges.map(([name]) => `${name}: not one exact version`),
    ...drift,
    ...(production > PRODUCTION_PACKAGES ? [`${production} packages in production`] : []),
    ...Object.entries(installed).flatMap(([name, { integrity = '', resolved, hasInstallScript }]) => [
      ...(/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity) ? [] : [`${name}: no digest`]),
      ...(resolved === undefined ? [] : [`${name}: from one place only`]),
      ...(hasInstallScript === true ? [`${name}: runs a script when it is installed`] : []),
    ]),
  ]
}

describe('what is installed', () => {
  test('OP-03: exact versions, each with its digest, no install scripts, and no more packages than are known', () => {
    assert.deepEqual(findings(manifest, lock), [])
  })

  test('OP-03: drift, ranges, scripts, lost digests and unexpected packages are found', () => {
    const { '': root, ...installed } = lock.packages
    const [[name, some] = ['', {}]] = Object.entries(installed)
    const changed = (change: LockedPackage | undefined) => ({
      packages: { ...lock.packages, [name]: { ...some, ...change } },
    })
    const ranged = { ...manifest, dependencies: { ...manifest.dependencies, fastify: '^5.0.0' } }
    assert.deepEqual(findings(ranged, lock), ['fastify: not one exact version', 'the lock is of another list'])
    const added = { ...manifest, dependencies: { ...manifest.dependencies, more: '1.0.0' } }
    assert.deepEqual(findings(added, lock), ['the lock is of another list'])
    assert.deepEqual(findings(manifest, changed({ hasInstallScript: true })), [
      `${name}: runs a script when it is installed`,
    ])
    assert.deepEqual(findings(manifest, changed({ integrity: 'sha1-abc' })), [`${name}: no digest`])
    assert.deepEqual(findings(manifest, changed({ resolved: 'https://elsewhere.example/x.tgz' })), [
      `${name}: from one place only`,
    ])
    const more = { packages: { ...lock.packages, 'node_modules/more': { ...some, dev: false } } }
    assert.deepEqual(findings(manifest, more), [`${PRODUCTION_PACKAGES + 1} packages in production`])
    assert.ok(root !== undefined)
  })

  test('OP-03: there is a bill of materials, with every package of production', async () => {
    const { code, stdout, stderr } = await run('npm', ['run', '-s', 'sbom'])
    assert.equal(code, 0, stderr)
    const { components } = JSON.parse(stdout) as { components: { name: string; version: string }[] }
    for (const [name, version] of Object.entries(manifest.dependencies)) {
      assert.ok(
        components.some((each) => each.name === name && each.version === version),
        name,
      )
    }
  })
})
