import { type JsonValue, parseStrictJson } from '../octets/strict-json.ts'

export { isJsonObject, type JsonObject, type JsonValue } from '../octets/strict-json.ts'

const RULES = { maxDepth: 8, reservedNames: ['__proto__'] }

/**
 * JSON with one meaning (THREATS TK-10), at most 8 levels deep.
 *
 * @returns objects without prototype; undefined if the octets are anything else
 */
export function parseJson(octets: Uint8Array): JsonValue | undefined {
  try {
    return parseStrictJson(octets, RULES)
  } catch {
    return undefined
  }
}
