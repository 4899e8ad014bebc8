/**
 * Camera, microphone and screen, on the main thread. Frames are not touched here: each track's stream
 * of frames is transferred to the worker. An error says what the person can do about it.
 */

import type { CaptureFormat } from './renditions.ts'

export type CaptureErrorCode =
  | 'permission-denied'
  | 'no-device'
  | 'device-busy'
  | 'constraints'
  | 'unsupported'
  | 'insecure-page'
  | 'failed'

export class CaptureError extends Error {
  override readonly name = 'CaptureError'
  readonly code: CaptureErrorCode
  /** What the person can do, as one sentence. */
  readonly advice: string

  constructor(code: CaptureErrorCode, message: string, advice: string, cause?: unknown) {
    super(message, { cause })
    this.code = code
    this.advice = advice
  }
}

const DEFAULT_CAPTURE = { width: 640, height: 360, framerate: 30 } as const

export interface CaptureOptions {
  /** Default: 640 x 360 at 30 frames a second. False for none. */
  readonly video?:
    | { width?: number; height?: number; framerate?: number; deviceId?: string }
    | false
  /** Default: on, with echo cancellation, noise suppression and gain control. False for none. */
  readonly audio?: { deviceId?: string } | false
}

export interface CapturedTrack<T> {
  readonly track: MediaStreamTrack
  /** Transferable to a worker. */
  readonly readable: ReadableStream<T>
}

export interface Capture {
  /** For a preview of one's own. */
  readonly stream: MediaStream
  readonly video: CapturedTrack<VideoFrame> | null
  readonly audio: CapturedTrack<AudioData> | null
  /** Lets go of the devices; their lamps go out. */
  stop(): void
}

interface TrackProcessor<T> {
  readonly readable: ReadableStream<T>
}
type TrackProcessorType = new <T>(init: { track: MediaStreamTrack }) => TrackProcessor<T>

declare global {
  // Not in TypeScript's library: https://www.w3.org/TR/mediacapture-transform/
  var MediaStreamTrackProcessor: TrackProcessorType | undefined
}

/** @throws CaptureError */
export function captureCamera(options: CaptureOptions = {}): Promise<Capture> {
  const constraints: MediaStreamConstraints = {
    video: options.video === false ? false : videoConstraints(options.video ?? {}),
    audio: options.audio === false ? false : audioConstraints(options.audio ?? {}),
  }
  return capture('camera or microphone', (devices) => devices.getUserMedia(constraints))
}

/** @throws CaptureError; `permission-denied` also when the person chose nothing */
export function captureScreen(
  options: { framerate?: number; audio?: boolean } = {},
): Promise<Capture> {
  const constraints: DisplayMediaStreamOptions = {
    video: { frameRate: { max: options.framerate ?? 15 } },
    audio: options.audio ?? true,
  }
  return capture('screen', (devices) => devices.getDisplayMedia(constraints))
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

/** Names of the browser features that the media pipeline needs and this browser lacks. */
function missingFeatures(): string[] {
  const needed = [
    'MediaStreamTrackProcessor',
    'VideoEncoder',
    'VideoDecoder',
    'AudioEncoder',
    'AudioDecoder',
    'AudioWorkletNode',
  ]
  return needed.filter((name) => Reflect.get(globalThis, name) === undefined)
}

function videoConstraints(video: Exclude<CaptureOptions['video'], false | undefined>) {
  const { width, height, framerate, deviceId } = { ...DEFAULT_CAPTURE, ...video }
  return {
    width: { ideal: width },
    height: { ideal: height },
    frameRate: { ideal: framerate, max: framerate },
    ...(deviceId ? { deviceId: { ideal: deviceId } } : {}),
  }
}

function audioConstraints(audio: { deviceId?: string }) {
  return {
    channelCount: { ideal: 1 },
    echoCancellation: true,
    noiseSuppression: true,
    autoGainControl: true,
    ...(audio.deviceId ? { deviceId: { ideal: audio.deviceId } } : {}),
  }
}

async function capture(
  what: string,
  open: (devices: MediaDevices) => Promise<MediaStream>,
): Promise<Capture> {
  if (!globalThis.isSecureContext) {
    throw new CaptureError(
      'insecure-page',
      `a ${what} is available only on a page loaded over HTTPS or from this machine`,
      'Open the page over https://.',
    )
  }
  const Processor = globalThis.MediaStreamTrackProcessor
  const missing = missingFeatures()
  if (Processor === undefined || missing.length > 0) {
    throw new CaptureError(
      'unsupported',
      `this browser does not support ${missing.join(', ')}`,
      'Use a current Chrome, Edge or another browser built on Chromium.',
    )
  }
  try {
    return wrap(await open(navigator.mediaDevices), Processor)
  } catch (error) {
    throw explain(error, what)
  }
}

function wrap(stream: MediaStream, Processor: TrackProcessorType): Capture {
  const read = <T>(track: MediaStreamTrack | undefined): CapturedTrack<T> | null =>
    track === undefined ? null : { track, readable: new Processor<T>({ track }).readable }
  return {
    stream,
    video: read<VideoFrame>(stream.getVideoTracks()[0]),
    audio: read<AudioData>(stream.getAudioTracks()[0]),
    stop() {
      for (const track of stream.getTracks()) track.stop()
    },
  }
}

/** Turns a `DOMException` of getUserMedia or getDisplayMedia into what to do about it. */
export function explain(error: unknown, what: string): CaptureError {
  const name = error instanceof Error ? error.name : ''
  switch (name) {
    case 'NotAllowedError':
    case 'SecurityError':
      return new CaptureError(
        'permission-denied',
        `the use of the ${what} was not allowed`,
        'Allow it for this page in the address bar, and in the settings of the system, then try again.',
        error,
      )
    case 'NotFoundError':
      return new CaptureError(
        'no-device',
        `no ${what} was found`,
        'Connect one, or join without it.',
        error,
      )
    case 'NotReadableError':
    case 'AbortError':
      return new CaptureError(
        'device-busy',
        `the ${what} could not be started`,
        'Close other programs that use it, then try again.',
        error,
      )
    case 'OverconstrainedError':
      return new CaptureError(
        'constraints',
        `the ${what} cannot do what was asked of it, or the chosen device is gone`,
        'Choose another device.',
        error,
      )
    default:
      return new CaptureError(
        'failed',
        `the ${what} failed: ${error instanceof Error ? error.message : String(error)}`,
        'Try again, or join without it.',
        error,
      )
  }
}
