/** A length that our own caller owes us; what a peer sends is refused before it comes here. @throws RangeError */
export function requireLength(name: string, octets: Uint8Array, least: number, most = least): void {
  if (octets.length >= least && octets.length <= most) return
  throw new RangeError(`${name} has ${least === most ? least : `${least} to ${most}`} octets`)
}
