import { Devices } from './devices.ts'
import { ScreenShare } from './screen-share.ts'
import type { CallError, DeviceChoice, JoinOptions } from './types.ts'
import type { CapturedVideo, ToWorker } from './worker-protocol.ts'

export interface OwnMediaEvents {
  /** For the worker. */
  tell(message: ToWorker, transfer?: Transferable[]): void
  /** Our camera, to be shown to ourselves; null: it is not open any more. */
  onCamera(camera: MediaStreamTrack | null): void
  onError(error: CallError): void
}

type MediaOptions = Pick<JoinOptions, 'media' | 'simulcast'>

/** What we send: camera, microphone and screen, as the page turns them on and off. */
export class OwnMedia {
  private readonly events: OwnMediaEvents
  private readonly devices: Devices
  private readonly screen: ScreenShare
  private readonly options: MediaOptions
  private closed = false

  constructor(options: MediaOptions, events: OwnMediaEvents) {
    this.events = events
    this.options = options
    const { media, simulcast } = options
    this.devices = new Devices(
      {
        onOpened: (video, audio) => this.onCaptured(video, audio),
        onCamera: (camera) => events.onCamera(camera),
        onError: (error) => events.onError(error),
      },
      simulcast === false ? {} : SIMULCAST_SIZE,
      { audio: idOf(media?.audio), video: idOf(media?.video) },
    )
    this.screen = new ScreenShare({
      onStarted: (frames, sound) => {
        events.tell({ type: 'share', frames, sound }, sound ? [frames, sound] : [frames])
      },
      onEnded: () => events.tell({ type: 'unshare' }),
      onError: (error) => events.onError(error),
    })
  }

  /** Opens what is wanted from the start. */
  begin(): void {
    const { media } = this.options
    void this.devices.open({ video: media?.video !== false, audio: media?.audio !== false })
  }

  /** Turns a device on or off; one that is not open yet is opened. */
  enable(kind: 'audio' | 'video', on: boolean): void {
    if (this.closed) return
    this.events.tell({ type: 'mute', kind, muted: !on })
    this.devices.enable(kind, on)
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

  private onCaptured(video: CapturedVideo | null, audio: ReadableStream<AudioData> | null): void {
    const streams = [video?.frames ?? null, audio].filter((stream) => stream !== null)
    this.events.tell({ type: 'capture', video, audio }, streams)
  }
}

function idOf(choice: boolean | DeviceChoice | undefined): string | undefined {
  return typeof choice === 'object' ? choice.deviceId : undefined
}

/** The largest of the sizes that are sent. */
const SIMULCAST_SIZE = { width: 1280, height: 720 } as const
