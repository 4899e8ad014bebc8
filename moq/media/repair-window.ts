/** Ids that are remembered behind the newest one. */
const SPAN = 1024

const Mark = { UNKNOWN: 0, CAME: 1, MISSED: 2 } as const

/** Which objects of one group came, and which are missed: for a receiver that asks for them again. */
export class RepairWindow {
  group = -1
  private readonly marks = new Uint8Array(SPAN)
  /** The oldest id that is remembered. */
  private base = 0
  /** Behind the newest id that came or is known to exist. */
  private end = 0
  /** Below it every id came or is missed. */
  private known = 0

  /** @param first ids before it are not missed */
  begin(group: number, first: number): void {
    this.group = group
    this.base = first
    this.end = first
    this.known = first
  }

  /**
   * An object came. @returns whether it is the first of its id; null: nothing is known of so old a one
   */
  came(object: number): boolean | null {
    if (object < this.base) return null
    this.grow(object + 1)
    const slot = object % SPAN
    if (this.marks[slot] === Mark.CAME) return false
    this.marks[slot] = Mark.CAME
    return true
  }

  /**
   * Every object below `end` was sent: what did not come is missed from now on.
   * @param onMissed told of each once, in order
   * @param from nothing is said of those before it
   */
  miss(end: number, onMissed: (object: number) => void, from = this.known): void {
    this.grow(end)
    for (let object = Math.max(this.base, this.known, from); object < end; object++) {
      const slot = object % SPAN
      if (this.marks[slot] !== Mark.UNKNOWN) continue
      this.marks[slot] = Mark.MISSED
      onMissed(object)
    }
    if (from <= this.known) this.known = Math.max(this.known, end)
  }

  private grow(end: number): void {
    // No publisher of ours leaves out so many: a new beginning, not a loss.
    if (end - this.end >= SPAN) {
      this.base = end - 1
      this.end = end - 1
    }
    for (; this.end < end; this.end++) this.marks[this.end % SPAN] = Mark.UNKNOWN
    this.base = Math.max(this.base, this.end - SPAN)
  }
}
