/** How a page shows a participant's pictures, and what the relay is told of it. */

import { type PictureSource, roundedSize, type Wish } from '../../moq/media/receiver-report.ts'

export type { PictureSource }

/** How the page shows a picture of a participant's now. */
export interface ParticipantView {
  /**
   * Device pixels (CSS pixels times `devicePixelRatio`) that the picture takes; 0: no limit. The relay
   * is told the next multiple of 64.
   */
  readonly width: number
  readonly height: number
  /** Not to be seen now, e.g. scrolled away or in a hidden tab: no picture comes, sound does. */
  readonly hidden?: boolean
  /** The person wants to see this one in any case: before whoever speaks. */
  readonly pinned?: boolean
  /** 0..255, lower matters more; default 128. */
  readonly priority?: number
  /** Frames a second that are of use; default 0, no limit. */
  readonly framerate?: number
}

/** A view that says all. */
export type CompleteView = Required<ParticipantView>

/** A picture of which the page says nothing: it comes as large as it can. */
export const ANY_SIZE: CompleteView = {
  width: 0,
  height: 0,
  hidden: false,
  pinned: false,
  priority: 128,
  framerate: 0,
}

const MAX_FRAMERATE = 1000

/** Made to fit what a report can say, whatever a page gives. */
export function completeView(view: ParticipantView): CompleteView {
  return {
    width: pixels(view.width),
    height: pixels(view.height),
    hidden: view.hidden === true,
    pinned: view.pinned === true,
    priority: within(view.priority ?? ANY_SIZE.priority, 255),
    framerate: within(view.framerate ?? 0, MAX_FRAMERATE),
  }
}

export function wishOf(participant: string, source: PictureSource, view: CompleteView): Wish {
  return { participant, source, ...view }
}

function pixels(value: number): number {
  return Number.isNaN(value) || value <= 0 ? 0 : roundedSize(value)
}

function within(value: number, most: number): number {
  return Number.isNaN(value) ? 0 : Math.min(most, Math.max(0, Math.round(value)))
}
