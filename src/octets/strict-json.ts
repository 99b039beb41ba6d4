export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject
export interface JsonObject {
  readonly [name: string]: JsonValue
}

export interface JsonRules {
  /** how many arrays and objects may stand inside each other */
  readonly maxDepth: number
  /** member names that are refused wherever they stand */
  readonly reservedNames: readonly string[]
}

/**
 * JSON that has one meaning only. On top of RFC 8259: valid UTF-8 without byte order mark, no member name twice, no
 * lone surrogate, no number beyond binary64 (RFC 7493 2). Two readers of such a text cannot disagree on what it says.
 *
 * @returns objects without prototype
 * @throws SyntaxError that repeats nothing of the text
 */
export function parseStrictJson(octets: Uint8Array, { maxDepth, reservedNames }: JsonRules): JsonValue {
  const text = decode(octets)
  const { depth, members } = measure(text)
  if (depth > maxDepth) throw new SyntaxError('nested too deeply')
  const copy = new Copy(reservedNames)
  const value = copy.of(parse(text))
  // A name that stood twice in an object left one member only.
  if (copy.members !== members) throw new SyntaxError('a member name is repeated')
  return value
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function decode(octets: Uint8Array): string {
  try {
    return utf8.decode(octets)
  } catch {
    throw new SyntaxError('not UTF-8')
  }
}

/** JSON.parse, whose own error quotes the text. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new SyntaxError('not a JSON text')
  }
}

const QUOTE = 0x22
const BACKSLASH = 0x5c

/**
 * How deep the brackets nest and how many members there are, outside of strings; what is not JSON is measured as well.
 */
function measure(text: string): { depth: number; members: number } {
  let [level, depth, members] = [0, 0, 0]
  for (let at = 0; at < text.length; at++) {
    const character = text.charCodeAt(at)
    if (character === QUOTE) at = endOfString(text, at + 1)
    else if (character === 0x7b || character === 0x5b) depth = Math.max(depth, ++level)
    else if (character === 0x7d || character === 0x5d) level--
    else if (character === 0x3a) members++
  }
  return { depth, members }
}

function endOfString(text: string, start: number): number {
  let at = start
  while (at < text.length) {
    const character = text.charCodeAt(at)
    if (character === QUOTE) return at
    at += character === BACKSLASH ? 2 : 1
  }
  return at
}

/** What JSON.parse made, member by member: its depth is known by now, so recursion ends. */
class Copy {
  readonly #reserved: readonly string[]
  members = 0

  constructor(reserved: readonly string[]) {
    this.#reserved = reserved
  }

  of(value: unknown): JsonValue {
    if (typeof value === 'string') return wellFormed(value)
    if (typeof value === 'number') return finite(value)
    if (Array.isArray(value)) return value.map((element) => this.of(element))
    if (typeof value === 'object' && value !== null) return this.#object(value as Record<string, unknown>)
    return value as null | boolean
  }

  #object(value: Record<string, unknown>): JsonObject {
    const object: Record<string, JsonValue> = Object.create(null)
    const names = Object.keys(value)
    for (const name of names) {
      if (this.#reserved.includes(name)) throw new SyntaxError('a member name is reserved')
      object[wellFormed(name)] = this.of(value[name])
    }
    this.members += names.length
    return object
  }
}

function wellFormed(text: string): string {
  if (!text.isWellFormed()) throw new SyntaxError('a lone surrogate')
  return text
}

function finite(number: number): number {
  if (!Number.isFinite(number)) throw new SyntaxError('not a number of binary64')
  return number
}
