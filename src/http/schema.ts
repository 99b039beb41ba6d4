import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import addFormats from 'ajv-formats'
import type { Static, TSchema } from 'typebox'
import type { InvalidParam } from '../spec/refusal.ts'

/**
 * One compiler for every message. Nothing is coerced, nothing is removed: a message is judged as it came.
 * `strict: false` because TypeBox marks types with members of its own that JSON Schema does not know.
 */
const ajv = new Ajv({
  coerceTypes: false,
  removeAdditional: false,
  useDefaults: false,
  strict: false,
  allErrors: false,
  // The largest messages compile in half the time so, and are checked as fast.
  code: { optimize: false },
})
addFormats.default(ajv, { mode: 'full' })

const compiled = new WeakMap<TSchema, ValidateFunction>()

/** @returns undefined if the value is of the schema's type, otherwise the first member that is not */
export function findInvalidParam<Schema extends TSchema>(schema: Schema, value: unknown): InvalidParam | undefined {
  const validate = validatorOf(schema)
  return validate(value) ? undefined : invalidParam(validate.errors?.find(isOfTwoAlternatives) ?? validate.errors?.[0])
}

/**
 * The same for what an operator has written, in words: a member that no one knows is named, which a peer is not told.
 *
 * @returns undefined if the value is of the schema's type
 */
export function findInvalidSetting<Schema extends TSchema>(schema: Schema, value: unknown): string | undefined {
  const validate = validatorOf(schema)
  if (validate(value)) return undefined
  const [error] = validate.errors ?? []
  const unknown = error?.params['additionalProperty']
  if (error !== undefined && unknown !== undefined) return `${error.instancePath}/${String(unknown)} is not a setting`
  const { param, reason } = invalidParam(error)
  return `${param || '/'} ${reason ?? 'is not as it should be'}`
}

/** A server is ready before it has compiled what nobody has sent it yet. In milliseconds. */
const START = 500

/**
 * Compiles schemas before the first messages of their types come, because the largest takes long enough to be felt: one
 * in each turn of the event loop, so that neither the start of a server nor a request waits for all of them.
 */
export function compileByTurns(schemas: readonly TSchema[]): void {
  setTimeout(compileNext, START, schemas).unref()
}

function compileNext([first, ...others]: readonly TSchema[]): void {
  if (first === undefined) return
  validatorOf(first)
  setImmediate(compileNext, others)
}

function validatorOf(schema: TSchema): ValidateFunction {
  const known = compiled.get(schema)
  if (known !== undefined) return known
  const validate = ajv.compile(withNamedTypes(schema))
  compiled.set(schema, validate)
  return validate
}

interface JsonSchema {
  readonly $ref?: string
  readonly type?: string
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly items?: JsonSchema
}

/** Under which name the compiler knows an object type, by the text of its schema. */
const names = new Map<string, string>()

/**
 * The same schema with the types of its members named. A profile stands in many messages, and an address at many places
 * of it: so each is compiled once.
 */
function withNamedTypes(schema: JsonSchema): JsonSchema {
  const { properties, items } = schema
  const members = Object.entries(properties ?? {}).map(([member, type]) => [member, named(type)])
  return {
    ...schema,
    ...(properties && { properties: Object.fromEntries(members) }),
    ...(items && { items: named(items) }),
  }
}

function named(type: JsonSchema): JsonSchema {
  if (type.type !== 'object' || type.properties === undefined) return withNamedTypes(type)
  const text = JSON.stringify(type)
  const name = names.get(text) ?? `type-${names.size}`
  if (!names.has(text)) {
    names.set(text, name)
    ajv.addSchema(withNamedTypes(type), name)
  }
  return { $ref: name }
}

/** Also the check of what is not from outside, as of records on disk. */
export function isOfSchema<Schema extends TSchema>(schema: Schema, value: unknown): value is Static<Schema> {
  return findInvalidParam(schema, value) === undefined
}

/** Beside this error, that a third alternative does not fit is no news. */
function isOfTwoAlternatives({ keyword, params }: ErrorObject): boolean {
  return keyword === 'oneOf' && Array.isArray(params['passingSchemas'])
}

function invalidParam(error: ErrorObject | undefined): InvalidParam {
  if (error === undefined) return { param: '' }
  const missing = error.keyword === 'required' ? `/${String(error.params['missingProperty'])}` : ''
  // ajv's message speaks of the schema, never of the value, so nothing of the request is reflected.
  return { param: `${error.instancePath}${missing}`, ...(error.message && { reason: error.message }) }
}
