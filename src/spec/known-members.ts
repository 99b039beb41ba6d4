import type { TSchema } from 'typebox'

/** As much of JSON Schema as says which members an object has. */
interface Shape {
  readonly properties?: Readonly<Record<string, TSchema>>
  readonly additionalProperties?: TSchema
  readonly items?: TSchema
  readonly anyOf?: readonly TSchema[]
  readonly oneOf?: readonly TSchema[]
  readonly allOf?: readonly TSchema[]
}

/** Whether a value is of a schema. Of a choice, only the alternatives that accept the value say what it has. */
export type Accepts = (schema: TSchema, value: unknown) => boolean

/**
 * A copy of a message with those members only that its schema knows, at every depth: a reader of 3GPP messages
 * ignores the others for forward compatibility, and we neither store nor echo them. Maps come back without prototype,
 * so that no identifier a peer chose finds `constructor` on them.
 *
 * @param value - accepted by the schema, and so is the result; of another value, parts may come back as they were
 */
export function onlyKnownMembers<Value>(schema: TSchema, value: Value, accepts: Accepts): Value {
  return known([schema], value, accepts) as Value
}

function known(schemas: readonly TSchema[], value: unknown, accepts: Accepts): unknown {
  if (typeof value !== 'object' || value === null) return value
  const shapes = schemas.flatMap((schema) => shapesOf(schema, value, accepts))
  if (!Array.isArray(value)) return knownMembers(shapes, value, accepts)
  const items = shapes.flatMap(({ items: item }) => item ?? [])
  return items.length > 0 ? value.map((item) => known(items, item, accepts)) : value
}

/** Everything in the schema that speaks of this very value. */
function shapesOf(schema: TSchema, value: object, accepts: Accepts): Shape[] {
  const shape: Shape = schema
  const alternatives = [...(shape.anyOf ?? []), ...(shape.oneOf ?? [])].filter(describesMembers)
  const taken = alternatives.filter((alternative) => accepts(alternative, value))
  return [shape, ...[...taken, ...(shape.allOf ?? [])].flatMap((part) => shapesOf(part, value, accepts))]
}

/** Not so where the alternatives only say which of the members described beside them are present. */
function describesMembers(alternative: TSchema): boolean {
  return Object.keys(alternative).some((keyword) => keyword !== 'required')
}

function knownMembers(shapes: readonly Shape[], value: object, accepts: Accepts): object {
  const describing = shapes.filter(({ properties, additionalProperties }) => properties ?? additionalProperties)
  if (describing.length === 0) return value
  const isMap = describing.some(({ additionalProperties }) => additionalProperties)
  // Without prototype, an entry named `__proto__` is an entry (THREATS HT-05).
  const copy: Record<string, unknown> = isMap ? Object.create(null) : {}
  for (const [name, member] of Object.entries(value)) {
    const schemas = describing.flatMap((shape) => schemaOfMember(shape, name))
    if (schemas.length > 0) copy[name] = known(schemas, member, accepts)
  }
  return copy
}

function schemaOfMember({ properties = {}, additionalProperties }: Shape, name: string): TSchema[] {
  const named = Object.hasOwn(properties, name) ? properties[name] : additionalProperties
  return named === undefined ? [] : [named]
}
