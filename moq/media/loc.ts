/**
 * The properties of a media object: LOC's (draft-ietf-moq-loc section 2.3) and two of ours. They are
 * written inside Immutable Properties (draft-18 section 12.7), whose serialized bytes are part of
 * what end-to-end encryption authenticates: a relay reads them and cannot change them unnoticed.
 */

import { ProtocolError } from '../wire/errors.ts'
import { decodeProperties, type Property, PropertyType } from '../wire/properties.ts'
import { vi64Size, writeVi64 } from '../wire/vi64.ts'
import { Writer } from '../wire/writer.ts'
import { MediaFormatError } from './errors.ts'
import { decodeFrameMarking, encodeFrameMarking, type FrameMarking } from './frame-marking.ts'

/** Numbers of the properties of media objects. */
export const MediaProperty = {
  TIMESCALE: 0x08,
  VIDEO_FRAME_MARKING: 0x09,
  AUDIO_LEVEL: 0x0c,
  VIDEO_CONFIG: 0x0d,
  AUDIO_CONFIG: 0x0f,
  TIMESTAMP: 0x10,
  /**
   * Ours, from the range for applications that draft-18 (section 15.5) and draft-19 (section 2.5)
   * both leave alone: which fragment of a frame this object is, as index * 256 + count.
   */
  FRAGMENT: 0x78,
  /** Ours: the number of the frame in its group, from 0 at the key frame, in decode order. */
  FRAME: 0x7a,
} as const

/** Most fragments of one frame. A larger frame belongs on a stream. */
export const MAX_FRAGMENTS = 64

/** Absent properties are absent fields. */
export interface MediaProperties {
  /** In 1/timescale seconds; without a timescale, wall-clock µs since the Unix epoch. */
  timestamp?: number
  /** Timestamp units a second. */
  timescale?: number
  frameMarking?: FrameMarking
  audioLevel?: AudioLevel
  /** Codec configuration, as `VideoDecoderConfig.description`. */
  videoConfig?: Uint8Array
  /** Codec configuration, as `AudioDecoderConfig.description`. */
  audioConfig?: Uint8Array
  fragment?: Fragment
  /** Number of the frame in its group. */
  frame?: number
}

/** RFC 6464 section 3. */
export interface AudioLevel {
  /** -dBov: 0 is the loudest, 127 silence. */
  readonly level: number
  readonly voice: boolean
}

/** Which part of a frame an object is, where the frame did not fit into one datagram. */
export interface Fragment {
  /** 0 <= index < count. */
  readonly index: number
  /** 1..64 */
  readonly count: number
}

/** Properties as they are sent, and the part of them that encryption authenticates. */
export interface EncodedMediaProperties {
  /** The object's whole properties field. */
  readonly properties: Uint8Array
  /** The part of it that is authenticated: the content of Immutable Properties. A view. */
  readonly immutable: Uint8Array
}

/** @throws RangeError for a value out of its range (our own bug) */
export function encodeMediaProperties(media: MediaProperties): EncodedMediaProperties {
  const inner = encodeInner(media)
  const header = 1 + vi64Size(inner.length)
  const properties = new Uint8Array(header + inner.length)
  properties[0] = PropertyType.IMMUTABLE_PROPERTIES
  writeVi64(properties, 1, inner.length)
  properties.set(inner, header)
  return { properties, immutable: properties.subarray(header) }
}

function encodeInner(media: MediaProperties): Uint8Array {
  const writer = new Writer(48)
  let previous = 0
  const integer = (type: number, value: number | undefined): void => {
    if (value === undefined) return
    writer.vi64(type - previous).vi64(value)
    previous = type
  }
  const bytes = (type: number, value: Uint8Array | undefined): void => {
    if (value === undefined) return
    writer.vi64(type - previous).lengthPrefixed(value)
    previous = type
  }
  // Ascending by type: types are coded as differences.
  integer(MediaProperty.TIMESCALE, media.timescale)
  bytes(
    MediaProperty.VIDEO_FRAME_MARKING,
    media.frameMarking && encodeFrameMarking(media.frameMarking),
  )
  integer(MediaProperty.AUDIO_LEVEL, media.audioLevel && encodeLevel(media.audioLevel))
  bytes(MediaProperty.VIDEO_CONFIG, media.videoConfig)
  bytes(MediaProperty.AUDIO_CONFIG, media.audioConfig)
  integer(MediaProperty.TIMESTAMP, media.timestamp)
  integer(MediaProperty.FRAGMENT, media.fragment && encodeFragment(media.fragment))
  integer(MediaProperty.FRAME, media.frame)
  return writer.finish()
}

function encodeLevel({ level, voice }: AudioLevel): number {
  if (!Number.isInteger(level) || level < 0 || level > 127) {
    throw new RangeError(`audio level ${level} is not from 0 to 127`)
  }
  return (voice ? 0x80 : 0) | level
}

function encodeFragment({ index, count }: Fragment): number {
  if (!(count >= 1 && count <= MAX_FRAGMENTS && index >= 0 && index < count)) {
    throw new RangeError(`fragment ${index} of ${count}`)
  }
  return index * 256 + count
}

/**
 * The content of an object's Immutable Properties: what is authenticated, and what a receiver may
 * believe. A view; empty when there are none.
 * @throws MediaFormatError when the properties cannot be parsed
 */
export function immutableOf(properties: Uint8Array): Uint8Array {
  for (const { type, value } of parse(properties)) {
    if (type === PropertyType.IMMUTABLE_PROPERTIES) return value as Uint8Array
  }
  return new Uint8Array(0)
}

/**
 * Reads media properties from a sequence of Key-Value-Pairs: of an encrypted object give it
 * `immutableOf(properties)`, since the rest is not authenticated. Unknown properties are ignored.
 * @throws MediaFormatError when they cannot be parsed or a known one has an impossible value
 */
export function decodeMediaProperties(pairs: Uint8Array): MediaProperties {
  const media: MediaProperties = {}
  for (const property of parse(pairs)) take(media, property)
  return media
}

function take(media: MediaProperties, { type, value }: Property): void {
  switch (type) {
    case MediaProperty.TIMESCALE:
      media.timescale = integerOf(value, 'timescale')
      if (media.timescale === 0) throw new MediaFormatError('timescale 0')
      break
    case MediaProperty.VIDEO_FRAME_MARKING:
      media.frameMarking = decodeFrameMarking(value as Uint8Array)
      break
    case MediaProperty.AUDIO_LEVEL: {
      // LOC: the least significant eight bits.
      const level = integerOf(value, 'audio level') % 256
      media.audioLevel = { level: level & 0x7f, voice: level >= 0x80 }
      break
    }
    case MediaProperty.VIDEO_CONFIG:
      media.videoConfig = value as Uint8Array
      break
    case MediaProperty.AUDIO_CONFIG:
      media.audioConfig = value as Uint8Array
      break
    case MediaProperty.TIMESTAMP:
      media.timestamp = integerOf(value, 'timestamp')
      break
    case MediaProperty.FRAGMENT:
      media.fragment = decodeFragment(integerOf(value, 'fragment'))
      break
    case MediaProperty.FRAME:
      media.frame = integerOf(value, 'frame')
      break
  }
}

function decodeFragment(value: number): Fragment {
  const index = Math.floor(value / 256)
  const count = value % 256
  if (count < 1 || count > MAX_FRAGMENTS || index >= count) {
    throw new MediaFormatError(`fragment ${index} of ${count}`)
  }
  return { index, count }
}

function integerOf(value: Property['value'], what: string): number {
  if (typeof value === 'number') return value
  throw new MediaFormatError(`${what} above 2^53-1`)
}

function parse(bytes: Uint8Array): Property[] {
  try {
    return decodeProperties(bytes)
  } catch (error) {
    if (error instanceof ProtocolError) throw new MediaFormatError(error.message, { cause: error })
    throw error
  }
}
