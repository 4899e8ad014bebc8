/**
 * A participant's picture, on the main thread: draws the newest frame that is due onto a canvas with
 * each repaint and closes every other. A hidden page is not repainted: a timer then keeps frames from
 * piling up.
 */

/** Frames that wait for their time; more are too many pictures held at once for the decoder. */
const MAX_WAITING = 6
const HIDDEN_INTERVAL_MS = 250

interface Waiting {
  readonly frame: VideoFrame
  readonly dueAt: number
}

export class VideoView {
  readonly counters = { drawn: 0, skipped: 0 }
  private readonly canvas: HTMLCanvasElement
  private readonly context: CanvasRenderingContext2D
  private readonly waiting: Waiting[] = []
  private animation: number | null = null
  private timer: ReturnType<typeof setTimeout> | null = null
  private closed = false
  private readonly visibilityChanged = (): void => {
    this.unschedule()
    this.schedule()
  }

  /** @throws TypeError when the canvas has another kind of context already */
  constructor(canvas: HTMLCanvasElement) {
    const context = canvas.getContext('2d', { alpha: false, desynchronized: true })
    if (context === null) throw new TypeError('the canvas has no 2d context')
    this.canvas = canvas
    this.context = context
    document.addEventListener('visibilitychange', this.visibilityChanged)
  }

  /**
   * Takes a frame, in order of time, and closes it once drawn or passed over.
   * @param dueAt when to show it, on `performance.now()`; default at once
   */
  push(frame: VideoFrame, dueAt: number = performance.now()): void {
    if (this.closed) {
      frame.close()
      return
    }
    this.waiting.push({ frame, dueAt })
    if (this.waiting.length > MAX_WAITING) this.passOver()
    this.schedule()
  }

  close(): void {
    this.closed = true
    this.unschedule()
    document.removeEventListener('visibilitychange', this.visibilityChanged)
    while (this.waiting.length > 0) this.passOver()
  }

  private schedule(): void {
    if (this.waiting.length === 0 || this.animation !== null || this.timer !== null) return
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
    const now = performance.now()
    while (this.waiting.length > 1 && this.waiting[1]!.dueAt <= now) this.passOver()
    if (this.waiting[0] !== undefined && this.waiting[0].dueAt <= now) this.draw()
    this.schedule()
  }

  private draw(): void {
    const { frame } = this.waiting.shift()!
    const { displayWidth, displayHeight } = frame
    // Setting a size clears the canvas: only when it changed.
    if (this.canvas.width !== displayWidth || this.canvas.height !== displayHeight) {
      this.canvas.width = displayWidth
      this.canvas.height = displayHeight
    }
    this.context.drawImage(frame, 0, 0, displayWidth, displayHeight)
    frame.close()
    this.counters.drawn++
  }

  private passOver(): void {
    this.waiting.shift()?.frame.close()
    this.counters.skipped++
  }
}
