/**
 * base64url without padding (RFC 4648 5, RFC 7515 2), decoded strictly: Node's own decoder accepts the other alphabet,
 * white space, padding and non-canonical endings (THREATS TK-10), so two texts could mean one token.
 *
 * @returns undefined unless encoding the result again gives the same text
 */
export function decodeBase64url(text: string): Buffer | undefined {
  const octets = Buffer.from(text, 'base64url')
  return octets.toString('base64url') === text ? octets : undefined
}

export function encodeBase64url(octets: Uint8Array | string): string {
  return Buffer.from(octets as Uint8Array).toString('base64url')
}
