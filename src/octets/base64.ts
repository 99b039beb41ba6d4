/**
 * base64 with padding (RFC 4648 4) as PEM and EST carry it: line breaks are allowed between groups, nothing else is.
 *
 * @returns undefined unless encoding the result again gives the same text
 */
export function decodeBase64(text: string): Buffer | undefined {
  const joined = text.replaceAll(/[\r\n]/g, '')
  const octets = Buffer.from(joined, 'base64')
  return octets.toString('base64') === joined ? octets : undefined
}
