import { LRUCache } from 'lru-cache'
import { type Message, PeerUnavailable, type Response } from '../../http/client.ts'
import { fqdnOf, isUrlOf } from '../../http/origin.ts'
import { RefusedByServer } from '../../http/response.ts'
import type { Clock } from '../../ports/clock.ts'
import { PARTNERS_PATH } from '../../spec/messages/partners.ts'
import type { Connect, Connection, ServerJudge } from '../connection.ts'
import { NotUsable } from '../errors.ts'
import { AccessTokens } from './access-tokens.ts'
import { KnownPartners, partnersOf } from './partners.ts'
import type { StoredRegistration } from './record.ts'
import { type GrantedToken, processTokenResponse, type TokenPurpose, tokenRequest } from './token-exchange.ts'

/** Other servers that one EES talks to at a time. */
const MOST_PEERS = 100

export interface SessionPorts {
  readonly connect: Connect
  readonly clock: Pick<Clock, 'monotonic'>
  /** asked of every server but those of an ECS */
  readonly judge: ServerJudge
}

/**
 * What an EES does with one certificate: its connections show it, and its tokens are bound to it (RFC 8705 3).
 * With the next certificate comes the next session.
 */
export class Session {
  readonly #stored: StoredRegistration
  readonly #connect: Connect
  readonly #judge: ServerJudge
  readonly #peers: LRUCache<string, Connection>
  /** of partners, that a connection was opened with beside our own */
  readonly #roots = new WeakMap<Connection, string>()
  readonly tokens: AccessTokens
  readonly partners: KnownPartners

  constructor(stored: StoredRegistration, { connect, clock, judge }: SessionPorts) {
    this.#stored = stored
    this.#connect = connect
    this.#judge = judge
    this.#peers = new LRUCache({ max: MOST_PEERS, dispose: (peer) => peer.close() })
    this.tokens = new AccessTokens((purpose) => this.#requestToken(purpose), clock)
    this.partners = new KnownPartners(() => this.ecs.request({ method: 'GET', path: PARTNERS_PATH }), clock)
  }

  /** The listener of the ECS for mutual TLS. */
  get ecs(): Connection {
    return this.#peer(this.#stored.record.authInfo.apiRoot)
  }

  /**
   * Sends a message with an access token whose audience is the server that it goes to, and no other (THREATS RS-04).
   * A token that the server does not take any more is replaced once.
   *
   * @param origin - `https://FQDN[:PORT]`
   */
  async request(origin: string, wanted: Omit<TokenPurpose, 'target'>, message: Message): Promise<Response> {
    await this.#peerAt(origin)
    const purpose = this.#purposeAt(origin, wanted)
    const token = await this.#tokenFor(purpose)
    if (token === undefined) return this.#send(origin, message)
    const response = await this.#send(origin, withToken(message, token))
    if (!isTokenInvalid(response)) return response
    this.tokens.forget(purpose, token)
    return this.#send(origin, withToken(message, await this.tokens.get(purpose)))
  }

  /** What the ECS tells everybody: keys, revocation lists. @param url - of the ECS */
  fetch(url: string): Promise<Response> {
    const { ecs } = this.#stored.record
    if (!isUrlOf(url, ecs.fqdn)) throw new NotUsable(`${url} is not a URL of the ECS`)
    const { origin, pathname, search } = new URL(url)
    return this.#peer(origin).request({ method: 'GET', path: `${pathname}${search}` })
  }

  /** What is under way is still answered. */
  close(): void {
    this.#peers.clear()
  }

  /** Where a server is not reached any more, its ECS may have begun to sign under another root since the last time. */
  async #send(origin: string, message: Message): Promise<Response> {
    const peer = await this.#peerAt(origin)
    try {
      return await peer.request(message)
    } catch (error) {
      if (!(error instanceof PeerUnavailable && error.phase === 'connect')) throw error
      const roots = await this.#rootsFor(origin)
      if (roots.join() === this.#roots.get(peer)) throw error
      if (this.#peers.get(origin) === peer) this.#peers.delete(origin)
      return (await this.#judgedPeer(origin, roots)).request(message)
    }
  }

  async #peerAt(origin: string): Promise<Connection> {
    return this.#peers.get(origin) ?? this.#judgedPeer(origin, await this.#rootsFor(origin))
  }

  /** An EES of another ECS is under a root of that one, and only within the name space that our ECS gives it. */
  async #rootsFor(origin: string): Promise<readonly string[]> {
    const target = fqdnOf(origin)
    if (target === undefined || target === this.#stored.record.ecs.fqdn) return []
    const serving = async (age?: number) => {
      const { partners } = await this.partners.get(age).catch(() => ({ partners: [] }))
      return partnersOf(partners, target)
    }
    const known = await serving()
    // One that nobody has may be of an ECS that ours has begun to trust this very moment.
    const found = known.length > 0 ? known : await serving(0)
    return found.flatMap(({ roots }) => roots)
  }

  async #judgedPeer(origin: string, roots: readonly string[]): Promise<Connection> {
    if (fqdnOf(origin) === this.#stored.record.ecs.fqdn) return this.#peer(origin, roots)
    await this.#judge.learn()
    return this.#peer(origin, roots, this.#judge)
  }

  #peer(origin: string, roots: readonly string[] = [], judge?: ServerJudge): Connection {
    const known = this.#peers.get(origin)
    if (known !== undefined) return known
    const { root, credential } = this.#stored
    const peer = this.#connect(origin, [root, ...roots].join('\n'), credential, judge?.judge)
    this.#peers.set(origin, peer)
    this.#roots.set(peer, roots.join())
    return peer
  }

  #purposeAt(origin: string, wanted: Omit<TokenPurpose, 'target'>): TokenPurpose {
    const target = fqdnOf(origin)
    if (target === undefined) throw new NotUsable(`${origin} is not an https origin`)
    return target === this.#stored.record.ecs.fqdn ? wanted : { ...wanted, target }
  }

  /**
   * @returns undefined where the ECS gives none for itself: it authorizes by policy alone (D-10), or the registration has
   *   ended. Which it is, the operation itself is told.
   */
  async #tokenFor(purpose: TokenPurpose): Promise<GrantedToken | undefined> {
    const atEcs = purpose.target === undefined
    if (atEcs && this.#stored.record.authInfo.tokenEndpoint === undefined) return undefined
    try {
      return await this.tokens.get(purpose)
    } catch (error) {
      if (atEcs && error instanceof RefusedByServer && !error.isTransient) return undefined
      throw error
    }
  }

  async #requestToken(purpose: TokenPurpose): Promise<GrantedToken> {
    const { tokenEndpoint } = this.#stored.record.authInfo
    if (tokenEndpoint === undefined) throw new NotUsable('this ECS issues no access tokens')
    const response = await this.ecs.request(tokenRequest(tokenEndpoint, purpose))
    const redirected = [307, 308].includes(response.status)
      ? await this.#requestElsewhere(response, purpose)
      : undefined
    return processTokenResponse(redirected ?? response, purpose)
  }

  /**
   * TS 29.510 5.4.2.2.2: the authorization server names another one. It is asked, once, if our ECS has told us of it before, for
   * the name space of the target, at exactly this address; every other redirect is an answer that is not accepted
   * (THREATS HT-06).
   */
  async #requestElsewhere({ headers }: Response, purpose: TokenPurpose): Promise<Response | undefined> {
    const { location = '' } = headers
    const { target } = purpose
    if (target === undefined || !URL.canParse(location)) return undefined
    const { partners } = await this.partners.get()
    const partner = partnersOf(partners, target).find(
      ({ fqdn, mtlsRoot }) => fqdnOf(mtlsRoot) === fqdn && location.startsWith(`${mtlsRoot}/`),
    )
    if (partner === undefined) return undefined
    const peer = this.#peers.get(partner.mtlsRoot) ?? this.#peer(partner.mtlsRoot, partner.roots)
    return peer.request(tokenRequest(location, purpose))
  }
}

function withToken(message: Message, { accessToken }: GrantedToken): Message {
  return { ...message, headers: { ...message.headers, authorization: `Bearer ${accessToken}` } }
}

/** RFC 6750 3.1 */
function isTokenInvalid({ status, headers }: Response): boolean {
  return status === 401 && headers['www-authenticate']?.includes('error="invalid_token"') === true
}
