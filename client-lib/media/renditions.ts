/**
 * The renditions of one capture: in which sizes it is sent at once (simulcast), and how many bits a
 * second each is worth. A size is a half of the next; the largest is the capture's own, up to 720p.
 */

import { PROOF, type RenditionLimits } from './uplink-controller.ts'
import { DEFAULT_VIDEO, fitInside, type VideoSettings } from './video-settings.ts'

/** What a device gives. */
export interface CaptureFormat {
  /** Pixels. */
  readonly width: number
  readonly height: number
  /** Frames a second. */
  readonly framerate: number
}

export interface RenditionChoice {
  /** False: the largest rendition only. Default true. */
  readonly simulcast?: boolean
  /** Bits a second of all renditions together; default: as much as the sizes are worth. */
  readonly maxBitrate?: number
}

/** Pixels of the longer side from which a capture has two renditions, and three. */
const TWO_FROM = 640
const THREE_FROM = 960
const LARGEST = { long: 1280, short: 720 } as const
const MOST_FRAMES = 30
/** A larger picture needs fewer bits a pixel. */
const BITS_EXPONENT = 0.9
/** Below this share of its bits a picture looks better in the next smaller size. */
const LEAST_SHARE = 0.25

/**
 * A shared screen: one rendition, large enough to read, in fewer frames. Where a path is narrow, its upper
 * layers go first: what is read need not move.
 */
export const SCREEN_SETTINGS: VideoSettings = {
  codec: 'vp8',
  width: 1920,
  height: 1080,
  framerate: 15,
  bitrate: 2_500_000,
  temporalLayers: 3,
}

/** What a screen usually takes, bits a second: most of the time little of it changes. */
export const SCREEN_USUAL_BITRATE = 400_000

/** The smallest first; at least one. */
export function renditionsOf(
  capture: CaptureFormat,
  { simulcast = true, maxBitrate = Number.POSITIVE_INFINITY }: RenditionChoice = {},
): VideoSettings[] {
  const { width, height } = largestOf(capture)
  const long = Math.max(width, height)
  const halvings = !simulcast || long < TWO_FROM ? [0] : long < THREE_FROM ? [1, 0] : [2, 1, 0]
  const framerate = Math.min(MOST_FRAMES, Math.max(1, Math.round(capture.framerate)))
  let smaller = 0
  const renditions: VideoSettings[] = []
  for (const halving of halvings) {
    const scale = 2 ** halving
    const size = fitInside({ width: width / scale, height: height / scale }, width, height)
    const least = leastBits(size)
    // A rendition that would never begin beside the smaller ones is not offered.
    if (renditions.length > 0 && smaller + least * PROOF > maxBitrate) break
    smaller += least
    const bitrate = Math.min(mostBits(size), maxBitrate)
    renditions.push({ ...DEFAULT_VIDEO, ...size, framerate, bitrate })
  }
  return renditions
}

/** Between which bounds a rendition's bitrate is planned. */
export function limitsOf(name: string, settings: VideoSettings): RenditionLimits {
  const { bitrate, framerate, temporalLayers } = settings
  const minBitrate = Math.min(bitrate, leastBits(settings))
  return { name, minBitrate, maxBitrate: bitrate, framerate, temporalLayers }
}

function largestOf({ width, height }: CaptureFormat): { width: number; height: number } {
  const { long, short } = LARGEST
  const box = height > width ? { width: short, height: long } : { width: long, height: short }
  return fitInside(box, width, height)
}

function mostBits({ width, height }: { width: number; height: number }): number {
  const share = (width * height) / (DEFAULT_VIDEO.width * DEFAULT_VIDEO.height)
  return Math.round((DEFAULT_VIDEO.bitrate * share ** BITS_EXPONENT) / 1000) * 1000
}

function leastBits(size: { width: number; height: number }): number {
  return mostBits(size) * LEAST_SHARE
}
