import { createHash } from 'node:crypto'

/** The n-th of the keys that listener and clients of the bench share. */
export function pskOf(n: number): { readonly identity: string; readonly psk: Buffer } {
  const kid = createHash('sha256').update(`kid ${n}`).digest('hex').slice(0, 32)
  const identity = `e0123456789abcdef.rid0.kid${kid}@edge.5gc.mnc001.mcc001.3gppnetwork.org`
  return { identity, psk: createHash('sha256').update(`key ${n}`).digest() }
}
