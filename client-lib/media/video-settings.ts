/** How a picture is encoded, in our terms and in WebCodecs'. */

import { type VideoCodecName, videoCodecString } from './codecs.ts'

export interface VideoSettings {
  readonly codec: VideoCodecName
  /** Pixels, at most: a picture of another shape is made to fit inside, undistorted. */
  readonly width: number
  readonly height: number
  /** Frames a second. */
  readonly framerate: number
  /** Bits a second, all layers together. */
  readonly bitrate: number
  readonly temporalLayers: 1 | 2 | 3
}

export const DEFAULT_VIDEO: VideoSettings = {
  codec: 'vp8',
  width: 640,
  height: 360,
  framerate: 30,
  bitrate: 600_000,
  temporalLayers: 3,
}

/** The WebCodecs configuration of our settings, also for `VideoEncoder.isConfigSupported`. */
export function encoderConfig(settings: VideoSettings): VideoEncoderConfig {
  const { codec, width, height, framerate, bitrate, temporalLayers } = settings
  return {
    codec: videoCodecString(codec, width, height),
    width,
    height,
    framerate,
    bitrate,
    bitrateMode: 'constant',
    latencyMode: 'realtime',
    scalabilityMode: `L1T${temporalLayers}`,
    // Parameter sets in the payload: a late joiner needs nothing but the key frame.
    ...(codec === 'h264' ? { avc: { format: 'annexb' as const } } : {}),
  }
}

/** The largest even size of the picture's shape inside the settings' size; never enlarged. */
export function fitInside(
  settings: { readonly width: number; readonly height: number },
  width: number,
  height: number,
): { width: number; height: number } {
  const scale = Math.min(1, settings.width / width, settings.height / height)
  const even = (pixels: number): number => Math.max(2, 2 * Math.round((pixels * scale) / 2))
  return { width: even(width), height: even(height) }
}
