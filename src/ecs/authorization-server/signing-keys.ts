import type { KeyObject } from 'node:crypto'
import { type KeySet, keySetOf } from '../../tokens/key-set.ts'

/** The public half; the private one stays behind the port that makes and keeps it. */
export interface SigningKey {
  readonly publicKey: KeyObject
  /** since when verifiers can know it, milliseconds since 1970 like all times here */
  readonly publishedAt: number
}

/**
 * The keys that sign access tokens, each in one stage of its life (D-29, THREATS TK-13):
 * next (published, not signing yet), active (signs), retired (signs no more, still verifies), and then gone.
 */
export interface SigningKeys {
  readonly next?: SigningKey
  readonly active: SigningKey & { readonly activeSince: number }
  readonly retired: readonly (SigningKey & { readonly retiredAt: number })[]
}

/** In milliseconds. */
export interface KeySchedule {
  /** how long a key signs */
  readonly activeFor: number
  /** how long before that it is published, so that no verifier meets it unprepared */
  readonly publishedBefore: number
  /** how long after that it is published: not shorter than the life of a token, nor than 15 min */
  readonly publishedAfter: number
}

const DAY = 86_400_000
/** The longest life of an access token (D-11) and the skew of a verifier's clock (D-30). */
const LONGEST_USE = (900 + 30) * 1000

/** @param activeFor - milliseconds, an hour at least */
export function keySchedule(activeFor: number): KeySchedule {
  return { activeFor, publishedBefore: Math.min(DAY, activeFor / 4), publishedAfter: LONGEST_USE }
}

/**
 * The first key, which signs at once. It is also the answer to a compromise: the keys before it are gone, and with
 * them every token that they signed.
 */
export function startWith(publicKey: KeyObject, now: number): SigningKeys {
  return { active: { publicKey, publishedAt: now, activeSince: now }, retired: [] }
}

/** Whether it is time to make and publish the next key. */
export function needsNext({ next, active }: SigningKeys, now: number, schedule: KeySchedule): boolean {
  return next === undefined && now >= active.activeSince + schedule.activeFor - schedule.publishedBefore
}

/** Publishes the next key; before its time, if an operator wants to rotate. */
export function publishNext(keys: SigningKeys, publicKey: KeyObject, now: number): SigningKeys {
  return { ...keys, next: { publicKey, publishedAt: now } }
}

/**
 * What is due now: the next key becomes active once it was published long enough, and retires the one before;
 * a retired key is gone once the last token that it signed has expired.
 *
 * @returns the same object if nothing is due
 */
export function rotate(keys: SigningKeys, now: number, { publishedBefore, publishedAfter }: KeySchedule): SigningKeys {
  const { next, active } = keys
  const retired = keys.retired.filter(({ retiredAt }) => now < retiredAt + publishedAfter)
  if (next === undefined || now < next.publishedAt + publishedBefore) {
    return retired.length === keys.retired.length ? keys : { ...keys, retired }
  }
  const { publicKey, publishedAt } = active
  return {
    active: { ...next, activeSince: now },
    retired: [...retired, { publicKey, publishedAt, retiredAt: now }],
  }
}

/** When there will be something to do next. */
export function nextChangeAt({ next, active, retired }: SigningKeys, schedule: KeySchedule): number {
  const change = next
    ? next.publishedAt + schedule.publishedBefore
    : active.activeSince + schedule.activeFor - schedule.publishedBefore
  return Math.min(change, ...retired.map(({ retiredAt }) => retiredAt + schedule.publishedAfter))
}

/** What is published: also the key that does not sign yet. */
export function verificationKeys({ next, active, retired }: SigningKeys): KeySet {
  return keySetOf([...(next ? [next] : []), active, ...retired].map(({ publicKey }) => publicKey))
}

export interface SigningKeyPorts {
  readonly keySchedule: KeySchedule
  now(): number
  /** @returns undefined before the first start */
  loadSigningKeys(): Promise<SigningKeys | undefined>
  /** Makes a key pair on P-256; its private half is kept durably and sealed, under the name of the public one. */
  generateSigningKey(): Promise<KeyObject>
  /**
   * One commit: the keys take the place of those that were loaded, and private halves that sign no more are destroyed.
   *
   * @returns what is stored then: the keys of another process, if it was faster
   */
  storeSigningKeys(keys: SigningKeys, loaded: SigningKeys | undefined): Promise<SigningKeys>
}

/** Does what is due, at the start and at every `nextChangeAt`. Nothing signs or verifies before it is stored. */
export async function keepSigningKeys(ecs: SigningKeyPorts): Promise<SigningKeys> {
  const now = ecs.now()
  const loaded = await ecs.loadSigningKeys()
  if (loaded === undefined) return ecs.storeSigningKeys(startWith(await ecs.generateSigningKey(), now), undefined)
  const rotated = rotate(loaded, now, ecs.keySchedule)
  const keys = needsNext(rotated, now, ecs.keySchedule)
    ? publishNext(rotated, await ecs.generateSigningKey(), now)
    : rotated
  return keys === loaded ? loaded : ecs.storeSigningKeys(keys, loaded)
}
