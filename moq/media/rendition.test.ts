import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeProperties, encodeProperties } from '../wire/properties.ts'
import { findRendition, RENDITION_PROPERTY, renditionProperty } from './rendition.ts'

const FACTS = { width: 640, height: 360, framerate: 30, bitrate: 600_000, temporalLayers: 3 }

describe('the rendition property', () => {
  it('is found among the properties of a track (section 12)', () => {
    const all = encodeProperties([{ type: 0x0e, value: 96 }, renditionProperty(FACTS)])
    expect(findRendition(decodeProperties(all))).toEqual(FACTS)
    expect(findRendition([])).toBeNull()
  })

  it('is not written with facts that would not be taken', () => {
    expect(() => renditionProperty({ ...FACTS, temporalLayers: 0 })).toThrow(RangeError)
    expect(() => renditionProperty({ ...FACTS, width: 1.5 })).toThrow(RangeError)
  })

  it('of any bytes is sensible facts or nothing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 30 }), (value) => {
        const facts = findRendition([{ type: RENDITION_PROPERTY, value }])
        if (facts) expect(findRendition([renditionProperty(facts)])).toEqual(facts)
      }),
    )
  })
})
