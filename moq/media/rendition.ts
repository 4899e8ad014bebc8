/**
 * What a relay needs to know of a rendition to choose among those of one source: a track property
 * (draft-18 section 12, from the range for applications), as the catalog, which says the same to
 * receivers, is encrypted. A relay that does not know it passes it on and forwards every rendition.
 *
 *     width (vi64), height (vi64), framerate (vi64), bitrate (vi64), temporal layers (vi64)
 */

import type { Property } from '../wire/properties.ts'
import { Reader } from '../wire/reader.ts'
import { Writer } from '../wire/writer.ts'

/** Odd, so its value is bytes. */
export const RENDITION_PROPERTY = 0x7d

/** What a relay is told of one rendition. */
export interface RenditionFacts {
  /** Pixels, at most. */
  readonly width: number
  readonly height: number
  /** Frames a second with all temporal layers. */
  readonly framerate: number
  /** Bits a second that the publisher aims at. */
  readonly bitrate: number
  /** 1..8 */
  readonly temporalLayers: number
}

const MAX_PIXELS = 16_384
const MAX_FRAMERATE = 1000
const MAX_BITRATE = 1e10
const MAX_LAYERS = 8

/** @throws RangeError for facts that `findRendition` would not take (our own bug) */
export function renditionProperty(facts: RenditionFacts): Property {
  if (!isSound(facts)) throw new RangeError(`no rendition: ${JSON.stringify(facts)}`)
  const { width, height, framerate, bitrate, temporalLayers } = facts
  const writer = new Writer(16).vi64(width).vi64(height).vi64(framerate)
  return { type: RENDITION_PROPERTY, value: writer.vi64(bitrate).vi64(temporalLayers).finish() }
}

/** Null where a publisher says nothing, or nothing sensible: its tracks are then each for itself. */
export function findRendition(properties: readonly Property[]): RenditionFacts | null {
  const value = properties.find(({ type }) => type === RENDITION_PROPERTY)?.value
  if (!(value instanceof Uint8Array)) return null
  try {
    const reader = new Reader(value)
    const facts = {
      width: reader.vi64(),
      height: reader.vi64(),
      framerate: reader.vi64(),
      bitrate: reader.vi64(),
      temporalLayers: reader.vi64(),
    }
    reader.end()
    return isSound(facts) ? facts : null
  } catch {
    return null
  }
}

function isSound({ width, height, framerate, bitrate, temporalLayers }: RenditionFacts): boolean {
  return (
    within(width, MAX_PIXELS) &&
    within(height, MAX_PIXELS) &&
    within(framerate, MAX_FRAMERATE) &&
    within(bitrate, MAX_BITRATE) &&
    within(temporalLayers, MAX_LAYERS)
  )
}

function within(value: number, most: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= most
}
