import type { Clock, Session, TrackStatusRequest } from '../../../moq/session/index.ts'
import type { FullTrackName } from '../../../moq/wire/names.ts'

export interface RoundTripOptions {
  readonly session: Session
  readonly clock: Clock
  /** Asked for its state; the relay itself answers, be it with an error. */
  readonly track: FullTrackName
  /** The relay answered. */
  readonly onAnswer?: () => void
}

const PROBE_MS = 5000
/** Weight of a new figure. */
const SMOOTHING = 1 / 8

/**
 * How long the way to the relay and back takes. Browsers do not tell, so now and then the relay is
 * asked something that it answers by itself (TRACK_STATUS, draft-18 section 10.14).
 */
export class RoundTrip {
  private readonly options: RoundTripOptions
  private smoothed = Number.POSITIVE_INFINITY
  private question: TrackStatusRequest | null = null
  private stopTimer: () => void = () => {}

  constructor(options: RoundTripOptions) {
    this.options = options
    this.ask()
  }

  /** Smoothed; Infinity while it is not known. */
  get ms(): number {
    return this.options.session.transport.congestion()?.rttMs ?? this.smoothed
  }

  /** Asks now, and not again for a while; a question that is open is given up. */
  ask(): void {
    const { session, clock, track } = this.options
    this.stopTimer()
    if (session.closed) return
    this.question?.cancel()
    const askedAt = clock.now()
    const answered = () => {
      this.question = null
      this.note(clock.now() - askedAt)
    }
    this.question = session.trackStatus(track, {
      onStatus: answered,
      onRejected: (error) => {
        // Null: no answer, the request was cut off.
        if (error) answered()
      },
    })
    this.stopTimer = clock.after(PROBE_MS, () => this.ask())
  }

  close(): void {
    this.stopTimer()
    this.question?.cancel()
    this.question = null
  }

  private note(ms: number): void {
    const isFirst = !Number.isFinite(this.smoothed)
    this.smoothed = isFirst ? ms : this.smoothed + (ms - this.smoothed) * SMOOTHING
    this.options.onAnswer?.()
  }
}
