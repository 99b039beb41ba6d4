import { globSync } from 'node:fs'
import { resolve } from 'node:path'
import type { JsonSchema } from './json-schema.ts'

/** What the modules of src/spec/messages export beside schemas. */
const NOT_SCHEMAS = ['forms.ts', 'formats.ts']

/** Every data type of src/spec/messages, by its file and name. */
export async function allDataTypes(): Promise<Map<string, JsonSchema>> {
  const files = globSync('src/spec/messages/**/*.ts').filter((file) => !NOT_SCHEMAS.some((name) => file.endsWith(name)))
  const found = await Promise.all(files.sort().map(dataTypesOf))
  return new Map(found.flat())
}

async function dataTypesOf(file: string): Promise<[string, JsonSchema][]> {
  const module: Record<string, unknown> = await import(resolve(file))
  return Object.entries(module)
    .filter(([, value]) => typeof value === 'object' && !Array.isArray(value))
    .map(([name, schema]) => [`${file.replace('src/spec/messages/', '')} ${name}`, schema as JsonSchema])
}
