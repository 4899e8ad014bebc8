import { Histogram } from '../histogram.ts'
import { epochsAhead } from './kid.ts'

/** Changes of epoch as the headers of objects show them, in all rooms since the start. */
export interface EpochTally {
  /** Times that a room began to send under a newer epoch. */
  changes: number
  /**
   * How long after the room's first object under an epoch each further participant changed to it, ms.
   * One who was not there before does not change.
   */
  readonly lag: Histogram
}

/** Upper bounds of `EpochTally.lag`, ms. */
const LAG_BOUNDS: readonly number[] = [10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000]

export function makeEpochTally(): EpochTally {
  return { changes: 0, lag: new Histogram(LAG_BOUNDS) }
}

/** The newest epoch under which somebody in a room sends. */
export class RoomEpoch {
  private readonly tally: EpochTally
  private epoch = -1
  private begunAt = 0

  constructor(tally: EpochTally) {
    this.tally = tally
  }

  /**
   * A participant's first object under an epoch.
   * @param before the one under which it sent until now; -1: none
   * @param now ms
   */
  entered(epoch: number, before: number, now: number): void {
    if (this.epoch < 0 || epochsAhead(epoch, this.epoch) > 0) {
      if (this.epoch >= 0) this.tally.changes++
      this.epoch = epoch
      this.begunAt = now
    } else if (before >= 0 && epoch === this.epoch) {
      this.tally.lag.observe(now - this.begunAt)
    }
  }
}
