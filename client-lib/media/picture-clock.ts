/**
 * When a picture is to be shown: when its participant's sound of the same time is heard; without sound,
 * as soon as most pictures come in time. Pure: the times are passed in.
 */

import { TargetDelay } from './target-delay.ts'

/** ms from a timestamp to when its sound is heard, on the page's clock; null while there is no sound. */
export type SoundDelay = () => number | null

/** Pictures that are looked at to find how late they come, and the share that is to come in time. */
const RECENT = 60
const IN_TIME = 0.9
/** For what a repaint takes. */
const MARGIN_MS = 10
/** Pictures without sound are held no longer than this. */
const MOST_MS = 120
const SMOOTHING = 0.1

export class PictureClock {
  private readonly sound: SoundDelay
  private readonly own = new TargetDelay({ startMs: 0, minMs: 0, maxMs: MOST_MS })
  /** Of the last pictures: arrival less timestamp, ms. */
  private readonly delays = new Float64Array(RECENT)
  private seen = 0
  private skew: number | null = null

  constructor(sound: SoundDelay) {
    this.sound = sound
  }

  /** @param timestamp µs of the sender's. @param now ms of ours */
  arrived(timestamp: number, now: number): void {
    const delay = now - timestamp / 1000
    this.own.arrived(delay, now)
    this.delays[this.seen++ % RECENT] = delay
  }

  /** @param timestamp µs of the sender's. @returns ms of ours; in the past: at once */
  dueAt(timestamp: number): number {
    const sound = this.sound()
    if (sound !== null) return timestamp / 1000 + sound
    return this.seen === 0 ? 0 : timestamp / 1000 + this.own.base + this.own.ms
  }

  /** @param timestamp as above, of the picture that is shown now. @param now ms */
  shown(timestamp: number, now: number): void {
    const sound = this.sound()
    if (sound === null) {
      this.skew = null
      return
    }
    const skew = now - timestamp / 1000 - sound
    this.skew = this.skew === null ? skew : this.skew + (skew - this.skew) * SMOOTHING
  }

  /** How much later than its sound a picture is shown of late, ms; null without sound. */
  get skewMs(): number | null {
    return this.skew
  }

  /**
   * How much later the sound should be for pictures to keep up with it, ms; negative where it need not
   * be as late as it is, for their sake. Null without sound or pictures.
   */
  get soundLagMs(): number | null {
    const sound = this.sound()
    if (sound === null || this.seen < RECENT) return null
    const sorted = this.delays.slice().sort()
    return sorted[Math.floor(RECENT * IN_TIME)]! + MARGIN_MS - sound
  }
}
