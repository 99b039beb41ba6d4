import { type Static, type TObject, type TSchema, type TUnsafe, Type } from 'typebox'

/**
 * The forms in which the OpenAPI files of 3GPP write data types (TS 29.501), so that a message reads as its table:
 * each form is the JSON Schema of the file and its TypeScript type in one value.
 */

/** A string that the whole pattern matches; patterns take linear time (THREATS HT-09). */
export function matching(pattern: RegExp) {
  return Type.String({ pattern: pattern.source })
}

/** Octets in hexadecimal, either case. */
export function hexDigits(count: number) {
  return matching(new RegExp(`^[A-Fa-f0-9]{${count}}$`))
}

/** A list that is either absent or has elements. */
export function listOf<Item extends TSchema>(item: Item) {
  return Type.Array(item, { minItems: 1 })
}

/**
 * A map from any string, often an identifier that the peer chose: never look a key up on an object with a prototype.
 */
export function mapOf<Value extends TSchema>(value: Value, { minProperties = 1 } = {}) {
  return Type.Unsafe<Record<string, Static<Value>>>({
    type: 'object',
    additionalProperties: value,
    ...(minProperties > 0 && { minProperties }),
  })
}

export function nullable<Schema extends TSchema>(schema: Schema) {
  return Type.Union([schema, Type.Null()])
}

/** An enumeration that later releases extend: a reader accepts values it does not know. */
export function openEnum<const Value extends string>(values: readonly Value[]): TUnsafe<Value | (string & {})> {
  return Type.Unsafe({ anyOf: [{ type: 'string', enum: [...values] }, { type: 'string' }] })
}

/** An enumeration that no release can extend: any other value is refused. */
export function closedEnum<const Value extends string>(values: readonly Value[]): TUnsafe<Value> {
  return Type.Unsafe({ type: 'string', enum: [...values] })
}

/** Exactly one of these schemas accepts the value. */
export function oneOf<Alternatives extends readonly TSchema[]>(...alternatives: Alternatives) {
  return Type.Unsafe<Static<Alternatives[number]>>({ oneOf: alternatives })
}

type Flat<Message> = { [Name in keyof Message]: Message[Name] }
type ExactlyOne<Message, Names extends keyof Message> = {
  [Name in Names]-?: Flat<
    Omit<Message, Names> & Required<Pick<Message, Name>> & { [Other in Exclude<Names, Name>]?: never }
  >
}[Names]
type AtLeastOne<Message, Names extends keyof Message> = {
  [Name in Names]-?: Flat<Message & Required<Pick<Message, Name>>>
}[Names]

/** Exactly one of these members is present. */
export function exactlyOneOf<Message extends TObject, Name extends keyof Static<Message> & string>(
  message: Message,
  names: readonly Name[],
): TUnsafe<ExactlyOne<Static<Message>, Name>> {
  return Type.Unsafe({ ...message, oneOf: names.map(presence) })
}

/** One of these members, or several, are present. */
export function atLeastOneOf<Message extends TObject, Name extends keyof Static<Message> & string>(
  message: Message,
  names: readonly Name[],
): TUnsafe<AtLeastOne<Static<Message>, Name>> {
  return Type.Unsafe({ ...message, anyOf: names.map(presence) })
}

/** Of each pair of members, at most one is present. */
export function notBoth<Message extends TObject, Name extends keyof Static<Message> & string>(
  message: Message,
  ...pairs: readonly (readonly [Name, Name])[]
): TUnsafe<Static<Message>> {
  return Type.Unsafe({ ...message, allOf: pairs.map((pair) => ({ not: { required: [...pair] } })) })
}

function presence(name: string): TSchema {
  return { required: [name] }
}
