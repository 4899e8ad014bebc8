import { Devices } from './devices.ts'
import { captureScreen, ScreenShare } from './screen-share.ts'
import type { CallError, DeviceChange, DeviceChoice, InputKind, JoinOptions } from './types.ts'
import type { ToWorker } from './worker-protocol.ts'

export interface OwnMediaEvents {
  /** For the worker. */
  tell(message: ToWorker, transfer?: Transferable[]): void
  /** Our camera, to be shown to ourselves; null: it is not open any more. */
  onCamera(camera: MediaStreamTrack | null): void
  onChanged(change: DeviceChange): void
  onError(error: CallError): void
}

type MediaOptions = Pick<JoinOptions, 'media' | 'simulcast'>

const KIND = { camera: 'video', microphone: 'audio' } as const

/** What we send: camera, microphone and screen, as the page turns them on and off. */
export class OwnMedia {
  private readonly events: OwnMediaEvents
  private readonly devices: Devices
  private readonly screen: ScreenShare
  private readonly options: MediaOptions
  private readonly workerReadsTracks = Promise.withResolvers<boolean>()
  /** As the worker was told. */
  private readonly muted = { camera: false, microphone: false }
  private closed = false

  constructor(options: MediaOptions, events: OwnMediaEvents) {
    this.events = events
    this.options = options
    const { media, simulcast } = options
    const workerReadsTracks = this.workerReadsTracks.promise
    this.devices = new Devices(
      {
        ...(simulcast !== false && { size: SIMULCAST_SIZE }),
        ids: { camera: idOf(media?.video), microphone: idOf(media?.audio) },
        workerReadsTracks,
      },
      {
        onVideo: (video, transfer) => {
          events.tell({ type: 'capture-video', video }, transfer)
          this.mute('camera', false)
        },
        onAudio: (samples, transfer) => {
          events.tell({ type: 'capture-audio', samples }, transfer)
          this.mute('microphone', false)
        },
        onReleased: (kind) => events.tell({ type: 'release', kind: KIND[kind] }),
        onFailed: (kind) => this.mute(kind, true),
        onCamera: (camera) => events.onCamera(camera),
        onChanged: (change) => events.onChanged(change),
        onError: (error) => events.onError(error),
      },
    )
    this.screen = new ScreenShare(
      {
        onStarted: (frames, sound, transfer) =>
          events.tell({ type: 'share', frames, sound }, transfer),
        onEnded: () => events.tell({ type: 'unshare' }),
        onError: (error) => events.onError(error),
      },
      () => captureScreen(workerReadsTracks),
    )
  }

  /** Opens what is wanted from the start. */
  begin(): void {
    const { media } = this.options
    if (media?.video !== false) this.devices.enable('camera', true)
    if (media?.audio !== false) this.devices.enable('microphone', true)
  }

  /** The worker has said what it can do. */
  setWorkerReadsTracks(can: boolean): void {
    this.workerReadsTracks.resolve(can)
  }

  /** Turns a device on or off; one that is not open yet is opened. */
  enable(kind: InputKind, on: boolean): void {
    if (this.closed) return
    if (!on) this.mute(kind, true)
    this.devices.enable(kind, on)
    if (this.devices.isOn(kind)) this.mute(kind, false)
  }

  /** See `InputDevice.choose`. */
  choose(kind: InputKind, id: string): Promise<boolean> {
    return this.devices.choose(kind, id)
  }

  /** See `InputDevice.deviceId`. */
  deviceId(kind: InputKind): string | null {
    return this.devices.deviceId(kind)
  }

  /** @returns whether a screen is shared */
  share(): Promise<boolean> {
    return this.screen.start()
  }

  unshare(): void {
    this.screen.stop()
  }

  /** Lets go of the devices and the screen. */
  close(): void {
    this.closed = true
    this.devices.close()
    this.screen.close()
  }

  /** A device that opens slowly is muted until then: what is not seen is not promised. */
  private mute(kind: InputKind, muted: boolean): void {
    if (this.muted[kind] === muted) return
    this.muted[kind] = muted
    this.events.tell({ type: 'mute', kind: KIND[kind], muted })
  }
}

function idOf(choice: boolean | DeviceChoice | undefined): string | undefined {
  return typeof choice === 'object' ? choice.deviceId : undefined
}

/** The largest of the sizes that are sent. */
const SIMULCAST_SIZE = { width: 1280, height: 720 } as const
