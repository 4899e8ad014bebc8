import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createMutableHeader, encodeHeader, parseHeader } from '../../../sframe/header.ts'
import { EPOCH_BITS as E, mlsKid, LEAF_BITS as S } from '../../../sframe/mls.ts'
import { contextOf, EPOCH_BITS, epochOf, epochsAhead, LEAF_BITS, leafOf } from './kid.ts'

describe('the KID of a call', () => {
  it('is taken apart as senders put it together', () => {
    expect([EPOCH_BITS, LEAF_BITS]).toEqual([E, S])
    const kids = fc.record({
      context: fc.integer({ min: 0, max: 2 ** 44 - 1 }),
      leaf: fc.integer({ min: 0, max: 4095 }),
      epoch: fc.integer({ min: 0, max: 100_000 }),
    })
    fc.assert(
      fc.property(kids, (parts) => {
        const header = createMutableHeader()
        expect(parseHeader(encodeHeader(mlsKid(parts), 0), 0, header)).toBe(true)
        const { kidHigh, kidLow } = header
        expect({
          context: contextOf(kidHigh, kidLow),
          leaf: leafOf(kidLow),
          epoch: epochOf(kidLow),
        }).toEqual({ ...parts, epoch: parts.epoch % 256 })
      }),
    )
  })

  it('has epochs that are compared around their wrap at 256', () => {
    expect(epochsAhead(5, 4)).toBe(1)
    expect(epochsAhead(4, 5)).toBe(-1)
    expect(epochsAhead(0, 255)).toBe(1)
    expect(epochsAhead(255, 0)).toBe(-1)
    expect(epochsAhead(128, 0)).toBe(-128)
    expect(epochsAhead(7, 7)).toBe(0)
  })
})
