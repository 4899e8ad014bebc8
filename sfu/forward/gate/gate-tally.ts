/** What the key-frame gates of all subscribers did, since the start. */
export interface GateTally {
  /** Times that one opened. */
  openings: number
  /**
   * Times between the first object that one held back for want of a key frame and its opening, of all
   * gates together, ms.
   */
  gatedMs: number
}

export function makeGateTally(): GateTally {
  return { openings: 0, gatedMs: 0 }
}

/** For how long one gate has held back what came, by the times at which that came. */
export class GateWatch {
  private readonly tally: GateTally
  /** When the first object came that was held back, ms; negative: none was. */
  private since = -1

  constructor(tally: GateTally) {
    this.tally = tally
  }

  /** @param at when the object came, ms */
  heldBack(at: number): void {
    if (this.since < 0) this.since = at
  }

  /** @param at when the key frame came, ms */
  opened(at: number): void {
    this.tally.openings++
    if (this.since >= 0) this.tally.gatedMs += Math.max(0, at - this.since)
    this.since = -1
  }
}
