import fc from 'fast-check'
import type { JsonSchema } from './json-schema.ts'

/**
 * Messages that a schema accepts, nearly always: what it says with `not`, or by overlapping choices, is left to luck.
 */
export function arbitraryMessage(schema: JsonSchema): fc.Arbitrary<unknown> {
  const known = arbitraries.get(schema)
  if (known !== undefined) return known
  const arbitrary = ofSchema(schema)
  arbitraries.set(schema, arbitrary)
  return arbitrary
}

const arbitraries = new WeakMap<JsonSchema, fc.Arbitrary<unknown>>()

function ofSchema(schema: JsonSchema): fc.Arbitrary<unknown> {
  const { nullable, ...rest } = schema
  if (nullable === true) return fc.oneof({ weight: 4, arbitrary: ofSchema(rest) }, fc.constant(null))
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum)
  if (schema.properties !== undefined) return objects(schema)
  if (schema.additionalProperties !== undefined) return maps(schema, schema.additionalProperties)
  const choices = schema.anyOf ?? schema.oneOf
  if (choices !== undefined) return fc.oneof(...choices.map(arbitraryMessage))
  if (schema.type === undefined && schema.allOf !== undefined) return ofSchema(joined(schema.allOf))
  return ofType(schema)
}

function ofType(schema: JsonSchema): fc.Arbitrary<unknown> {
  switch (schema.type) {
    case 'string':
      return strings(schema)
    case 'boolean':
      return fc.boolean()
    case 'integer':
      return fc.integer({ min: schema.minimum ?? -1000, max: schema.maximum ?? 2 ** 31 - 1 })
    case 'number':
      return fc.double({ min: schema.minimum ?? -1000, max: schema.maximum ?? 1e6, noNaN: true })
    case 'array':
      return arrays(schema)
    case 'null':
      return fc.constant(null)
    default:
      throw new Error(`no messages for ${JSON.stringify(schema)}`)
  }
}

function strings({
  pattern,
  format,
  minLength = 0,
  maxLength = Number.POSITIVE_INFINITY,
  allOf,
}: JsonSchema): fc.Arbitrary<string> {
  const fits = (text: string) => text.length >= minLength && text.length <= maxLength
  if (allOf !== undefined) return addresses(allOf)
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern)).filter(fits)
  switch (format) {
    case 'date-time':
      return fc.tuple(fc.date({ noInvalidDate: true, min: new Date(0), max: new Date('2100') }), offsets).map(dateTime)
    case 'uuid':
      return fc.uuid()
    case 'byte':
      return fc.uint8Array({ maxLength: 20 }).map((octets) => Buffer.from(octets).toString('base64'))
    default:
      return fc.string({ minLength, maxLength: Math.min(maxLength, minLength + 12) })
  }
}

/** The only strings with several patterns are IPv6 addresses. */
function addresses(patterns: readonly JsonSchema[]): fc.Arbitrary<string> {
  const expressions = patterns.map(({ pattern = '' }) => new RegExp(pattern))
  const fits = (text: string) => expressions.every((expression) => expression.test(text))
  return fc.oneof(fc.ipV6().filter(fits), fc.constantFrom('::', '::1', '2001:db8:85a3::8a2e:370:7334'))
}

const offsets = fc.constantFrom('Z', 'z', '+00:00', '+05:45', '-11:30')
const dateTime = ([date, offset]: [Date, string]) => date.toISOString().replace('Z', offset)

function arrays({ items, minItems = 0, maxItems = minItems + 2 }: JsonSchema): fc.Arbitrary<unknown[]> {
  if (items === undefined) throw new Error('a list of anything')
  return fc.array(arbitraryMessage(items), { minLength: minItems, maxLength: Math.min(maxItems, minItems + 2) })
}

/** Names that every object seems to have, beside ordinary ones. */
const keys = fc.constantFrom('eas-1', 'eas-2', '', '__proto__', 'constructor', 'toString')

function maps({ minProperties = 0 }: JsonSchema, value: JsonSchema): fc.Arbitrary<unknown> {
  return fc
    .uniqueArray(fc.tuple(keys, arbitraryMessage(value)), {
      minLength: minProperties,
      maxLength: minProperties + 1,
      selector: ([key]) => key,
    })
    .map((entries) => Object.fromEntries(entries))
}

/** All the mandatory members, some of the optional ones, and of groups of members as many as the schema wants. */
function objects(schema: JsonSchema): fc.Arbitrary<unknown> {
  const { properties, required, groups } = parts(schema)
  const inGroups = groups.flatMap(({ names }) => names)
  const possible = Object.keys(properties).filter((name) => !isNever(memberOf(properties, name)))
  const free = possible.filter((name) => !required.includes(name) && !inGroups.includes(name))
  const chosen = fc.tuple(
    fc.subarray(free, { maxLength: Math.min(free.length, 4) }),
    ...groups.map(({ names, several }) => fc.subarray(names, { minLength: 1, maxLength: several ? 2 : 1 })),
  )
  return chosen.chain((names) => {
    const present = [...required, ...names.flat()]
    return fc.record(Object.fromEntries(present.map((name) => [name, arbitraryMessage(memberOf(properties, name))])))
  })
}

/** `{ not: {} }`: a member that must be absent. */
function isNever({ not }: JsonSchema): boolean {
  return not !== undefined && Object.keys(not).length === 0
}

function memberOf(properties: Readonly<Record<string, JsonSchema>>, name: string): JsonSchema {
  const member = properties[name]
  if (member === undefined) throw new Error(`${name} is required but not described`)
  return member
}

interface Parts {
  readonly properties: Readonly<Record<string, JsonSchema>>
  readonly required: readonly string[]
  readonly groups: readonly { readonly names: string[]; readonly several: boolean }[]
}

function parts(schema: JsonSchema): Parts {
  const { properties = {}, required = [] } = joined([...(schema.allOf ?? []), schema])
  const names = (choices: readonly JsonSchema[]) => choices.flatMap((choice) => choice.required ?? [])
  const groups = [
    ...(schema.anyOf ? [{ names: names(schema.anyOf), several: true }] : []),
    ...(schema.oneOf ? [{ names: names(schema.oneOf), several: false }] : []),
  ]
  return { properties, required, groups: groups.filter((group) => group.names.length > 0) }
}

function joined(schemas: readonly JsonSchema[]): JsonSchema {
  return {
    type: 'object',
    properties: Object.assign({}, ...schemas.map((schema) => schema.properties ?? {})),
    required: [...new Set(schemas.flatMap((schema) => schema.required ?? []))],
  }
}
