import { type JsonValue, parseStrictJson } from '../octets/strict-json.ts'
import { Refusal, refuseUnless } from '../spec/refusal.ts'

/** Names that reach a prototype in code that copies members without thinking (THREATS HT-05). */
const RESERVED_NAMES = ['__proto__', 'constructor', 'prototype']
/** How deep a message may nest: the deepest official one (EESProfile) needs 12. */
const JSON_RULES = { maxDepth: 32, reservedNames: RESERVED_NAMES }
/** TS 29.510 AccessTokenReq has 27 members. */
const MAX_FORM_PARAMETERS = 32
const MAX_QUERY_PARAMETERS = 16

/** JSON with one meaning: no name twice, none that reaches a prototype, no depth that only a parser survives. */
export function parseJsonContent(octets: Uint8Array): JsonValue {
  try {
    return parseStrictJson(octets, JSON_RULES)
  } catch (cause) {
    throw new Refusal('INVALID_MSG_FORMAT', 'the content is not JSON with one meaning', { cause })
  }
}

/** The part of the request target after `?`; undefined or empty if there is none. */
export function parseQuery(source = ''): Record<string, string> {
  return parseParameters(source, MAX_QUERY_PARAMETERS)
}

/** @throws Refusal INVALID_MSG_FORMAT */
export function parseFormContent(octets: Uint8Array): Record<string, string> {
  return parseParameters(parseTextContent(octets), MAX_FORM_PARAMETERS)
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** UTF-8 and nothing else; a byte order mark is a character like others. @throws Refusal INVALID_MSG_FORMAT */
export function parseTextContent(octets: Uint8Array): string {
  try {
    return utf8.decode(octets)
  } catch (cause) {
    throw new Refusal('INVALID_MSG_FORMAT', 'the content is not UTF-8', { cause })
  }
}

/** `application/x-www-form-urlencoded`: each parameter once (RFC 6749 3.2), never an array, never an object. */
function parseParameters(source: string, most: number): Record<string, string> {
  const parameters: Record<string, string> = Object.create(null)
  const pairs = source.split('&').filter((pair) => pair !== '')
  refuseUnless(pairs.length <= most, 'INVALID_MSG_FORMAT', 'there are too many parameters')
  for (const pair of pairs) {
    const equals = pair.indexOf('=')
    const name = decodeParameter(equals === -1 ? pair : pair.slice(0, equals))
    refuseUnless(!RESERVED_NAMES.includes(name), 'INVALID_MSG_FORMAT', 'a parameter name is reserved')
    refuseUnless(!(name in parameters), 'INVALID_MSG_FORMAT', 'a parameter is repeated')
    parameters[name] = equals === -1 ? '' : decodeParameter(pair.slice(equals + 1))
  }
  return parameters
}

const UNRESERVED = /^[\w.~-]*$/

/** Strictly: URLSearchParams would take a broken escape as it stands, and replace what is not UTF-8. */
function decodeParameter(encoded: string): string {
  if (UNRESERVED.test(encoded)) return encoded
  try {
    const text = decodeURIComponent(encoded.replaceAll('+', ' '))
    refuseUnless(!text.includes('\0'), 'INVALID_MSG_FORMAT', 'a parameter is not text')
    return text
  } catch (cause) {
    if (cause instanceof Refusal) throw cause
    throw new Refusal('INVALID_MSG_FORMAT', 'a parameter is not well formed', { cause })
  }
}
