import type { PhasePlan } from '../plan.ts'

/** The time that is measured, in its phases. */
export class Phases {
  readonly start: number
  readonly end: number
  readonly count: number
  private readonly ends: readonly number[]

  /** @param start when measuring begins, ms of the machine's clock */
  constructor(start: number, phases: readonly PhasePlan[]) {
    let end = start
    this.ends = phases.map(({ ms }) => {
      end += ms
      return end
    })
    this.start = start
    this.end = end
    this.count = phases.length
  }

  /** Index of the phase that it falls into; -1 outside of all. */
  at(time: number): number {
    if (time < this.start) return -1
    for (let index = 0; index < this.count; index++) {
      if (time < this.ends[index]!) return index
    }
    return -1
  }
}
