import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Command } from 'commander'
import { PARTS } from '../../src/bin/edgeward.ts'

const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url))
const markdownIn = (folder: string) =>
  readdirSync(join(CHECKOUT, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name))

/** Whoever reads of a command can run it, and each command can be read about. */
describe('the commands that the documents name', () => {
  const program = new Command('edgeward')
  const documents = [...markdownIn('.'), ...markdownIn('docs'), ...markdownIn('docs/procedures')]
  const texts = documents.map((name) => [name, readFileSync(join(CHECKOUT, name), 'utf8')] as const)
  before(async () => {
    for (const { name, addTo } of PARTS) await addTo(program.command(name))
  })

  /** The words behind `edgeward`, up to the first that is an option, a file or a sentence. */
  const named = (text: string) =>
    [...text.matchAll(/\bedgeward((?: [a-z][a-z-]*)+)/g)].map(([, words = '']) => words.trim())

  function find(words: readonly string[]): Command {
    let found = program
    for (const word of words) {
      if (found.commands.length === 0) break
      const next = found.commands.find((command) => command.name() === word)
      if (next === undefined) break
      found = next
    }
    return found
  }

  const leaves = (command: Command, path: readonly string[] = []): string[] =>
    command.commands.length === 0
      ? [path.join(' ')]
      : command.commands.flatMap((each) => leaves(each, [...path, each.name()]))

  test('are there', () => {
    const wrong = texts.flatMap(([name, text]) =>
      named(text)
        .filter((words) => find(words.split(' ')).commands.length > 0)
        .map((words) => `${name}: edgeward ${words}`),
    )
    assert.deepEqual(wrong, [])
  })

  test('are all of them', () => {
    const all = texts.map(([, text]) => text).join('\n')
    const told = new Set(
      named(all)
        .map((words) => words.split(' '))
        .flatMap((words) => leavesOf(words)),
    )
    const untold = leaves(program).filter((leaf) => !told.has(leaf))
    assert.deepEqual(untold, [])
  })

  function leavesOf(words: readonly string[]): string[] {
    return leaves(program).filter((leaf) => `${words.join(' ')} `.startsWith(`${leaf} `))
  }
})
