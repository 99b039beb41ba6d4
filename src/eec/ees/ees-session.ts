import { requireStatus } from '../../http/response.ts'
import type { EesMethod } from '../../spec/authentication-methods.ts'
import type { Fqdn } from '../../spec/identifiers.ts'
import type { EasDiscoveryResp } from '../../spec/messages/eas-discovery.ts'
import type { EECRegistration, EECRegistrationPatch } from '../../spec/messages/eec-registration.ts'
import type { EecId } from '../../spec/subscriber-identifiers.ts'
import type { Connection } from '../connection.ts'
import { type NotificationPorts, Subscriptions } from '../subscriptions.ts'
import {
  type DiscoveryWishes,
  deregistrationRequest,
  discoveryRequest,
  type EecRegistered,
  processDiscoveryResponse,
  processRegistrationResponse,
  processUpdateResponse,
  type RegistrationWishes,
  registrationRequest,
  updateRequest,
} from './ees-messages.ts'

/** An EES that the EEC learned of from its ECS. */
export interface Ees {
  readonly eesId: string
  readonly fqdn: Fqdn
  /** `https://FQDN[:PORT]` of the listener for EECs */
  readonly apiRoot: string
}

export interface AuthenticatedAtEes {
  readonly method: EesMethod
  /** each request on it carries the credential */
  readonly connection: Connection
  readonly notifications: NotificationPorts
}

/** An EEC at one EES: Eees_EECRegistration and Eees_EASDiscovery (EDGE-1). Each request carries the credential. */
export class EesSession {
  readonly ees: Ees
  readonly eecId: EecId
  /** which the ECS said that the EES takes */
  readonly method: EesMethod
  /** Eees_EASDiscovery: who is told of EASs that come, change or go */
  readonly subscriptions: Subscriptions<'ees'>
  readonly #connection: Connection

  constructor(eecId: EecId, ees: Ees, { method, connection, notifications }: AuthenticatedAtEes) {
    this.eecId = eecId
    this.ees = ees
    this.method = method
    this.#connection = connection
    const request = connection.request.bind(connection)
    this.subscriptions = new Subscriptions({ ...notifications, eecId, role: 'ees', server: ees.fqdn, request })
  }

  /** @throws PeerUnavailable, RefusedByServer, AnswerNotAccepted */
  async register(wishes: RegistrationWishes = {}): Promise<EecRegistered> {
    const response = await this.#connection.request(registrationRequest(this.eecId, wishes))
    return processRegistrationResponse(response, this.ees.fqdn, this.eecId)
  }

  /**
   * Changes what a registration says; `null` for a member that goes (RFC 7396).
   *
   * @returns undefined if the EES does not say what it has now
   * @throws PeerUnavailable, RefusedByServer, AnswerNotAccepted
   */
  async update(registrationId: string, patch: EECRegistrationPatch): Promise<EECRegistration | undefined> {
    const response = await this.#connection.request(updateRequest(registrationId, { patch }))
    return processUpdateResponse(response, this.eecId)
  }

  /** As {@link update}, but everything is said anew. */
  async replace(registrationId: string, wishes: RegistrationWishes): Promise<EECRegistration | undefined> {
    const replace = { ...wishes, eecId: this.eecId }
    const response = await this.#connection.request(updateRequest(registrationId, { replace }))
    return processUpdateResponse(response, this.eecId)
  }

  /** @throws PeerUnavailable, RefusedByServer, AnswerNotAccepted */
  async deregister(registrationId: string): Promise<void> {
    requireStatus(await this.#connection.request(deregistrationRequest(registrationId)), 204)
  }

  /** The EASs that the EES has for this EEC. @throws PeerUnavailable, RefusedByServer, AnswerNotAccepted */
  async discover(wishes: DiscoveryWishes = {}): Promise<EasDiscoveryResp> {
    return processDiscoveryResponse(await this.#connection.request(discoveryRequest(this.eecId, wishes)))
  }

  close(): void {
    this.#connection.close()
  }
}
