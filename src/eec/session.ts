import type { Message, Response } from '../http/client.ts'
import type { Clock } from '../ports/clock.ts'
import type { ECSServProvResp, EESInfo } from '../spec/messages/service-provisioning.ts'
import type { EecId } from '../spec/subscriber-identifiers.ts'
import type { AuthenticatedConnection, Ecs } from './authentication/authenticated-connection.ts'
import type { Connection } from './connection.ts'
import type { EesSession } from './ees/ees-session.ts'
import type { GivenTokens } from './ees/given-tokens.ts'
import type { EesOptions } from './ees/open-ees.ts'
import { NotUsable } from './errors.ts'
import {
  type ProvisioningOptions,
  type ProvisioningWishes,
  processProvisioningResponse,
  processProvisioningResponseWithTokens,
  provisioningRequest,
  provisioningRequestWithTokens,
} from './provisioning/service-provisioning.ts'
import { type NotificationPorts, Subscriptions } from './subscriptions.ts'

/** What comes of authentication, beside the connection. */
export interface SessionPorts {
  readonly clock: Pick<Clock, 'now'>
  readonly givenTokens: Pick<GivenTokens, 'take'>
  readonly notifications: NotificationPorts
  openEes(info: EESInfo, options?: EesOptions): Promise<EesSession>
}

/** An authenticated EEC at one ECS. A connection that breaks is opened again in the same way, until the credential expires. */
export class EcsSession {
  readonly ecs: Ecs
  readonly eecId: EecId
  /** milliseconds since 1970 */
  readonly expiresAt: number
  /** Eecs_ServiceProvisioning: who is told when other EESs are there for it */
  readonly subscriptions: Subscriptions<'ecs'>
  readonly #connection: Connection
  readonly #proven: Connection
  readonly #ports: SessionPorts

  constructor(
    eecId: EecId,
    ecs: Ecs,
    { connection, proven, expiresAt }: Pick<AuthenticatedConnection, 'connection' | 'proven' | 'expiresAt'>,
    ports: SessionPorts,
  ) {
    this.eecId = eecId
    this.ecs = ecs
    this.expiresAt = expiresAt
    this.#connection = connection
    this.#proven = proven
    this.#ports = ports
    const request = this.request.bind(this)
    this.subscriptions = new Subscriptions({ ...ports.notifications, eecId, role: 'ecs', server: ecs.fqdn, request })
  }

  /**
   * The EDNs, and the EESs in them, that the ECS has for this EEC.
   *
   * @returns undefined if it has none
   * @throws NotUsable, PeerUnavailable, RefusedByServer, AnswerNotAccepted
   */
  async provision(
    wishes: ProvisioningWishes = {},
    { eesTokens = false }: ProvisioningOptions = {},
  ): Promise<ECSServProvResp | undefined> {
    if (eesTokens) return this.#provisionWithTokens(wishes)
    return processProvisioningResponse(await this.request(provisioningRequest(this.eecId, wishes)))
  }

  /** The tokens stay here, for {@link openEes}. */
  async #provisionWithTokens(wishes: ProvisioningWishes): Promise<ECSServProvResp | undefined> {
    this.#requireGood()
    const since = this.#ports.clock.now()
    const response = await this.#proven.request(provisioningRequestWithTokens(this.eecId, wishes))
    const answer = processProvisioningResponseWithTokens(response)
    if (answer === undefined) return undefined
    const { eesTokens = [], ...found } = answer
    this.#ports.givenTokens.take(eesTokens, since)
    return found
  }

  /**
   * Authenticates at an EES of the answer to `provision`, by a method that this EES takes.
   *
   * @throws NotUsable, AuthenticationStepFailed
   */
  async openEes(info: EESInfo, options: EesOptions = {}): Promise<EesSession> {
    this.#requireGood()
    return this.#ports.openEes(info, options)
  }

  /** @throws NotUsable once the credential has expired; PeerUnavailable */
  async request(message: Message): Promise<Response> {
    this.#requireGood()
    return this.#connection.request(message)
  }

  close(): void {
    this.#connection.close()
  }

  #requireGood(): void {
    if (this.#ports.clock.now() < this.expiresAt) return
    this.close()
    throw new NotUsable('the credential has expired: authenticate again')
  }
}
