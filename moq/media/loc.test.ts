import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeProperties } from '../wire/properties.ts'
import { mediaProperties } from './arbitraries.ts'
import { MediaFormatError } from './errors.ts'
import { decodeFrameMarking, encodeFrameMarking } from './frame-marking.ts'
import { decodeMediaProperties, encodeMediaProperties, immutableOf } from './loc.ts'

describe('frame marking (RFC 9626)', () => {
  it('has the short form without layers', () => {
    const marking = { start: true, end: true, independent: true, discardable: false, layer: null }
    expect([...encodeFrameMarking(marking)]).toEqual([0b1110_0000])
    expect(decodeFrameMarking(Uint8Array.of(0b1110_0000))).toEqual(marking)
  })

  it('has the long form with layers', () => {
    const marking = {
      start: true,
      end: false,
      independent: false,
      discardable: true,
      layer: { temporal: 2, spatial: 1, baseIndex: 200, baseSync: true },
    }
    expect([...encodeFrameMarking(marking)]).toEqual([0b1001_1010, 1, 200])
    expect(decodeFrameMarking(Uint8Array.of(0b1001_1010, 1, 200))).toEqual(marking)
  })

  it('reads the forms that leave fields out', () => {
    expect(decodeFrameMarking(Uint8Array.of(0x82)).layer).toEqual({
      temporal: 2,
      spatial: 0,
      baseIndex: null,
      baseSync: false,
    })
  })

  it('refuses no bytes and too many', () => {
    expect(() => decodeFrameMarking(new Uint8Array(0))).toThrow(MediaFormatError)
    expect(() => decodeFrameMarking(new Uint8Array(5))).toThrow(MediaFormatError)
  })
})

describe('media properties', () => {
  it('round-trip inside Immutable Properties', () => {
    fc.assert(
      fc.property(mediaProperties, (media) => {
        const { properties, immutable } = encodeMediaProperties(media)
        expect(immutableOf(properties)).toEqual(immutable)
        expect(decodeMediaProperties(immutable)).toEqual(media)
      }),
    )
  })

  it('are these bytes', () => {
    const { properties } = encodeMediaProperties({
      frameMarking: { start: true, end: true, independent: true, discardable: false, layer: null },
      timestamp: 37,
      fragment: { index: 1, count: 3 },
      frame: 5,
    })
    expect([...properties]).toEqual([0x0b, 10, 0x09, 1, 0xe0, 0x07, 37, 0x68, 0x81, 0x03, 0x02, 5])
  })

  it('believe only what is authenticated when given the immutable part', () => {
    const properties = encodeProperties([
      { type: 0x0b, value: encodeProperties([{ type: 0x10, value: 1 }]) },
      { type: 0x10, value: 2 },
    ])
    expect(decodeMediaProperties(immutableOf(properties))).toEqual({ timestamp: 1 })
    expect(immutableOf(encodeProperties([{ type: 0x10, value: 2 }]))).toHaveLength(0)
  })

  it('keep to the least significant eight bits of an audio level', () => {
    const level = encodeProperties([{ type: 0x0c, value: 0x1ff }])
    expect(decodeMediaProperties(level).audioLevel).toEqual({ level: 127, voice: true })
  })

  it.each([
    ['a fragment beyond its count', [{ type: 0x78, value: 3 * 256 + 3 }]],
    ['a fragment of none', [{ type: 0x78, value: 0 }]],
    ['too many fragments', [{ type: 0x78, value: 65 }]],
    ['timescale 0', [{ type: 0x08, value: 0 }]],
    ['a timestamp above 2^53', [{ type: 0x10, value: 1n << 60n }]],
    ['an empty frame marking', [{ type: 0x09, value: new Uint8Array(0) }]],
  ])('refuse %s', (_, list) => {
    expect(() => decodeMediaProperties(encodeProperties(list))).toThrow(MediaFormatError)
  })

  it('of arbitrary bytes decode or throw MediaFormatError, nothing else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          decodeMediaProperties(bytes)
          immutableOf(bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(MediaFormatError)
        }
      }),
    )
  })
})
