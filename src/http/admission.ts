import type { TSchema } from 'typebox'
import { Refusal, refuseUnless } from '../spec/refusal.ts'
import type { Request } from './answer.ts'
import { findInvalidParam } from './schema.ts'

const MAX_FIELDS = 64
/** Characters of names and values: what `maxHeaderListSize` announces and nghttp2 does not enforce. */
const MAX_HEAD = 32_768
/** Their content means nothing (RFC 9110 9.3), so it is a place to hide a second request in. */
const CONTENTLESS = ['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE']
/** Fields of which two would leave a choice, and of which Node silently takes the first. */
const SINGLE_FIELDS = new Set([
  'host',
  'authorization',
  'dpop',
  'content-type',
  'content-length',
  'transfer-encoding',
  'if-match',
])

/**
 * What another HTTP implementation, in front of us or behind, might read differently (THREATS HT-03; RFC 9112 11.2).
 * Node's parsers refuse the rest: two framings, bare LF, folded fields, control characters.
 *
 * @returns the reason, or undefined if there is one reading only
 */
export function ambiguityOf({ raw, headers, originalUrl }: Request): string | undefined {
  const ambiguousField = ambiguityOfFields(raw.rawHeaders)
  if (ambiguousField !== undefined) return ambiguousField
  if (raw.stream === undefined && raw.httpVersion !== '1.1') return 'the version is neither HTTP/1.1 nor HTTP/2'
  const transferCoding = headers['transfer-encoding']
  if (transferCoding !== undefined && transferCoding.toLowerCase() !== 'chunked') return 'no transfer coding is taken'
  if (CONTENTLESS.includes(raw.method ?? '') && announcesContent(headers)) return 'the method takes no content'
  if (![undefined, 'https'].includes(headers[':scheme'] as string | undefined)) return 'the scheme is not https'
  const [, authorityOfTarget] = ABSOLUTE_FORM.exec(originalUrl) ?? []
  const named = [headers[':authority'], headers.host, authorityOfTarget].filter((host) => host !== undefined)
  if (new Set(named).size > 1) return 'the request names two hosts'
  if (headers[':authority'] === undefined && headers.host === undefined) return 'the request names no host'
  return ORIGIN_FORM.test(originForm(originalUrl)) ? undefined : 'the request target is not a path'
}

/** @param raw - names and values by turns */
function ambiguityOfFields(raw: readonly string[]): string | undefined {
  const length = raw.reduce((sum, text) => sum + text.length, 0)
  if (raw.length > 2 * MAX_FIELDS || length > MAX_HEAD) return 'there are too many fields'
  const seen = new Set<string>()
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at]?.toLowerCase() ?? ''
    if (!SINGLE_FIELDS.has(name)) continue
    if (seen.has(name)) return 'a field is repeated'
    seen.add(name)
  }
  return undefined
}

/** RFC 9112 3.2.1, with what RFC 3986 2 leaves to a path and a query, and no fragment. */
const ORIGIN_FORM = /^\/[\w\-.~!$&'()*+,;=:@/?%]*$/
const ABSOLUTE_FORM = /^https:\/\/([^/?#]*)(?=\/)/i

/** A server takes the absolute form too (RFC 9112 3.2.2). @returns the path and query of a request target */
export function originForm(target: string): string {
  return target.replace(ABSOLUTE_FORM, '')
}

/** One host a request, and it is ours: a name that differs would be judged by another's rules. */
export function refuseForeignHost({ headers }: Request, hosts: readonly string[]): void {
  const authority = (headers[':authority'] as string | undefined) ?? headers.host ?? ''
  const host = authority.toLowerCase().replace(/:\d{1,5}$/, '')
  refuseUnless(hosts.includes(host), 'MISDIRECTED_REQUEST', 'this server does not answer for that host')
}

/** RFC 3986 3.3 `segment-nz` after decoding, without the segments that mean another directory (THREATS HT-09). */
const SEGMENT = /^(?!\.{1,2}$)[\w\-.~!$&'()*+,;=:@]+$/

/** @throws Refusal RESOURCE_URI_STRUCTURE_NOT_FOUND if a path parameter could mean another resource */
export function refuseForeignParameters(params: Readonly<Record<string, string>>): void {
  const named = Object.values(params).every((value) => SEGMENT.test(value))
  refuseUnless(named, 'RESOURCE_URI_STRUCTURE_NOT_FOUND', 'this listener has no such resource')
}

/** RFC 8259 11 and RFC 8951 define no parameter; UTF-8 is what would be read anyway. */
const MEDIA_TYPE = /^([^\s;]+)[ \t]*(?:;[ \t]*charset="?utf-8"?[ \t]*)?$/i

/** @param mediaType - what the operation takes, one or a list, or undefined if it takes no content */
export function refuseForeignContent({ headers }: Request, mediaType: string | readonly string[] | undefined): void {
  const coding = headers['content-encoding']
  refuseUnless(coding === undefined, 'UNSUPPORTED_MEDIA_TYPE', 'content codings are not taken')
  if (mediaType === undefined) {
    refuseAnnouncedContent(headers)
    return
  }
  // As nearly everybody writes it.
  if (headers['content-type'] === mediaType) return
  const [, given] = MEDIA_TYPE.exec(headers['content-type'] ?? '') ?? []
  const taken = [mediaType].flat()
  const isTaken = given !== undefined && taken.includes(given.toLowerCase())
  refuseUnless(isTaken, 'UNSUPPORTED_MEDIA_TYPE', `the content must be ${taken.join(' or ')}`)
}

function refuseAnnouncedContent(headers: Request['headers']): void {
  refuseUnless(!announcesContent(headers), 'UNSUPPORTED_MEDIA_TYPE', 'this operation takes no content')
  // A type without content is harmless, but would have the framework parse it.
  delete headers['content-type']
}

function announcesContent(headers: Request['headers']): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

/** @throws Refusal MANDATORY_IE_MISSING, MANDATORY_IE_INCORRECT, with the first member that is wrong */
export function refuseInvalidContent(schema: TSchema, body: unknown): void {
  const invalid = findInvalidParam(schema, body)
  if (invalid === undefined) return
  const code = invalid.reason?.startsWith('must have required') ? 'MANDATORY_IE_MISSING' : 'MANDATORY_IE_INCORRECT'
  throw new Refusal(code, 'the content is not of the type of this operation', { invalidParams: [invalid] })
}
