import type { NfPeer } from '../nf/peers.ts'
import type { AusfPeerEntry } from './configuration.ts'

export type AusfPeer = NfPeer<AusfPeerEntry>

/** What a client can be at an AUSF: each credential has its scope, and each route declares one. */
export interface AusfPeers {
  /** a SEAF, for the serving networks of its entry */
  seaf: AusfPeer
  /** the UDM of this home network */
  udm: AusfPeer
  /** an ECS, or a NEF for ECSs outside the operator's domain */
  edgeKey: AusfPeer
  /** an ECS as application function of AKMA */
  akma: AusfPeer
}
