export interface Measured {
  /** each second */
  readonly rate: number
  /** of processor time that the server used for each, all its threads together */
  readonly microseconds?: number
}

/** Our figure beside its limit of the same run. */
export interface Result {
  readonly name: string
  readonly ours: Measured
  readonly limit: Measured
  readonly ratio: number
  /** what the ratio should be at least, where something is asked of it */
  readonly aim?: number
}

/** A figure that has a bound instead of a rival. */
export interface Bounded {
  readonly name: string
  readonly value: number
  readonly unit: string
  readonly atMost: number
}

export function against(name: string, ours: Measured, limit: Measured, aim?: number): Result {
  return {
    name,
    ours: rounded(ours),
    limit: rounded(limit),
    ratio: Math.round((ours.rate / limit.rate) * 1000) / 1000,
    ...(aim !== undefined && { aim }),
  }
}

function rounded({ rate, microseconds }: Measured): Measured {
  return { rate: Math.round(rate), ...(microseconds !== undefined && { microseconds: Math.round(microseconds) }) }
}
