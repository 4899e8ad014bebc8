import type { JoinStep } from '../join-times.ts'

/** Tells of each step of the join once, when it is first reached. */
export class JoinSteps {
  private readonly reached = new Set<JoinStep>()
  private readonly onReached: (step: JoinStep) => void

  constructor(onReached: (step: JoinStep) => void) {
    this.onReached = onReached
  }

  reach(step: JoinStep): void {
    if (this.reached.has(step)) return
    this.reached.add(step)
    this.onReached(step)
  }
}
