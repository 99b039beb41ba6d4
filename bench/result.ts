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
  /** the same by processor time: what a machine that is busy otherwise says little else about */
  readonly ratioOfProcessorTime?: number
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
  const [spent, least] = [ours.microseconds, limit.microseconds]
  return {
    name,
    ours: rounded(ours),
    limit: rounded(limit),
    ratio: thousandths(ours.rate / limit.rate),
    ...(spent !== undefined && least !== undefined && { ratioOfProcessorTime: thousandths(least / spent) }),
    ...(aim !== undefined && { aim }),
  }
}

const thousandths = (ratio: number) => Math.round(ratio * 1_000) / 1_000

function rounded({ rate, microseconds }: Measured): Measured {
  return { rate: Math.round(rate), ...(microseconds !== undefined && { microseconds: Math.round(microseconds) }) }
}
