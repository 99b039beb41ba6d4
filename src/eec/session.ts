import type { Message, Response } from '../http/client.ts'
import type { Clock } from '../ports/clock.ts'
import type { ECSServProvResp } from '../spec/messages/service-provisioning.ts'
import type { EecId } from '../spec/subscriber-identifiers.ts'
import type { AuthenticatedConnection, Ecs } from './authentication/by-kedge.ts'
import type { Connection } from './connection.ts'
import { NotUsable } from './errors.ts'
import {
  type ProvisioningWishes,
  processProvisioningResponse,
  provisioningRequest,
} from './provisioning/service-provisioning.ts'

/** An authenticated EEC at one ECS. A connection that breaks is opened again with the same key, until that expires. */
export class EcsSession {
  readonly ecs: Ecs
  readonly eecId: EecId
  /** milliseconds since 1970 */
  readonly expiresAt: number
  readonly #connection: Connection
  readonly #clock: Pick<Clock, 'now'>

  constructor(eecId: EecId, ecs: Ecs, authenticated: AuthenticatedConnection, clock: Pick<Clock, 'now'>) {
    this.eecId = eecId
    this.ecs = ecs
    this.expiresAt = authenticated.expiresAt
    this.#connection = authenticated.connection
    this.#clock = clock
  }

  /**
   * The EDNs, and the EESs in them, that the ECS has for this EEC.
   *
   * @returns undefined if it has none
   * @throws NotUsable, PeerUnavailable, RefusedByServer, AnswerNotAccepted
   */
  async provision(wishes: ProvisioningWishes = {}): Promise<ECSServProvResp | undefined> {
    return processProvisioningResponse(await this.request(provisioningRequest(this.eecId, wishes)))
  }

  /** @throws NotUsable once the key has expired; PeerUnavailable */
  async request(message: Message): Promise<Response> {
    if (this.#clock.now() >= this.expiresAt) {
      this.close()
      throw new NotUsable('the key has expired: authenticate again')
    }
    return this.#connection.request(message)
  }

  close(): void {
    this.#connection.close()
  }
}
