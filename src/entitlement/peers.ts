import type { NfPeer } from '../nf/peers.ts'

/** What a client can be at the listener for devices: what they show stands in their parameters. */
export interface DevicePeers {
  public: undefined
}

/** What a client can be at the listener with client certificates. */
export interface VerifierPeers {
  /** an ECS or EES that is shown tokens and asks about them */
  verifier: NfPeer
}
