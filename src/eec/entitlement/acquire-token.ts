import type { Response } from '../../http/client.ts'
import { AnswerNotAccepted, RefusedByServer } from '../../http/response.ts'
import { sha256Base64url } from '../../octets/digest.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Progress } from '../../ports/progress.ts'
import type { Fqdn } from '../../spec/identifiers.ts'
import type { EntitlementDocument } from '../../spec/messages/entitlement.ts'
import type { EapStartResponse } from '../../spec/messages/entitlement-eap.ts'
import type { EecId } from '../../spec/subscriber-identifiers.ts'
import type { Connection } from '../connection.ts'
import type { ProofKey } from '../proof-key.ts'
import { Cookies } from './cookies.ts'
import {
  acquisitionRequest,
  authenticationTokenOf,
  eapResponseRequest,
  type OperatorToken,
  operatorTokenOf,
  processEntitlementResponse,
  type SubscriberCredential,
} from './ts43-messages.ts'

/** Of one subscriber at one entitlement server, from one authentication to the next: TS.43 2.8.5. */
export interface AuthenticationToken {
  readonly token: string
  readonly server: Fqdn
  /** SHA-256 of the root NAI in base64url: with another USIM the token is not used */
  readonly subscriber: string
}

export interface EntitlementPorts {
  readonly eecId: EecId
  /** an IMEI, or a UUID that stays the same */
  readonly terminalId: string
  readonly server: { readonly fqdn: Fqdn; readonly apiRoot: string; connect(): Connection }
  /** the local interface of the UE */
  readonly ue: {
    startEap(): Promise<EapStartResponse>
    /** @returns the EAP response; base64 both ways */
    respondEap(session: string, eapPacket: string): Promise<string>
  }
  readonly key: ProofKey
  readonly authenticationToken: {
    load(): Promise<AuthenticationToken | undefined>
    /** @param token - undefined: the one that is there is good no longer */
    replace(token: AuthenticationToken | undefined): Promise<void>
  }
  readonly clock: Pick<Clock, 'now'>
  readonly progress: Progress
}

/** Challenges, resynchronisations and notifications of one exchange. */
const MOST_EAP_ROUNDS = 6
/** TS.43 2.8: the token is not good (any more), and full authentication is wanted. */
const TOKEN_NOT_GOOD = [401, 511]

/**
 * The EEC, being its own entitlement client, requests a token for one ECS or EES from the entitlement configuration
 * server: TR 33.739 6.25.2 step 1, carried by GSMA TS.43. The server authenticates the subscriber by the token of an
 * earlier time or else by EAP-AKA, which is the stronger one.
 *
 * @throws PeerUnavailable, RefusedByServer, AnswerNotAccepted
 */
export async function acquireToken(eec: EntitlementPorts, audience: Fqdn): Promise<OperatorToken> {
  const { session, eapId } = await eec.ue.startEap()
  const subscriber = sha256Base64url(eapId)
  const connection = eec.server.connect()
  try {
    const run = new Run(eec, connection, audience)
    const known = await eec.authenticationToken.load()
    const isOurs = known?.server === eec.server.fqdn && known.subscriber === subscriber
    const document = (isOurs ? await run.fast(known.token) : undefined) ?? (await run.full(eapId, session))
    const token = authenticationTokenOf(document)
    if (token !== undefined && token !== known?.token) {
      await eec.authenticationToken.replace({ token, server: eec.server.fqdn, subscriber })
    }
    return operatorTokenOf(document, eec.eecId, eec.clock.now())
  } finally {
    connection.close()
  }
}

const arrow = (from: string, to: string) => ({ clause: 'TR 33.739 6.25.2 step 1', from, to })

class Run {
  readonly #eec: EntitlementPorts
  readonly #connection: Connection
  readonly #audience: Fqdn
  readonly #cookies = new Cookies()

  constructor(eec: EntitlementPorts, connection: Connection, audience: Fqdn) {
    this.#eec = eec
    this.#connection = connection
    this.#audience = audience
  }

  /** TS.43 2.8.5. @returns undefined if the token is not good any more */
  fast(token: string): Promise<EntitlementDocument | undefined> {
    const { progress, server, authenticationToken } = this.#eec
    const told = (document: EntitlementDocument | undefined) =>
      document === undefined
        ? 'the authentication token has ended: EAP-AKA follows'
        : `token for ${this.#audience}, by the authentication token of an earlier time`
    return progress.step(arrow('EEC', server.fqdn), told, async () => {
      const response = await this.#ask({ token })
      try {
        const answer = processEntitlementResponse(response)
        if ('document' in answer) return answer.document
        throw new AnswerNotAccepted('a challenge, where a document or a refusal is due')
      } catch (error) {
        if (!(error instanceof RefusedByServer && TOKEN_NOT_GOOD.includes(error.status))) throw error
        await authenticationToken.replace(undefined)
        return undefined
      }
    })
  }

  /** TS.43 2.8.1: the EEC carries EAP packets between server and USIM. */
  async full(eapId: string, session: string): Promise<EntitlementDocument> {
    const { progress, server, ue } = this.#eec
    let answer = await progress.step(arrow('EEC', server.fqdn), 'request for a token, EAP_ID', async () =>
      this.#judge(await this.#ask({ eapId })),
    )
    for (let round = 1; round <= MOST_EAP_ROUNDS; round++) {
      if ('document' in answer) return answer.document
      const { eapPacket } = answer
      const response = await progress.step(arrow('EEC', 'UE'), 'EAP request, and the response of the USIM', () =>
        ue.respondEap(session, eapPacket),
      )
      answer = await progress.step(arrow('EEC', server.fqdn), 'EAP response, then the answer', async () =>
        this.#judge(await this.#connection.request(eapResponseRequest(response, this.#cookies.headers()))),
      )
    }
    throw new AnswerNotAccepted('EAP comes to no end')
  }

  async #ask(credential: SubscriberCredential): Promise<Response> {
    const { terminalId, eecId, key, server } = this.#eec
    const proof = await key.prove({ method: 'POST', uri: `${server.apiRoot}/` })
    return this.#connection.request(
      acquisitionRequest({ terminalId, eecId, audience: this.#audience }, credential, proof),
    )
  }

  #judge(response: Response) {
    const answer = processEntitlementResponse(response)
    this.#cookies.take(response.headers['set-cookie'])
    return answer
  }
}
