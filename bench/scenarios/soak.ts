import { roomsOf, steadyPlan } from '../load/people.ts'
import type { Goal, RelayTimeline, RunReport } from '../load/report/figures.ts'
import { loadScenario } from '../load/scenario.ts'

/** Parts of the run that are compared. */
const PARTS = 10
/** A relay may grow by so much in an hour: caches and compiled code settle. */
const MOST_GROWTH_BYTES = 50e6

/** One call for a long time: whether anything grows that should not. */
export const soak = loadScenario({
  name: 'soak',
  summary:
    'One load for a long time (--duration, default 30 minutes): memory and delay at its end and before.',
  defaults: {
    publishers: 4,
    subscribers: 8,
    rooms: 1,
    profile: 'video',
    renditions: 1,
    managed: false,
    durationS: 1800,
  },
  *steps(options) {
    const plan = steadyPlan('soak', roomsOf(options, true), options)
    const part = Math.floor(options.durationMs / PARTS)
    const phases = Array.from({ length: PARTS }, (_, index) => ({
      name: `part ${index + 1}`,
      ms: part,
    }))
    yield { plan: { ...plan, phases }, judge: (_labels, report) => goals(report) }
  },
})

function goals({ relayTimeline, labels, objects }: Omit<RunReport, 'goals'>): Goal[] {
  const growth = growthAnHour(relayTimeline)
  const delays = (part: number) =>
    labels.flatMap(({ phases }) => phases[part]?.latencyMs.audio?.p95 ?? [])
  const [first, last] = [Math.max(0, ...delays(1)), Math.max(0, ...delays(PARTS - 1))]
  return [
    {
      name: 'memory of the relay, growth in its second half',
      value: growth === null ? 'unknown' : `${Math.round(growth / 1e6)} MB an hour`,
      wanted: `at most ${MOST_GROWTH_BYTES / 1e6} MB`,
      met: growth === null ? null : growth <= MOST_GROWTH_BYTES,
    },
    {
      name: 'audio delay p95, last part beside the second',
      value: `${last.toFixed(1)} ms beside ${first.toFixed(1)} ms`,
      wanted: 'no more than twice',
      met: first === 0 || last === 0 ? null : last <= 2 * first,
    },
    { name: 'objects lost', value: String(objects.lost), wanted: '0', met: objects.lost === 0 },
  ]
}

/**
 * Slope of the memory over the second half of the run, by least squares, bytes an hour; null when it is
 * not known.
 */
export function growthAnHour({ seconds, rssBytes }: RelayTimeline): number | null {
  const half = (seconds.at(-1) ?? 0) / 2
  const points = seconds.flatMap((x, index) => {
    const y = rssBytes[index] ?? null
    return x < half || y === null ? [] : [[x, y] as const]
  })
  if (points.length < 2) return null
  const mean = (of: (point: readonly [number, number]) => number) =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length
  const [meanX, meanY] = [mean(([x]) => x), mean(([, y]) => y)]
  const covariance = mean(([x, y]) => (x - meanX) * (y - meanY))
  const variance = mean(([x]) => (x - meanX) ** 2)
  return variance === 0 ? null : (covariance / variance) * 3600
}
