import {
  MAX_FEEDBACK_NAME_BYTES,
  MAX_FEEDBACK_TRACKS,
  type PublisherFeedback,
} from '../../moq/media/index.ts'
import { TrackMeter } from './track-meter.ts'
import { UplinkEstimator, type UplinkSettings } from './uplink-estimator.ts'

export interface MeterSettings {
  /** Between two feedbacks, ms. */
  readonly intervalMs: number
  /** The same when what is wanted changed. */
  readonly urgentMs: number
  readonly uplink: Partial<UplinkSettings>
}

export const DEFAULT_METER: MeterSettings = { intervalMs: 200, urgentMs: 100, uplink: {} }

/** A shorter time tells nothing: whoever asks again so soon gets the same, ms. */
const LEAST_MS = 50

const utf8 = new TextEncoder()

/** What arrives from one publisher. Pure: the time is passed in. */
export class FeedbackMeter {
  private readonly settings: MeterSettings
  private readonly uplink: UplinkEstimator
  private readonly tracks = new Map<string, TrackMeter>()
  private urgent = false
  private composedAt: number
  /** The newest feedback. */
  told: PublisherFeedback = { bitrate: 0, estimate: null, tracks: [] }

  constructor(now: number, settings: Partial<MeterSettings> = {}) {
    this.settings = { ...DEFAULT_METER, ...settings }
    this.uplink = new UplinkEstimator(this.settings.uplink)
    this.composedAt = now
  }

  get size(): number {
    return this.tracks.size
  }

  /** Where what comes of a track is counted; null when it cannot be told of: a long name, or too many. */
  track(name: string, now: number): TrackMeter | null {
    const known = this.tracks.get(name)
    if (known) return known
    if (this.tracks.size >= MAX_FEEDBACK_TRACKS) return null
    if (utf8.encode(name).length > MAX_FEEDBACK_NAME_BYTES) return null
    const meter = new TrackMeter(name, now, () => {
      this.urgent = true
    })
    this.tracks.set(name, meter)
    return meter
  }

  removeTrack(name: string): void {
    this.tracks.delete(name)
  }

  /** Whether it is time for another feedback. */
  due(now: number): boolean {
    const { intervalMs, urgentMs } = this.settings
    return now - this.composedAt >= (this.urgent ? urgentMs : intervalMs)
  }

  /** What to tell the publisher now; the next one tells of the time after it. */
  compose(now: number): PublisherFeedback {
    if (now - this.composedAt < LEAST_MS) return this.told
    const tracks = []
    let bitrate = 0
    let lossy = 0
    let lost = 0
    let standingMs = Number.POSITIVE_INFINITY
    for (const meter of this.tracks.values()) {
      tracks.push(meter.read(now))
      bitrate += meter.bitrate
      if (meter.isLossy) {
        lossy += meter.bitrate
        lost += meter.bitrate * meter.lossPermille
      }
      // A queue on the uplink is in everybody's way: what one track did not wait for is none.
      standingMs = Math.min(standingMs, meter.delay.takeStanding())
    }
    const lossPermille = lossy > 0 ? lost / lossy : 0
    this.uplink.update(now, { bitrate, lossPermille, standingMs })
    this.composedAt = now
    this.urgent = false
    this.told = { bitrate, estimate: this.uplink.estimate, tracks }
    return this.told
  }
}
