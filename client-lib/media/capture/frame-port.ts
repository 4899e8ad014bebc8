/**
 * Pictures from the page to the worker over a port, for browsers in which the worker cannot read them by
 * itself. One is on its way at a time, and one waits: a newer one takes its place, so that a busy worker
 * gets the newest, and nothing piles up. Null in either direction ends it.
 */

/** The page's end. */
export class FrameSender {
  readonly counters = { sent: 0, skipped: 0 }
  private readonly port: MessagePort
  private readonly onEnd: () => void
  private waiting: VideoFrame | null = null
  private isWanted = false
  private closed = false

  /** @param onEnd the worker wants no more */
  constructor(port: MessagePort, onEnd: () => void) {
    this.port = port
    this.onEnd = onEnd
    port.onmessage = ({ data }: MessageEvent<'next' | null>) => {
      if (data === null) this.end()
      else this.isWanted = true
      this.flush()
    }
  }

  /** Takes the frame over. */
  push(frame: VideoFrame): void {
    if (this.closed) {
      frame.close()
      return
    }
    if (this.waiting) {
      this.waiting.close()
      this.counters.skipped++
    }
    this.waiting = frame
    this.flush()
  }

  close(): void {
    if (this.closed) return
    this.closed = true
    this.waiting?.close()
    this.waiting = null
    this.port.postMessage(null)
    this.port.close()
  }

  private flush(): void {
    const { waiting } = this
    if (waiting === null || !this.isWanted) return
    this.isWanted = false
    this.waiting = null
    this.counters.sent++
    this.port.postMessage(waiting, [waiting])
  }

  private end(): void {
    this.close()
    this.onEnd()
  }
}

/** The worker's end. Cancelled, it closes what is still on its way. */
export function framesFrom(port: MessagePort): ReadableStream<VideoFrame> {
  let isAsked = false
  return new ReadableStream<VideoFrame>(
    {
      start(controller) {
        port.onmessage = ({ data }: MessageEvent<VideoFrame | null>) => {
          isAsked = false
          if (data) controller.enqueue(data)
          else {
            controller.close()
            port.close()
          }
        }
      },
      pull() {
        if (isAsked) return
        isAsked = true
        port.postMessage('next')
      },
      cancel() {
        port.onmessage = ({ data }: MessageEvent<VideoFrame | null>) => {
          if (data) data.close()
          else port.close()
        }
        port.postMessage(null)
      },
    },
    // A frame that waits in a queue gets old: it is asked for when it is read.
    { highWaterMark: 0 },
  )
}
