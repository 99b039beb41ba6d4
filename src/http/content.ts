import { Refusal, refuseUnless } from '../spec/refusal.ts'

/** How deep a message may nest: the deepest official one (EESProfile) needs 12. */
const MAX_DEPTH = 32
/** TS 29.510 AccessTokenReq has 27 members. */
const MAX_PARAMETERS = 32

const utf8 = new TextDecoder('utf-8', { fatal: true })

function text(octets: Uint8Array): string {
  try {
    return utf8.decode(octets)
  } catch (cause) {
    throw new Refusal('INVALID_MSG_FORMAT', 'the content is not UTF-8', { cause })
  }
}

/**
 * JSON as RFC 8259, with the tricks left out: no prototype names, no depth that only a parser survives (THREATS HT-05).
 */
export function parseJsonContent(octets: Uint8Array): unknown {
  const source = text(octets)
  refuseUnless(depthOf(source) <= MAX_DEPTH, 'INVALID_MSG_FORMAT', 'the content nests too deep')
  try {
    return JSON.parse(source, refusePrototypeNames)
  } catch (cause) {
    if (cause instanceof Refusal) throw cause
    throw new Refusal('INVALID_MSG_FORMAT', 'the content is not JSON', { cause })
  }
}

/** How deep the brackets of a JSON text nest, read before the parser sees it. */
function depthOf(source: string): number {
  let [depth, deepest, quoted] = [0, 0, false]
  for (let at = 0; at < source.length; at++) {
    const character = source.charCodeAt(at)
    if (quoted && character === 0x5c) at++
    else if (character === 0x22) quoted = !quoted
    else if (!quoted && (character === 0x7b || character === 0x5b)) deepest = Math.max(deepest, ++depth)
    else if (!quoted && (character === 0x7d || character === 0x5d)) depth--
  }
  return deepest
}

function refusePrototypeNames(name: string, value: unknown): unknown {
  refuseUnless(
    name !== '__proto__' && name !== 'constructor' && name !== 'prototype',
    'INVALID_MSG_FORMAT',
    'a member name is reserved',
  )
  return value
}

/** `application/x-www-form-urlencoded` or a query: each parameter once (RFC 6749 3.2), never an array, never an object. */
export function parseParameters(source: string): Record<string, string> {
  const parameters: Record<string, string> = Object.create(null)
  let count = 0
  for (const [name, value] of new URLSearchParams(source)) {
    refuseUnless(++count <= MAX_PARAMETERS, 'INVALID_MSG_FORMAT', 'there are too many parameters')
    refuseUnless(name !== '__proto__' && !(name in parameters), 'INVALID_MSG_FORMAT', 'a parameter is repeated')
    refuseUnless(!value.includes('\0') && !value.includes('\uFFFD'), 'INVALID_MSG_FORMAT', 'a parameter is not text')
    parameters[name] = value
  }
  return parameters
}

export function parseFormContent(octets: Uint8Array): Record<string, string> {
  return parseParameters(text(octets))
}

export function parseTextContent(octets: Uint8Array): string {
  return text(octets)
}
