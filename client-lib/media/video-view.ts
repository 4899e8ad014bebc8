/**
 * A picture on a canvas, on a page's thread or in a worker: draws the newest frame that is due with each
 * repaint and closes every other.
 */

import { PictureQueue, type PictureTiming } from './picture-queue.ts'
import type { Repaints } from './repaints.ts'

const AT_ONCE: PictureTiming = { dueAt: () => 0, shown: () => {} }

type Context = CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D

export class VideoView {
  private readonly context: Context
  private readonly repaints: Repaints
  private readonly queue: PictureQueue<VideoFrame>
  private closed = false

  /**
   * @param timing on `performance.now()`; default: each frame at once
   * @throws TypeError when the canvas has another kind of context already, or is another thread's
   */
  constructor(
    canvas: HTMLCanvasElement | OffscreenCanvas,
    repaints: Repaints,
    timing: PictureTiming = AT_ONCE,
  ) {
    this.context = contextOf(canvas)
    this.repaints = repaints
    this.queue = new PictureQueue(timing)
  }

  get counters(): { readonly drawn: number; readonly skipped: number } {
    return this.queue.counters
  }

  /** Takes a frame, in order of time, and closes it once drawn or passed over. */
  push(frame: VideoFrame): void {
    if (this.closed) {
      frame.close()
      return
    }
    this.queue.push(frame)
    this.repaints.next(this.repaint)
  }

  /** What was drawn last stays on the canvas. */
  close(): void {
    this.closed = true
    this.repaints.cancel(this.repaint)
    this.queue.clear()
  }

  private readonly repaint = (): void => {
    const frame = this.queue.take(performance.now())
    if (frame) this.draw(frame)
    if (this.queue.size > 0) this.repaints.next(this.repaint)
  }

  private draw(frame: VideoFrame): void {
    const { displayWidth, displayHeight } = frame
    const { canvas } = this.context
    // Setting a size clears the canvas: only when it changed.
    if (canvas.width !== displayWidth || canvas.height !== displayHeight) {
      canvas.width = displayWidth
      canvas.height = displayHeight
    }
    this.context.drawImage(frame, 0, 0, displayWidth, displayHeight)
    frame.close()
  }
}

function contextOf(canvas: HTMLCanvasElement | OffscreenCanvas): Context {
  let context: Context | null = null
  try {
    context =
      'transferControlToOffscreen' in canvas
        ? canvas.getContext('2d', { alpha: false, desynchronized: true })
        : canvas.getContext('2d', { alpha: false })
  } catch (error) {
    throw new TypeError('the canvas is drawn on by another thread', { cause: error })
  }
  if (context === null) throw new TypeError('the canvas has no 2d context')
  return context
}
