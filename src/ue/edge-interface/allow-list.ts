import { encodeBase64url } from '../../octets/base64url.ts'
import { sameOctets, sha256 } from '../../octets/digest.ts'
import type { Random } from '../../ports/random.ts'
import { type EecId, parseEecId } from '../../spec/subscriber-identifiers.ts'

/** What an EEC may do at this UE, beside asking for its keys. */
export interface Permission {
  /** SHA-256 of its token, hexadecimal: no token can be read here */
  readonly tokenHash: string
  /** it may authenticate the subscriber to an entitlement server, and so learns the IMSI */
  readonly entitlement: boolean
}

/** An EEC that has shown its token. */
export interface AllowedEec extends Permission {
  readonly eecId: EecId
}

/** The EECs that may ask this UE. */
export type AllowList = ReadonlyMap<EecId, Permission>

/** 256 random bits: a guess is hopeless, so a plain hash of it is enough. */
export function newToken(random: Pick<Random, 'octets'>): string {
  return encodeBase64url(random.octets(32))
}

/** @returns what is kept in the place of a token, in hexadecimal digits */
export function hashOf(token: string): string {
  return sha256(token).toString('hex')
}

/** @returns the EEC whose token this is */
export function eecOf(allowed: AllowList, token: string): AllowedEec | undefined {
  const hash = sha256(token)
  let found: AllowedEec | undefined
  // All of them are compared, so that the time tells nothing of the place in the list.
  for (const [eecId, permission] of allowed) {
    if (sameOctets(hash, Buffer.from(permission.tokenHash, 'hex'))) found = { eecId, ...permission }
  }
  return found
}

/** As it is kept: the hash alone for an EEC that asks for keys and nothing else. */
export function allowListRecord(allowed: AllowList): object {
  const entries = [...allowed].map(([eecId, { tokenHash, entitlement }]) => [
    eecId,
    entitlement ? { tokenHash, entitlement } : tokenHash,
  ])
  return Object.fromEntries(entries)
}

/** @returns undefined if the record is not an allow-list */
export function parseAllowList(record: unknown): AllowList | undefined {
  if (typeof record !== 'object' || record === null || Array.isArray(record)) return undefined
  const entries = new Map<EecId, Permission>()
  for (const [name, value] of Object.entries(record)) {
    const eecId = parseEecId(name)
    const permission = parsePermission(value)
    if (eecId === undefined || permission === undefined) return undefined
    entries.set(eecId, permission)
  }
  return entries
}

function parsePermission(value: unknown): Permission | undefined {
  if (typeof value === 'string') return parsePermission({ tokenHash: value, entitlement: false })
  if (typeof value !== 'object' || value === null) return undefined
  const { tokenHash, entitlement } = value as Partial<Record<keyof Permission, unknown>>
  const wellFormed = typeof tokenHash === 'string' && /^[0-9a-f]{64}$/.test(tokenHash)
  return wellFormed && typeof entitlement === 'boolean' ? { tokenHash, entitlement } : undefined
}
