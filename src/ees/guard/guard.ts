import { LRUCache } from 'lru-cache'
import { type Certificate, readCertificate, x5tS256 } from '../../certificates/certificate.ts'
import { checkChain } from '../../certificates/chain.ts'
import type { Crl } from '../../certificates/crl.ts'
import { readDer } from '../../certificates/der-reader.ts'
import { readName } from '../../certificates/distinguished-name.ts'
import { bearerToken } from '../../http/bearer-token.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Fqdn } from '../../spec/identifiers.ts'
import { Refusal, refuseUnless } from '../../spec/refusal.ts'
import {
  type AccessTokenClaims,
  type AccessTokenReader,
  checkAccess,
  readAccessToken,
} from '../../tokens/access-token.ts'
import { isInNameSpace } from '../registration/partners.ts'

/** Tokens that are remembered as read; each is at most 8 KiB. */
const REMEMBERED = 10_000

/** Who certifies clients. */
export interface ClientAuthority {
  readonly certificate: Certificate
  /** the newest list of this authority; without the member, revocation is not looked up */
  readonly crl?: () => Crl | undefined
  /** of another ECS: its clients have names below these, and tokens that name that ECS (D-17, THREATS RS-02) */
  readonly partner?: { readonly fqdn: string; readonly nameSpace: readonly string[] }
}

export interface GuardPorts extends AccessTokenReader {
  readonly authorities: () => readonly ClientAuthority[]
  readonly clock: Pick<Clock, 'now'>
  /** FQDN of our ECS */
  readonly ownEcs?: string
}

/** What a request brings. */
export interface GuardedRequest {
  /** the connection: the same object for every request that it carries */
  readonly connection: object
  /** DER of the certificate that the client has proven to hold in the handshake of this connection */
  readonly certificate: () => Buffer | undefined
  /** the header of this name */
  readonly authorization: string | undefined
  /** names of the services that the operation belongs to, separated by blanks */
  readonly scope: string
}

/** Who calls: proven by its certificate, and by a token that was issued to that certificate for this server. */
export interface Caller {
  readonly fqdn: Fqdn
  /** its EES ID, if that is in its certificate beside the FQDN */
  readonly eesId?: string
  readonly claims: AccessTokenClaims
}

interface Client {
  readonly certificate: Certificate
  readonly fqdn: Fqdn
  readonly eesId: string | undefined
  readonly certificateThumbprints: readonly [string]
  /** how its chain was last checked: against this list, or against none if none is looked up */
  checked?: { readonly against: Crl | undefined }
}

/** The producer's side of service authorization by access tokens: TS 33.501 13.4.1.1.2 step 2, for an EES. */
export class Guard {
  readonly #ports: GuardPorts
  readonly #clients = new WeakMap<object, Client>()
  readonly #remembered = new LRUCache<string, AccessTokenClaims>({ max: REMEMBERED })

  constructor(ports: GuardPorts) {
    this.#ports = ports
  }

  /**
   * The client certificate first, then the eight checks of the token. A token that was read before is not read again:
   * only what may have changed is checked, that is whose connection this is, what is asked for, and the time.
   *
   * @throws Refusal CREDENTIAL_MISSING, CERTIFICATE_NOT_ACCEPTED, CERTIFICATE_REVOKED, TOKEN_INVALID,
   *   INSUFFICIENT_SCOPE; NF_CONGESTION while keys or revocation lists cannot be had
   */
  async authorize(request: GuardedRequest): Promise<Caller> {
    const client = this.#clientOf(request)
    const token = bearerToken(request.authorization)
    const now = this.#ports.clock.now()
    const claims = this.#remembered.get(token) ?? (await this.#read(token, now))
    checkAccess(claims, { client, scope: new Set(request.scope.split(' ')), now })
    checkSource(claims, this.#authorityOf(client.certificate), this.#ports.ownEcs)
    const { fqdn, eesId } = client
    return { fqdn, ...(eesId !== undefined && { eesId }), claims }
  }

  /**
   * Whether another EES is one, as it would have to be as a client. A token for it may have been issued before it was
   * revoked.
   *
   * @throws Refusal as {@link authorize}
   */
  judgeServer(server: Pick<GuardedRequest, 'connection' | 'certificate'>): void {
    this.#clientOf(server)
  }

  /** Whether the connection is one that a revoked client holds open (THREATS CA-06). */
  isRevoked(request: Pick<GuardedRequest, 'connection' | 'certificate'>): boolean {
    try {
      this.#clientOf(request)
      return false
    } catch (error) {
      return error instanceof Refusal && error.code === 'CERTIFICATE_REVOKED'
    }
  }

  async #read(token: string, now: number): Promise<AccessTokenClaims> {
    const claims = await readAccessToken(token, { ...this.#ports, now })
    this.#remembered.set(token, claims)
    return claims
  }

  /** What a connection shows cannot change while it lives; whether it is still good can. */
  #clientOf({ connection, certificate }: Pick<GuardedRequest, 'connection' | 'certificate'>): Client {
    const client = this.#clients.get(connection) ?? this.#admit(certificate())
    this.#checkClient(client)
    this.#clients.set(connection, client)
    return client
  }

  #admit(der: Buffer | undefined): Client {
    refuseUnless(der, 'CREDENTIAL_MISSING', 'a client certificate is required')
    const certificate = readCertificate(der)
    const [fqdn] = certificate.subjectAltNames.dnsNames
    refuseUnless(fqdn, 'CERTIFICATE_NOT_ACCEPTED', 'the certificate has no FQDN')
    const { commonName: eesId } = readDer(certificate.subject, readName)
    return { certificate, fqdn, eesId, certificateThumbprints: [x5tS256(der)] }
  }

  /** At every request; signatures are looked at when there is a new list, and fail closed when it has run out. */
  #checkClient(client: Client): void {
    const now = this.#ports.clock.now()
    const { certificate } = client
    refuseUnless(now <= certificate.notAfter, 'CERTIFICATE_NOT_ACCEPTED', 'the certificate has expired')
    const authority = this.#authorityOf(certificate)
    const named = speaksFor(authority.partner, client.fqdn)
    refuseUnless(named, 'CERTIFICATE_NOT_ACCEPTED', 'no ECS speaks for the name in the certificate')
    const crl = authority.crl?.()
    const told = authority.crl === undefined || (crl !== undefined && now <= crl.nextUpdate)
    refuseUnless(told, 'NF_CONGESTION', 'whether certificates are revoked cannot be told now')
    if (client.checked !== undefined && client.checked.against === crl) return
    checkChain({
      leaf: certificate,
      intermediates: [],
      anchors: [authority.certificate],
      role: 'ees',
      now,
      ...(crl && { crls: [crl] }),
    })
    client.checked = { against: crl }
  }

  /** Several partners may name one authority as theirs: it is of the one that speaks for the client (THREATS FW-03). */
  #authorityOf({ authorityKeyId, subjectAltNames }: Certificate): ClientAuthority {
    const [fqdn] = subjectAltNames.dnsNames
    const named = this.#ports
      .authorities()
      .filter(({ certificate }) => authorityKeyId !== undefined && certificate.subjectKeyId?.equals(authorityKeyId))
    const authority = named.find(({ partner }) => fqdn !== undefined && speaksFor(partner, fqdn)) ?? named[0]
    refuseUnless(authority, 'CERTIFICATE_NOT_ACCEPTED', 'the certificate is of no authority that is accepted here')
    return authority
  }
}

function speaksFor(partner: ClientAuthority['partner'], name: string): boolean {
  return partner === undefined || isInNameSpace(partner.nameSpace, name)
}

/** The ECS that the token names as that of the client is the one whose authority has certified it (D-17, D-19a). */
function checkSource({ srcEcs }: AccessTokenClaims, { partner }: ClientAuthority, ownEcs: string | undefined): void {
  const expected = partner?.fqdn ?? ownEcs
  const same = srcEcs === expected || (srcEcs === undefined && partner === undefined) || expected === undefined
  refuseUnless(same, 'TOKEN_INVALID', 'the token names another ECS than that of the client')
}
