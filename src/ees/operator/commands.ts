import type { EECContextPushRes } from '../../spec/messages/eec-context-relocation.ts'
import type { EecRegistration } from '../eec-registration/registration.ts'

/** What the operator of an EES can do with the EECs there. */
export interface OperatorCommands {
  /** By EEC ID, a page at a time. */
  listEecs(after: string, limit: number): Promise<readonly EecRegistration[]>
  /**
   * Eees_EECContextRelocation, push.
   *
   * @param target - `https://FQDN[:PORT]`
   * @returns how the EEC is registered at the T-EES
   * @throws Refusal; PeerUnavailable, RefusedByServer, AnswerNotAccepted for what the push met
   */
  relocate(eecId: string, target: string): Promise<EECContextPushRes>
}
