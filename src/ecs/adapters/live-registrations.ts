import type { RegistrationId } from '../../spec/identifiers.ts'
import type { EESInfo } from '../../spec/messages/service-provisioning.ts'
import type { Store } from '../../store/store.ts'
import {
  type IndexedRegistration,
  type RegistrationChange,
  RegistrationIndex,
} from '../provisioning/registration-index.ts'
import { findByRegistrationId, liveRegistrations } from './registration-store.ts'
import { turnsByName } from './turns.ts'

export interface IndexedRegistrations {
  readonly index: RegistrationIndex
  /** Looks at what is stored of this registration now. Whoever commits a change of it waits for this before he answers. */
  changed(registrationId: RegistrationId): Promise<void>
}

/**
 * The index of the live registrations, built from the store.
 *
 * @param tell - hears of every change after it
 */
export async function indexRegistrations(
  { store, now }: { readonly store: Store; readonly now: number },
  describe: (registration: IndexedRegistration) => EESInfo,
  tell: (change: RegistrationChange) => void,
): Promise<IndexedRegistrations> {
  const index = new RegistrationIndex(describe)
  for await (const page of liveRegistrations(store, now)) for (const registration of page) index.put(registration)
  const inTurn = turnsByName()
  return {
    index,
    // One after another, so that what was read last is put in last.
    changed: (registrationId) =>
      inTurn(registrationId, async () => {
        // What cannot be read is not told to anybody.
        const registration = await findByRegistrationId(store, registrationId).catch(() => undefined)
        tell(registration === undefined ? index.remove(registrationId) : index.put(registration))
      }),
  }
}
