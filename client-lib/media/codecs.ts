/** Codec names of the library and the WebCodecs strings they stand for. */

/** In the order in which they are tried: the one that costs the least time first. */
export const VIDEO_CODECS = ['vp8', 'h264', 'vp9', 'av1'] as const

/** A video codec: `vp8`, `h264`, `vp9` or `av1`. */
export type VideoCodecName = (typeof VIDEO_CODECS)[number]

export const AUDIO_SAMPLE_RATE = 48_000
export const AUDIO_CODEC = 'opus'

/** Pixels up to which the lower level of each codec is enough at 30 frames a second. */
const HD_PIXELS = 1280 * 720

/** WebCodecs codec string (for encoder, decoder and catalog) that bears this size at 30 fps. */
export function videoCodecString(codec: VideoCodecName, width: number, height: number): string {
  const large = width * height > HD_PIXELS
  switch (codec) {
    case 'vp8':
      return 'vp8'
    case 'vp9':
      return large ? 'vp09.00.40.08' : 'vp09.00.31.08'
    case 'av1':
      return large ? 'av01.0.08M.08' : 'av01.0.05M.08'
    case 'h264':
      return large ? 'avc1.42e028' : 'avc1.42e01f'
  }
}

/** The name of a codec string; null for what is none of ours. */
export function codecNameOf(codec: string): VideoCodecName | null {
  switch (codec.split('.')[0]) {
    case 'vp8':
      return 'vp8'
    case 'vp09':
      return 'vp9'
    case 'av01':
      return 'av1'
    case 'avc1':
      return 'h264'
    default:
      return null
  }
}
