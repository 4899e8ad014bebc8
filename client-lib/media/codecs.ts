/** Codec names of the library and the WebCodecs strings they stand for. */

export type VideoCodecName = 'vp8' | 'vp9' | 'av1' | 'h264'

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
