import { CaptureError } from '../media/capture/errors.ts'
import { type CaptureWish, type DeviceWish, openDevices } from '../media/capture/open.ts'
import type { InputKind } from './types.ts'

/** Pixels that are asked of the camera. */
export interface PictureSize {
  readonly width?: number
  readonly height?: number
}

interface Request {
  readonly wish: DeviceWish
  readonly answer: PromiseWithResolvers<MediaStreamTrack>
}

/**
 * Asks the person for camera and microphone: for both at once where both are wanted at once. Where they
 * cannot be had together, each is asked for by itself, so that who has no camera is heard all the same.
 */
export class DeviceRequests {
  private readonly size: PictureSize
  private readonly open: typeof openDevices
  private waiting = new Map<InputKind, Request>()
  /** Errors that were about both. */
  private readonly joint = new WeakSet<object>()

  /** @param size default as of `openDevices` */
  constructor(size: PictureSize = {}, open: typeof openDevices = openDevices) {
    this.size = size
    this.open = open
  }

  /**
   * One of a kind at a time; the receiver stops the track.
   * @throws CaptureError (rejects)
   */
  request(kind: InputKind, wish: DeviceWish): Promise<MediaStreamTrack> {
    const answer = Promise.withResolvers<MediaStreamTrack>()
    if (this.waiting.size === 0) queueMicrotask(() => void this.send())
    this.waiting.set(kind, { wish, answer })
    return answer.promise
  }

  /** Whether an error was about camera and microphone together. */
  isJoint(error: object): boolean {
    return this.joint.has(error)
  }

  private async send(): Promise<void> {
    const { waiting } = this
    this.waiting = new Map()
    try {
      await this.ask(waiting)
    } catch (error) {
      if (waiting.size > 1 && (await mayHaveOne(error))) {
        for (const [kind, request] of waiting) void this.askAlone(kind, request)
        return
      }
      if (waiting.size > 1 && error instanceof CaptureError) this.joint.add(error)
      for (const { answer } of waiting.values()) answer.reject(error)
    }
  }

  private async askAlone(kind: InputKind, request: Request): Promise<void> {
    await this.ask(new Map([[kind, request]])).catch(request.answer.reject)
  }

  private async ask(requests: ReadonlyMap<InputKind, Request>): Promise<void> {
    const camera = requests.get('camera')
    const microphone = requests.get('microphone')
    const wish: CaptureWish = {
      ...(camera && { camera: { ...this.size, ...camera.wish } }),
      ...(microphone && { microphone: microphone.wish }),
    }
    const stream = await this.open(wish)
    const [picture] = stream.getVideoTracks()
    const [sound] = stream.getAudioTracks()
    if (picture) camera?.answer.resolve(picture)
    if (sound) microphone?.answer.resolve(sound)
  }
}

/** Whether one of two devices may be had by itself. */
async function mayHaveOne(error: unknown): Promise<boolean> {
  if (!(error instanceof CaptureError)) return false
  switch (error.code) {
    case 'no-device':
    case 'device-busy':
    case 'constraints':
      return true
    case 'permission-denied': {
      // Who has just refused both is not asked again.
      const [camera, microphone] = await Promise.all([isDenied('camera'), isDenied('microphone')])
      return camera !== microphone
    }
    default:
      return false
  }
}

/** Whether the person, or the system, has settled that a device is not to be had. */
async function isDenied(name: InputKind): Promise<boolean> {
  try {
    return (await navigator.permissions.query({ name })).state === 'denied'
  } catch {
    // Browsers without this name, or without permissions, do not tell.
    return false
  }
}
