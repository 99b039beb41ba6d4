import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Document, isMap, parseDocument, visit } from 'yaml'
import { replaceFile } from '../../store/replace-file.ts'
import { ConfigurationError, readConfiguration } from './open-folder.ts'

/**
 * Changes `ecs.yaml`. What is not changed keeps its words, its order and its comments; nothing is written that the ECS
 * would not start with.
 *
 * @returns writes it; until then the file is as it was
 * @throws ConfigurationError
 */
export async function editConfiguration(
  folder: string,
  edit: (document: Document) => void,
): Promise<{ readonly changes: boolean; write(): Promise<void> }> {
  const file = join(folder, 'ecs.yaml')
  await readConfiguration(file)
  const before = await readFile(file, 'utf8')
  const document = parseDocument(before)
  visit(document, {
    Alias() {
      throw new ConfigurationError(`${file} has aliases, which no command edits: write it by hand`)
    },
  })
  const untouched = textOf(document)
  edit(document)
  const after = textOf(document)
  await readConfiguration(file, after)
  return {
    changes: after !== untouched,
    write: () => replaceFile(file, after),
  }
}

/** Sets members of a mapping, and removes those that are not stated; comments beside it stay. */
export function setEntry(document: Document, path: readonly (string | number)[], entry: object): void {
  const node = document.getIn(path)
  if (!isMap(node)) {
    document.setIn(path, document.createNode(entry))
    return
  }
  const names = Object.keys(entry)
  for (const { key } of [...node.items]) if (!names.includes(String(key))) node.delete(key)
  for (const [name, value] of Object.entries(entry)) document.setIn([...path, name], plainOr(document, value))
}

/** A mapping with nothing behind its name is one without members. */
export function ensureMapping(document: Document, name: string): void {
  if (!isMap(document.get(name))) document.set(name, document.createNode({}))
}

/** A scalar takes the place of another with its comment; a list is a node of its own. */
const plainOr = (document: Document, value: unknown) => (Array.isArray(value) ? document.createNode(value) : value)

/** No line is folded. */
const textOf = (document: Document) => document.toString({ lineWidth: 0 })
