import { concealedSqn, isSeparationBitSet } from '../../keys/aka.ts'
import { deriveKausf, deriveResStar } from '../../keys/five-g-aka.ts'
import type { Kausf } from '../../keys/key.ts'
import type { ServingNetworkName } from '../../spec/subscriber-identifiers.ts'
import type { AuthenticationFailure } from '../errors.ts'
import { authenticate, type Challenge, type Usim } from '../usim/authenticate.ts'

/** What the ME answers to a challenge. KAUSF is not in use yet (TS 33.501 6.2.2.2). */
export type ChallengeAnswer =
  /** RES* has 16 octets */
  | { readonly outcome: 'response'; readonly resStar: Buffer; readonly kausf: Kausf }
  | { readonly outcome: 'synchronisation-failure'; readonly auts: Buffer }
  | { readonly outcome: 'failure'; readonly reason: AuthenticationFailure }

/** 5G AKA in USIM and ME: TS 33.501 6.1.3.2 steps 7 and 8. */
export async function answerChallenge(
  usim: Usim,
  challenge: Challenge,
  network: ServingNetworkName,
): Promise<ChallengeAnswer> {
  const { rand, autn } = challenge

  // Step 7: the USIM verifies the freshness of the vector by checking whether AUTN can be accepted,
  const answer = await authenticate(usim, challenge)
  if (answer.outcome === 'mac-failure') return { outcome: 'failure', reason: 'mac-failure' }
  if (answer.outcome === 'synchronisation-failure') return answer
  const { amf, ck, ik, res } = answer.verified

  // the ME checks that the separation bit is set, and derives RES* and KAUSF.
  if (!isSeparationBitSet(amf)) return { outcome: 'failure', reason: 'non-5g-authentication' }
  return {
    outcome: 'response',
    resStar: deriveResStar(ck, ik, network, rand, res),
    kausf: deriveKausf(ck, ik, network, concealedSqn(autn)),
  }
}
