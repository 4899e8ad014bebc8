/** What micro benchmarks measure: subjects, each some cases of the same kind. */

export interface Subject {
  readonly name: string
  /** What an operation is, and what is or is not in it. */
  readonly about: string
  cases(): readonly Case[] | Promise<readonly Case[]>
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
  /** How far the mean may be off, with a confidence of 95 %. */
  readonly marginPercent: number
  /** Heap and buffers together; null where a garbage collection came into every try. */
  readonly bytesPerOperation: number | null
  readonly payloadBytes?: number
  readonly payloadBytesPerSecond?: number
}
