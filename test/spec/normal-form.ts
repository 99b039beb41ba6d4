import type { JsonSchema } from './json-schema.ts'

/** Keywords that change no verdict. */
const ANNOTATIONS = ['description', 'default', 'example', 'deprecated', 'discriminator']

const LIMITS = ['type', 'pattern', 'minLength', 'maxLength', 'minimum', 'maximum', 'maxItems', 'minProperties']

/** Formats of OpenAPI that no number fails. */
const FORMATS_WITHOUT_EFFECT = ['float', 'double']

/**
 * One way to write a schema, so that ours and the official one can be compared member by member:
 * without annotations, `nullable` as a choice, the parts of an `allOf` of objects in one object, lists of names in
 * order.
 */
export function normalForm(schema: JsonSchema): JsonSchema {
  const { nullable, ...rest } = schema
  if (nullable === true) return { anyOf: [normalForm(rest), { type: 'null' }].sort(byText) }
  const parts = (schema.allOf ?? []).map(normalForm)
  const objects = parts.filter(({ properties }) => properties !== undefined)
  const others = parts.filter(({ properties }) => properties === undefined)
  const conditions = [...others.flatMap(conditionsOf), ...negation(schema)]
  return [...objects, withoutAnnotations(schema)].reduce(merged, conditions.length > 0 ? { allOf: conditions } : {})
}

/** A condition that is only a list of conditions is that list. */
function conditionsOf(part: JsonSchema): readonly JsonSchema[] {
  const { allOf = [], ...rest } = part
  return Object.keys(rest).length === 0 ? allOf : [part]
}

function negation({ not }: JsonSchema): JsonSchema[] {
  return not === undefined ? [] : [{ not: normalForm(not) }]
}

function withoutAnnotations(schema: JsonSchema): JsonSchema {
  const { allOf, not, minItems, format, enum: values, required, properties, items, ...rest } = schema
  const { additionalProperties, anyOf, oneOf, ...limits } = rest
  return defined({
    ...limitsOf(limits),
    minItems: minItems || undefined,
    format: FORMATS_WITHOUT_EFFECT.includes(format ?? '') ? undefined : format,
    enum: values?.toSorted(),
    required: required?.toSorted(),
    properties: properties && mapped(properties),
    items: items && normalForm(items),
    additionalProperties: additionalProperties && normalForm(additionalProperties),
    anyOf: anyOf?.map(normalForm).toSorted(byText),
    oneOf: oneOf?.map(normalForm).toSorted(byText),
  })
}

/** A keyword that this form does not know would be lost from the comparison. */
function limitsOf(schema: JsonSchema): JsonSchema {
  const limits = Object.entries(schema).filter(([keyword]) => !ANNOTATIONS.includes(keyword))
  for (const [keyword] of limits) if (!LIMITS.includes(keyword)) throw new Error(`what does ${keyword} mean?`)
  return Object.fromEntries(limits)
}

function merged(one: JsonSchema, other: JsonSchema): JsonSchema {
  const required = [...new Set([...(one.required ?? []), ...(other.required ?? [])])].sort()
  const properties = one.properties && { ...one.properties, ...other.properties }
  return { ...one, ...other, ...(required.length > 0 && { required }), ...(properties && { properties }) }
}

function mapped(properties: Readonly<Record<string, JsonSchema>>): Record<string, JsonSchema> {
  return Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, normalForm(schema)]))
}

function defined(schema: Record<string, unknown>): JsonSchema {
  return Object.fromEntries(Object.entries(schema).filter(([, value]) => value !== undefined))
}

function byText(one: JsonSchema, other: JsonSchema): number {
  return text(one) < text(other) ? -1 : 1
}

function text(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? ''
  return Object.entries(value)
    .map(([key, inside]) => `${key}(${text(inside)})`)
    .sort()
    .join()
}
