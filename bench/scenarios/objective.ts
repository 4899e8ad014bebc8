import type { Goal, RunReport } from '../load/report/figures.ts'

/** What a relay must keep to be said to bear a load. */
export interface Objective {
  /** Share of audio objects that may be lost, 0..1. */
  readonly lostShare: number
  /** Of audio, 95th percentile, ms. */
  readonly delayMs: number
  /** Share of the time that pictures may be frozen, 0..1. */
  readonly frozenShare: number
}

const OBJECTIVE: Objective = { lostShare: 0.001, delayMs: 100, frozenShare: 0.005 }

type Judged = Pick<RunReport, 'classes' | 'latencyMs' | 'freezes' | 'participants' | 'durationS'>

/** @param pictures that are watched, of all watchers together */
export function objectiveGoals(run: Judged, pictures: number, objective = OBJECTIVE): Goal[] {
  const { audio } = run.classes
  const p95 = run.latencyMs.audio?.p95 ?? null
  const lost = audio && audio.expected > 0 ? audio.lost / audio.expected : null
  const frozen = run.freezes.totalMs / 1000 / Math.max(1, pictures * run.durationS)
  const { planned, joined } = run.participants
  return [
    {
      name: 'participants who got in',
      value: `${joined} of ${planned}`,
      wanted: 'all',
      met: joined === planned,
    },
    {
      name: 'audio lost',
      value: percent(lost),
      wanted: `at most ${percent(objective.lostShare)}`,
      met: lost !== null && lost <= objective.lostShare,
    },
    {
      name: 'audio delay p95',
      value: p95 === null ? 'none came' : `${p95.toFixed(1)} ms`,
      wanted: `at most ${objective.delayMs} ms`,
      met: p95 !== null && p95 <= objective.delayMs,
    },
    {
      name: 'time with a frozen picture',
      value: percent(frozen),
      wanted: `at most ${percent(objective.frozenShare)}`,
      met: frozen <= objective.frozenShare,
    },
  ]
}

/** Whether every goal was met. */
export function holds({ goals }: Pick<RunReport, 'goals'>): boolean {
  return goals.every(({ met }) => met === true)
}

function percent(share: number | null): string {
  return share === null ? 'none came' : `${Math.round(share * 10_000) / 100} %`
}
