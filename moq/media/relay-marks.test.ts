import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeProperties } from '../wire/properties.ts'
import { mediaProperties } from './arbitraries.ts'
import { encodeMediaProperties } from './loc.ts'
import {
  ABSENT,
  baseIndexOf,
  isDiscardable,
  isFrameEnd,
  isFrameStart,
  isIndependent,
  readAudioLevel,
  readFrameMarking,
  readTimestamp,
  readTimestampMicros,
  temporalLayerOf,
} from './relay-marks.ts'

describe('relay marks', () => {
  it('agree with the full decoder', () => {
    fc.assert(
      fc.property(mediaProperties, (media) => {
        const { properties } = encodeMediaProperties(media)
        const level = media.audioLevel
        expect(readAudioLevel(properties)).toBe(
          level ? (level.voice ? 128 : 0) + level.level : ABSENT,
        )
        expect(readTimestamp(properties)).toBe(media.timestamp ?? ABSENT)
        const marking = readFrameMarking(properties)
        const expected = media.frameMarking
        if (!expected) {
          expect(marking).toBe(ABSENT)
          return
        }
        expect([isFrameStart(marking), isFrameEnd(marking)]).toEqual([expected.start, expected.end])
        expect([isIndependent(marking), isDiscardable(marking)]).toEqual([
          expected.independent,
          expected.discardable,
        ])
        expect(temporalLayerOf(marking)).toBe(expected.layer?.temporal ?? 0)
        expect(baseIndexOf(marking)).toBe(expected.layer?.baseIndex ?? ABSENT)
      }),
    )
  })

  it('are found where the properties stand in other bytes', () => {
    fc.assert(
      fc.property(mediaProperties, fc.uint8Array({ maxLength: 5 }), (media, around) => {
        const { properties } = encodeMediaProperties(media)
        const bytes = Uint8Array.of(...around, ...properties, ...around)
        const end = around.length + properties.length
        for (const read of [readAudioLevel, readTimestamp, readTimestampMicros, readFrameMarking]) {
          expect(read(bytes, around.length, end)).toBe(read(properties))
        }
      }),
    )
  })

  it('have a time in µs, whatever its units', () => {
    const time = (timestamp: number, timescale?: number) =>
      readTimestampMicros(
        encodeMediaProperties({ timestamp, ...(timescale && { timescale }) }).properties,
      )
    expect(time(7)).toBe(7)
    expect(time(48_000, 48_000)).toBe(1_000_000)
    const inner = encodeProperties([
      { type: 0x08, value: 0 },
      { type: 0x10, value: 5 },
    ])
    expect(readTimestampMicros(inner)).toBe(ABSENT)
    expect(readTimestampMicros(new Uint8Array(0))).toBe(ABSENT)
  })

  it('are found among other properties, the immutable ones first', () => {
    const properties = encodeProperties([
      { type: 0x06, value: 1n << 62n },
      { type: 0x0b, value: encodeProperties([{ type: 0x0c, value: 7 }]) },
      { type: 0x0c, value: 9 },
      { type: 1n << 60n, value: 4 },
    ])
    expect(readAudioLevel(properties)).toBe(7)
    expect(readAudioLevel(encodeProperties([{ type: 0x0c, value: 9 }]))).toBe(9)
  })

  it('of truncated bytes are absent', () => {
    const { properties } = encodeMediaProperties({
      timestamp: 1,
      frame: 3,
      audioLevel: { level: 3, voice: true },
    })
    for (let end = 0; end < properties.length; end++) {
      expect(readAudioLevel(properties.subarray(0, end))).toBe(ABSENT)
    }
  })

  it('never throw, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        expect(readFrameMarking(bytes)).toBeGreaterThanOrEqual(ABSENT)
        expect(readAudioLevel(bytes)).toBeGreaterThanOrEqual(ABSENT)
        expect(readTimestamp(bytes)).toBeGreaterThanOrEqual(ABSENT)
      }),
    )
  })
})
