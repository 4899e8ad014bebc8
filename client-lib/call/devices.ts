import workletUrl from '../media/capture/capture-worklet.ts?worker&url'
import { type FrameSource, type Tap, tapVideo } from '../media/capture/frame-source.ts'
import { formatOf } from '../media/capture/open.ts'
import { type SampleSource, tapAudio } from '../media/capture/sample-source.ts'
import { canReadTracks } from '../media/capture/track-processor.ts'
import { captureFailure, deviceLost } from './capture-failure.ts'
import { DeviceRequests, type PictureSize } from './device-requests.ts'
import { InputDevice } from './input-device.ts'
import type { CallError, DeviceChange, InputKind } from './types.ts'
import type { CapturedVideo } from './worker-protocol.ts'

export interface DevicesEvents {
  /** A camera is open, in place of the one before; its source is to be transferred. */
  onVideo(video: CapturedVideo, transfer: Transferable[]): void
  /** A microphone is open, in place of the one before; its source is to be transferred. */
  onAudio(samples: SampleSource, transfer: Transferable[]): void
  /** Nothing more comes of it, until it is opened again. */
  onReleased(kind: InputKind): void
  /** It is off, though it was wanted. */
  onFailed(kind: InputKind): void
  /** Our camera, to be shown to ourselves; null: it is not open any more. */
  onCamera(camera: MediaStreamTrack | null): void
  onChanged(change: DeviceChange): void
  onError(error: CallError): void
}

export interface DevicesOptions {
  /** What is asked of the camera; default as of `openDevices`. */
  readonly size?: PictureSize
  /** Of the devices that are wanted; undefined: whichever the browser takes. */
  readonly ids?: Readonly<Partial<Record<InputKind, string | undefined>>>
  /** Whether the worker can read a track that it is given. */
  readonly workerReadsTracks: Promise<boolean>
  readonly requests?: DeviceRequests
}

/** Camera and microphone of a call: opened when first wanted, and off when not. */
export class Devices {
  private readonly events: DevicesEvents
  private readonly requests: DeviceRequests
  private readonly inputs: {
    readonly camera: InputDevice<FrameSource>
    readonly microphone: InputDevice<SampleSource>
  }
  private readonly workerReadsTracks: Promise<boolean>
  /** The last that was told. */
  private told: unknown = null
  private closed = false

  constructor(options: DevicesOptions, events: DevicesEvents) {
    const { size, ids, workerReadsTracks, requests = new DeviceRequests(size) } = options
    this.events = events
    this.requests = requests
    this.workerReadsTracks = workerReadsTracks
    this.inputs = {
      camera: new InputDevice({
        ...this.common('camera'),
        id: ids?.camera,
        staysOpen: false,
        tap: (track) => this.tapCamera(track),
        onOpened: (track, frames, transfer) => {
          events.onCamera(track)
          events.onVideo({ frames, format: formatOf(track) }, transfer)
        },
        onReleased: () => {
          events.onCamera(null)
          events.onReleased('camera')
        },
      }),
      microphone: new InputDevice({
        ...this.common('microphone'),
        id: ids?.microphone,
        staysOpen: true,
        tap: (track) => tapAudio(track, workletUrl),
        onOpened: (_track, samples, transfer) => events.onAudio(samples, transfer),
        onReleased: () => events.onReleased('microphone'),
      }),
    }
  }

  /** Turns a device on or off; those that are turned on in one go are asked for in one question. */
  enable(kind: InputKind, on: boolean): void {
    this.inputs[kind].enable(on)
  }

  isOn(kind: InputKind): boolean {
    return this.inputs[kind].isOn
  }

  /** See `InputDevice.choose`. */
  choose(kind: InputKind, id: string): Promise<boolean> {
    return this.inputs[kind].choose(id)
  }

  /** See `InputDevice.deviceId`. */
  deviceId(kind: InputKind): string | null {
    return this.inputs[kind].deviceId
  }

  /** Lets go of the devices; their lamps go out. */
  close(): void {
    this.closed = true
    for (const input of Object.values(this.inputs)) input.close()
  }

  private common(kind: InputKind) {
    const { events } = this
    return {
      name: kind,
      request: (wish: Parameters<DeviceRequests['request']>[1]) =>
        this.requests.request(kind, wish),
      onFailed: () => events.onFailed(kind),
      onChanged: (change: Omit<DeviceChange, 'kind'>) => events.onChanged({ kind, ...change }),
      onError: (error: unknown, lost: boolean) => this.tell(kind, error, lost),
    }
  }

  private tapCamera(track: MediaStreamTrack): Tap<FrameSource> | Promise<Tap<FrameSource>> {
    const { framerate } = formatOf(track)
    // The worker is asked only where the page cannot do it by itself.
    if (canReadTracks()) return tapVideo(track, { framerate, workerReadsTracks: false })
    return this.workerReadsTracks.then((workerReadsTracks) =>
      tapVideo(track, { framerate, workerReadsTracks }),
    )
  }

  /** What is about both devices is told once. */
  private tell(kind: InputKind, error: unknown, lost: boolean): void {
    if (this.closed || error === this.told) return
    this.told = error
    const isJoint = error instanceof Error && this.requests.isJoint(error)
    if (isJoint) this.events.onError(captureFailure(error))
    else this.events.onError(lost ? deviceLost(error, kind) : captureFailure(error, kind))
  }
}
