const MAX_DEPTH = 64

/**
 * The one text of a JSON value: RFC 8785 (JCS). Both ends of a connection can hash a value that they hold parsed.
 *
 * @param value - as JSON.parse makes it
 * @returns undefined for what JCS cannot write (a lone surrogate, no JSON value) and for more than 64 levels
 */
export function canonicalJson(value: unknown, depth = 0): string | undefined {
  if (typeof value === 'string') return value.isWellFormed() ? JSON.stringify(value) : undefined
  if (typeof value === 'number') return Number.isFinite(value) ? JSON.stringify(value) : undefined
  if (typeof value === 'boolean' || value === null) return String(value)
  if (typeof value !== 'object' || depth === MAX_DEPTH) return undefined
  return Array.isArray(value) ? canonicalArray(value, depth + 1) : canonicalObject(value, depth + 1)
}

function canonicalArray(elements: readonly unknown[], depth: number): string | undefined {
  const texts = elements.map((element) => canonicalJson(element, depth))
  return texts.includes(undefined) ? undefined : `[${texts.join(',')}]`
}

function canonicalObject(members: object, depth: number): string | undefined {
  const texts = Object.entries(members)
    // RFC 8785 3.2.3 sorts by UTF-16 code units, and so does a comparison of strings.
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => [canonicalJson(name), canonicalJson(value, depth)])
  return texts.some((member) => member.includes(undefined))
    ? undefined
    : `{${texts.map((member) => member.join(':')).join(',')}}`
}
