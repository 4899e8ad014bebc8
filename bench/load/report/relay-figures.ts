import type { RunRecord } from '../run.ts'
import type { RelaySample } from '../target/relay-watch.ts'
import type { RelayFigures, RelayTimeline } from './figures.ts'

/** Null for a relay of which nothing is known but its answers. */
export function relayFigures(
  records: readonly RunRecord[],
  objects: number,
  bytes: number,
): RelayFigures | null {
  const all = records.map(({ relay }) => relay)
  if (all.every(({ after }) => after.process === null && after.forwarded === null)) return null
  const cpuSeconds = sumOrNull(all.map(({ before, after }) => between(before, after, cpuOf)))
  const seconds = records.reduce((sum, { from, to }) => sum + (to - from) / 1000, 0)
  const lags = records.flatMap(({ relaySamples, from, to }) =>
    relaySamples.flatMap(({ at, lagMs }) =>
      lagMs !== null && at > from && at <= to ? [lagMs] : [],
    ),
  )
  return {
    cpuSeconds,
    cpuCores: per(cpuSeconds, seconds),
    rssBytes: highest(all.map(({ after }) => after.process?.rssBytes ?? null)),
    rssBytesPerParticipant: highest(records.map(rssPerParticipant)),
    eventLoopLagMsP99: percentile99(lags),
    cpuSecondsPerMillionObjects: per(cpuSeconds, objects / 1e6),
    cpuSecondsPerGigabit: per(cpuSeconds, (bytes * 8) / 1e9),
    forwarded: sumOrNull(all.map(({ before, after }) => between(before, after, forwardedOf))),
    dropped: droppedOf(all),
  }
}

/** The last look is at the end of measuring, or a little later. */
const SAMPLE_SLACK_MS = 200

/** Of the time that was measured. */
export function relayTimeline({
  relaySamples: samples,
  from,
  to,
}: Pick<RunRecord, 'relaySamples' | 'from' | 'to'>): RelayTimeline {
  const seconds: number[] = []
  const cpuCores: (number | null)[] = []
  const rssBytes: (number | null)[] = []
  const eventLoopLagMs: (number | null)[] = []
  const droppedPerSecond: (number | null)[] = []
  const waitingBytes: (number | null)[] = []
  const inOrder = samples.toSorted((a, b) => a.at - b.at)
  for (const [index, sample] of inOrder.entries()) {
    const before = inOrder[index - 1]
    // Two at nearly the same time, as a second ends with measuring, say nothing of a rate.
    if (!before || sample.at < from || sample.at - before.at < 200) continue
    if (sample.at > to + SAMPLE_SLACK_MS) break
    const spent = (sample.at - before.at) / 1000
    seconds.push(Math.round((sample.at - from) / 100) / 10)
    cpuCores.push(per(between(before, sample, cpuOf), spent))
    rssBytes.push(sample.process?.rssBytes ?? null)
    eventLoopLagMs.push(sample.lagMs)
    droppedPerSecond.push(per(between(before, sample, allDroppedOf), spent))
    waitingBytes.push(sample.waitingBytes)
  }
  return { seconds, cpuCores, rssBytes, eventLoopLagMs, droppedPerSecond, waitingBytes }
}

const cpuOf = ({ process }: RelaySample) => process?.cpuSeconds ?? null
const forwardedOf = ({ forwarded }: RelaySample) => forwarded

function allDroppedOf({ dropped }: RelaySample): number | null {
  return dropped && Object.values(dropped).reduce((sum, count) => sum + count, 0)
}

function droppedOf(all: readonly RunRecord['relay'][]): Record<string, number> | null {
  const sum: Record<string, number> = {}
  for (const { before, after } of all) {
    if (!before.dropped || !after.dropped) return null
    for (const [reason, count] of Object.entries(after.dropped)) {
      sum[reason] = (sum[reason] ?? 0) + count - (before.dropped[reason] ?? 0)
    }
  }
  return sum
}

function between(
  before: RelaySample,
  after: RelaySample,
  of: (sample: RelaySample) => number | null,
): number | null {
  const [first, last] = [of(before), of(after)]
  return first === null || last === null ? null : last - first
}

function rssPerParticipant({ relay, idleRssBytes, plan }: RunRecord): number | null {
  const rss = relay.after.process?.rssBytes
  if (rss === undefined || idleRssBytes === null || plan.participants.length === 0) return null
  return Math.round((rss - idleRssBytes) / plan.participants.length)
}

function sumOrNull(values: readonly (number | null)[]): number | null {
  let sum = 0
  for (const value of values) {
    if (value === null) return null
    sum += value
  }
  return Math.round(sum * 1000) / 1000
}

function per(value: number | null, by: number): number | null {
  return value === null || by <= 0 ? null : Math.round((value / by) * 1000) / 1000
}

function highest(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null)
  return known.length === 0 ? null : Math.max(...known)
}

function percentile99(values: readonly number[]): number | null {
  if (values.length === 0) return null
  const sorted = values.toSorted((a, b) => a - b)
  return Math.round(sorted[Math.ceil(0.99 * sorted.length) - 1]! * 100) / 100
}
