/** What the bench and its worker processes tell each other, by Node's structured messages. */

import type { Trust } from '../../../moq/node/index.ts'
import type { LatenessData } from '../figures/lateness.ts'
import type { ReceiverData } from '../figures/receiver-figures.ts'
import type { TimelineStep } from '../figures/timeline.ts'
import type { ParticipantData } from '../participant/participant.ts'
import type { LoadPlan, ParticipantPlan } from '../plan.ts'

/** The part of a plan that one worker plays. */
export interface WorkerPlan
  extends Pick<
    LoadPlan,
    'warmupMs' | 'phases' | 'epochChanges' | 'mls' | 'compareBytes' | 'lateMs'
  > {
  readonly participants: readonly PlacedParticipant[]
  /** Other for each worker. */
  readonly seed: number
}

/** A participant, and how it reaches the relay. */
export interface PlacedParticipant extends ParticipantPlan {
  readonly url: string
  readonly trust: Trust
}

export type ToWorker =
  /** `startAt` on the clock that all processes of the machine share, ms. */
  { readonly type: 'play'; readonly plan: WorkerPlan; readonly startAt: number }

export type FromWorker =
  | { readonly type: 'ready' }
  | { readonly type: 'progress'; readonly progress: WorkerProgress }
  | { readonly type: 'result'; readonly result: WorkerResult }
  | { readonly type: 'failed'; readonly reason: string }

/** So far, of this worker. */
export interface WorkerProgress {
  readonly joined: number
  readonly sent: number
  readonly received: number
  readonly receivedBytes: number
}

export interface LabelData {
  readonly label: string
  /** One a phase. */
  readonly phases: readonly ReceiverData[]
  readonly timeline: readonly TimelineStep[]
}

export interface WorkerResult {
  readonly participants: readonly ParticipantData[]
  readonly labels: readonly LabelData[]
  /** Of sources, and of a timer that does nothing else. */
  readonly lateness: LatenessData
  /** Of the time that was measured, in cores. */
  readonly cpuCores: number
  readonly rssBytes: number
}
