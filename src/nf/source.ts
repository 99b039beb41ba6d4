/**
 * Whom one address stands for when requests are counted: an IPv4 address for itself, an IPv6 address for its /64, of
 * which whoever has one address has all (RFC 6177).
 *
 * @param address - as Node writes it; a zone may follow
 */
export function sourceOf(address: string | undefined): string {
  if (address === undefined) return 'unknown'
  const ipv4 = /^(?:::ffff:)?(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (ipv4 !== undefined) return ipv4
  const [head = '', tail] = address.toLowerCase().replace(/%.*$/, '').split('::')
  const groups = head === '' ? [] : head.split(':')
  const last = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = Array.from({ length: Math.max(0, 8 - groups.length - last.length) }, () => '0')
  return `${[...groups, ...zeros, ...last].slice(0, 4).join(':')}::/64`
}
