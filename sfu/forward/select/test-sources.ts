/** For tests (vitest): sources as a call has them. */

import type { RenditionOffer } from './ladder.ts'
import type { SourceInput } from './selector.ts'

export const NO_LIMITS = { width: 0, height: 0, framerate: 0, hidden: false }

/** 180p, 360p and 720p, three temporal layers each; bits a second. */
export const CAMERA: readonly RenditionOffer[] = [
  offer(0, 320, 180, 150_000),
  offer(1, 640, 360, 500_000),
  offer(2, 1280, 720, 1_800_000),
]

export function offer(
  rendition: number,
  width: number,
  height: number,
  bits: number,
): RenditionOffer {
  return {
    rendition,
    width,
    height,
    framerate: 30,
    layerBits: [0.4 * bits, 0.6 * bits, bits].map(Math.round),
  }
}

export function camera(key: string, changes: Partial<SourceInput> = {}): SourceInput {
  return {
    key,
    tier: 'video',
    priority: 128,
    kind: 'face',
    limits: NO_LIMITS,
    renditions: CAMERA,
    ...changes,
  }
}

export function microphone(key: string, bits = 32_000): SourceInput {
  const renditions = [{ rendition: 0, width: 0, height: 0, framerate: 0, layerBits: [bits] }]
  return camera(key, { tier: 'audio', renditions })
}
