import { MAX_LAYERS, type TrackFeedback } from '../../moq/media/index.ts'
import { DelayMeter } from './delay-meter.ts'
import { LossMeter } from './loss-meter.ts'

/** Weight of the newest reading in a rate. */
const NEWEST = 0.5

/** What arrives of one track of a publisher's, and what is wanted of it. Nothing is allocated an object. */
export class TrackMeter {
  readonly name: string
  readonly delay = new DelayMeter()
  /** Payload bits a second. */
  bitrate = 0
  lossPermille = 0
  private readonly onWant: () => void
  /** Temporal layers that somebody takes. */
  private layers = 0
  private keyFrameWanted = false
  private bytes = 0
  /** Only what goes as datagrams can be lost. */
  private loss: LossMeter | null = null
  private readAt: number

  /** @param onWant what is wanted changed */
  constructor(name: string, now: number, onWant: () => void) {
    this.name = name
    this.readAt = now
    this.onWant = onWant
  }

  /** Something of it goes as datagrams. */
  get isLossy(): boolean {
    return this.loss !== null
  }

  /** Each object that is new. @param size payload bytes */
  received(group: number, object: number, size: number, isDatagram: boolean): void {
    this.bytes += size
    if (isDatagram) this.loss ??= new LossMeter()
    this.loss?.add(group, object)
  }

  /** @param layers temporal layers that somebody takes, from the base up; 0 when nobody watches */
  want(layers: number): void {
    const told = Math.min(layers, MAX_LAYERS)
    if (told === this.layers) return
    this.layers = told
    this.onWant()
  }

  wantKeyFrame(): void {
    if (this.keyFrameWanted) return
    this.keyFrameWanted = true
    this.onWant()
  }

  /** A key frame came. */
  gotKeyFrame(): void {
    this.keyFrameWanted = false
  }

  read(now: number): TrackFeedback {
    const elapsed = now - this.readAt
    if (elapsed > 0) {
      const newest = (this.bytes * 8000) / elapsed
      this.bitrate += (newest - this.bitrate) * NEWEST
      // What fell silent must not linger as a fraction of a bit.
      if (newest === 0 && this.bitrate < 100) this.bitrate = 0
      this.readAt = now
      this.bytes = 0
      this.lossPermille = this.loss?.read() ?? 0
    }
    const { name, bitrate, lossPermille, layers, keyFrameWanted } = this
    const jitterMs = this.delay.jitter
    return { name, bitrate, lossPermille, jitterMs, layers, keyFrameWanted }
  }
}
