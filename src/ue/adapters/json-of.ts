/** @returns undefined if the octets are not JSON: what is wrong with a file of ours is for its reader to say */
export function jsonOf(octets: Buffer): unknown {
  try {
    return JSON.parse(octets.toString())
  } catch {
    return undefined
  }
}
