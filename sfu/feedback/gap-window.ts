/** Ids that are followed behind the newest one. */
const SPAN = 1024

/** Which object ids of one group came: what is missing is lost once enough time has passed. */
export class GapWindow {
  group = -1
  expected = 0
  lost = 0
  private readonly seen = new Uint8Array(SPAN)
  /** Ids below it are counted. */
  private settled = 0
  /** Behind the newest id that came. */
  private next = 0

  /** @param first ids before it are not missed: nothing was heard of the track yet */
  begin(group: number, first: number): void {
    this.group = group
    this.settled = first
    this.next = first
  }

  /** Behind the newest id that came; for `settle` at a later time. */
  get horizon(): number {
    return this.next
  }

  add(object: number): void {
    if (object < this.settled) return
    // No publisher of ours leaves out so many: a new beginning, not a loss.
    if (object - this.settled >= SPAN) {
      this.settle(this.next)
      this.settled = object
      this.next = object
    }
    for (; this.next < object; this.next++) this.seen[this.next % SPAN] = 0
    this.seen[object % SPAN] = 1
    if (object >= this.next) this.next = object + 1
  }

  /** Counts the ids below `end`: those that did not come are lost. */
  settle(end: number): void {
    for (const last = Math.min(end, this.next); this.settled < last; this.settled++) {
      this.expected++
      if (this.seen[this.settled % SPAN] === 0) this.lost++
    }
  }

  /** Forgets what was counted. */
  clearCounts(): void {
    this.expected = 0
    this.lost = 0
  }
}
