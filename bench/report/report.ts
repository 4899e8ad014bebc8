import type { Machine } from './machine.ts'

/** What the JSON of every scenario has; a scenario adds its figures. */
export interface Report {
  readonly scenario: string
  /** What was measured: a relay's URL, or `in-process`. */
  readonly target: string
  readonly machine: Machine
  /** Start, ISO 8601. */
  readonly startedAt: string
  readonly durationS: number
  /** False when the bench itself was disturbed or saturated, so that its figures say little. */
  readonly valid: boolean
  /** Why not; empty when valid. */
  readonly invalidBecause: readonly string[]
}
