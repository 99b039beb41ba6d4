/**
 * Sequence numbers: TS 33.102 Annex C, not time-based (profile 2 of C.3.2), SQN = SEQ || IND (C.1.1.1).
 *
 * Everything is a function from a state to the next one; who stores the state stores it before the SQN is used.
 */

/** How SQN is cut and how far the USIM lets it jump. The AuC and the USIM of one subscription have the same. */
export interface SqnScheme {
  /** bits of IND, so that the array has 2^indLength elements: 5 in C.3.2 */
  readonly indLength: number
  /** Delta of C.2.1: the greatest jump of SEQ above SEQ_MS that the USIM accepts */
  readonly delta: number
  /** L of C.2.2: SEQ is too old if SEQ_MS - SEQ reaches it; without it only the array decides */
  readonly ageLimit?: number
}

/** C.3.2. */
export const SQN_SCHEME: SqnScheme = { indLength: 5, delta: 2 ** 28 }

/** In the USIM: SEQ_MS(0) to SEQ_MS(a - 1), the highest SEQ accepted for each IND (C.2.2). */
export interface UsimSqnState {
  readonly seqMs: readonly number[]
}

type SqnVerdict =
  | { readonly fresh: true; readonly state: UsimSqnState }
  | { readonly fresh: false; readonly sqnMs: number }

const SQN_BITS = 48

/** A USIM that has seen no challenge yet: zeros everywhere (C.2.2). */
export function newUsimSqnState({ indLength }: SqnScheme = SQN_SCHEME): UsimSqnState {
  return { seqMs: new Array<number>(2 ** indLength).fill(0) }
}

/**
 * In the AuC: the SQN of the next authentication vector, which is the new SQN_HE. SEQ goes up by one, IND goes round.
 *
 * @param sqnHe - the last SQN that was used, 0 for a new subscription
 * @throws RangeError if SEQ is used up; it never wraps around
 * @see TS 33.102 C.1.1.1, C.1.2
 */
export function nextSqn(sqnHe: number, { indLength }: SqnScheme = SQN_SCHEME): number {
  const { seq, ind } = split(sqnHe, indLength)
  const sizeOfArray = 2 ** indLength
  const sqn = (seq + 1) * sizeOfArray + ((ind + 1) % sizeOfArray)
  if (sqn >= 2 ** SQN_BITS) throw new RangeError('the sequence numbers of this subscription are used up')
  return sqn
}

/**
 * In the AuC, after `verifyAuts`: SQN_HE stays if the USIM would accept the next SQN, else it becomes SQN_MS.
 *
 * @returns the new SQN_HE
 * @see TS 33.102 6.3.5
 */
export function resynchronise(sqnHe: number, sqnMs: number, scheme: SqnScheme = SQN_SCHEME): number {
  const seqMs = split(sqnMs, scheme.indLength).seq
  const next = split(sqnHe, scheme.indLength).seq + 1
  return next > seqMs && next - seqMs <= scheme.delta ? sqnHe : sqnMs
}

/**
 * In the USIM, after `verifyAutn`: is SQN fresh? An SQN that was accepted once is never accepted again.
 *
 * @param sqn - 0 to 2^48 - 1
 * @returns the state to store, or SQN_MS for AUTS
 * @see TS 33.102 C.2.1, C.2.2
 */
export function verifySqn(state: UsimSqnState, sqn: number, scheme: SqnScheme = SQN_SCHEME): SqnVerdict {
  const { indLength, delta, ageLimit = Number.POSITIVE_INFINITY } = scheme
  if (state.seqMs.length !== 2 ** indLength) throw new RangeError('the array of the USIM is of another scheme')
  const { seq, ind } = split(sqn, indLength)
  const highest = Math.max(...state.seqMs)
  const fresh = seq - highest <= delta && highest - seq < ageLimit && seq > (state.seqMs[ind] ?? 0)
  if (fresh) return { fresh, state: { seqMs: state.seqMs.with(ind, seq) } }
  return { fresh, sqnMs: highest * 2 ** indLength + state.seqMs.indexOf(highest) }
}

/** @throws RangeError unless SQN is an integer of 48 bits */
function split(sqn: number, indLength: number): { seq: number; ind: number } {
  if (!Number.isInteger(sqn) || sqn < 0 || sqn >= 2 ** SQN_BITS) throw new RangeError('SQN has 48 bits')
  return { seq: Math.floor(sqn / 2 ** indLength), ind: sqn % 2 ** indLength }
}
