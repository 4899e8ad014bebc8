/** The shape of what a load scenario reports; the JSON of its file. */

import type { Report } from '../../report/report.ts'
import type { Stalls } from '../figures/stall-watch.ts'
import type { ObjectClass } from '../media/object-class.ts'
import type { LoadOptions } from '../options.ts'
import type { GeneratorFigures } from '../saturation.ts'
import type { ByteComparison } from './shortfall.ts'

/** Raised when a field changes its meaning or goes; fields may be added at any time. */
export const LOAD_SCHEMA_VERSION = 1

/** ms; null when nothing was measured. */
export interface Spread {
  readonly p50: number | null
  readonly p95: number | null
  readonly p99: number | null
  readonly max: number | null
}

export interface ClassCounts {
  /** By publishers, to the relay. */
  readonly sent: number
  readonly sentBytes: number
  /** What watchers should have got, in sum. */
  readonly expected: number
  readonly received: number
  readonly receivedBytes: number
  readonly lost: number
  /** Left out for watchers that let the relay choose; what was lost of it too. */
  readonly withheld: number
  readonly late: number
  readonly duplicate: number
}

export interface RelayFigures {
  readonly cpuSeconds: number | null
  readonly cpuCores: number | null
  /** At the end. */
  readonly rssBytes: number | null
  /** Above what it took before anybody came. */
  readonly rssBytesPerParticipant: number | null
  /** The 99th percentile of each second; of these, the highest but one in a hundred. */
  readonly eventLoopLagMsP99: number | null
  readonly cpuSecondsPerMillionObjects: number | null
  readonly cpuSecondsPerGigabit: number | null
  /** Objects that it sent, and dropped by reason. */
  readonly forwarded: number | null
  readonly dropped: Readonly<Record<string, number>> | null
}

/** What one run, or all runs of a scenario together, brought. */
export interface LoadFigures {
  readonly durationS: number
  readonly participants: { readonly planned: number; readonly joined: number }
  readonly objects: Omit<ClassCounts, 'sentBytes' | 'receivedBytes'> & {
    readonly forwarded: number | null
    /** Did not decrypt: other bytes than were sent. */
    readonly undecryptable: number
    /** Not sent, or not taken by the transport, for want of an uplink. */
    readonly refused: number
  }
  /** Payload bytes. */
  readonly bytes: { readonly sent: number; readonly received: number }
  readonly classes: Readonly<Partial<Record<ObjectClass, ClassCounts>>>
  /** Received by watchers. */
  readonly objectsPerSecond: number
  readonly megabitsPerSecond: number
  /** UDP packets that all processes of the machine sent; null where it does not tell. */
  readonly packetsPerSecond: number | null
  /** One way, from before encryption to after decoding of the object; only classes that came. */
  readonly latencyMs: Readonly<Partial<Record<ObjectClass, Spread>>>
  /** From the first packet to an established session; below, to the first object and picture. */
  readonly joinMs: Spread
  /** From the first packet to the keys of the room's MLS group. */
  readonly keysMs: Spread
  readonly firstObjectMs: Spread
  readonly firstPictureMs: Spread
  /** Pauses of more than 40 ms between arrivals of one voice. */
  readonly audioGaps: Stalls
  /** More than 500 ms without a picture of one source that can be decoded. */
  readonly freezes: Stalls
  readonly bytesIdentical: ByteComparison | null
  /** Of MLS groups: how many, and from the first member with the new keys to each other one. */
  readonly epochChanges: { readonly count: number; readonly ms: Spread } | null
  readonly relay: RelayFigures | null
  readonly generator: GeneratorFigures
}

/** Participants of one label in one phase. */
export interface PhaseReport {
  readonly phase: string
  readonly classes: Readonly<Partial<Record<ObjectClass, ClassCounts>>>
  readonly latencyMs: Readonly<Partial<Record<ObjectClass, Spread>>>
  readonly audioGaps: Stalls
  readonly freezes: Stalls
  /** Decodable, of all of the label's pictures together. */
  readonly framesPerSecond: number
}

/** Participants of one label over the run; arrays have a value each step of the timeline. */
export interface LabelReport {
  readonly label: string
  readonly phases: readonly PhaseReport[]
  readonly timeline: {
    readonly stepMs: number
    readonly objectsPerSecond: readonly number[]
    readonly megabitsPerSecond: readonly number[]
    readonly framesPerSecond: readonly number[]
    /** Rendition that most pictures were of; null where there was none. */
    readonly rendition: readonly (number | null)[]
    /** Highest temporal layer of any picture; null where there was none. */
    readonly temporalLayer: readonly (number | null)[]
  }
}

/** The relay over the run, by second; null where it does not tell. */
export interface RelayTimeline {
  /** From the start of measuring. */
  readonly seconds: readonly number[]
  readonly cpuCores: readonly (number | null)[]
  readonly rssBytes: readonly (number | null)[]
  readonly eventLoopLagMs: readonly (number | null)[]
  readonly droppedPerSecond: readonly (number | null)[]
  readonly waitingBytes: readonly (number | null)[]
}

/** A figure that a scenario is for, beside what is wanted of it. */
export interface Goal {
  readonly name: string
  /** As a person reads it, with its unit. */
  readonly value: string
  /** Absent where nothing is wanted of it. */
  readonly wanted?: string
  /** Null: could not be measured. */
  readonly met?: boolean | null
}

export interface RunReport extends LoadFigures {
  readonly name: string
  readonly valid: boolean
  readonly invalidBecause: readonly string[]
  readonly goals: readonly Goal[]
  readonly labels: readonly LabelReport[]
  readonly relayTimeline: RelayTimeline
  /** Share of objects (0..1) at or below each latency (ms), by class. */
  readonly latencyDistribution: Readonly<
    Partial<Record<ObjectClass, readonly (readonly [ms: number, share: number])[]>>
  >
  /** What participants complained of, each sentence once, with how often. */
  readonly faults: readonly string[]
}

/** The JSON of a load scenario: figures over all its runs, and each run's own. */
export interface LoadReport extends Report, LoadFigures {
  readonly schemaVersion: number
  readonly settings: Omit<LoadOptions, 'html' | 'profileRelay' | 'target'>
  readonly runs: readonly RunReport[]
  /** What all runs together say, where the scenario is for that. */
  readonly conclusions: readonly Goal[]
}
