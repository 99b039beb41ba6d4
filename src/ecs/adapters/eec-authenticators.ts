import type { TLSSocket } from 'node:tls'
import type { EntitlementVerifier } from '../../eec-authentication/adapters/entitlement-verifier.ts'
import { type PresentedRequest, presentedRequest, useProof } from '../../eec-authentication/presented-token.ts'
import type { ReplayCache } from '../../eec-authentication/replay-cache.ts'
import { dpopProof } from '../../http/bearer-token.ts'
import type { Authenticators, Evidence } from '../../http/route.ts'
import { errorRow } from '../../spec/application-errors.ts'
import { type EcsMethod, METHODS_HEADER } from '../../spec/authentication-methods.ts'
import { Refusal, refuseUnless } from '../../spec/refusal.ts'
import { verifyDpopProof } from '../../tokens/dpop-proof.ts'
import { checkMethodsSeen } from '../authentication/offered-methods.ts'
import type { EcsPeers } from '../peers.ts'
import type { AuthenticatedEec, EecPeer } from '../provisioning/provision-service.ts'

export interface EecAuthenticationPorts {
  now(): number
  /** what the metadata of this ECS offer */
  readonly offered: readonly EcsMethod[]
  /** @throws Refusal CREDENTIAL_MISSING for a connection without a key of the EEC's network */
  eecOf(socket: TLSSocket): AuthenticatedEec
  /** undefined if no authority for EECs is configured @throws Refusal for a connection without a certificate of one */
  readonly certifiedEecOf?: ((socket: TLSSocket) => EecPeer) | undefined
  /** undefined if no entitlement configuration server is trusted here */
  readonly entitlements: EntitlementVerifier | undefined
  /** proofs that were used */
  readonly replays: ReplayCache
  /** @param name - EEC ID, or that of the key of its network. @returns whether it may bring one more proof now */
  readonly mayGoOn: (name: string) => boolean
}

/** The credentials of EECs. None of them is ever missing, whatever is configured (THREATS NG-01). */
export function eecAuthenticators(
  ecs: EecAuthenticationPorts,
): Pick<Authenticators<EcsPeers>, 'psk' | 'eecCertificate' | 'entitlement' | 'grant'> {
  return {
    psk: async (evidence) => withProof(ecs, ecs.eecOf(evidence.socket), evidence),
    eecCertificate: async (evidence) => {
      const { certifiedEecOf } = ecs
      refuseUnless(certifiedEecOf, 'CREDENTIAL_MISSING', 'certificates of EECs are not taken here')
      return withProof(ecs, { ...certifiedEecOf(evidence.socket), method: 'TLS_CLIENT_SERVER_CERTIFICATE' }, evidence)
    },
    entitlement: async (evidence) => {
      return entitledPeer(ecs, presentedRequest(evidence))
    },
    grant: async (evidence) => {
      entitlementsOf(ecs)
      refuseUnless(dpopProof(evidence.headers), 'CREDENTIAL_MISSING', 'the header DPoP is required')
      return presentedRequest(evidence)
    },
  }
}

function entitlementsOf({ entitlements }: EecAuthenticationPorts): EntitlementVerifier {
  refuseUnless(entitlements, 'CREDENTIAL_MISSING', 'no entitlement configuration server is trusted here')
  return entitlements
}

/**
 * The grant of a token request, which is also the client authentication.
 *
 * @throws Refusal ASSERTION_INVALID; DPOP_PROOF_INVALID, TOO_MANY_REQUESTS, NF_CONGESTION
 */
export async function verifyGrant(
  ecs: EecAuthenticationPorts,
  request: PresentedRequest & { readonly assertion: string },
): Promise<AuthenticatedEec> {
  try {
    return await entitledPeer(ecs, request)
  } catch (error) {
    const isCredential = error instanceof Refusal && error.code !== 'DPOP_PROOF_INVALID'
    if (!isCredential || ![401, 403].includes(errorRow(error.code).status)) throw error
    throw new Refusal('ASSERTION_INVALID', error.detail, { cause: error })
  }
}

async function entitledPeer(ecs: EecAuthenticationPorts, request: PresentedRequest): Promise<AuthenticatedEec> {
  const method = 'ENTITLEMENT_TOKEN'
  const { eecId, gpsi, jkt } = await entitlementsOf(ecs).verify(request)
  checkMethodsSeen(ecs.offered, method, request.headers[METHODS_HEADER])
  return { method, eecIds: new Set([eecId]), gpsi, jkt }
}

/** With a connection that is authenticated already, a proof names the key that tokens shall be bound to (RFC 9449 5). */
async function withProof(
  { now, replays, offered, mayGoOn }: EecAuthenticationPorts,
  peer: AuthenticatedEec,
  evidence: Evidence,
): Promise<AuthenticatedEec> {
  checkMethodsSeen(offered, peer.method, evidence.headers[METHODS_HEADER])
  const proof = dpopProof(evidence.headers)
  if (proof === undefined) return peer
  const [eecId = ''] = peer.eecIds
  refuseUnless(mayGoOn(peer.networkKey ?? eecId), 'TOO_MANY_REQUESTS', 'too many requests of one EEC')
  const { method, uri } = presentedRequest(evidence)
  const at = now()
  const proven = await verifyDpopProof(proof, { method, uri, now: at })
  useProof(replays, proven, at)
  return { ...peer, jkt: proven.jkt }
}
