/**
 * What the uplink bears, as far as our own side can tell: for relays that send no feedback. Bytes that
 * wait in the transport, and datagrams that it does not take, say that it bears less than is sent; while
 * neither is so, the guess grows back to all that we would send. Pure: the time is passed in.
 */

export interface PathReading {
  /** Bytes that wait in the transport. */
  readonly buffered: number
  /** Objects that the transport refused since the last reading. */
  readonly refused: number
  /** Payload bits a second that were sent since the last reading. */
  readonly bitrate: number
}

/** So much waiting, as time on the way, is a queue; ms. */
const FULL_MS = 250
/** A key frame waits, too: less than this is no queue, bytes. */
const LEAST_QUEUE_BYTES = 32 * 1024
/** After a step down, the share that is taken to fit. */
const BACK_OFF = 0.75
/** Between steps down, ms: a queue drains slowly. */
const SETTLE_MS = 1000
/** Growth a second. */
const GROWTH = 0.08
const LEAST_BITRATE = 60_000
const LONGEST_STEP_MS = 1000

export class PathGuess {
  /** Bits a second. */
  estimate: number
  private readonly most: number
  private updatedAt: number
  private steppedAt = Number.NEGATIVE_INFINITY

  /** @param most bits a second: what is taken to fit until the path shows otherwise @param now ms */
  constructor(most: number, now: number) {
    this.most = most
    this.estimate = most
    this.updatedAt = now
  }

  update({ buffered, refused, bitrate }: PathReading, now: number): void {
    const elapsed = Math.min(LONGEST_STEP_MS, now - this.updatedAt)
    this.updatedAt = now
    const queue = Math.max(LEAST_QUEUE_BYTES, (this.estimate * FULL_MS) / 8000)
    if (refused === 0 && buffered < queue) {
      this.estimate = Math.min(this.most, this.estimate * (1 + (GROWTH * elapsed) / 1000))
      return
    }
    if (now - this.steppedAt < SETTLE_MS) return
    this.steppedAt = now
    // What was sent is closer to the truth than what was hoped for, unless hardly anything was.
    const sent = Math.max(bitrate, this.estimate / 4)
    this.estimate = Math.max(LEAST_BITRATE, Math.min(this.estimate, sent) * BACK_OFF)
  }
}
