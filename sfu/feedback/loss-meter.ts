import { GapWindow } from './gap-window.ts'

/**
 * Objects of a track that did not come, by the gaps in their ids (a publisher of ours numbers objects of
 * streams and datagrams in one row). An id counts when it had a whole reading's time to come late.
 */
export class LossMeter {
  private current = new GapWindow()
  private previous = new GapWindow()
  /** Of the current group, at the last reading. */
  private horizon = 0
  private isPreviousOld = false

  add(group: number, object: number): void {
    if (group === this.current.group) this.current.add(object)
    else if (group > this.current.group) this.begin(group, object)
    else if (group === this.previous.group) this.previous.add(object)
  }

  /** Lost, in thousandths of what was sent; null when nothing can be said of the time since. */
  read(): number | null {
    const { current, previous } = this
    if (this.isPreviousOld) previous.settle(previous.horizon)
    this.isPreviousOld = true
    current.settle(this.horizon)
    this.horizon = current.horizon
    const expected = current.expected + previous.expected
    const lost = current.lost + previous.lost
    current.clearCounts()
    previous.clearCounts()
    return expected === 0 ? null : (lost * 1000) / expected
  }

  private begin(group: number, object: number): void {
    const { current, previous } = this
    const isFirst = current.group < 0
    previous.settle(previous.horizon)
    // What was counted of the group that is two back must not be lost with it.
    current.expected += previous.expected
    current.lost += previous.lost
    previous.clearCounts()
    this.current = previous
    this.previous = current
    this.current.begin(group, isFirst ? object : 0)
    this.current.add(object)
    this.horizon = 0
    this.isPreviousOld = false
  }
}
