import type { Fqdn } from '../../spec/identifiers.ts'
import { at } from './at-step.ts'
import type { AuthenticatedConnection, Ecs } from './authenticated-connection.ts'
import type { ApplicationKey } from './edge-key.ts'
import { openWithKey, type PskAuthenticationPorts, requestInvitation } from './pre-shared-key.ts'

export interface AkmaAuthenticationPorts extends PskAuthenticationPorts {
  /** the local interface of the UE */
  fetchApplicationKey(ecs: Fqdn): Promise<ApplicationKey>
}

/**
 * EEC authentication with AKMA, the ECS being the application function: TS 33.535 6.2.1, on the side of the UE.
 *
 * @throws AuthenticationStepFailed; there is no second method
 */
export async function authenticateByAkma(eec: AkmaAuthenticationPorts, ecs: Ecs): Promise<AuthenticatedConnection> {
  const { eecId, progress } = eec

  // Step 1: the UE has KAKMA and A-KID, and the EEC fetches KAF of this ECS from it.
  const key = await at('KAF', () =>
    progress.step({ clause: STEP_1, from: 'EEC', to: 'UE' }, keyTold, () => eec.fetchApplicationKey(ecs.fqdn)),
  )

  // The session request carries A-KID; its answer (step 5) says that the ECS has KAF as well.
  const invitation = await at('A-KID', () =>
    progress.step({ clause: STEP_1, from: 'EEC', to: ecs.fqdn }, `EEC ID ${eecId}, A-KID`, () =>
      requestInvitation(eec, ecs, key),
    ),
  )

  // Annex B: the Ua* protocol is TLS 1.3 with KAF as the pre-shared key.
  return at('TLS with KAF', () =>
    progress.step({ clause: 'TS 33.535 Annex B', from: 'EEC', to: ecs.fqdn }, 'TLS 1.3 with KAF', () =>
      openWithKey(eec, invitation, key),
    ),
  )
}

const STEP_1 = 'TS 33.535 6.2.1 step 1'
const keyTold = ({ name: { aKId } }: ApplicationKey) => `KAF, A-KID ${aKId}`
