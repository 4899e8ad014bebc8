import { describe, expect, it } from 'vitest'
import { PropertyType } from '../../moq/wire/properties.ts'
import { CacheBudget, TrackCache } from './index.ts'
import { endOfGroup, endOfTrack, type TestObject, testObject } from './test-support.ts'

function emptyCache(): TrackCache {
  const most = 10_000
  const limits = {
    maxBytes: most,
    maxBytesPerTrack: most,
    maxObjects: most,
    maxObjectsPerTrack: most,
  }
  return new TrackCache(new CacheBudget(limits), { now: () => 0 })
}

const gap = (type: number, value: number): TestObject => ({ properties: [{ type, value }] })

describe('an object that shows a malformed track (section 2.4.2)', () => {
  it('is not cached, and does not take the place of what is', () => {
    const first = { subgroup: 1, priority: 5, payload: Uint8Array.of(1) }
    for (const [before, at, object] of [
      [() => {}, 2, { ...first, priority: 6 }],
      [() => {}, 2, { ...first, properties: [{ type: 0x4000, value: 1 }] }],
      [() => {}, 2, { ...first, ...gap(PropertyType.PRIOR_OBJECT_ID_GAP, 9) }],
      [(cache: TrackCache) => cache.subgroupEnded(0, 1, 0, false), 2, first],
      [(cache: TrackCache) => cache.add(endOfGroup(0, 1), 0), 2, first],
      [(cache: TrackCache) => cache.add(endOfTrack(0, 1), 0), 2, first],
      [() => {}, 0, { ...first, payload: Uint8Array.of(2) }],
    ] as const) {
      const cache = emptyCache()
      cache.add(testObject(0, 0, first), 0)
      before(cache)
      expect(cache.add(testObject(0, at, object), 0)).toBe('malformed')
      expect(cache.find(0, 2)).toBeUndefined()
      expect([...cache.find(0, 0)!.payload]).toEqual([1])
    }
  })
})

describe("the draft's examples of gaps", () => {
  it('groups 8 and 9 do not exist before group 10 (section 12.8)', () => {
    const cache = emptyCache()
    cache.add(testObject(7, 0), 0)
    expect(cache.add(testObject(10, 0, gap(PropertyType.PRIOR_GROUP_ID_GAP, 2)), 0)).toBe('new')
    expect([7, 8, 9, 10].map((group) => cache.isAbsent(group, 1))).toEqual([
      false,
      true,
      true,
      false,
    ])
  })

  it('objects 8 and 9 do not exist before object 10 of group 3 (section 12.9)', () => {
    const cache = emptyCache()
    cache.add(testObject(3, 7), 0)
    expect(cache.add(testObject(3, 10, gap(PropertyType.PRIOR_OBJECT_ID_GAP, 2)), 0)).toBe('new')
    expect([7, 8, 9, 10].map((object) => cache.isAbsent(3, object))).toEqual([
      false,
      true,
      true,
      false,
    ])
  })
})
