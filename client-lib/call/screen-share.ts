import { type Capture, CaptureError, captureScreen } from '../media/capture.ts'
import { captureFailure } from './capture-failure.ts'
import type { CallError } from './types.ts'

export interface ScreenShareEvents {
  /** The streams are the receiver's, to be transferred. */
  onStarted(frames: ReadableStream<VideoFrame>, sound: ReadableStream<AudioData> | null): void
  onEnded(): void
  onError(error: CallError): void
}

/** Our screen, while it is shared: one at a time, until we or the person at the browser end it. */
export class ScreenShare {
  private readonly events: ScreenShareEvents
  private readonly open: () => Promise<Capture>
  private capture: Capture | null = null
  private opening = false
  private closed = false

  /** @param open asks the person which screen */
  constructor(events: ScreenShareEvents, open: () => Promise<Capture> = captureScreen) {
    this.events = events
    this.open = open
  }

  /** @returns whether a screen is shared */
  async start(): Promise<boolean> {
    if (this.closed || this.opening) return false
    if (this.capture) return true
    this.opening = true
    try {
      return this.onCapture(await this.open())
    } catch (error) {
      // Who closes the browser's question has decided, and knows it.
      const declined = error instanceof CaptureError && error.code === 'permission-denied'
      if (!declined && !this.closed) this.events.onError(captureFailure(error))
      return false
    } finally {
      this.opening = false
    }
  }

  stop(): void {
    if (!this.capture) return
    this.capture.stop()
    this.capture = null
    this.events.onEnded()
  }

  /** The call ends. */
  close(): void {
    this.closed = true
    this.capture?.stop()
    this.capture = null
  }

  private onCapture(capture: Capture): boolean {
    const { video, audio } = capture
    if (this.closed || !video) {
      capture.stop()
      return false
    }
    this.capture = capture
    video.track.addEventListener('ended', () => {
      if (this.capture === capture) this.stop()
    })
    this.events.onStarted(video.readable, audio?.readable ?? null)
    return true
  }
}
