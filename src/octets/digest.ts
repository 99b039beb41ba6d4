import { hash, timingSafeEqual } from 'node:crypto'

export function sha256(octets: Uint8Array | string): Buffer {
  return hash('sha256', octets, 'buffer')
}

/** The form in which thumbprints travel: RFC 8705 3.1 `x5t#S256`, RFC 7638. */
export function sha256Base64url(octets: Uint8Array | string): string {
  return hash('sha256', octets, 'base64url')
}

/** Constant time in the content; the lengths may be seen. */
export function sameOctets(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b)
}
