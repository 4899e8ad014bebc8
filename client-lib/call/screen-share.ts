import captureWorkletUrl from '../media/capture/capture-worklet.ts?worker&url'
import { CaptureError, explain } from '../media/capture/errors.ts'
import { type FrameSource, type Tap, tapVideo } from '../media/capture/frame-source.ts'
import { formatOf, openScreen } from '../media/capture/open.ts'
import { type SampleSource, tapAudio } from '../media/capture/sample-source.ts'
import { captureFailure } from './capture-failure.ts'
import type { CallError } from './types.ts'

export interface ScreenShareEvents {
  /** The sources are the receiver's, to be transferred. */
  onStarted(frames: FrameSource, sound: SampleSource | null, transfer: Transferable[]): void
  onEnded(): void
  onError(error: CallError): void
}

/** A screen whose tracks are read. */
export interface CapturedScreen {
  readonly picture: MediaStreamTrack
  readonly frames: Tap<FrameSource>
  readonly sound: Tap<SampleSource> | null
  /** Lets go of it. */
  stop(): void
}

/** Our screen, while it is shared: one at a time, until we or the person at the browser end it. */
export class ScreenShare {
  private readonly events: ScreenShareEvents
  private readonly open: () => Promise<CapturedScreen>
  private capture: CapturedScreen | null = null
  private opening = false
  private closed = false

  /** @param open asks the person which screen */
  constructor(events: ScreenShareEvents, open: () => Promise<CapturedScreen>) {
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
      if (!declined && !this.closed) this.events.onError(captureFailure(error, 'screen'))
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

  private onCapture(capture: CapturedScreen): boolean {
    if (this.closed) {
      capture.stop()
      return false
    }
    this.capture = capture
    const { picture, frames, sound } = capture
    picture.addEventListener('ended', () => {
      if (this.capture === capture) this.stop()
    })
    const transfer = [...frames.transfer, ...(sound?.transfer ?? [])]
    this.events.onStarted(frames.source, sound?.source ?? null, transfer)
    return true
  }
}

/**
 * Asks the person which screen, and reads what was chosen.
 * @param workerReadsTracks whether the worker can read a track that it is given
 * @throws CaptureError
 */
export async function captureScreen(workerReadsTracks: Promise<boolean>): Promise<CapturedScreen> {
  const stream = await openScreen()
  const stopTracks = () => {
    for (const track of stream.getTracks()) track.stop()
  }
  const [picture] = stream.getVideoTracks()
  const [heard] = stream.getAudioTracks()
  try {
    if (!picture) throw new CaptureError('failed', 'the screen has no picture', 'Choose another.')
    const sound = heard ? await tapAudio(heard, captureWorkletUrl) : null
    const { framerate } = formatOf(picture)
    const frames = tapVideo(picture, {
      framerate,
      workerReadsTracks: await workerReadsTracks,
    })
    return {
      picture,
      frames,
      sound,
      stop() {
        frames.close()
        sound?.close()
        stopTracks()
      },
    }
  } catch (error) {
    stopTracks()
    throw explain(error, 'screen')
  }
}
