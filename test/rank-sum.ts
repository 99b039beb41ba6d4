/** Mann-Whitney: whether one sample tends to be larger than the other, whatever their distribution. */
export interface RankSum {
  /** standard normal if the samples are of one distribution and not too few */
  readonly z: number
  /** how often a value of the first exceeds one of the second: 0.5 if nothing tells them apart */
  readonly auc: number
}

export function rankSum(first: readonly number[], second: readonly number[]): RankSum {
  const all = [...first.map((value) => ({ value, own: 1 })), ...second.map((value) => ({ value, own: 0 }))]
  all.sort((a, b) => a.value - b.value)
  let [ranks, ties] = [0, 0]
  for (let from = 0; from < all.length; ) {
    let to = from + 1
    while (to < all.length && all[to]?.value === all[from]?.value) to += 1
    const own = all.slice(from, to).reduce((sum, each) => sum + each.own, 0)
    // Those that are equal share the mean of their ranks.
    ranks += (own * (from + 1 + to)) / 2
    ties += (to - from) ** 3 - (to - from)
    from = to
  }
  const [m, n] = [first.length, second.length]
  const u = ranks - (m * (m + 1)) / 2
  const variance = ((m * n) / 12) * (m + n + 1 - ties / ((m + n) * (m + n - 1)))
  return { z: (u - (m * n) / 2) / Math.sqrt(variance), auc: u / (m * n) }
}
