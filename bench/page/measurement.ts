/** What scenarios on the call page's stage share. */

import type { LinkConditions } from '../../sfu/simulation/net/link.ts'
import { busyShare, sampleMachine } from '../load/target/processes.ts'
import { Measuring } from '../report/measuring.ts'
import type { Report } from '../report/report.ts'
import { type Stage, setStage } from './stage.ts'

/** A figure beside what is wanted of it. */
export interface PageGoal {
  readonly name: string
  readonly met: boolean
}

export interface PageReport extends Report {
  /** The network between every page and the relay, each way; null: none but this machine's. */
  readonly impair: Partial<LinkConditions> | null
  readonly goals: readonly PageGoal[]
  /** Share of all cores that was busy, 0..1. */
  readonly machineBusy: number
}

/** What a measurement found. */
export interface Found<Figures> {
  readonly figures: Figures
  /** The figures as text. */
  readonly shown: string
  readonly goals: readonly PageGoal[]
  /** Why the figures say little, beside a machine that had no time. */
  readonly faults: readonly string[]
}

const MOST_MACHINE_BUSY = 0.95

/** Sets the stage, lets `measure` do its work on it, prints what it found and makes the report of it. */
export async function measureOnStage<Figures>(
  scenario: string,
  impair: Partial<LinkConditions> | null,
  print: (text: string) => void,
  measure: (stage: Stage) => Promise<Found<Figures>>,
): Promise<PageReport & Figures> {
  const measuring = new Measuring(print)
  const before = sampleMachine()
  const stage = await setStage(impair)
  const { figures, shown, goals, faults } = await measure(stage).finally(() => stage.close())
  const machineBusy = busyShare(before, sampleMachine())
  print(`\n${shown}`)
  for (const { name, met } of goals) print(`${met ? 'met' : 'MISSED'}: ${name}\n`)
  const invalidBecause = [...faults]
  if (machineBusy > MOST_MACHINE_BUSY) {
    invalidBecause.push(`the machine was busy for ${(machineBusy * 100).toFixed(0)} % of the time`)
  }
  return {
    ...measuring.report(scenario, stage.relay.web, invalidBecause),
    impair,
    goals,
    machineBusy,
    ...figures,
  }
}

/** @param shares of the values that are to be below a bound, e.g. `p50` */
export function goalsBelow(
  what: string,
  values: { readonly p50: number | null; readonly p95: number | null },
  wanted: { readonly p50?: number; readonly p95?: number },
): PageGoal[] {
  return (['p50', 'p95'] as const).flatMap((share) => {
    const most = wanted[share]
    if (most === undefined) return []
    const value = values[share]
    const told = value === null ? 'none' : `${value.toFixed(0)} ms`
    return [
      {
        name: `${what}, ${share}: ${told}, wanted under ${most} ms`,
        met: value !== null && value < most,
      },
    ]
  })
}
