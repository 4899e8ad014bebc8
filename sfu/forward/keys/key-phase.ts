import { CounterWindow } from './counter-window.ts'
import { contextOf, epochOf, leafOf } from './kid.ts'
import type { LeafClaim } from './leaf-claims.ts'

/** One KID of one track: whose it is, which of its counters came. Used again for another KID. */
export class KeyPhase {
  kidHigh = 0
  kidLow = 0
  claim: LeafClaim
  readonly counters = new CounterWindow()
  /** What its objects are marked with; see `TrackKeys.read`. */
  generation = 0
  /** Its objects that were accepted. */
  objects = 0
  /** When the last of them came, ms. */
  usedAt = 0

  constructor(kidHigh: number, kidLow: number, claim: LeafClaim, now: number) {
    this.claim = claim
    this.begin(kidHigh, kidLow, claim, now)
  }

  begin(kidHigh: number, kidLow: number, claim: LeafClaim, now: number): void {
    this.kidHigh = kidHigh
    this.kidLow = kidLow
    this.claim = claim
    this.counters.reset()
    this.generation = 0
    this.objects = 0
    this.usedAt = now
  }

  is(kidHigh: number, kidLow: number): boolean {
    return this.kidLow === kidLow && this.kidHigh === kidHigh
  }

  get epoch(): number {
    return epochOf(this.kidLow)
  }

  dump() {
    return {
      epoch: this.epoch,
      leaf: leafOf(this.kidLow),
      context: contextOf(this.kidHigh, this.kidLow),
      highestCounter: this.counters.highest,
      objects: this.objects,
    }
  }
}
