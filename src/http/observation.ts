import { channel } from 'node:diagnostics_channel'

/**
 * What a listener tells whoever measures in the same process: numbers, and names that are ours. Nothing of what a peer
 * has sent is in it (THREATS KE-11).
 */
export interface Answered {
  readonly listener: string
  /** of the route; undefined where there was none */
  readonly operation: string | undefined
  /** undefined if the client left before there was an answer */
  readonly status: number | undefined
  readonly seconds: number
}

export interface Connection {
  readonly listener: string
  readonly event: 'opened' | 'closed' | 'handshake_failed' | 'not_admitted'
}

export interface Alarm {
  readonly alarm: string
}

/** Costs next to nothing while nobody listens. */
export const ANSWERED = channel('edgeward:answered')
export const CONNECTION = channel('edgeward:connection')
export const ALARM = channel('edgeward:alarm')
