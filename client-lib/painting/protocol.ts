/** What the painter, a worker, and those who have it draw tell each other. */

import type { FrameSource } from '../media/capture/frame-source.ts'
import type { PictureFigures } from './wall.ts'

/** From the page, over the worker itself. */
export type ToPainter =
  /** A call begins, of which more is told over `control`; its frames come over `frames`. */
  | { readonly type: 'call'; readonly control: MessagePort; readonly frames: MessagePort }
  /** A canvas, for all calls to come; transferred. */
  | { readonly type: 'canvas'; readonly id: number; readonly canvas: OffscreenCanvas }
  /** Nobody has that canvas any more. */
  | { readonly type: 'forget'; readonly id: number }
  | { readonly type: 'hidden'; readonly hidden: boolean }

/** The first and only thing that it says over the worker itself: whether it can draw. */
export interface PainterReady {
  readonly able: boolean
}

/** From the page, over a call's `control`. */
export type ToPaintedCall =
  | {
      readonly type: 'hang'
      /** Number of this hanging. */
      readonly view: number
      readonly picture: string
      readonly canvas: number
    }
  | { readonly type: 'take-down'; readonly view: number }
  | { readonly type: 'play'; readonly picture: string; readonly source: FrameSource }
  /** `since`: as of `Wall.setSoundDelay`, and the time origin of who says it; ms. */
  | { readonly type: 'sound'; readonly picture: string; readonly since: number | null }
  | { readonly type: 'close' }

/** From the painter, over a call's `control`. */
export type FromPaintedCall =
  | { readonly type: 'figures'; readonly figures: readonly PictureFigures[] }
  /** `at`: ms since the Unix epoch, as this machine counts. */
  | { readonly type: 'first'; readonly at: number }

/** Over a call's `frames`, from whoever decodes; the frame is transferred. */
export interface PaintedFrame {
  readonly picture: string
  readonly frame: VideoFrame
}
