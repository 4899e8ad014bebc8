/**
 * A participant's picture, on the main thread: draws the newest frame that is due onto a canvas with
 * each repaint and closes every other. A hidden page is not repainted: a timer then keeps frames from
 * piling up.
 */

import { PictureQueue, type PictureTiming } from './picture-queue.ts'

const HIDDEN_INTERVAL_MS = 250
const AT_ONCE: PictureTiming = { dueAt: () => 0, shown: () => {} }

export class VideoView {
  private readonly canvas: HTMLCanvasElement
  private readonly context: CanvasRenderingContext2D
  private readonly queue: PictureQueue<VideoFrame>
  private animation: number | null = null
  private timer: ReturnType<typeof setTimeout> | null = null
  private closed = false
  private readonly visibilityChanged = (): void => {
    this.unschedule()
    this.schedule()
  }

  /**
   * @param timing on `performance.now()`; default: each frame at once
   * @throws TypeError when the canvas has another kind of context already
   */
  constructor(canvas: HTMLCanvasElement, timing: PictureTiming = AT_ONCE) {
    const context = canvas.getContext('2d', { alpha: false, desynchronized: true })
    if (context === null) throw new TypeError('the canvas has no 2d context')
    this.canvas = canvas
    this.context = context
    this.queue = new PictureQueue(timing)
    document.addEventListener('visibilitychange', this.visibilityChanged)
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
    this.schedule()
  }

  close(): void {
    this.closed = true
    this.unschedule()
    document.removeEventListener('visibilitychange', this.visibilityChanged)
    this.queue.clear()
  }

  private schedule(): void {
    if (this.queue.size === 0 || this.animation !== null || this.timer !== null) return
    if (document.hidden) this.timer = setTimeout(() => this.repaint(), HIDDEN_INTERVAL_MS)
    else this.animation = requestAnimationFrame(() => this.repaint())
  }

  private unschedule(): void {
    if (this.animation !== null) cancelAnimationFrame(this.animation)
    if (this.timer !== null) clearTimeout(this.timer)
    this.animation = null
    this.timer = null
  }

  private repaint(): void {
    this.animation = null
    this.timer = null
    const frame = this.queue.take(performance.now())
    if (frame) this.draw(frame)
    this.schedule()
  }

  private draw(frame: VideoFrame): void {
    const { displayWidth, displayHeight } = frame
    // Setting a size clears the canvas: only when it changed.
    if (this.canvas.width !== displayWidth || this.canvas.height !== displayHeight) {
      this.canvas.width = displayWidth
      this.canvas.height = displayHeight
    }
    this.context.drawImage(frame, 0, 0, displayWidth, displayHeight)
    frame.close()
  }
}
