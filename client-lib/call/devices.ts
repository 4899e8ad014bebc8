import { type Capture, captureCamera, formatOf } from '../media/capture.ts'
import { captureFailure } from './capture-failure.ts'
import type { CallError } from './types.ts'
import type { CapturedVideo } from './worker-protocol.ts'

export interface DevicesEvents {
  /** Devices were opened; the streams are the receiver's, to be transferred. */
  onOpened(video: CapturedVideo | null, audio: ReadableStream<AudioData> | null): void
  /** Our camera, to be shown to ourselves; null: it is not open any more. */
  onCamera(camera: MediaStreamTrack | null): void
  onError(error: CallError): void
}

type Kind = 'audio' | 'video'

/** Pixels. */
interface PictureSize {
  readonly width?: number
  readonly height?: number
}

/** Camera and microphone of a call: opened when first wanted, and off when not. */
export class Devices {
  private readonly events: DevicesEvents
  private readonly captures: Capture[] = []
  private readonly wanted: Record<Kind, boolean> = { audio: false, video: false }
  /** Opened, or being opened. */
  private readonly opened = new Set<Kind>()
  private closed = false
  private readonly size: PictureSize
  private readonly ids: Record<Kind, string | undefined>

  /**
   * @param size what is asked of the camera; default as of `captureCamera`
   * @param ids of the devices that are wanted; undefined: whichever the browser takes
   */
  constructor(
    events: DevicesEvents,
    size: PictureSize = {},
    ids: Record<Kind, string | undefined> = { audio: undefined, video: undefined },
  ) {
    this.events = events
    this.size = size
    this.ids = ids
  }

  /** Asks for the devices that are wanted and not open, in one question to the person. */
  async open(wanted: Record<Kind, boolean>): Promise<void> {
    const video = wanted.video && !this.opened.has('video')
    const audio = wanted.audio && !this.opened.has('audio')
    const kinds: Kind[] = [
      ...(video ? ['video' as const] : []),
      ...(audio ? ['audio' as const] : []),
    ]
    if (kinds.length === 0) return
    for (const kind of kinds) {
      this.opened.add(kind)
      this.wanted[kind] = true
    }
    try {
      const capture = await captureCamera({
        video: video ? { ...this.size, ...chosen(this.ids.video) } : false,
        audio: audio ? chosen(this.ids.audio) : false,
      })
      this.onCapture(capture)
    } catch (error) {
      for (const kind of kinds) this.opened.delete(kind)
      if (!this.closed) this.events.onError(captureFailure(error))
    }
  }

  /** Turns a device on or off; what was wished before it was open holds when it is. */
  enable(kind: Kind, on: boolean): void {
    this.wanted[kind] = on
    this.apply()
    if (on) void this.open({ audio: kind === 'audio', video: kind === 'video' })
  }

  /** Lets go of the devices; their lamps go out. */
  close(): void {
    this.closed = true
    this.events.onCamera(null)
    for (const capture of this.captures) capture.stop()
  }

  private onCapture(capture: Capture): void {
    if (this.closed) {
      capture.stop()
      return
    }
    this.captures.push(capture)
    if (capture.video) this.events.onCamera(capture.video.track)
    this.apply()
    this.events.onOpened(
      capture.video && { frames: capture.video.readable, format: formatOf(capture.video.track) },
      capture.audio?.readable ?? null,
    )
  }

  /** A track that is not enabled gives black and silence, whatever the worker does. */
  private apply(): void {
    for (const { stream } of this.captures) {
      for (const track of stream.getAudioTracks()) track.enabled = this.wanted.audio
      for (const track of stream.getVideoTracks()) track.enabled = this.wanted.video
    }
  }
}

function chosen(deviceId: string | undefined): { deviceId?: string } {
  return deviceId === undefined ? {} : { deviceId }
}
