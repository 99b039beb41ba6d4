import { createPrivateKey } from 'node:crypto'
import type { Certificate } from '../../certificates/certificate.ts'
import type { Message, Response } from '../../http/client.ts'
import { acceptIf, RefusedByServer, requireStatus } from '../../http/response.ts'
import type { Clock } from '../../ports/clock.ts'
import { signerOf } from '../../ports/signer.ts'
import { parseFqdn } from '../../spec/identifiers.ts'
import type { EESRegistration, EESRegistrationPatch } from '../../spec/messages/ees-registration.ts'
import type { Partners } from '../../spec/messages/partners.ts'
import type { EDNConfigInfo } from '../../spec/messages/service-provisioning.ts'
import { type EecId, parseEecId } from '../../spec/subscriber-identifiers.ts'
import type { Connect, ServerJudge } from '../connection.ts'
import { NotUsable } from '../errors.ts'
import { readAuthorities } from './own-authorities.ts'
import type { EesCredential, RegistrationRecord, RegistrationStore, StoredRegistration } from './record.ts'
import { certificateOf, processReenrolmentResponse, reenrolmentRequest } from './reenrolment.ts'
import {
  deregisterRequest,
  modifyRequest,
  processRegistrationResponse,
  showRequest,
  updateRequest,
} from './resource-exchange.ts'
import { Session } from './session.ts'
import { processTargetDiscoveryResponse, type TargetWish, targetDiscoveryRequest } from './target-discovery.ts'
import type { GrantedToken } from './token-exchange.ts'

const SCOPE = 'eecs-eesregistration'

export interface RegistrationPorts {
  readonly store: RegistrationStore
  readonly connect: Connect
  readonly clock: Clock
  /** @returns a new key on P-256, PKCS #8, PEM */
  readonly newPrivateKey: () => Promise<string>
}

/**
 * The registration of this EES at its ECS (TR 33.839 6.Y.2; TS 29.558 8.1), with the certificate and the tokens that
 * come with it. Everything is asked over mutual TLS, trusting the root of the bundle alone.
 *
 * Methods that ask the ECS throw PeerUnavailable, RefusedByServer or AnswerNotAccepted.
 */
export class Registration {
  readonly #ports: RegistrationPorts
  readonly #renewed = new Set<(credential: EesCredential) => void>()
  readonly #judges = new Set<ServerJudge>()
  #stored: StoredRegistration
  #session: Session
  /** the authority that the ECS signs by, as it told last */
  #signing: Certificate | undefined
  /** Operations on the registration come one after another, so that the record on disk is that of the last answer. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(stored: StoredRegistration, ports: RegistrationPorts) {
    this.#stored = stored
    this.#ports = ports
    this.#session = this.#newSession(stored)
  }

  /** As the ECS has answered it last; nothing in it is secret. */
  get record(): RegistrationRecord {
    return this.#stored.record
  }

  /** PEM: the one root that is trusted, or two while one takes the place of the other */
  get root(): string {
    return this.#stored.root
  }

  get credential(): EesCredential {
    return this.#stored.credential
  }

  get certificate(): Certificate {
    return certificateOf(this.#stored.credential)
  }

  /** Eecs_EESRegistration, GET. */
  show(): Promise<EESRegistration> {
    return this.#inTurn(() => this.#ask(showRequest(this.record)))
  }

  /** Eecs_EESRegistration, PUT. @throws RefusedByServer 412 if the registration was changed elsewhere: show it first */
  update(registration: EESRegistration): Promise<EESRegistration> {
    const { suppFeat } = this.record.registration
    return this.#inTurn(() =>
      this.#ask(updateRequest(this.record, { ...(suppFeat !== undefined && { suppFeat }), ...registration })),
    )
  }

  /** Eecs_EESRegistration, PATCH. */
  modify(patch: EESRegistrationPatch): Promise<EESRegistration> {
    return this.#inTurn(() => this.#ask(modifyRequest(this.record, patch)))
  }

  /**
   * Re-enrolment (RFC 7030 4.2.2; D-7): the next certificate for the same name, and with `newKey` for a new key.
   * The present one stays good until its end. The end of the registration moves with it, so that is read again. So are the
   * authorities of the ECS: this is how an EES hears of another root that does nothing else by itself.
   */
  async renew({ newKey = false } = {}): Promise<EESRegistration> {
    const renewed = await this.#renew(newKey)
    await this.partners(0).catch(() => {})
    return renewed
  }

  #renew(newKey: boolean): Promise<EESRegistration> {
    return this.#inTurn(async () => {
      const privateKey = newKey ? await this.#ports.newPrivateKey() : this.credential.privateKey
      const signer = signerOf(createPrivateKey(privateKey))
      const { ecs } = this.#session
      const channelBinding = await ecs.channelBinding()
      acceptIf(channelBinding, 'the ECS does not speak TLS 1.3, so a proof of possession could be taken elsewhere')
      const response = await ecs.request(await reenrolmentRequest(this.#stored, signer, channelBinding))
      const now = this.#ports.clock.now()
      const certificateChain = processReenrolmentResponse(response, this.#stored, signer.publicKey, now)

      await this.#ports.store.saveCredential({ certificateChain, privateKey })
      this.#actWith({ ...this.#stored, credential: { certificateChain, privateKey } })
      await this.#keep(withRenewal(this.record, this.certificate))
      return this.#ask(showRequest(this.record))
    })
  }

  /** Eecs_EESRegistration, DELETE: certificate and tokens end with it, and what is kept of them here is removed. */
  deregister(): Promise<void> {
    return this.#inTurn(async () => {
      try {
        requireStatus(await this.#send(deregisterRequest(this.record)), 204)
      } catch (error) {
        if (!hasEnded(error)) throw error
      }
      await this.#ports.store.remove()
      this.close()
    })
  }

  /**
   * An access token (TS 33.501 13.4.1.1.2 step 1), from the ECS or from those that are in use.
   *
   * @param purpose.scope - names of services, separated by blanks
   * @param purpose.target - FQDN of the EES that will check it; left out, it is for the ECS
   * @param purpose.eecId - the EEC that the token shall name, for another EES only
   */
  async token({ scope, target, eecId }: { scope: string; target?: string; eecId?: string }): Promise<GrantedToken> {
    const fqdn = target === undefined ? undefined : parseFqdn(target)
    if (target !== undefined && fqdn === undefined) throw new NotUsable(`${target} is not an FQDN`)
    return this.#session.tokens.get({
      scope,
      ...(fqdn !== undefined && { target: fqdn }),
      ...(eecId !== undefined && { eecId: requireEecId(eecId) }),
    })
  }

  /** @param granted - the token that came with the onboarding, good for each of its services */
  holdToken(granted: GrantedToken): void {
    const now = this.#ports.clock.monotonic()
    for (const scope of granted.scope.split(' ')) this.#session.tokens.hold({ scope }, granted, now)
  }

  /**
   * A request to another EES, or to the ECS, with our certificate and a token for exactly that server.
   *
   * @param origin - `https://FQDN[:PORT]`
   * @param purpose.eecId - the EEC that the token shall name, at another EES only
   */
  async request(
    origin: string,
    message: Message,
    { scope, eecId }: { scope: string; eecId?: string },
  ): Promise<Response> {
    return this.#session.request(origin, { scope, ...(eecId !== undefined && { eecId: requireEecId(eecId) }) }, message)
  }

  /**
   * The ECSs that our ECS trusts, and its own authorities: those are trusted from then on, and no others.
   *
   * @param age - milliseconds that the answer may be old
   * @throws PeerUnavailable, RefusedByServer, AnswerNotAccepted
   */
  async partners(age?: number): Promise<Partners> {
    const partners = await this.#session.partners.get(age)
    const { own } = partners
    if (own === undefined) return partners
    const authorities = readAuthorities(own)
    this.#signing = authorities.signing
    if (authorities.root !== this.root) await this.#trust(authorities.root)
    return partners
  }

  /** Whether the ECS signs by another authority than the one that our certificate is of: then it is time to renew. */
  get overtaken(): boolean {
    const { authorityKeyId } = this.certificate
    const { subjectKeyId } = this.#signing ?? {}
    return authorityKeyId !== undefined && subjectKeyId !== undefined && !subjectKeyId.equals(authorityKeyId)
  }

  /**
   * Eecs_TargetEESDiscovery (TS 29.558 9.2): other EESs that serve an EAS, and that this one could have a token for. If our
   * ECS has none it asks the ECSs that it trusts; the answer looks the same.
   *
   * @returns by the network they stand in; empty if there are none
   * @throws PeerUnavailable, AnswerNotAccepted; RefusedByServer, with 503 if another ECS could not be asked
   */
  async discoverTargetEess(wish: TargetWish): Promise<readonly EDNConfigInfo[]> {
    return processTargetDiscoveryResponse(await this.#session.ecs.request(targetDiscoveryRequest(this.record, wish)))
  }

  /** What the ECS tells everybody: keys, revocation lists. @param url - of the ECS */
  async fetch(url: string): Promise<Response> {
    return this.#session.fetch(url)
  }

  /** Takes over what another process of this EES has kept since. @returns false if the registration is there no more */
  reload(): Promise<boolean> {
    return this.#inTurn(async () => {
      const stored = await this.#ports.store.load()
      if (stored === undefined) return false
      const same = stored.credential.certificateChain === this.credential.certificateChain && stored.root === this.root
      if (same) this.#stored = stored
      else this.#actWith(stored)
      return true
    })
  }

  /** @returns a function that ends it */
  onRenewed(listener: (credential: EesCredential) => void): () => void {
    this.#renewed.add(listener)
    return () => this.#renewed.delete(listener)
  }

  /**
   * Before each message to another EES it is asked whether that server may still have it: its certificate may have been
   * revoked after the token was issued. A guard does this.
   *
   * @returns a function that ends it
   */
  judgeServers(judge: ServerJudge): () => void {
    this.#judges.add(judge)
    return () => this.#judges.delete(judge)
  }

  /** Closes connections. The registration itself goes on. */
  close(): void {
    this.#session.close()
  }

  /** Roots under which the ECS itself is not reached are not taken: there would be no way back (RFC 7030 4.1.3). */
  #trust(root: string): Promise<void> {
    return this.#inTurn(async () => {
      if (root === this.root) return
      const trial = this.#newSession({ ...this.#stored, root })
      await trial.partners.get().finally(() => trial.close())
      await this.#ports.store.saveRoot(root)
      this.#actWith({ ...this.#stored, root })
    })
  }

  #newSession(stored: StoredRegistration): Session {
    const judge: ServerJudge = {
      learn: async () => void (await Promise.all([...this.#judges].map((each) => each.learn()))),
      judge: (server) => {
        for (const each of this.#judges) each.judge(server)
      },
    }
    return new Session(stored, { ...this.#ports, judge })
  }

  #actWith(stored: StoredRegistration): void {
    const before = this.#session
    this.#stored = stored
    this.#session = this.#newSession(stored)
    before.close()
    for (const listener of this.#renewed) listener(stored.credential)
  }

  #send(message: Message): Promise<Response> {
    return this.#session.request(this.record.authInfo.apiRoot, { scope: SCOPE }, message)
  }

  async #ask(message: Message): Promise<EESRegistration> {
    const record = processRegistrationResponse(await this.#send(message), this.record)
    if (record === undefined) return this.#ask(showRequest(this.record))
    await this.#keep(record)
    return record.registration
  }

  async #keep(record: RegistrationRecord): Promise<void> {
    await this.#ports.store.saveRecord(record)
    this.#stored = { ...this.#stored, record }
  }

  #inTurn<T>(operation: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(operation)
    this.#last = turn.catch(() => {})
    return turn
  }
}

/** D-7: from two thirds of the lifetime. */
function withRenewal(record: RegistrationRecord, { notBefore, notAfter }: Certificate): RegistrationRecord {
  const renewAfter = new Date(Math.floor(notBefore + ((notAfter - notBefore) * 2) / 3)).toISOString()
  return { ...record, authInfo: { ...record.authInfo, renewAfter } }
}

/** The registration is no more: the answer to a deregistration was lost, its time has passed, or the operator ended it. */
export function hasEnded(error: unknown): boolean {
  return error instanceof RefusedByServer && ['REGISTRATION_NOT_FOUND', 'CERTIFICATE_REVOKED'].includes(error.code)
}

function requireEecId(text: string): EecId {
  const eecId = parseEecId(text)
  if (eecId === undefined) throw new NotUsable(`${text} is not an EEC ID`)
  return eecId
}
