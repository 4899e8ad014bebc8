import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SessionCode } from '../wire/codes.ts'
import { RequestIds } from './request-ids.ts'

const INVALID = expect.objectContaining({ code: SessionCode.INVALID_REQUEST_ID })

describe('request ids of the peer (section 10.1)', () => {
  it('have the parity of their sender', () => {
    expect(() => new RequestIds(0).take(1)).toThrow(INVALID)
    expect(() => new RequestIds(1).take(0)).toThrow(INVALID)
  })

  it('may come in any order, and each once', () => {
    const ids = fc.shuffledSubarray([...Array(200).keys()].map((i) => 2 * i + 1))
    fc.assert(
      fc.property(ids, (order) => {
        const taken = new RequestIds(1)
        for (const id of order) taken.take(id)
        for (const id of order) expect(() => taken.take(id)).toThrow(INVALID)
        const missing = [...Array(201).keys()].map((i) => 2 * i + 1).find((i) => !order.includes(i))
        expect(taken.nextId).toBe(missing)
      }),
    )
  })

  it('that never come, because their stream was reset first, hold up nothing', () => {
    const taken = new RequestIds(0)
    for (let i = 0; i < 50_000; i++) if (i % 5000 !== 0) taken.take(2 * i)
    expect(taken.nextId).toBeGreaterThan(80_000)
    expect(() => taken.take(99_998)).toThrow(INVALID)
  })

  it('with gaps everywhere cost no more memory and little time', () => {
    const taken = new RequestIds(0)
    const start = performance.now()
    for (let i = 0; i < 200_000; i++) taken.take(4 * i + 2)
    expect(taken.nextId).toBeGreaterThan(4 * 190_000)
    expect(performance.now() - start).toBeLessThan(5000)
  })
})
