import type { TLSSocket } from 'node:tls'
import { LRUCache } from 'lru-cache'
import { readCertificate, x5tS256 } from '../../certificates/certificate.ts'
import { bearerToken } from '../../http/bearer-token.ts'
import type { Evidence } from '../../http/route.ts'
import { sha256Base64url } from '../../octets/digest.ts'
import type { ApplicationError } from '../../spec/application-errors.ts'
import type { Fqdn } from '../../spec/identifiers.ts'
import { Refusal, refuseUnless } from '../../spec/refusal.ts'
import { peerCertificate } from '../../tls/connection.ts'
import { type AccessTokenClaims, checkAccess, readAccessToken } from '../../tokens/access-token.ts'
import type { KeySource } from '../../tokens/key-set.ts'
import { parseScope, type Scope } from '../../tokens/scope.ts'
import type { Alarms } from '../alarms.ts'
import type { PeerEntry } from '../configuration.ts'
import { identify, type NfPeer, type Peers, type Vouched, vouch } from '../peers.ts'

export interface CallerPorts<Entry extends PeerEntry> {
  readonly fqdn: Fqdn
  /** the allow-list in force: another object once it was read again */
  peers(): Peers<Entry>
  now(): number
  readonly alarms: Alarms
  /** the authorization servers whose tokens are taken; without it the allow-list decides alone (D-10) */
  readonly issuers?: ReadonlyMap<string, KeySource>
}

export interface Callers<Entry extends PeerEntry> {
  /** Throws for a connection whose certificate no root of ours vouches for (THREATS R3, CA-11). */
  admit(socket: TLSSocket): void
  /** An authenticator for routes that ask for this scope. @param code - of the refusal of a caller that may not */
  authorized(scope: string, code?: ApplicationError): (evidence: Evidence) => Promise<NfPeer<Entry>>
}

const REMEMBERED = 10_000

/**
 * Who calls: by certificate and allow-list, and by token where the configuration says so (TS 33.501 13.1.0, 13.3.0).
 */
export function callers<Entry extends PeerEntry>(nf: CallerPorts<Entry>): Callers<Entry> {
  const vouched = certificateCheck(nf)
  const checkToken = nf.issuers && tokenCheck(nf.fqdn, nf.issuers, nf.now)
  return {
    admit(socket) {
      try {
        vouched(socket)
      } catch (error) {
        nf.alarms.raise('certificate-refused', socket.remoteAddress ?? 'unknown')
        throw error
      }
    },
    authorized: (scope, code = 'POLICY_DENIED') => {
      return async (evidence) => {
        const shown = vouched(evidence.socket)
        try {
          const peer = identify(nf.peers(), shown)
          refuseUnless(peer.scopes.has(scope), 'POLICY_DENIED', 'the caller is not on the list')
          if (checkToken === undefined) return peer
          const granted = await checkToken(evidence, peer, scope)
          return { ...peer, scopes: new Set([...peer.scopes].filter((each) => granted.has(each))) }
        } catch (error) {
          nf.alarms.raise('caller-refused', shown.certificate.subjectAltNames.dnsNames[0] ?? 'unknown')
          if (!(error instanceof Refusal) || error.code !== 'POLICY_DENIED') throw error
          // Who is not on the list does not learn what about it is wrong.
          throw new Refusal(code, 'the caller may not do this', { cause: error })
        }
      }
    },
  }
}

/**
 * A certificate is read and its chain checked once for each allow-list; its time is looked at whenever it is shown.
 * A connection shows one for good: nothing is renegotiated.
 */
function certificateCheck<Entry extends PeerEntry>({ peers, now }: CallerPorts<Entry>) {
  let onConnection = new WeakMap<TLSSocket, Vouched>()
  let seen = new LRUCache<string, Vouched>({ max: REMEMBERED })
  let list = peers()
  const shownOn = (socket: TLSSocket): Vouched => {
    const der = peerCertificate(socket)
    refuseUnless(der !== undefined, 'CREDENTIAL_MISSING', 'a client certificate is required')
    const thumbprint = x5tS256(der)
    const known = seen.get(thumbprint)
    if (known !== undefined && known.certificate.notAfter >= now()) return known
    const shown = vouch(list, { leaf: readCertificate(der), thumbprint, now: now() })
    seen.set(thumbprint, shown)
    return shown
  }
  return (socket: TLSSocket): Vouched => {
    if (list !== peers()) {
      list = peers()
      onConnection = new WeakMap()
      seen = new LRUCache({ max: REMEMBERED })
    }
    const known = onConnection.get(socket)
    if (known !== undefined && known.certificate.notAfter >= now()) return known
    const shown = shownOn(socket)
    onConnection.set(socket, shown)
    return shown
  }
}

/** TS 33.501 13.4.1.1.2 step 2 at a producer; what is true of a token for good is remembered. @returns its scope */
function tokenCheck(fqdn: Fqdn, issuers: ReadonlyMap<string, KeySource>, now: () => number) {
  const read = new LRUCache<string, AccessTokenClaims>({ max: REMEMBERED })
  return async ({ headers }: Evidence, peer: NfPeer, scope: string): Promise<Scope> => {
    const token = bearerToken(headers.authorization)
    const name = sha256Base64url(token)
    const claims = read.get(name) ?? (await readAccessToken(token, { issuers, audience: fqdn, now: now() }))
    read.set(name, claims)
    const client = { fqdn: peer.fqdn, certificateThumbprints: [peer.thumbprint] }
    checkAccess(claims, { client, scope: new Set([scope]), now: now() })
    return parseScope(claims.scope) ?? new Set()
  }
}
