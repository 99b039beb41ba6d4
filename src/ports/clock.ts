/**
 * Where time comes from. Credentials are judged by wall time, waiting is measured by monotonic time (THREATS TM-01).
 */
export interface Clock {
  /** wall time, milliseconds since 1970-01-01T00:00:00Z */
  now(): number
  /** milliseconds since an arbitrary start, never going back */
  monotonic(): number
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
}
