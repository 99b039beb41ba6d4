import type { TSchema } from 'typebox'
import { Refusal } from '../spec/refusal.ts'
import type { Request } from './answer.ts'
import { findInvalidParam } from './schema.ts'

export function refuseForeignContent(request: Request, mediaType: string | undefined): void {
  const { headers } = request
  const [given] = (headers['content-type'] ?? '').split(';', 1)
  const coding = headers['content-encoding']
  if (coding !== undefined && coding !== 'identity') {
    throw new Refusal('UNSUPPORTED_MEDIA_TYPE', 'content codings are not taken')
  }
  if (mediaType === undefined || given?.trim().toLowerCase() === mediaType) return
  throw new Refusal('UNSUPPORTED_MEDIA_TYPE', `the content must be ${mediaType}`)
}

export function refuseInvalidContent(schema: TSchema, body: unknown): void {
  const invalid = findInvalidParam(schema, body)
  if (invalid === undefined) return
  const code = invalid.reason?.startsWith('must have required') ? 'MANDATORY_IE_MISSING' : 'MANDATORY_IE_INCORRECT'
  throw new Refusal(code, 'the content is not of the type of this operation', { invalidParams: [invalid] })
}

/** One host a request, and it is ours (THREATS HT-03): a name that differs would be judged by another's rules. */
export function refuseForeignHost({ headers }: Request, hosts: readonly string[]): void {
  const authority = headers[':authority'] as string | undefined
  if (authority !== undefined && headers.host !== undefined && headers.host !== authority) {
    throw new Refusal('INVALID_MSG_FORMAT', 'the request names two hosts')
  }
  const host = (authority ?? headers.host ?? '').toLowerCase().replace(/:\d{1,5}$/, '')
  if (!hosts.includes(host)) throw new Refusal('MISDIRECTED_REQUEST', 'this server does not answer for that host')
}
