import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RangeSet } from './ranges.ts'

const range = fc.tuple(fc.nat({ max: 30 }), fc.nat({ max: 5 }))

describe('RangeSet', () => {
  it('holds what was added, in as few ranges as there can be', () => {
    fc.assert(
      fc.property(fc.array(range, { maxLength: 20 }), (ranges) => {
        const set = new RangeSet()
        const model = new Set<number>()
        for (const [from, length] of ranges) {
          const before = set.length
          expect(set.add(from, from + length)).toBe(set.length - before)
          for (let id = from; id <= from + length; id++) model.add(id)
        }
        let runs = 0
        for (let id = 0; id < 40; id++) {
          expect(set.has(id)).toBe(model.has(id))
          if (!model.has(id)) {
            let previous = id
            while (previous >= 0 && !model.has(previous)) previous--
            expect(set.previousTo(id)).toBe(previous)
            continue
          }
          let first = id
          let last = id
          while (model.has(first - 1)) first--
          while (model.has(last + 1)) last++
          expect([set.startAt(id), set.endAt(id)]).toEqual([first, last])
          if (first === id) runs++
        }
        expect(set.length).toBe(runs)
      }),
    )
  })
})
