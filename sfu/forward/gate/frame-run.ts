import {
  isDiscardable,
  isFrameEnd,
  isFrameStart,
  temporalLayerOf,
} from '../../../moq/media/index.ts'
import type { GatedObject } from './marking.ts'

/** Above every temporal layer: nothing builds on it. */
const NO_LAYER = 8

/**
 * The last frame of a base period, as far as it came in order: what the next one may build on. Ids
 * ascend in the order of decoding, so what follows it has the id behind its last object.
 */
export class FrameRun {
  private first = -1
  /** Its last object so far. */
  last = -1
  private layer = NO_LAYER
  private whole = false
  /** Of the period's objects that others build on, passed and did not arrive: the first. */
  private lostFrom = Number.POSITIVE_INFINITY

  /** A base frame begins, and with it another period. */
  begin(object: GatedObject): void {
    this.lostFrom = Number.POSITIVE_INFINITY
    this.pass(object)
  }

  /** Whether the frame of this object is the next one, or the same one going on. */
  isNext({ object, marking }: GatedObject, onAnyLayer: boolean): boolean {
    if (object !== this.last + 1) return false
    const layer = temporalLayerOf(marking)
    if (!isFrameStart(marking)) return !this.whole && this.layer === layer
    return this.whole && (onAnyLayer || this.layer < layer)
  }

  /** An object came that begins a frame or goes on with this one. */
  pass({ object, marking }: GatedObject): void {
    if (isFrameStart(marking)) this.first = object
    this.last = object
    this.layer = temporalLayerOf(marking)
    this.whole = isFrameEnd(marking)
  }

  /** An object that builds on its base alone: fragments may come in any order, frames too. */
  passAlone(object: GatedObject): void {
    if (object.object <= this.last) return
    const goesOn = !this.whole && this.isNext(object, false)
    if (isFrameStart(object.marking) || goesOn) this.pass(object)
    else {
      this.first = object.object
      this.last = object.object
      this.end()
    }
  }

  /** An object that passed did not arrive. */
  lose({ object, marking }: GatedObject): void {
    if (object >= this.first && object <= this.last) this.end()
    if (object < this.lostFrom && !isDiscardable(marking)) this.lostFrom = object
  }

  /** None of its objects that has not arrived yet will. */
  loseAll(): void {
    this.end()
    this.lostFrom = -1
  }

  /** Whether an object of the period that passed may have lost what it builds on since. */
  isBehindLoss(object: number): boolean {
    return object > this.lostFrom
  }

  /** Nothing builds on it. */
  private end(): void {
    this.layer = NO_LAYER
    this.whole = false
  }
}
