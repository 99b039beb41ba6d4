#!/usr/bin/env node
// Plain JavaScript that any Node can read: it tells an old one what to do, in one sentence, before anything else loads.
import { existsSync } from 'node:fs'
import module from 'node:module'
import { fileURLToPath } from 'node:url'

const [major = 0] = process.versions.node.split('.').map(Number)
if (major < 24) {
  process.stderr.write(
    `edgeward needs Node.js 24 or later and this is ${process.version}: start it with "npm run -s edgeward -- ..." in a checkout, which brings its own, or install a newer Node.js.\n`,
  )
  process.exit(1)
}

const source = new URL('../src/bin/edgeward.ts', import.meta.url)
const built = new URL('../dist/bin/edgeward.js', import.meta.url)
// Compiled once for all processes of a checkout, in a folder that is no more open to others than the program itself.
const cache = new URL('../node_modules/.cache/edgeward', import.meta.url)
if (existsSync(source) && process.env['NODE_V8_COVERAGE'] === undefined) {
  // Threads learn of it from the environment, and spare what strips types: 25 MiB for the one that writes.
  process.env['NODE_COMPILE_CACHE'] ??= fileURLToPath(cache)
  module.enableCompileCache()
}

const { leave, main } = await import((existsSync(source) ? source : built).href)
process.exitCode = await main(process.argv.slice(2))
leave()
