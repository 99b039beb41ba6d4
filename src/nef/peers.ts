import type { NfPeer } from '../nf/peers.ts'
import type { NefPeerEntry } from './configuration.ts'

/** An Edge Configuration Server outside the operator's domain: its name is the one of its certificate. */
export type EcsPeer = NfPeer<NefPeerEntry>

export interface NefPeers {
  ecs: EcsPeer
}

export const EDGE_KEY_SCOPE = '3gpp-edge-key'
/** to be told the GPSI as well */
export const GPSI_SCOPE = '3gpp-edge-key:gpsi-access'
