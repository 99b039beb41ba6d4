import type { Measured } from './result.ts'

/** Rounds that count. */
const ROUNDS = 4

/** One of those that are compared. */
export interface Side {
  /** Does what is measured, as often as `inTurn` was told. @param n - 0 for the round that only warms up */
  round(n: number): Promise<unknown>
  /** seconds of processor time that its server has used so far */
  used?(): number
}

/** Round by round, so that all sides meet the same load of the machine, whatever else it does. */
export async function inTurn<Sides extends readonly Side[]>(
  each: number,
  ...sides: Sides
): Promise<{ [Index in keyof Sides]: Measured }> {
  const spent = sides.map(() => ({ seconds: 0, processor: 0 }))
  for (let n = 0; n <= ROUNDS; n += 1) {
    for (const [index, side] of sides.entries()) {
      const [start, before] = [performance.now(), side.used?.() ?? 0]
      await side.round(n)
      const total = spent[index]
      if (n === 0 || total === undefined) continue
      total.seconds += (performance.now() - start) / 1_000
      total.processor += (side.used?.() ?? 0) - before
    }
  }
  const count = each * ROUNDS
  return sides.map(({ used }, index) => {
    const { seconds, processor } = spent[index] ?? { seconds: 0, processor: 0 }
    return { rate: count / seconds, ...(used && { microseconds: (processor / count) * 1e6 }) }
  }) as { [Index in keyof Sides]: Measured }
}

/** What each of so many rounds takes of a list. */
export function partOf<Item>(all: readonly Item[], n: number): readonly Item[] {
  const each = all.length / (ROUNDS + 1)
  return all.slice(Math.round(n * each), Math.round((n + 1) * each))
}

/** @returns how many a round has if there are so many altogether */
export const eachOf = (count: number): number => Math.max(1, Math.floor(count / (ROUNDS + 1)))
