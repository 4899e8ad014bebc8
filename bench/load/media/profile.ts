/**
 * What a synthetic participant sends: the tracks of a call, with the sizes and rates of the browser
 * library's encoders. Names and priorities are those of a call too.
 */

import { TrackName, videoTrackName } from '../../../moq/media/index.ts'

export interface AudioSpec {
  readonly kind: 'audio'
  readonly name: string
  /** Bits a second. */
  readonly bitrate: number
  /** ms of sound in a frame. */
  readonly frameMs: number
  /** Frames that share a group and a stream. */
  readonly framesPerGroup: number
  /** 0..255, lower is sent first. */
  readonly priority: number
}

export interface PictureSpec {
  readonly kind: 'video' | 'screen'
  readonly name: string
  /** 0 is the smallest; null for a source without renditions. */
  readonly rendition: number | null
  /** Pixels. */
  readonly width: number
  readonly height: number
  /** Frames a second. */
  readonly framerate: number
  /** Bits a second, all layers together. */
  readonly bitrate: number
  readonly temporalLayers: 1 | 2 | 3
  /** Longest time between two key frames, ms; more come when they are asked for. */
  readonly keyFrameMs: number
  /** What it says of its bits a second, where that is not true. */
  readonly statedBitrate?: number
  /** Sends on however much waits for the uplink, as no honest publisher does. */
  readonly floods?: boolean
  readonly priority: number
}

export type TrackSpec = AudioSpec | PictureSpec

export const PROFILES = ['audio', 'video', 'screen', 'mixed'] as const
export type Profile = (typeof PROFILES)[number]

export const MAX_SIMULCAST = 3

const AUDIO_PRIORITY = 32
const PICTURE_PRIORITY = 96
const KEY_FRAME_MS = 10_000

export const VOICE: AudioSpec = {
  kind: 'audio',
  name: TrackName.AUDIO,
  bitrate: 32_000,
  frameMs: 20,
  framesPerGroup: 5,
  priority: AUDIO_PRIORITY,
}

const SCREEN: PictureSpec = {
  kind: 'screen',
  name: TrackName.SCREEN,
  rendition: null,
  width: 1920,
  height: 1080,
  framerate: 10,
  bitrate: 1_500_000,
  temporalLayers: 1,
  keyFrameMs: KEY_FRAME_MS,
  priority: PICTURE_PRIORITY,
}

/** Sizes of a camera's simulcast, the smallest first. */
const LADDER = [
  { width: 320, height: 180, bitrate: 150_000 },
  { width: 640, height: 360, bitrate: 500_000 },
  { width: 1280, height: 720, bitrate: 2_000_000 },
] as const

/**
 * A camera's tracks. One rendition alone is that of a small call, 640x360.
 * @param renditions 1..3
 */
export function camera(
  renditions: number,
  temporalLayers: PictureSpec['temporalLayers'] = 3,
): PictureSpec[] {
  const steps = renditions === 1 ? [LADDER[1]] : LADDER.slice(0, renditions)
  return steps.map((step, rendition) => ({
    kind: 'video',
    name: videoTrackName(rendition),
    rendition,
    ...step,
    framerate: 30,
    temporalLayers,
    keyFrameMs: KEY_FRAME_MS,
    priority: PICTURE_PRIORITY,
  }))
}

/**
 * @param first whether it is the first publisher of its room: in `mixed` calls one shares its screen
 */
export function tracksOf(profile: Profile, renditions: number, first: boolean): TrackSpec[] {
  switch (profile) {
    case 'audio':
      return [VOICE]
    case 'video':
      return [VOICE, ...camera(renditions)]
    case 'screen':
      return [VOICE, SCREEN]
    case 'mixed':
      return [VOICE, ...camera(renditions), ...(first ? [SCREEN] : [])]
  }
}
