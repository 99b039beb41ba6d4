import fc from 'fast-check'
import { type JsonSchema, subschemas } from './json-schema.ts'

/** A place in a message: the value stands in `holder` under `key`. */
interface Place {
  readonly holder: Record<string, unknown> | unknown[]
  readonly key: string | number
}

export interface Twist {
  /** which place, of all there are */
  readonly place: number
  /** which change, of all that fit there */
  readonly change: number
  /** for the changes that add a member */
  readonly name: string
  /** for the changes of a number */
  readonly number: number
}

/** Twists that aim at the names and the limits of a schema. */
export function twistsFor(schema: JsonSchema): fc.Arbitrary<Twist> {
  const parts = subschemas(schema)
  const names = parts.flatMap(({ properties }) => Object.keys(properties ?? {}))
  const limits = parts.flatMap(({ minimum, maximum }) => [minimum, maximum]).filter((limit) => limit !== undefined)
  const numbers = limits.flatMap((limit) => [limit - 1, limit, limit + 1])
  return fc.record({
    place: fc.nat(),
    change: fc.nat(),
    name: fc.constantFrom('unknown', ...new Set(names)),
    number: fc.constantFrom(2 ** 31, 2 ** 31 - 1, ...new Set(numbers)),
  })
}

/**
 * A copy of a message with one thing changed: a member dropped or added, a list emptied or overfull,
 * a value of another type, a number beyond its range, a string that just misses its pattern.
 */
export function nearMiss(message: unknown, twist: Twist): unknown {
  const copy = { message: structuredClone(message) }
  const places = placesIn(copy)
  const { holder, key } = places[twist.place % places.length] ?? { holder: copy, key: 'message' }
  const value = Reflect.get(holder, key)
  const changes = [...OTHER_VALUES.map((other) => () => other), ...changesOf(value, twist)]
  const change = changes[twist.change % (changes.length + 1)]
  if (change !== undefined) set(holder, key, change())
  else if (Array.isArray(holder)) holder.splice(Number(key), 1)
  else if (holder !== copy) Reflect.deleteProperty(holder, key)
  return copy.message
}

const OTHER_VALUES = [null, true, 0, -1, 1.5, 2 ** 40, '', 'x', [], {}, [null], { x: 1 }]

function placesIn(holder: object): Place[] {
  const here = Array.isArray(holder) ? [...holder.keys()] : Object.keys(holder)
  return here.flatMap((key) => {
    const value: unknown = Reflect.get(holder, key)
    const place = { holder: holder as Place['holder'], key }
    return typeof value === 'object' && value !== null ? [place, ...placesIn(value)] : [place]
  })
}

function changesOf(value: unknown, { name, number }: Twist): (() => unknown)[] {
  if (typeof value === 'number') return Array(6).fill(() => number)
  if (typeof value === 'string') return changesOfText(value)
  if (Array.isArray(value)) return [() => Array(16).fill(value[0]), () => [...value, ...value], () => [...value, null]]
  if (typeof value !== 'object' || value === null) return []
  return ['x', ['x'], 1, {}, true, null].map((member) => () => ({ ...value, [name]: member }))
}

function changesOfText(text: string): (() => unknown)[] {
  const texts = [text.slice(1), text.slice(0, -1), `${text}0`, `0${text}`, `${text} `, `${text}\n`, `\n${text}`]
  const others = [text + text, text.toUpperCase(), text.toLowerCase(), text.replace(/.$/, 'g'), text.replace('-', '_')]
  return [...texts, ...others].map((other) => () => other)
}

function set(holder: Place['holder'], key: string | number, value: unknown): void {
  // Not an assignment, which a key named __proto__ would divert.
  Object.defineProperty(holder, key, { value, enumerable: true, configurable: true, writable: true })
}
