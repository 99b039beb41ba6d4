/** A condition, and what to say where it does not hold. */
export type Check = readonly [holds: boolean, finding: string]

/** What the checks found. Every one is made: a list of faults is worth more than the first of them. */
export function findings(checks: readonly Check[]): string[] {
  return checks.flatMap(([holds, finding]) => (holds ? [] : [finding]))
}
