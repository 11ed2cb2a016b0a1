/** The middle value of those that are numbers; of an even number the mean of the middle two; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

/** The value below which a share of the sorted values lies. */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

/** Round values of each subject, in order of the rounds. */
export type Rounds<Subject extends string, Value> = Record<Subject, Value[]>

/**
 * Measure the subjects in turn, A B C, C B A, A B C, …, so that what the machine does meanwhile hits all alike and
 * none is always first.
 */
export async function interleave<Subject extends string, Value>(
  subjects: readonly Subject[],
  rounds: number,
  measure: (subject: Subject, round: number) => Promise<Value>,
): Promise<Rounds<Subject, Value>> {
  const seen = Object.fromEntries(subjects.map((subject) => [subject, []])) as unknown as Rounds<Subject, Value>
  for (let round = 0; round < rounds; round++) {
    for (const subject of round % 2 === 0 ? subjects : subjects.toReversed()) {
      seen[subject].push(await measure(subject, round))
    }
  }
  return seen
}

/** The median of the rounds' ratios: what slowed a whole round down slowed both of its values. */
export function medianRatio(ours: readonly number[], theirs: readonly number[]): number {
  return median(ours.map((value, round) => value / (theirs[round] ?? Number.NaN)))
}

/** As `medianRatio`, of differences. */
export function medianDifference(ours: readonly number[], theirs: readonly number[]): number {
  return median(ours.map((value, round) => value - (theirs[round] ?? Number.NaN)))
}
