/**
 * Whether a run says anything of the relay: not when the generator itself, or the machine under both,
 * had no time left. Then objects are late before the relay has seen them.
 */

import type { WorkerResult } from './crew/protocol.ts'
import { Histogram } from './figures/histogram.ts'
import { LATE_TICK_MS } from './figures/lateness.ts'

/** What is known of the generator. */
export interface GeneratorFigures {
  readonly workers: number
  /** Of the busiest worker. */
  readonly cpuCores: number
  /** How late its timers ran, ms, of the worst worker. */
  readonly lagMsP99: number
  /** Share of ticks later than 10 ms, of the worst worker, 0..1. */
  readonly lateTicks: number
  readonly rssBytesPerParticipant: number
  /** Share of all cores of the machine that was busy, 0..1. */
  readonly machineBusy: number
}

const MOST_LAG_MS = 20
const MOST_LATE_TICKS = 0.02
const MOST_CPU_CORES = 0.9
const MOST_MACHINE_BUSY = 0.95

export function generatorFigures(
  workers: readonly WorkerResult[],
  machineBusy: number,
): GeneratorFigures {
  const participants = workers.reduce((sum, worker) => sum + worker.participants.length, 0)
  const rss = workers.reduce((sum, worker) => sum + worker.rssBytes, 0)
  const worst = (of: (worker: WorkerResult) => number) => Math.max(0, ...workers.map(of))
  return {
    workers: workers.length,
    cpuCores: worst(({ cpuCores }) => cpuCores),
    lagMsP99: worst(({ lateness }) => Histogram.from(lateness.histogram).percentile(0.99) ?? 0),
    lateTicks: worst(({ lateness: { ticks, lateTicks } }) => (ticks ? lateTicks / ticks : 0)),
    rssBytesPerParticipant: Math.round(rss / Math.max(1, participants)),
    machineBusy,
  }
}

/** Why a run is not valid; empty when it is. */
export function saturation(figures: GeneratorFigures): string[] {
  const { cpuCores, lagMsP99, lateTicks, machineBusy } = figures
  const found: string[] = []
  if (lagMsP99 > MOST_LAG_MS) {
    found.push(`a worker's event loop ran ${lagMsP99.toFixed(0)} ms late (99th percentile)`)
  }
  if (lateTicks > MOST_LATE_TICKS) {
    const share = (lateTicks * 100).toFixed(1)
    found.push(`${share} % of a worker's ticks were more than ${LATE_TICK_MS} ms late`)
  }
  if (cpuCores > MOST_CPU_CORES) {
    found.push(`a worker took ${cpuCores.toFixed(2)} cores: give more --workers`)
  }
  if (machineBusy > MOST_MACHINE_BUSY) {
    found.push(`the machine was busy for ${(machineBusy * 100).toFixed(0)} % of the time`)
  }
  return found
}
