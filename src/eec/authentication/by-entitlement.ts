import type { Progress } from '../../ports/progress.ts'
import { type BoundToken, withToken } from '../bound-token.ts'
import type { Connect } from '../connection.ts'
import type { ProofKey } from '../proof-key.ts'
import { at } from './at-step.ts'
import type { AuthenticatedConnection, Ecs } from './authenticated-connection.ts'

export interface TokenAuthenticationPorts {
  /** a token of the entitlement configuration server for this ECS: TR 33.739 6.25.2 step 1 */
  acquireToken(): Promise<BoundToken>
  readonly connect: Pick<Connect, 'byCertificate'>
  readonly key: ProofKey
  readonly progress: Progress
}

const GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

/**
 * EEC authentication with a token: TR 33.739 6.25.2, from the side of the device.
 *
 * @throws AuthenticationStepFailed; there is no second method
 */
export async function authenticateByEntitlement(
  eec: TokenAuthenticationPorts,
  ecs: Ecs,
): Promise<AuthenticatedConnection> {
  const { connect, key, progress } = eec

  // Step 1: the EEC gets a token from the entitlement configuration server.
  const token = await at('entitlement token', () => eec.acquireToken())

  // Step 2: the EEC authenticates the ECS by its certificate, and presents the token with each request.
  return at('entitlement presentation', async () => {
    const connection = connect.byCertificate(ecs.apiRoot)
    try {
      const arrow = { clause: 'TR 33.739 6.25.2 step 2', from: 'EEC', to: ecs.fqdn }
      await progress.step(arrow, 'TLS with the certificate of the ECS', () => connection.open())
    } catch (error) {
      connection.close()
      throw error
    }
    const authenticated = withToken(connection, ecs.apiRoot, { token: async () => token, key })
    return {
      connection: authenticated,
      proven: authenticated,
      expiresAt: token.expiresAt,
      tokenGrant: { connection, origin: ecs.apiRoot, parameters: { grant_type: GRANT, assertion: token.token } },
    }
  })
}
