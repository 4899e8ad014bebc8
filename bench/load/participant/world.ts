import type { Clock } from '../../../moq/session/index.ts'
import type { Lateness } from '../figures/lateness.ts'
import type { Phases } from '../figures/phases.ts'
import type { ReceiverFigures } from '../figures/receiver-figures.ts'
import type { Timeline } from '../figures/timeline.ts'
import type { SharedOpenings } from './shared-openings.ts'

/** What all participants of a process share. */
export interface World {
  readonly clock: Clock
  /** Of the run, ms of the clock. */
  readonly startAt: number
  /** ms since 1970. */
  readonly wallClock: () => number
  /** In [0, 1). */
  readonly random: () => number
  readonly phases: Phases
  readonly lateMs: number
  readonly compareBytes: boolean
  /** Null where participants have keys of their own, and each has to show that it has them. */
  readonly openings: SharedOpenings | null
  /** How late sources tick. */
  readonly lateness: Lateness
}

/** Where what participants of one label receive is entered. */
export interface LabelFigures {
  /** One a phase. */
  readonly phases: readonly ReceiverFigures[]
  readonly timeline: Timeline
}
