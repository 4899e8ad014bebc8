/** What micro benchmarks measure: subjects, each some cases of the same kind. */

export interface Subject {
  readonly name: string
  /** What an operation is, and what is or is not in it. */
  readonly about: string
  cases(): readonly Case[] | Promise<readonly Case[]>
}

/** A subject that is measured elsewhere than in this process. */
export interface RemoteSubject {
  readonly name: string
  readonly about: string
  /** @param timeMs how long to time each case */
  measure(timeMs: number): Promise<RemoteMeasurements>
}

export interface RemoteMeasurements {
  /** A program and its version. */
  readonly ranIn: string
  readonly measurements: readonly Measurement[]
}

export interface Case {
  readonly name: string
  /** Operations that one call of `run` does. Enough for some tens of microseconds. */
  readonly operations: number
  /** Bytes of payload in one operation; gives the table its bytes a second. */
  readonly payloadBytes?: number
  /** Done before each call of `run` and not measured. */
  prepare?(): void | Promise<void>
  /** Returns something that depends on the work, so that no compiler leaves it out. */
  run(): unknown
}

export interface Measurement {
  readonly name: string
  /** Of the mean batch, garbage collections included. */
  readonly operationsPerSecond: number
  readonly nanosecondsPerOperation: number
  /** Of the fastest batch: what a step costs while nothing disturbs it. */
  readonly leastNanoseconds: number
  /** How far the mean may be off, with a confidence of 95 %. */
  readonly marginPercent: number
  /**
   * Heap and buffers together; null where a garbage collection came into every try, and in browsers,
   * which do not tell.
   */
  readonly bytesPerOperation: number | null
  readonly payloadBytes?: number
  readonly payloadBytesPerSecond?: number
}
