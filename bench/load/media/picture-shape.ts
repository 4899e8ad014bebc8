import type { PictureSpec } from './profile.ts'

/** A frame that an encoder could have made. */
export interface FrameShape {
  readonly bytes: number
  readonly key: boolean
  readonly temporalLayer: number
}

/** Temporal layers in turn, as L1T1, L1T2 and L1T3 have them; a key frame begins a pattern. */
const PATTERNS: readonly (readonly number[])[] = [[0], [0, 1], [0, 2, 1, 2]]
/** How large a frame is beside the mean, by layer: what is farther from its reference has more to say. */
const LAYER_WEIGHTS = [1.5, 1, 0.6]
const KEY_WEIGHT = 7
/** Of the mean: encoders vary. */
const NOISE = 0.25
/** Time in which an encoder makes good what it sent too much or too little, s. */
const REPAY_S = 1
/** How far it makes frames smaller or larger for that. */
const LEAST_FACTOR = 0.4
const MOST_FACTOR = 1.6
/** Least time between two key frames however often they are asked for, ms. */
const KEY_GAP_MS = 250
const MIN_BYTES = 40

/** Sizes and layers of a picture's frames: their bits a second follow the spec, key frames included. */
export class PictureShape {
  private readonly spec: PictureSpec
  private readonly random: () => number
  private readonly pattern: readonly number[]
  /** Of the layers of a pattern, on average. */
  private readonly meanWeight: number
  private bitrate: number
  private bytesAFrame: number
  private unit: number
  private place = 0
  private sinceKeyMs = Number.POSITIVE_INFINITY
  private keyWanted = true
  /** Bytes sent above what the bitrate allows. */
  private debt = 0

  /** @param random in [0, 1) */
  constructor(spec: PictureSpec, random: () => number) {
    this.spec = spec
    this.random = random
    this.pattern = PATTERNS[spec.temporalLayers - 1] ?? PATTERNS[2]!
    const weights = this.pattern.reduce((sum, layer) => sum + LAYER_WEIGHTS[layer]!, 0)
    this.meanWeight = weights / this.pattern.length
    this.bitrate = spec.bitrate
    this.bytesAFrame = this.bitrate / 8 / spec.framerate
    this.unit = this.bytesAFrame / this.meanWeight
  }

  /** Bits a second from now on, above 0. */
  setBitrate(bitrate: number): void {
    this.bitrate = bitrate
    this.bytesAFrame = bitrate / 8 / this.spec.framerate
    this.unit = this.bytesAFrame / this.meanWeight
  }

  /** The next frame is a key frame, or the first one after the least time between two. */
  requestKeyFrame(): void {
    this.keyWanted = true
  }

  next(): FrameShape {
    this.sinceKeyMs += 1000 / this.spec.framerate
    const key =
      (this.keyWanted && this.sinceKeyMs >= KEY_GAP_MS) || this.sinceKeyMs >= this.spec.keyFrameMs
    if (key) {
      this.place = 0
      this.sinceKeyMs = 0
      this.keyWanted = false
    }
    const temporalLayer = this.pattern[this.place % this.pattern.length]!
    this.place++
    const bytes = this.size(key ? KEY_WEIGHT : LAYER_WEIGHTS[temporalLayer]!, key)
    this.debt += bytes - this.bytesAFrame
    return { bytes, key, temporalLayer }
  }

  private size(weight: number, key: boolean): number {
    const noise = 1 + NOISE * (2 * this.random() - 1)
    const correction = 1 - this.debt / ((this.bitrate / 8) * REPAY_S)
    const factor = key ? 1 : Math.min(MOST_FACTOR, Math.max(LEAST_FACTOR, correction))
    return Math.max(MIN_BYTES, Math.round(this.unit * weight * noise * factor))
  }
}
