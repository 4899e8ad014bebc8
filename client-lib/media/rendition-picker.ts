/**
 * One picture out of several renditions, whichever of them comes. Each rendition has a decoder of its
 * own, as they may differ in size and codec. The picture changes over with a key frame that begins a
 * group of another rendition: that one is decoded beside the old one, which goes on being shown until
 * the new one has a picture that is no older. Only then the old one rests, with all that waits of it.
 * Pure: the clock is passed in.
 */

import type { AssembledFrame } from './assemble.ts'

/** A decoded picture; a `VideoFrame`. */
export interface Picture {
  /** µs, of one clock for all renditions. */
  readonly timestamp: number
  close(): void
}

/** What the picker does with a rendition. */
export interface PickedRendition {
  decode(frame: AssembledFrame): void
  /** Lets go of the decoder and of what waits, until a key frame comes. */
  rest(): void
}

export interface RenditionPickerOptions<P extends Picture> {
  /** ms, monotonic. */
  readonly now: () => number
  /** The receiver closes the picture. They come in the order of their times. */
  readonly onPicture: (picture: P) => void
  /** Another rendition is shown than before. */
  readonly onChange?: (shown: number) => void
}

/** Nothing of the shown rendition came for so long, ms: its place is free. */
const SILENT_MS = 500
/** No picture is late by so much, µs: the publisher's clock was set back. */
const SET_BACK_US = 2_000_000
/** A rendition that brings no frame for so long, ms, does not take over any more. */
const GIVEN_UP_MS = 2000

export class RenditionPicker<P extends Picture> {
  private readonly options: RenditionPickerOptions<P>
  private readonly renditions = new Map<number, PickedRendition>()
  /** Which one is shown, and which one is about to be; -1: none. */
  private active = -1
  private next = -1
  private only = -1
  private frameAt = Number.NEGATIVE_INFINITY
  private nextFrameAt = Number.NEGATIVE_INFINITY
  private shownAt = Number.NEGATIVE_INFINITY
  private shownTimestamp = Number.NEGATIVE_INFINITY

  constructor(options: RenditionPickerOptions<P>) {
    this.options = options
  }

  /** The rendition that is shown; -1 before the first picture. */
  get shown(): number {
    return this.active
  }

  add(id: number, rendition: PickedRendition): void {
    this.renditions.set(id, rendition)
  }

  remove(id: number): void {
    this.renditions.delete(id)
    if (this.active === id) this.active = -1
    if (this.next === id) this.next = -1
  }

  /** Only this one may take over from now on; -1: any. */
  restrictTo(id: number): void {
    this.only = id
    if (id >= 0 && this.next >= 0 && this.next !== id) this.giveUpNext()
  }

  /** A frame of a rendition whose references were all given before, since its last key frame. */
  onFrame(id: number, frame: AssembledFrame): void {
    const now = this.options.now()
    if (id === this.active) this.frameAt = now
    else if (id !== this.next && !this.takesOver(id, frame)) return
    if (id === this.next) this.nextFrameAt = now
    this.renditions.get(id)?.decode(frame)
  }

  /** A decoder's picture. */
  onPicture(id: number, picture: P): void {
    if (id === this.next && this.mayShow(picture)) this.show(id)
    if (id !== this.active) {
      picture.close()
      return
    }
    this.shownAt = this.options.now()
    this.shownTimestamp = picture.timestamp
    this.options.onPicture(picture)
  }

  /** Whether a key frame of this rendition is of use: what is not shown asks for none. */
  mayAskForKey(id: number): boolean {
    if (id === this.active || id === this.next) return this.only < 0 || this.only === id
    if (this.only >= 0) return id === this.only
    return this.active < 0 || this.options.now() - this.frameAt > SILENT_MS / 2
  }

  /** To be called now and then. */
  poll(): void {
    const { now } = this.options
    if (this.next >= 0 && now() - this.nextFrameAt > GIVEN_UP_MS) this.giveUpNext()
  }

  private takesOver(id: number, { key, number }: AssembledFrame): boolean {
    if (!key || number !== 0 || (this.only >= 0 && this.only !== id)) return false
    this.giveUpNext()
    this.next = id
    return true
  }

  private mayShow({ timestamp }: P): boolean {
    if (this.active < 0 || timestamp >= this.shownTimestamp) return true
    const isSilent = this.options.now() - this.shownAt > SILENT_MS
    return isSilent && this.shownTimestamp - timestamp > SET_BACK_US
  }

  private show(id: number): void {
    const old = this.renditions.get(this.active)
    this.active = id
    this.next = -1
    this.frameAt = this.nextFrameAt
    old?.rest()
    this.options.onChange?.(id)
  }

  private giveUpNext(): void {
    this.renditions.get(this.next)?.rest()
    this.next = -1
  }
}
