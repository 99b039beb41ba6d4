import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseDocument } from 'yaml'
import type { JsonSchema } from './json-schema.ts'

/** The OpenAPI files that 3GPP publishes, read where EDGEWARD_3GPP_DIR says they are. */

const folder = process.env['EDGEWARD_3GPP_DIR']

/** For the `skip` of a test: false, or why it cannot run. */
export const withoutOfficialFiles =
  folder === undefined ? 'EDGEWARD_3GPP_DIR does not name a folder with the official OpenAPI files' : false

interface Correction {
  readonly file: string
  readonly published: string
  readonly read: string
  readonly because: string
}

const concealed = (output: string) =>
  `suci-(0-[0-9]{3}-[0-9]{2,3}|[1-7]-.+)-[0-9]{1,4}-(0-0-${output}|[a-fA-F1-9]-([1-9]|[1-9][0-9]|1[0-9]{2}|2[0-4][0-9]|25[0-5])-[a-fA-F0-9]+)`

/** Patterns that take quadratic time: THREATS HT-09. */
export const SUCI_PATTERNS = [
  { file: 'TS29509_Nausf_UEAuthentication.yaml', published: `^(${concealed('.+')}|.+)$` },
  { file: 'TS29571_CommonData.yaml', published: `^(imsi-[0-9]{5,15}|nai-.+|gli-.+|gci-.+|${concealed('.*')}|.+)$` },
]

/** Where we read otherwise than the file is written, and why. */
const CORRECTIONS: readonly Correction[] = [
  {
    file: 'TS29571_CommonData.yaml',
    published: '- HSPA_EVOLUTION        - type: string',
    read: '- HSPA_EVOLUTION\n        - type: string',
    because: 'a line break is missing, which closes an enumeration that is meant to be open',
  },
  {
    file: 'TS29571_CommonData.yaml',
    published: String.raw`+\@prose-cp`,
    read: '+@prose-cp',
    because: 'in a Unicode pattern, which ajv makes of every pattern, that escape is a mistake',
  },
  ...["'[A-Fa-f0-9]{32}'", "'[A-Fa-f0-9]{64}'", "'[A-Fa-f0-9]{128}'", '"[A-Fa-f0-9]{32}"'].map((published) => ({
    file: 'TS29509_Nausf_UEAuthentication.yaml',
    published,
    read: `'^${published.slice(1, -1)}$'`,
    because: 'a key of a fixed length is the whole text, not some part of it',
  })),
  ...SUCI_PATTERNS.map(({ file, published }) => ({
    file,
    published,
    read: '^.+$',
    because: 'it is the same pattern, in linear time',
  })),
]

interface OfficialOperation {
  readonly operationId?: string
  readonly parameters?: readonly {
    readonly in: string
    readonly name: string
    readonly required?: boolean
    readonly schema?: unknown
    readonly content?: { readonly 'application/json': { readonly schema: unknown } }
  }[]
}

interface OpenApiDocument {
  readonly servers?: readonly { readonly url: string }[]
  readonly paths: Readonly<Record<string, Readonly<Record<string, OfficialOperation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, unknown>> }
}

const documents = new Map<string, OpenApiDocument>()
const schemas = new Map<string, JsonSchema>()

export function officialDocument(file: string): OpenApiDocument {
  const known = documents.get(file)
  if (known !== undefined) return known
  // parseDocument goes on after an error of quoting, and some of the files have one.
  const document: OpenApiDocument = parseDocument(correctedText(file)).toJS()
  documents.set(file, document)
  return document
}

function correctedText(file: string): string {
  let text = readFileSync(join(folder ?? '', 'openapi', file), 'utf8')
  for (const { published, read } of CORRECTIONS.filter((correction) => correction.file === file)) {
    if (!text.includes(published)) throw new Error(`${file} is corrected where it is not wrong: ${published}`)
    text = text.replaceAll(published, () => read)
  }
  return text
}

/** A data type of a file with every reference replaced by what it refers to. */
export function officialSchema(file: string, name: string): JsonSchema {
  const key = `${file}#${name}`
  const known = schemas.get(key)
  if (known !== undefined) return known
  const written = officialDocument(file).components.schemas[name]
  if (written === undefined) throw new Error(`${key} does not exist`)
  const schema = withoutReferences(written, file) as JsonSchema
  schemas.set(key, schema)
  return schema
}

function withoutReferences(written: unknown, file: string): unknown {
  if (Array.isArray(written)) return written.map((element) => withoutReferences(element, file))
  if (typeof written !== 'object' || written === null) return written
  // OpenAPI 3.0 ignores what stands beside a $ref.
  if ('$ref' in written) return referredTo(String(written.$ref), file)
  return Object.fromEntries(Object.entries(written).map(([key, value]) => [key, withoutReferences(value, file)]))
}

function referredTo(reference: string, file: string): JsonSchema {
  const [, otherFile, name] = /^([^#]*)#\/components\/schemas\/(.+)$/.exec(reference) ?? []
  if (name === undefined) throw new Error(`${file} refers to ${reference}`)
  return officialSchema(otherFile || file, name)
}

/** The query of a GET as one object, its members named after the parameters. */
export function officialQuery(file: string, path: string): JsonSchema {
  const parameters = officialDocument(file).paths[path]?.['get']?.parameters?.filter(
    (parameter) => parameter.in === 'query',
  )
  if (parameters === undefined) throw new Error(`${file} has no query for ${path}`)
  const members = parameters.map(({ name, schema, content }) => [name, schema ?? content?.['application/json'].schema])
  return {
    type: 'object',
    properties: withoutReferences(Object.fromEntries(members), file) as Readonly<Record<string, JsonSchema>>,
    required: parameters.filter(({ required }) => required === true).map(({ name }) => name),
  }
}
