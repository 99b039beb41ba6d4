import { refuseUnless } from '../../spec/refusal.ts'
import type { PeerOptions } from '../me/eap-aka.ts'
import { authenticate } from '../usim/authenticate.ts'
import { rootNai } from '../usim/root-nai.ts'
import { findCard, readCard } from './card.ts'
import { sqnFile } from './sqn-file.ts'
import { exclusively, type UeFolder } from './ue-folder.ts'

/**
 * The subscriber of the USIM that is in the UE now, as an EAP peer has it.
 *
 * @returns undefined if there is no USIM, or none with an IMSI
 */
export async function subscriberOf(ue: UeFolder): Promise<PeerOptions | undefined> {
  const card = await findCard(ue)
  const identity = card && rootNai(card.subscription.settings)
  if (card === undefined || identity === undefined) return undefined
  return {
    identity,
    authenticate: (challenge) =>
      exclusively(ue, async () => {
        const { id, subscription } = await readCard(ue)
        refuseUnless(id === card.id, 'CONTEXT_NOT_FOUND', 'there is another USIM in the UE')
        return authenticate({ keys: subscription.keys, sqn: sqnFile(ue.folder, id) }, challenge)
      }),
  }
}
