/** Frames as an encoder of L1T3 would make them, for the bits a second and frames that it is told. */

export interface EncodedShape {
  readonly key: boolean
  readonly temporal: number
  readonly bytes: number
}

/** L1T3: the layers in turn. */
const LAYERS = [0, 2, 1, 2] as const
/** Beside the mean, by layer: what is farther from its reference has more to say. */
const WEIGHTS = [1.8, 1.1, 0.55] as const
const KEY_WEIGHT = 5
const NOISE = 0.2
/** Least time between two key frames, and the longest, in frames. */
const KEY_GAP = 8
const KEY_EACH = 300
export const FRAME_MS = 1000 / 30

export class SimulatedEncoder {
  /** Bits a second; 0: it is off. */
  bitrate: number
  /** 1..3 */
  layers = 3
  /** Somebody wants a key frame. */
  keyWanted = true
  private readonly random: () => number
  private place = 0
  private sinceKey = Number.POSITIVE_INFINITY
  /** Bytes that key frames took beyond their share. */
  private debt = 0
  private broken = true

  constructor(bitrate: number, random: () => number) {
    this.bitrate = bitrate
    this.random = random
  }

  /** A frame was left out: nothing follows before a key frame. */
  breakOff(): void {
    this.broken = true
    this.keyWanted = true
  }

  /** Once a frame time; null for nothing. */
  next(): EncodedShape | null {
    if (this.bitrate === 0) {
      this.breakOff()
      return null
    }
    this.sinceKey++
    const key = (this.keyWanted && this.sinceKey >= KEY_GAP) || this.sinceKey >= KEY_EACH
    if (key) {
      this.place = 0
      this.sinceKey = 0
      this.keyWanted = false
      this.broken = false
    } else this.place++
    const temporal = LAYERS[this.place % 4]!
    if (this.broken || temporal >= this.layers) return null
    return { key, temporal, bytes: this.size(key ? KEY_WEIGHT : WEIGHTS[temporal]!) }
  }

  private size(weight: number): number {
    const mean = this.bitrate / 8 / 30
    // Fewer frames are larger ones.
    const share = 2 ** (3 - this.layers)
    const correction = Math.max(0.5, 1 - this.debt / (mean * 30))
    const noise = 1 + NOISE * (2 * this.random() - 1)
    const bytes = Math.max(60, Math.round(mean * weight * share * correction * noise))
    this.debt = Math.max(0, this.debt + bytes - mean * share)
    return bytes
  }
}
