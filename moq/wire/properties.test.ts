import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeProperties, type Property, propertiesFault, unknownMandatory } from './properties.ts'

const fault = (bytes: Uint8Array) => propertiesFault(bytes, 0, bytes.length)

const property = fc.tuple(fc.nat(0x3fff), fc.nat(), fc.uint8Array({ maxLength: 40 })).map(
  ([type, integer, bytes]): Property => ({
    type,
    value: type % 2 === 1 ? bytes : integer,
  }),
)
const plain = fc
  .array(property, { maxLength: 8 })
  .map((list) => list.filter(({ type }) => type !== 0x0b))
  .map((list) => list.sort((a, b) => Number(a.type) - Number(b.type)))

describe('properties of an object', () => {
  it('have no fault when they are pairs below the mandatory range', () => {
    fc.assert(
      fc.property(plain, (list) => {
        expect(fault(encodeProperties(list))).toBe(null)
      }),
    )
  })

  it('have none above it either, also where types pass 2^53', () => {
    const above = [
      { type: 0x8000, value: 1 },
      { type: 2n ** 63n, value: 2n ** 60n },
      { type: 2n ** 64n - 1n, value: Uint8Array.of(1) },
    ]
    expect(fault(encodeProperties(above))).toBe(null)
  })

  it.each([
    0x4000, 0x5001, 0x7fff,
  ])('are malformed with a mandatory track property 0x%s (draft-18 section 2.5.1)', (type) => {
    const mandatory = { type, value: type % 2 === 1 ? Uint8Array.of(1) : 1 }
    const list = encodeProperties([{ type: 0x3c, value: 0 }, mandatory])
    expect(fault(list)).toMatch('mandatory')
    expect(fault(encodeProperties([{ type: 0x0b, value: list }]))).toMatch('mandatory')
  })

  it('are malformed with Immutable Properties twice or nested (section 12.7)', () => {
    const immutable = { type: 0x0b, value: encodeProperties([{ type: 2, value: 1 }]) }
    expect(fault(encodeProperties([immutable]))).toBe(null)
    expect(fault(encodeProperties([immutable, immutable]))).toMatch('twice')
    const nested = { type: 0x0b, value: encodeProperties([immutable]) }
    expect(fault(encodeProperties([nested]))).toMatch('nested')
  })

  it('are malformed when they end within a pair', () => {
    fc.assert(
      fc.property(plain, fc.nat(200), (list, cut) => {
        const bytes = encodeProperties([...list, { type: 0x3fff, value: new Uint8Array(5) }])
        const short = bytes.subarray(0, bytes.length - 1 - (cut % 6))
        expect(fault(short)).toMatch('cannot be read')
      }),
    )
  })

  it('meet any bytes with an answer', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        const answer = fault(bytes)
        expect(answer === null || answer.length > 0).toBe(true)
      }),
    )
  })
})

describe('Mandatory Track Properties (draft-18 section 2.5.1)', () => {
  it('are found in the list and inside Immutable Properties, unless they are known', () => {
    const mandatory = [{ type: 0x4002, value: 1 }]
    const inside = [{ type: 0x0b, value: encodeProperties(mandatory) }]
    for (const list of [mandatory, inside]) {
      expect(unknownMandatory(list)).toBe(0x4002)
      expect(unknownMandatory(list, new Set([0x4002]))).toBe(null)
    }
    expect(
      unknownMandatory([
        { type: 0x3ffe, value: 1 },
        { type: 0x8000, value: 1 },
      ]),
    ).toBe(null)
    expect(unknownMandatory([{ type: 0x0b, value: Uint8Array.of(9) }])).toBe(null)
  })
})
