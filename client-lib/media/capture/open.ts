/** Opens camera, microphone and screen, on the main thread. How their tracks are read is for the taps. */

import type { CaptureFormat } from '../renditions.ts'
import { CaptureError, explain } from './errors.ts'

const DEFAULT_CAPTURE = { width: 640, height: 360, framerate: 30 } as const
const SCREEN_FRAMERATE = 15

/** Which device is asked for. */
export interface DeviceWish {
  readonly deviceId?: string | undefined
  /** No other one will do: a device that is gone is an error. Default: another one is as good. */
  readonly exact?: boolean
}

/** Pixels and frames a second; default 640 x 360 at 30. */
export interface CameraWish extends DeviceWish {
  readonly width?: number
  readonly height?: number
  readonly framerate?: number
}

export interface CaptureWish {
  /** Absent: no camera. */
  readonly camera?: CameraWish | undefined
  /** Absent: no microphone. Else with echo cancellation, noise suppression and gain control. */
  readonly microphone?: DeviceWish | undefined
}

/**
 * Asks the person once for all that is wished. Whoever gets the tracks stops them, so that the lamps of
 * the devices go out.
 * @throws CaptureError
 */
export async function openDevices(wish: CaptureWish): Promise<MediaStream> {
  const { camera, microphone } = wish
  const what = camera && microphone ? 'camera or microphone' : camera ? 'camera' : 'microphone'
  checkPage(what)
  try {
    return await ask(wish)
  } catch (error) {
    throw explain(error, what)
  }
}

/**
 * Lets the person choose a screen, window or tab.
 * @param sound also that of the tab or the machine, where the browser gives it
 * @throws CaptureError; `permission-denied` also when the person chose nothing
 */
export async function openScreen(sound = true): Promise<MediaStream> {
  checkPage('screen')
  if (navigator.mediaDevices.getDisplayMedia === undefined) {
    throw new CaptureError(
      'unsupported',
      'this browser cannot share a screen',
      'Use a browser on a computer.',
    )
  }
  try {
    return await navigator.mediaDevices.getDisplayMedia({
      video: { frameRate: { max: SCREEN_FRAMERATE } },
      audio: sound,
    })
  } catch (error) {
    throw explain(error, 'screen')
  }
}

/** What a camera gives, by its own account; what it asked for where it says nothing. */
export function formatOf(track: MediaStreamTrack): CaptureFormat {
  const { width, height, frameRate } = track.getSettings()
  return {
    width: width || DEFAULT_CAPTURE.width,
    height: height || DEFAULT_CAPTURE.height,
    framerate: frameRate || DEFAULT_CAPTURE.framerate,
  }
}

/** The wished device, and only where that is gone another: Chromium takes no notice of an ideal one. */
async function ask({ camera, microphone }: CaptureWish): Promise<MediaStream> {
  try {
    return await getUserMedia({ camera, microphone })
  } catch (error) {
    const isGone = error instanceof Error && error.name === 'OverconstrainedError'
    const others = { camera: orAnother(camera), microphone: orAnother(microphone) }
    const isSame = others.camera === camera && others.microphone === microphone
    if (!isGone || isSame) throw error
    return await getUserMedia(others)
  }
}

function getUserMedia({ camera, microphone }: CaptureWish): Promise<MediaStream> {
  return navigator.mediaDevices.getUserMedia({
    video: camera ? cameraConstraints(camera) : false,
    audio: microphone ? microphoneConstraints(microphone) : false,
  })
}

/** The same, of any device; as it is where no other one will do. */
function orAnother<Wish extends DeviceWish>(wish: Wish | undefined): Wish | undefined {
  if (wish?.deviceId === undefined || wish.exact) return wish
  return { ...wish, deviceId: undefined }
}

/** A browser has no devices for a page that came over plain HTTP. */
function checkPage(what: string): void {
  if (globalThis.isSecureContext && navigator.mediaDevices) return
  throw new CaptureError(
    'insecure-page',
    `a ${what} is available only on a page loaded over HTTPS or from this machine`,
    'Open the page over https://.',
  )
}

function cameraConstraints({ width, height, framerate, ...device }: CameraWish) {
  const most = framerate ?? DEFAULT_CAPTURE.framerate
  return {
    width: { ideal: width ?? DEFAULT_CAPTURE.width },
    height: { ideal: height ?? DEFAULT_CAPTURE.height },
    frameRate: { ideal: most, max: most },
    ...deviceConstraint(device),
  }
}

function microphoneConstraints(device: DeviceWish) {
  return {
    channelCount: { ideal: 1 },
    echoCancellation: true,
    noiseSuppression: true,
    autoGainControl: true,
    ...deviceConstraint(device),
  }
}

function deviceConstraint({ deviceId }: DeviceWish): MediaTrackConstraints {
  return deviceId === undefined ? {} : { deviceId: { exact: deviceId } }
}
