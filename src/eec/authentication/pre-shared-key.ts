import type { Clock } from '../../ports/clock.ts'
import type { Progress } from '../../ports/progress.ts'
import type { EecId } from '../../spec/subscriber-identifiers.ts'
import { withProof } from '../bound-token.ts'
import type { Connect } from '../connection.ts'
import type { ProofKey } from '../proof-key.ts'
import type { AuthenticatedConnection, Ecs } from './authenticated-connection.ts'
import { authenticationRequest, type Invitation, processAuthenticationResponse } from './authentication-request.ts'
import type { ApplicationKey, EdgeKey } from './edge-key.ts'

/** What it takes to authenticate with a key of the UE, whichever anchor key it comes from. */
export interface PskAuthenticationPorts {
  readonly eecId: EecId
  readonly connect: Connect
  readonly key: ProofKey
  readonly clock: Pick<Clock, 'now'>
  readonly progress: Progress
}

/** Tells the ECS the name of the key, so that it gets the key too. @throws PeerUnavailable, RefusedByServer, AnswerNotAccepted */
export async function requestInvitation(
  { eecId, connect, clock }: PskAuthenticationPorts,
  ecs: Ecs,
  { name, keyProfile }: EdgeKey | ApplicationKey,
): Promise<Invitation> {
  const connection = connect.byCertificate(ecs.apiRoot)
  try {
    const response = await connection.request(authenticationRequest(eecId, name))
    return processAuthenticationResponse(response, ecs.fqdn, { keyProfile }, clock.now())
  } finally {
    connection.close()
  }
}

/** TLS with the key, the EEC as client: each end proves that it has the key. @throws PeerUnavailable */
export async function openWithKey(
  { connect, key }: Pick<PskAuthenticationPorts, 'connect' | 'key'>,
  { pskEndpoint, expiresAt }: Invitation,
  { psk }: EdgeKey | ApplicationKey,
): Promise<AuthenticatedConnection> {
  const connection = connect.byPsk(pskEndpoint, psk)
  try {
    await connection.open()
    const tokenGrant = { connection, origin: pskEndpoint, parameters: { grant_type: 'client_credentials' } }
    return { connection, proven: withProof(connection, pskEndpoint, key), expiresAt, tokenGrant }
  } catch (error) {
    connection.close()
    throw error
  }
}
