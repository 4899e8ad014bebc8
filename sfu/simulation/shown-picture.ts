import type { SentFrame } from './sent-frame.ts'

export interface ShownFrame {
  readonly frame: SentFrame
  readonly rendition: number
  /** ms. */
  readonly at: number
}

/** A publisher's camera as it is seen: whichever rendition comes, each frame that can be decoded. */
export class ShownPicture {
  readonly frames: ShownFrame[] = []
  private newest = Number.NEGATIVE_INFINITY

  /** A frame that is older than what is shown is not shown any more. */
  show(frame: SentFrame, rendition: number, now: number): void {
    if (frame.sentAt < this.newest) return
    this.newest = frame.sentAt
    this.frames.push({ frame, rendition, at: now })
  }

  between(from: number, to: number): ShownFrame[] {
    return this.frames.filter(({ at }) => at >= from && at < to)
  }

  /** The longest time without a new frame, ms. */
  longestFreeze(from: number, to: number): number {
    const times = [from, ...this.between(from, to).map(({ at }) => at), to]
    return Math.max(...times.slice(1).map((at, index) => at - times[index]!))
  }

  /** Changes of rendition. */
  switches(from: number, to: number): number {
    const seen = this.between(from, to).map(({ rendition }) => rendition)
    return seen.filter((rendition, at) => at > 0 && rendition !== seen[at - 1]).length
  }

  /** How long after a moment it was first so, ms; Infinity: never. */
  delayUntil(from: number, is: (shown: ShownFrame) => boolean): number {
    const found = this.frames.find((shown) => shown.at >= from && is(shown))
    return found ? found.at - from : Number.POSITIVE_INFINITY
  }
}
