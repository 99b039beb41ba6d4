/** JSON Schema as far as the messages and the OpenAPI files of 3GPP use it. */
export interface JsonSchema {
  readonly type?: string
  readonly nullable?: boolean
  readonly enum?: readonly unknown[]
  readonly format?: string
  readonly pattern?: string
  readonly minLength?: number
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly items?: JsonSchema
  readonly minItems?: number
  readonly maxItems?: number
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: JsonSchema
  readonly minProperties?: number
  readonly anyOf?: readonly JsonSchema[]
  readonly oneOf?: readonly JsonSchema[]
  readonly allOf?: readonly JsonSchema[]
  readonly not?: JsonSchema
}

/** The schemas directly inside, and the root itself first. */
export function subschemas(root: JsonSchema): JsonSchema[] {
  const { properties, items, additionalProperties, anyOf, oneOf, allOf, not } = root
  const inside = [
    ...Object.values(properties ?? {}),
    ...(anyOf ?? []),
    ...(oneOf ?? []),
    ...(allOf ?? []),
    ...[items, additionalProperties, not].filter((schema) => schema !== undefined),
  ]
  return [root, ...inside.flatMap(subschemas)]
}
