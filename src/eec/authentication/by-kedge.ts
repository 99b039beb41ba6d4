import type { Fqdn } from '../../spec/identifiers.ts'
import { at } from './at-step.ts'
import type { AuthenticatedConnection, Ecs } from './authenticated-connection.ts'
import type { EdgeKey } from './edge-key.ts'
import { openWithKey, type PskAuthenticationPorts, requestInvitation } from './pre-shared-key.ts'

export interface KedgeAuthenticationPorts extends PskAuthenticationPorts {
  /** the local interface of the UE */
  fetchKey(ecs: Fqdn): Promise<EdgeKey>
}

/**
 * EEC authentication with the pre-shared key Kedge: TR 33.839 6.x.2.1, figures 6.x.2-1 and 6.x.2-2, steps 3, 4 and 7. For
 * the EEC there is no difference between an ECS inside the operator's domain and one outside.
 *
 * @throws AuthenticationStepFailed; there is no second method
 */
export async function authenticateByKedge(eec: KedgeAuthenticationPorts, ecs: Ecs): Promise<AuthenticatedConnection> {
  const { eecId, progress } = eec

  // Step 3: the EEC fetches Kedge ID and key through the secure interface of the UE.
  const key = await at(3, () =>
    progress.step({ clause: clause(3), from: 'EEC', to: 'UE' }, keyTold, () => eec.fetchKey(ecs.fqdn)),
  )

  // Step 4: the EEC sends the authentication request, with EEC ID and Kedge ID, to the ECS.
  const invitation = await at(4, () =>
    progress.step({ clause: clause(4), from: 'EEC', to: ecs.fqdn }, `EEC ID ${eecId}, Kedge ID`, () =>
      requestInvitation(eec, ecs, key),
    ),
  )

  // Step 7: EEC and ECS establish TLS with the pre-shared key, the EEC as client.
  return at(7, () =>
    progress.step({ clause: clause(7), from: 'EEC', to: ecs.fqdn }, 'TLS 1.3 with the pre-shared key', () =>
      openWithKey(eec, invitation, key),
    ),
  )
}

const clause = (step: number) => `TR 33.839 6.x.2.1 step ${step}`
const keyTold = ({ name: { kedgeId }, keyProfile }: EdgeKey) =>
  `${keyProfile === 'bound' ? 'K_ECS' : 'Kedge'}, Kedge ID ${kedgeId}`
