import { buildAuts, type VerifiedChallenge, verifyAutn } from '../../keys/aka.ts'
import type { SubscriberKeys } from '../../keys/milenage.ts'
import { type UsimSqnState, verifySqn } from '../../keys/sqn.ts'

/** SEQ_MS of each IND, kept as the card keeps it. */
export interface SqnStore {
  load(): Promise<UsimSqnState>
  /** Resolves when it is on disk. */
  save(state: UsimSqnState): Promise<void>
}

export interface Usim {
  readonly keys: SubscriberKeys
  readonly sqn: SqnStore
}

export interface Challenge {
  /** 16 octets */
  readonly rand: Buffer
  /** 16 octets */
  readonly autn: Buffer
}

export type UsimAnswer =
  | { readonly outcome: 'accepted'; readonly verified: VerifiedChallenge }
  | { readonly outcome: 'mac-failure' }
  /** AUTS has 14 octets */
  | { readonly outcome: 'synchronisation-failure'; readonly auts: Buffer }

/**
 * AUTHENTICATE in the USIM: TS 33.102 6.3.3, TS 33.501 6.1.3.2 step 7.
 *
 * A sequence number is on disk before anybody learns RES, so that no crash lets it be used again.
 */
export async function authenticate({ keys, sqn }: Usim, { rand, autn }: Challenge): Promise<UsimAnswer> {
  const verified = verifyAutn(keys, rand, autn)
  if (verified === undefined) return { outcome: 'mac-failure' }
  const verdict = verifySqn(await sqn.load(), verified.sqn)
  if (!verdict.fresh) return { outcome: 'synchronisation-failure', auts: buildAuts(keys, rand, verdict.sqnMs) }
  await sqn.save(verdict.state)
  return { outcome: 'accepted', verified }
}
