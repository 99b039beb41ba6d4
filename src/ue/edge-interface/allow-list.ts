import { encodeBase64url } from '../../octets/base64url.ts'
import { sameOctets, sha256 } from '../../octets/digest.ts'
import type { Random } from '../../ports/random.ts'
import { type EecId, parseEecId } from '../../spec/subscriber-identifiers.ts'

/** The EECs that may ask this UE for keys: SHA-256 of the token of each, hexadecimal, by EEC ID. No token can be read here. */
export type AllowList = ReadonlyMap<EecId, string>

/** 256 random bits: a guess is hopeless, so a plain hash of it is enough. */
export function newToken(random: Pick<Random, 'octets'>): string {
  return encodeBase64url(random.octets(32))
}

export function hashOf(token: string): string {
  return sha256(token).toString('hex')
}

/** @returns the EEC whose token this is */
export function eecOf(allowed: AllowList, token: string): EecId | undefined {
  const hash = sha256(token)
  let found: EecId | undefined
  // All of them are compared, so that the time tells nothing of the place in the list.
  for (const [eecId, known] of allowed) if (sameOctets(hash, Buffer.from(known, 'hex'))) found = eecId
  return found
}

/** @returns undefined if the record is not an allow-list */
export function parseAllowList(record: unknown): AllowList | undefined {
  if (typeof record !== 'object' || record === null || Array.isArray(record)) return undefined
  const entries = new Map<EecId, string>()
  for (const [name, hash] of Object.entries(record)) {
    const eecId = parseEecId(name)
    if (eecId === undefined || typeof hash !== 'string' || !/^[0-9a-f]{64}$/.test(hash)) return undefined
    entries.set(eecId, hash)
  }
  return entries
}
