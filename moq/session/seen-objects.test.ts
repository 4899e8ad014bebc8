import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SeenObjects } from './seen-objects.ts'

describe('objects that came', () => {
  it('are new once, in any order', () => {
    const location = fc.tuple(fc.nat(20), fc.nat(60))
    fc.assert(
      fc.property(fc.array(location, { maxLength: 300 }), (locations) => {
        const seen = new SeenObjects()
        const before = new Set<string>()
        for (const [group, object] of locations) {
          expect(seen.add(group, object)).toBe(!before.has(`${group}/${object}`))
          before.add(`${group}/${object}`)
        }
        for (let group = 0; group <= 20; group++) {
          let object = 0
          while (before.has(`${group}/${object}`)) object++
          expect(seen.missing(group)).toEqual({ group, object })
        }
      }),
    )
  })

  it('are missing only from where they were promised', () => {
    const seen = new SeenObjects()
    seen.startAt({ group: 3, object: 5 })
    expect(seen.missing(1)).toEqual({ group: 3, object: 5 })
    expect(seen.missing(3)).toEqual({ group: 3, object: 5 })
    seen.add(3, 2)
    seen.add(3, 5)
    seen.add(3, 6)
    expect(seen.missing(3)).toEqual({ group: 3, object: 7 })
    expect(seen.missing(4)).toEqual({ group: 4, object: 0 })
  })

  it('are forgotten by whole groups, the oldest first', () => {
    const seen = new SeenObjects()
    for (let group = 0; group < 1000; group++) seen.add(group, 0)
    expect(seen.forgot(900)).toBe(true)
    expect(seen.forgot(999)).toBe(false)
    expect(seen.add(900, 0)).toBe(true)
    expect(seen.add(999, 0)).toBe(false)
  })

  it('of a group with gaps cost no more memory: the lower half counts as complete', () => {
    const seen = new SeenObjects()
    for (let object = 1; object < 200_000; object += 2) expect(seen.add(0, object)).toBe(true)
    expect(seen.missing(0).object).toBeGreaterThan(190_000)
    expect(seen.add(0, 199_999)).toBe(false)
  })
})
