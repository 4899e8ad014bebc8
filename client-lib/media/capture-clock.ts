/**
 * Maps the timestamps of captured frames to the wall clock that LOC timestamps are. Each track counts
 * from a point of its own (Chromium: the camera from the system's start, the microphone from about
 * zero), so what joins picture and sound again at the receiver is this mapping. A frame is never seen
 * before it was captured: the earliest arrival is the truest, and the mapping slides towards it slowly
 * enough for timestamps to go on ascending. Where even the earliest of a while comes late, the device has left
 * something out and its clock with it, as microphones do on a busy machine: the mapping goes after it at once.
 */

/** A jump of this size (the machine slept, the device changed) anchors the mapping anew. */
const RESYNC_US = 500_000
/** Share of the time passed by which the mapping may slide back to an earlier arrival. */
const BACK = 0.1
/** As above, forward: two clocks drift apart by less than this. */
const FORWARD = 0.0005
/** Every frame of so long has to be late by more than this, µs, for the device to have left that out. */
const LATE_WINDOW_US = 2_000_000
const LATE_US = 40_000

export class CaptureClock {
  private readonly wallClock: () => number
  private offset: number | null = null
  private last = 0
  /** The earliest arrival, against its timestamp, since a point in time. */
  private earliest = Number.POSITIVE_INFINITY
  private since = 0

  /** @param wallClock ms since the Unix epoch */
  constructor(wallClock: () => number) {
    this.wallClock = wallClock
  }

  /** To be told of each frame as it arrives. @param timestamp of the capture, µs */
  arrived(timestamp: number): void {
    const seen = this.wallClock() * 1000 - timestamp
    if (this.offset === null || Math.abs(seen - this.offset) > RESYNC_US) {
      this.anchor(seen, timestamp)
    } else {
      const passed = Math.max(0, timestamp - this.last)
      const slide = Math.max(-BACK * passed, Math.min(FORWARD * passed, seen - this.offset))
      this.offset += slide
      this.earliest = Math.min(this.earliest, seen)
      if (timestamp - this.since >= LATE_WINDOW_US) {
        const isLate = this.earliest - this.offset > LATE_US
        this.anchor(isLate ? this.earliest : this.offset, timestamp)
      }
    }
    this.last = timestamp
  }

  private anchor(offset: number, timestamp: number): void {
    this.offset = offset
    this.earliest = Number.POSITIVE_INFINITY
    this.since = timestamp
  }

  /** @param timestamp of the capture, µs; returns µs since the Unix epoch, an integer */
  toWallClock(timestamp: number): number {
    if (this.offset === null) this.arrived(timestamp)
    return Math.max(0, Math.round(timestamp + (this.offset ?? 0)))
  }
}
