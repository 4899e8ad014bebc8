import { ReceiverFigures } from '../figures/receiver-figures.ts'
import { TIMELINE_STEP_MS, Timeline, type TimelineStep } from '../figures/timeline.ts'
import { OBJECT_CLASSES } from '../media/object-class.ts'
import { measuredMs } from '../plan.ts'
import type { RunRecord } from '../run.ts'
import { saturation } from '../saturation.ts'
import type { Goal, LabelReport, PhaseReport, RunReport } from './figures.ts'
import { relayTimeline } from './relay-figures.ts'
import { type Shortfall, shortfalls } from './shortfall.ts'
import { classCounts, latencies, loadFigures, round, roundStalls } from './totals.ts'

/** @param judge what the scenario wants of this run */
export function runReport(
  record: RunRecord,
  judge: (labels: readonly LabelReport[], report: Omit<RunReport, 'goals'>) => Goal[],
): RunReport {
  const figures = loadFigures([record])
  const invalidBecause = saturation(figures.generator)
  if (figures.participants.joined === 0) invalidBecause.unshift('nobody got a session')
  const labels = labelReports(record)
  const report = {
    name: record.plan.name,
    valid: invalidBecause.length === 0,
    invalidBecause,
    ...figures,
    labels,
    relayTimeline: relayTimeline(record),
    latencyDistribution: distributions(record),
    faults: faultsOf(record),
  }
  return { ...report, goals: judge(labels, report) }
}

function labelReports(record: RunRecord): LabelReport[] {
  const short = shortfalls(record)
  const names = new Set(record.workers.flatMap(({ labels }) => labels.map(({ label }) => label)))
  return [...names].flatMap((label) => {
    const parts = record.workers.flatMap(({ labels }) => labels.filter((l) => l.label === label))
    const timeline = new Timeline(0, measuredMs(record.plan))
    for (const part of parts) timeline.add(part.timeline)
    const missing = short.get(label)
    // Those who only send have nothing to show.
    if (!missing) return []
    const phases = record.plan.phases.map(({ name, ms }, index) => {
      const received = new ReceiverFigures()
      for (const part of parts) received.add(part.phases[index]!)
      return phaseReport(name, ms, received, missing[index]!)
    })
    return [{ label, phases, timeline: timelineOf(timeline.steps) }]
  })
}

function phaseReport(
  phase: string,
  ms: number,
  received: ReceiverFigures,
  short: Shortfall,
): PhaseReport {
  return {
    phase,
    classes: classCounts(received, short),
    latencyMs: latencies(received),
    audioGaps: roundStalls(received.audioGaps),
    freezes: roundStalls(received.freezes),
    framesPerSecond: round(received.frames / (ms / 1000), 1),
  }
}

function timelineOf(steps: readonly TimelineStep[]): LabelReport['timeline'] {
  const seconds = TIMELINE_STEP_MS / 1000
  const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0)
  return {
    stepMs: TIMELINE_STEP_MS,
    objectsPerSecond: steps.map(({ objects }) => round(objects / seconds, 1)),
    megabitsPerSecond: steps.map(({ bytes }) => round((bytes * 8) / seconds / 1e6, 3)),
    framesPerSecond: steps.map(({ byRendition }) => round(sum(byRendition) / seconds, 1)),
    rendition: steps.map(({ byRendition }) => mostFrequent(byRendition)),
    temporalLayer: steps.map(({ byLayer }) => highestUsed(byLayer)),
  }
}

function mostFrequent(counts: readonly number[]): number | null {
  const most = Math.max(...counts)
  return most === 0 ? null : counts.indexOf(most)
}

function highestUsed(counts: readonly number[]): number | null {
  const index = counts.findLastIndex((count) => count > 0)
  return index < 0 ? null : index
}

function distributions({ workers }: RunRecord): RunReport['latencyDistribution'] {
  const received = new ReceiverFigures()
  for (const { labels } of workers) {
    for (const { phases } of labels) for (const phase of phases) received.add(phase)
  }
  const all: Record<string, readonly (readonly [number, number])[]> = {}
  for (const name of OBJECT_CLASSES) {
    const points = received.of(name).latency.distribution()
    if (points.length > 0) all[name] = points.map(([ms, share]) => [round(ms, 3), round(share, 5)])
  }
  return all
}

function faultsOf({ workers }: RunRecord): string[] {
  const counts = new Map<string, number>()
  for (const { participants } of workers) {
    for (const { faults } of participants) {
      for (const fault of faults) counts.set(fault, (counts.get(fault) ?? 0) + 1)
    }
  }
  return [...counts].map(([fault, count]) => (count > 1 ? `${fault} (${count} times)` : fault))
}
