import { SentLog } from './sent-log.ts'

/** What may go at once after a pause: so many ms of the rate, and these bytes at least. */
const BURST_MS = 25
const MIN_BURST = 2400
/** Sending is taken up again when so much may go, ms of the rate. */
const QUANTUM_MS = 5
const MIN_PIECE = 1200

/**
 * How fast one subscriber is sent what is below audio: a token bucket, so that what a narrow path
 * cannot take yet waits here, where it may be overtaken and dropped, and not in the network. It
 * counts all that is sent, and holds nothing back until it is given a rate.
 */
export class Pacer {
  /** Bytes handed to the transport since the session began. */
  sentBytes = 0
  readonly log = new SentLog()
  /** Bytes a ms; Infinity: as fast as the transport takes it; 0: not at all. */
  private rate = Number.POSITIVE_INFINITY
  /** Bytes that may go now; below zero they are owed. */
  private tokens = 0
  private filledAt = 0
  private heldSince = -1
  private heldMs = 0

  /** Whether everything goes as fast as the transport takes it. */
  get isOff(): boolean {
    return this.rate === Number.POSITIVE_INFINITY
  }

  /** Whether something is held back now. */
  get isHolding(): boolean {
    return this.heldSince >= 0
  }

  /** @param bitsPerSecond Infinity: no limit; 0: nothing until another rate is set */
  setRate(bitsPerSecond: number, now: number): void {
    const wasOff = this.isOff
    if (!wasOff) this.fill(now)
    this.filledAt = now
    this.rate = bitsPerSecond / 8000
    if (wasOff) this.tokens = this.burst
  }

  /** Whether something below audio may go now. */
  mayGo(now: number): boolean {
    if (!this.isOff) {
      this.fill(now)
      if (this.tokens <= 0 || this.rate === 0) return false
    }
    if (this.heldSince >= 0) {
      this.heldMs += now - this.heldSince
      this.heldSince = -1
    }
    return true
  }

  /** Something waits that `mayGo` did not let go. @returns ms until it does; Infinity: not known */
  hold(now: number): number {
    if (this.heldSince < 0) this.heldSince = now
    const quantum = Math.max(QUANTUM_MS * this.rate, MIN_PIECE)
    return this.rate === 0 ? Number.POSITIVE_INFINITY : (quantum - this.tokens) / this.rate
  }

  /** For how long something was held back since this was last asked, ms. */
  takeHeldMs(now: number): number {
    let held = this.heldMs
    this.heldMs = 0
    if (this.heldSince >= 0) {
      held += now - this.heldSince
      this.heldSince = now
    }
    return held
  }

  /** Bytes of one object to be written at once, so that audio waits behind no more than these. */
  get piece(): number {
    return this.isOff ? Number.POSITIVE_INFINITY : Math.max(MIN_PIECE, Math.floor(this.tokens))
  }

  /** Bytes were handed to the transport, whatever of. */
  sent(bytes: number): void {
    this.sentBytes += bytes
    if (!this.isOff) this.tokens -= bytes
  }

  private get burst(): number {
    return Math.max(BURST_MS * this.rate, MIN_BURST)
  }

  private fill(now: number): void {
    const { burst } = this
    // What audio took is made up for only so far: it may take all that there is.
    const tokens = Math.max(this.tokens, -burst) + (now - this.filledAt) * this.rate
    this.tokens = Math.min(burst, tokens)
    this.filledAt = now
  }
}
