/**
 * What a run does, as data: who takes part and when, over which links, and the phases that figures are
 * kept apart by. A scenario is a function that makes one. Times are ms; those of participants count
 * from the start of the run, all others from the start of measuring.
 */

import type { SuiteName } from '../../moq/delivery/index.ts'
import type { LinkConditions } from '../../sfu/simulation/net/link.ts'
import type { TrackSpec } from './media/profile.ts'

export interface LoadPlan {
  /** In the JSON and on screen; unique among the runs of a scenario. */
  readonly name: string
  readonly participants: readonly ParticipantPlan[]
  /** Networks that participants go through, by number. */
  readonly links: readonly LinkPlan[]
  /** From the start to the measuring: time to join, and for what is sent to settle. */
  readonly warmupMs: number
  /** What is measured, one behind the other. */
  readonly phases: readonly PhasePlan[]
  /** When every sender goes over to the next SFrame epoch. */
  readonly epochChanges: readonly number[]
  /** Everybody is a member of the room's MLS group, of this suite; null: keys are made of names. */
  readonly mls: SuiteName | null
  /** Compare what arrives with what was sent, byte by byte (by CRC-32). */
  readonly compareBytes: boolean
  /** An object that is this much later than its sending is late. */
  readonly lateMs: number
}

export interface PhasePlan {
  readonly name: string
  readonly ms: number
}

export interface ParticipantPlan {
  readonly id: string
  /** SFrame leaf index, unique in the room, where MLS gives none; below 4096. */
  readonly leaf: number
  readonly room: string
  /** Figures of participants with one label are added up. */
  readonly label: string
  readonly publishes: readonly TrackSpec[]
  readonly watches: readonly WatchPlan[]
  /** Reports to the relay, so that the relay chooses layers and renditions. */
  readonly managed: boolean
  /** Sends what the relay's feedback says that somebody wants, and no more than it says is borne. */
  readonly followsFeedback: boolean
  /** Number of a link of the plan; null for none. */
  readonly link: number | null
  readonly joinAtMs: number
  /** Null: stays to the end. */
  readonly leaveAtMs: number | null
}

export interface WatchPlan {
  readonly participant: string
  readonly tracks: readonly TrackSpec[]
  /** When the other is there, from the start of the run; where it is not there all the time. */
  readonly fromMs?: number
  readonly untilMs?: number
}

export interface LinkPlan {
  /** From the relay, and to it. */
  readonly down: Partial<LinkConditions>
  readonly up: Partial<LinkConditions>
  readonly changes: readonly LinkChange[]
}

export interface LinkChange {
  readonly atMs: number
  readonly down?: Partial<LinkConditions>
  readonly up?: Partial<LinkConditions>
}

export const DEFAULT_LATE_MS = 300

/** ms of measuring, all phases together. */
export function measuredMs(plan: Pick<LoadPlan, 'phases'>): number {
  return plan.phases.reduce((sum, { ms }) => sum + ms, 0)
}
