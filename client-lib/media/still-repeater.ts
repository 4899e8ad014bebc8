/**
 * A captured screen gives pictures only when it changes. So that a picture can be had at any time, for a
 * key frame that somebody waits for, the last one is given again after a while without another.
 */

import type { Clock } from '../../moq/session/index.ts'

export interface StillRepeaterOptions {
  readonly clock: Clock
  /** The receiver closes the frame. */
  readonly onFrame: (frame: VideoFrame) => void
  /** The same picture at another time, µs. */
  readonly copyAt?: (frame: VideoFrame, timestamp: number) => VideoFrame
}

/** Without a new picture for so long, the last one is given again; ms. */
export const REPEAT_MS = 500

export class StillRepeater {
  private readonly options: StillRepeaterOptions
  private last: VideoFrame | null = null
  private arrivedAt = 0
  private cancel: () => void = () => {}

  constructor(options: StillRepeaterOptions) {
    this.options = options
  }

  /** Takes the frame over. */
  push(frame: VideoFrame): void {
    this.clear()
    this.last = frame.clone()
    this.arrivedAt = this.options.clock.now()
    this.plan()
    this.options.onFrame(frame)
  }

  /** Forgets the last picture. */
  clear(): void {
    this.cancel()
    this.last?.close()
    this.last = null
  }

  private plan(): void {
    const { clock, onFrame, copyAt = copyOf } = this.options
    this.cancel = clock.after(REPEAT_MS, () => {
      const { last } = this
      if (!last) return
      this.plan()
      const elapsed = (clock.now() - this.arrivedAt) * 1000
      onFrame(copyAt(last, Math.round(last.timestamp + elapsed)))
    })
  }
}

function copyOf(frame: VideoFrame, timestamp: number): VideoFrame {
  return new VideoFrame(frame, { timestamp })
}
