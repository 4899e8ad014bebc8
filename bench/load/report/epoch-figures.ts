import type { RunRecord } from '../run.ts'

/** Changes of epoch of all groups while it was measured. */
export interface EpochChanges {
  readonly count: number
  /** From the first member that had the keys to each other one, ms. */
  readonly lags: readonly number[]
}

/** Null where nobody was in a group. */
export function epochChanges(records: readonly RunRecord[]): EpochChanges | null {
  const all = records.flatMap((record) => changesOf(record))
  const isGroup = records.some(({ plan }) => plan.mls !== null)
  return isGroup ? { count: all.length, lags: all.flat() } : null
}

/** For each change, how much later than the first the others had its keys. */
function changesOf({ workers, from, to }: RunRecord): number[][] {
  const times = new Map<string, number[]>()
  for (const { participants } of workers) {
    for (const { room, epochs, leftAt } of participants) {
      for (const { group, epoch, at } of epochs) {
        // The first member of a group has followed nobody, and who is leaving nobody waits for.
        if (epoch === 0 || (leftAt !== null && at >= leftAt)) continue
        const key = JSON.stringify([room, group, epoch])
        const seen = times.get(key)
        if (seen) seen.push(at)
        else times.set(key, [at])
      }
    }
  }
  return [...times.values()].flatMap((seen) => {
    const first = Math.min(...seen)
    if (first < from || first >= to) return []
    return [
      seen
        .toSorted((a, b) => a - b)
        .slice(1)
        .map((at) => at - first),
    ]
  })
}
