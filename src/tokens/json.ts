export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject
export interface JsonObject {
  readonly [name: string]: JsonValue
}

const MAX_DEPTH = 8

/** One lexical token of RFC 8259 after its white space: a structural character, a string, a number or a literal name. */
const LEXEME =
  /[\t\n\r ]*(?:([{}[\],:])|("(?:[\x20\x21\x23-\x5b\x5d-\uffff]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")|(-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)|(true|false|null))/y

/**
 * JSON that has one meaning only (THREATS TK-10). On top of RFC 8259: valid UTF-8 without byte order mark, at most 8
 * levels, no member name twice and none called `__proto__`, no lone surrogate, no number beyond binary64 (RFC 7493 2).
 *
 * @returns objects without prototype; undefined if the octets are anything else
 */
export function parseJson(octets: Uint8Array): JsonValue | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(octets)
    return new Reader(text).document()
  } catch {
    return undefined
  }
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

class Reader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  document(): JsonValue {
    const value = this.#value(this.#next(), 0)
    if (/[^\t\n\r ]/.test(this.#text.slice(this.#at))) throw new SyntaxError('text after the value')
    return value
  }

  #next(): string {
    LEXEME.lastIndex = this.#at
    const match = LEXEME.exec(this.#text)
    if (!match) throw new SyntaxError('not a JSON text')
    this.#at = LEXEME.lastIndex
    return match[1] ?? match[2] ?? match[3] ?? match[4] ?? ''
  }

  #value(lexeme: string, depth: number): JsonValue {
    if (lexeme === '{') return this.#object(depth + 1)
    if (lexeme === '[') return this.#array(depth + 1)
    if (lexeme.startsWith('"')) return stringOf(lexeme)
    if (lexeme === 'true') return true
    if (lexeme === 'false') return false
    if (lexeme === 'null') return null
    return numberOf(lexeme)
  }

  #object(depth: number): JsonObject {
    if (depth > MAX_DEPTH) throw new SyntaxError('nested too deeply')
    const members: Record<string, JsonValue> = Object.create(null)
    let lexeme = this.#next()
    if (lexeme === '}') return members
    for (;;) {
      const name = stringOf(lexeme)
      if (name === '__proto__' || name in members) throw new SyntaxError('a member name that is forbidden or repeated')
      if (this.#next() !== ':') throw new SyntaxError('a member without value')
      members[name] = this.#value(this.#next(), depth)
      const separator = this.#next()
      if (separator === '}') return members
      if (separator !== ',') throw new SyntaxError('members without comma')
      lexeme = this.#next()
    }
  }

  #array(depth: number): readonly JsonValue[] {
    if (depth > MAX_DEPTH) throw new SyntaxError('nested too deeply')
    const elements: JsonValue[] = []
    let lexeme = this.#next()
    if (lexeme === ']') return elements
    for (;;) {
      elements.push(this.#value(lexeme, depth))
      const separator = this.#next()
      if (separator === ']') return elements
      if (separator !== ',') throw new SyntaxError('elements without comma')
      lexeme = this.#next()
    }
  }
}

function stringOf(lexeme: string): string {
  if (!lexeme.startsWith('"')) throw new SyntaxError('not a string')
  const text: string = lexeme.includes('\\') ? JSON.parse(lexeme) : lexeme.slice(1, -1)
  if (!text.isWellFormed()) throw new SyntaxError('a lone surrogate')
  return text
}

function numberOf(lexeme: string): number {
  const number = Number(lexeme)
  if (!Number.isFinite(number)) throw new SyntaxError('not a number of binary64')
  return number
}
