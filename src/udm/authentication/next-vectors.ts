import { type AuthenticationVector, authenticationVector, verifyAuts } from '../../keys/aka.ts'
import { nextSqn, resynchronise } from '../../keys/sqn.ts'
import type { Random } from '../../ports/random.ts'
import { Refusal, refuseUnless } from '../../spec/refusal.ts'
import type { Supi } from '../../spec/subscriber-identifiers.ts'
import type { Subscriber } from '../subscriber.ts'

/** What a USIM answered when it found SQN out of range: TS 33.102 6.3.5. */
export interface Resynchronisation {
  /** 16 octets, of the challenge that AUTS answers */
  readonly rand: Buffer
  /** 14 octets */
  readonly auts: Buffer
}

export interface VectorPorts {
  readonly random: Pick<Random, 'octets'>
  findSubscriber(supi: Supi): Promise<Subscriber | undefined>
  /** Stores SQN_HE, if it is still what it was; resolves when it is on disk. */
  storeSqn(supi: Supi, was: number, becomes: number): Promise<void>
  /** Runs one after the other what is for one subscriber. @throws Refusal NF_CONGESTION if too much waits */
  inTurn<Result>(supi: Supi, work: () => Promise<Result>): Promise<Result>
}

interface Wanted {
  readonly count: number
  readonly resynchronisation?: Resynchronisation | undefined
  /** of the vectors, from that of the subscription */
  readonly amf?: (subscribed: number) => number
}

/**
 * The next vectors of a subscriber, of whatever method they are for: TS 33.102 6.3.2, 6.3.5.
 *
 * @throws Refusal USER_NOT_FOUND, AUTHENTICATION_REJECTED, NF_CONGESTION
 */
export async function nextVectors(
  udm: VectorPorts,
  supi: Supi,
  { count, resynchronisation, amf = (subscribed) => subscribed }: Wanted,
): Promise<{ readonly subscriber: Subscriber; readonly vectors: AuthenticationVector[] }> {
  const { subscriber, sqns } = await udm.inTurn(supi, async () => {
    const found = await udm.findSubscriber(supi)
    refuseUnless(found !== undefined, 'USER_NOT_FOUND', 'there is no such subscriber')

    // After a synchronisation failure the USIM says how far its SQN is.
    const sqnHe = resynchronisation === undefined ? found.sqnHe : resynchronised(found, resynchronisation)

    // An SQN is on disk before it is used, so none is ever used twice (TS 33.102 C.1.2).
    const drawn = nextSqns(sqnHe, count)
    await udm.storeSqn(supi, found.sqnHe, drawn.at(-1) ?? sqnHe)
    return { subscriber: found, sqns: drawn }
  })
  const { keys } = subscriber
  const vectors = sqns.map((sqn) =>
    authenticationVector(keys, { rand: udm.random.octets(16), sqn, amf: amf(subscriber.amf) }),
  )
  return { subscriber, vectors }
}

function resynchronised({ keys, sqnHe }: Subscriber, { rand, auts }: Resynchronisation): number {
  const sqnMs = verifyAuts(keys, rand, auts)
  refuseUnless(sqnMs !== undefined, 'AUTHENTICATION_REJECTED', 'AUTS is not of this subscriber and challenge')
  return resynchronise(sqnHe, sqnMs)
}

function nextSqns(sqnHe: number, count: number): number[] {
  const sqns: number[] = []
  try {
    for (let sqn = sqnHe; sqns.length < count; sqns.push(sqn)) sqn = nextSqn(sqn)
    return sqns
  } catch (cause) {
    throw new Refusal('AUTHENTICATION_REJECTED', 'the subscription is used up', { cause })
  }
}
