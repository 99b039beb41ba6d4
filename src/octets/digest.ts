import { hash, timingSafeEqual } from 'node:crypto'

/** A SHA-256 value in base64url: 43 characters, of which the last holds 4 bits only. */
const DIGEST = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/

export function sha256(octets: Uint8Array | string): Buffer {
  return hash('sha256', octets, 'buffer')
}

/** The form in which thumbprints travel: RFC 8705 3.1 `x5t#S256`, RFC 7638. */
export function sha256Base64url(octets: Uint8Array | string): string {
  return hash('sha256', octets, 'base64url')
}

/** Whether this is what `sha256Base64url` gives. */
export function isDigest(value: unknown): value is string {
  return typeof value === 'string' && DIGEST.test(value)
}

/** Constant time in the content; the lengths may be seen. */
export function sameOctets(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b)
}
