import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { connectionKey, NO_ROUTE, routeOf } from './packet.ts'

describe('routing', () => {
  it('finds the same key in long and short headers', () => {
    const id = Uint8Array.from([0xff, 2, 3, 4, 5, 0xfe, 7, 8])
    const short = new Uint8Array(60)
    short[0] = 0x40
    short.set(id, 1)
    const long = new Uint8Array(60)
    long.set([0xc0, 0, 0, 0, 1, 8, ...id])
    expect(routeOf(short)).toBe(connectionKey(id))
    expect(routeOf(long)).toBe(connectionKey(id))
  })

  it('tells ids apart that differ in one of the first 48 bits', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 6, maxLength: 6 }), fc.nat(47), (id, bit) => {
        const other = id.slice()
        other[bit >> 3] = other[bit >> 3]! ^ (1 << (bit & 7))
        expect(connectionKey(other)).not.toBe(connectionKey(id))
        expect(Number.isSafeInteger(connectionKey(id))).toBe(true)
      }),
    )
  })

  it('sends noise nowhere', () => {
    for (const length of [0, 1, 8, 24]) expect(routeOf(new Uint8Array(length))).toBe(NO_ROUTE)
    expect(routeOf(new Uint8Array(60))).toBe(NO_ROUTE)
    expect(routeOf(new Uint8Array(60).fill(0xff))).toBe(NO_ROUTE)
  })
})
