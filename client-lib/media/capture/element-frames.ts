/**
 * A track's pictures on the main thread, by way of a `<video>` that nobody sees: for browsers that cannot
 * read tracks. `requestVideoFrameCallback` tells of each new picture; where that is missing, and while the
 * page is hidden, when no browser calls it, a timer looks as often as the track has pictures. A picture is
 * taken from the element, or drawn on a canvas first where the element cannot be read.
 */

export interface ElementFramesOptions {
  /** Not stopped here. */
  readonly track: MediaStreamTrack
  /** Frames a second at which the timer looks. */
  readonly framerate: number
  /** `canvas`: by timer alone, and drawn on a canvas. */
  readonly way: 'element' | 'canvas'
  /** Takes the frame over; its timestamp is wall-clock µs. */
  readonly onFrame: (frame: VideoFrame) => void
}

/** Whether the browser tells of each new picture of a `<video>`. */
export function tellsOfPictures(): boolean {
  return 'requestVideoFrameCallback' in HTMLVideoElement.prototype
}

export class ElementFrames {
  private readonly options: ElementFramesOptions
  private readonly video: HTMLVideoElement
  private readonly canvas: HTMLCanvasElement | null
  private callback: number | null = null
  private timer: ReturnType<typeof setInterval> | null = null
  /** Number of the last picture that the timer took. */
  private pictures = 0
  private lastTimestamp = 0
  private closed = false
  private readonly visibilityChanged = (): void => this.schedule()

  constructor(options: ElementFramesOptions) {
    this.options = options
    this.canvas = options.way === 'canvas' ? document.createElement('canvas') : null
    const video = document.createElement('video')
    video.muted = true
    video.playsInline = true
    video.srcObject = new MediaStream([options.track])
    this.video = video
    document.addEventListener('visibilitychange', this.visibilityChanged)
    this.schedule()
    // Refused only when it is closed meanwhile: muted pictures need no gesture.
    video.play().catch(() => {})
  }

  close(): void {
    if (this.closed) return
    this.closed = true
    document.removeEventListener('visibilitychange', this.visibilityChanged)
    this.unschedule()
    this.video.srcObject = null
  }

  private schedule(): void {
    this.unschedule()
    if (this.closed) return
    if (this.options.way === 'element' && !document.hidden) this.awaitPicture()
    else this.timer = setInterval(() => this.look(), 1000 / this.options.framerate)
  }

  private unschedule(): void {
    if (this.callback !== null) this.video.cancelVideoFrameCallback(this.callback)
    if (this.timer !== null) clearInterval(this.timer)
    this.callback = null
    this.timer = null
  }

  private awaitPicture(): void {
    this.callback = this.video.requestVideoFrameCallback((now, { captureTime }) => {
      this.awaitPicture()
      this.take(captureTime ?? now)
    })
  }

  /** By timer: whether there is another picture than before, where the browser counts them. */
  private look(): void {
    const pictures = this.video.getVideoPlaybackQuality?.().totalVideoFrames ?? 0
    if (pictures > 0 && pictures === this.pictures) return
    this.pictures = pictures
    this.take(performance.now())
  }

  /** @param time of the picture, ms on the page's clock */
  private take(time: number): void {
    if (this.video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return
    const timestamp = Math.round((performance.timeOrigin + time) * 1000)
    // The clocks of camera and page may differ for a moment when the ways change.
    if (timestamp <= this.lastTimestamp) return
    const frame = this.grab(timestamp)
    if (frame === null) return
    this.lastTimestamp = timestamp
    this.options.onFrame(frame)
  }

  private grab(timestamp: number): VideoFrame | null {
    const { videoWidth, videoHeight } = this.video
    if (videoWidth === 0 || videoHeight === 0) return null
    try {
      return new VideoFrame(this.canvas === null ? this.video : this.draw(this.canvas), {
        timestamp,
      })
    } catch {
      // The element has no picture at this moment; the next one comes soon.
      return null
    }
  }

  private draw(canvas: HTMLCanvasElement): HTMLCanvasElement {
    const { videoWidth, videoHeight } = this.video
    // Setting a size makes a new picture: only when it changed.
    if (canvas.width !== videoWidth) canvas.width = videoWidth
    if (canvas.height !== videoHeight) canvas.height = videoHeight
    canvas.getContext('2d', { alpha: false })?.drawImage(this.video, 0, 0)
    return canvas
  }
}
