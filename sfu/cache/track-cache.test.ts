import { describe, expect, it } from 'vitest'
import { PropertyType } from '../../moq/wire/properties.ts'
import { CacheBudget, type CacheLimits, TrackCache } from './index.ts'
import { endOfGroup, endOfTrack, testObject } from './test-support.ts'

const LIMITS: CacheLimits = {
  maxBytes: 1000,
  maxBytesPerTrack: 500,
  maxObjects: 1000,
  maxObjectsPerTrack: 500,
}

function world(limits: Partial<CacheLimits> = {}) {
  const clock = { time: 0, now: () => clock.time }
  const hits: string[] = []
  const budget = new CacheBudget({ ...LIMITS, ...limits }, (limit) => hits.push(limit))
  return { clock, hits, budget, cache: new TrackCache(budget, clock) }
}

const text = (bytes: Uint8Array | undefined) => [...(bytes ?? [])]
const bytes = (length: number) => new Uint8Array(length)

describe('the ledger', () => {
  it('tells a new object from one that came before', () => {
    const { cache } = world()
    expect(cache.add(testObject(1, 0), 0)).toBe('new')
    expect(cache.add(testObject(1, 0), 0)).toBe('duplicate')
    expect(cache.add(testObject(1, 1), 0)).toBe('new')
    expect(cache.add(testObject(0, 9), 0)).toBe('new')
    expect(cache.largest).toEqual({ group: 1, object: 1 })
  })

  it('takes what only a fetch brought for new when a subscription brings it', () => {
    const { cache } = world()
    expect(cache.addFetched(testObject(1, 0), 0)).toBe('new')
    expect(cache.add(testObject(1, 0), 0)).toBe('new')
    expect(cache.add(testObject(1, 0), 0)).toBe('duplicate')
    expect(cache.addFetched(testObject(1, 0), 0)).toBe('duplicate')
  })

  const first = { subgroup: 2, priority: 7, payload: new Uint8Array([1, 2]) }
  it.each([
    ['a different payload', { ...first, payload: new Uint8Array([1, 3]) }],
    ['a different length', { ...first, payload: new Uint8Array([1]) }],
    ['a different subgroup', { ...first, subgroup: 3 }],
    ['a different priority', { ...first, priority: 8 }],
    ['a different forwarding preference', { ...first, subgroup: null }],
    [
      'different immutable properties',
      {
        ...first,
        properties: [{ type: PropertyType.IMMUTABLE_PROPERTIES, value: new Uint8Array([0x10, 1]) }],
      },
    ],
  ])('finds a duplicate with %s malformed (sections 2.4.2, 6 and 7, and 9.1)', (_, second) => {
    const { cache } = world()
    cache.add(testObject(1, 0, first), 0)
    expect(cache.add(testObject(1, 0, second), 0)).toBe('malformed')
  })

  it('lets properties that are not immutable change on the way (section 2.5)', () => {
    const { cache } = world()
    cache.add(testObject(1, 0), 0)
    const changed = testObject(1, 0, { properties: [{ type: 0x10, value: 1 }] })
    expect(cache.add(changed, 0)).toBe('duplicate')
  })

  it('resolves the default priority before it compares (section 12.4)', () => {
    const { cache } = world()
    cache.defaultPriority = 9
    cache.add(testObject(1, 0), 0)
    expect(cache.add(testObject(1, 0, { priority: 9 }), 0)).toBe('duplicate')
  })

  it('finds two priorities in one subgroup malformed (section 2.4.2, 1)', () => {
    const { cache } = world()
    cache.add(testObject(1, 0, { priority: 1 }), 0)
    cache.add(testObject(1, 1, { priority: 2, subgroup: 1 }), 0)
    expect(cache.add(testObject(1, 2, { priority: 2 }), 0)).toBe('malformed')
    expect(cache.add(testObject(2, 0, { priority: 2 }), 0)).toBe('new')
  })

  it('finds an object behind the final one of its subgroup malformed (section 2.4.2, 2)', () => {
    const { cache } = world()
    cache.add(testObject(1, 4), 0)
    expect(cache.subgroupEnded(1, 0, 4, false)).toBe(true)
    expect(cache.add(testObject(1, 3), 0)).toBe('new')
    expect(cache.add(testObject(1, 6, { subgroup: 1 }), 0)).toBe('new')
    expect(cache.add(testObject(1, 5), 0)).toBe('malformed')
  })

  it('finds different final objects of a subgroup malformed (section 2.4.2, 3)', () => {
    const { cache } = world()
    cache.add(testObject(1, 4), 0)
    cache.subgroupEnded(1, 0, 4, false)
    expect(cache.subgroupEnded(1, 0, 4, false)).toBe(true)
    expect(cache.subgroupEnded(1, 0, 3, false)).toBe(false)
  })

  it('finds a final object below one that came malformed (section 2.4.2, 2)', () => {
    const { cache } = world()
    cache.add(testObject(1, 4), 0)
    expect(cache.subgroupEnded(1, 0, 3, false)).toBe(false)
  })

  it.each([
    ['END_OF_GROUP', (cache: TrackCache) => cache.add(endOfGroup(1, 3), 0)],
    ['the FIN of its last subgroup', (cache: TrackCache) => cache.subgroupEnded(1, 0, 2, true)],
    [
      'the flag of a datagram',
      (cache: TrackCache) => cache.add(testObject(1, 2, { subgroup: null, endOfGroup: true }), 0),
    ],
  ])('finds an object behind %s malformed (section 2.4.2, 4)', (name, end) => {
    const { cache } = world()
    cache.add(testObject(1, 1), 0)
    if (name.startsWith('the FIN')) cache.add(testObject(1, 2), 0)
    end(cache)
    expect(cache.isAbsent(1, 3)).toBe(true)
    expect(cache.isAbsent(1, 2)).toBe(false)
    expect(cache.add(testObject(1, 4, { subgroup: 5 }), 0)).toBe('malformed')
  })

  it('finds an end below an object that came malformed', () => {
    const { cache } = world()
    cache.add(testObject(1, 4), 0)
    expect(cache.add(endOfGroup(1, 3), 0)).toBe('malformed')
    expect(cache.add(endOfTrack(1, 3), 0)).toBe('malformed')
    expect(cache.subgroupEnded(1, 9, 3, true)).toBe(false)
  })

  it('takes END_OF_GROUP and the FIN in front of it for the same end (section 9.1)', () => {
    const { cache } = world()
    cache.add(testObject(1, 2), 0)
    expect(cache.subgroupEnded(1, 0, 2, true)).toBe(true)
    expect(cache.add(endOfGroup(1, 3), 0)).toBe('duplicate')
    const other = world().cache
    other.add(testObject(1, 2), 0)
    expect(other.add(endOfGroup(1, 3), 0)).toBe('new')
    expect(other.subgroupEnded(1, 0, 3, true)).toBe(true)
    expect(other.subgroupEnded(1, 0, 2, true)).toBe(false)
  })

  it('does not forward an object at END_OF_GROUP itself (section 9.1)', () => {
    const { cache } = world()
    cache.add(endOfGroup(1, 3), 0)
    expect(cache.add(testObject(1, 3), 0)).toBe('withdrawn')
  })

  it('finds an object behind the end of the track malformed (section 2.4.2, 5)', () => {
    const { cache } = world()
    cache.add(testObject(1, 0), 0)
    expect(cache.add(endOfTrack(1, 1), 0)).toBe('new')
    expect(cache.add(endOfTrack(1, 1), 0)).toBe('duplicate')
    expect(cache.add(testObject(1, 1), 0)).toBe('withdrawn')
    expect(cache.add(testObject(2, 0), 0)).toBe('malformed')
    expect(cache.isAbsent(7, 0)).toBe(true)
  })

  it('does not forward what a fetch said not to exist (sections 2.1 and 9.1)', () => {
    const { cache } = world()
    cache.absent({ group: 1, object: 2 }, { group: 3, object: 4 })
    expect(cache.add(testObject(1, 1), 0)).toBe('new')
    expect(cache.add(testObject(1, 2), 0)).toBe('withdrawn')
    expect(cache.add(testObject(2, 0), 0)).toBe('withdrawn')
    expect(cache.add(testObject(3, 4), 0)).toBe('withdrawn')
    expect(cache.add(testObject(3, 5), 0)).toBe('new')
  })

  const gap = (type: number, value: number) => ({ properties: [{ type, value }] })
  const objectGap = (value: number) => gap(PropertyType.PRIOR_OBJECT_ID_GAP, value)
  const groupGap = (value: number) => gap(PropertyType.PRIOR_GROUP_ID_GAP, value)

  it('knows that the ids of a gap do not exist (sections 12.8 and 12.9)', () => {
    const { cache } = world()
    expect(cache.add(testObject(9, 5, objectGap(2)), 0)).toBe('new')
    expect([2, 3, 4, 5].map((object) => cache.isAbsent(9, object))).toEqual([
      false,
      true,
      true,
      false,
    ])
    expect(cache.add(testObject(9, 6, groupGap(2)), 0)).toBe('new')
    expect([6, 7, 8].map((group) => cache.isAbsent(group, 0))).toEqual([false, true, true])
  })

  it('finds an object in a promised gap malformed (sections 12.8 and 12.9)', () => {
    const { cache } = world()
    cache.add(testObject(9, 5, objectGap(2)), 0)
    expect(cache.add(testObject(9, 4), 0)).toBe('malformed')
    cache.add(testObject(9, 6, groupGap(2)), 0)
    expect(cache.add(testObject(8, 0), 0)).toBe('malformed')
  })

  it('finds a gap over an object that came, or beyond id 0, malformed', () => {
    const { cache } = world()
    cache.add(testObject(9, 4), 0)
    cache.add(testObject(7, 0), 0)
    expect(cache.add(testObject(9, 5, objectGap(2)), 0)).toBe('malformed')
    expect(cache.add(testObject(9, 6, groupGap(2)), 0)).toBe('malformed')
    expect(cache.add(testObject(9, 3, objectGap(4)), 0)).toBe('malformed')
    expect(cache.add(testObject(9, 7, groupGap(10)), 0)).toBe('malformed')
  })

  it('finds different group gaps in one group malformed (section 12.8)', () => {
    const { cache } = world()
    cache.add(testObject(9, 1, groupGap(2)), 0)
    expect(cache.add(testObject(9, 2, groupGap(2)), 0)).toBe('new')
    expect(cache.add(testObject(9, 3, groupGap(3)), 0)).toBe('malformed')
  })

  it.each([
    ['a mandatory track property (section 2.5.1)', [{ type: 0x4000, value: 1 }]],
    [
      'immutable properties within immutable ones (section 12.7)',
      [{ type: 0x0b, value: new Uint8Array([0x0b, 0]) }],
    ],
    ['immutable properties that cannot be read', [{ type: 0x0b, value: new Uint8Array([0x10]) }]],
    [
      'two gaps',
      [
        { type: 0x3e, value: 1 },
        { type: 0x3e, value: 1 },
      ],
    ],
  ])('finds an object with %s malformed', (_, properties) => {
    expect(world().cache.add(testObject(3, 3, { properties }), 0)).toBe('malformed')
  })

  it('works without a cache, and remembers objects without their bytes', () => {
    const { cache, budget } = world({ maxBytes: 0 })
    expect(cache.add(testObject(1, 0), 0)).toBe('new')
    expect(cache.add(testObject(1, 0), 0)).toBe('duplicate')
    expect(cache.add(testObject(1, 0, { priority: 1 }), 0)).toBe('malformed')
    expect(budget.bytes).toBe(0)
    expect(cache.find(1, 0)).toBeUndefined()
  })
})

describe('the cache', () => {
  it('gives an object with every field of its header (section 9.1)', () => {
    const { cache } = world()
    const properties = [{ type: 0x10, value: 77 }]
    cache.add(testObject(3, 4, { subgroup: 2, priority: 9, properties }), 0)
    const found = cache.find(3, 4)
    expect(found).toMatchObject({ group: 3, object: 4, subgroup: 2, priority: 9 })
    expect(text(found?.properties)).toEqual([0x10, 77])
    expect(text(found?.payload)).toEqual([3, 4])
  })

  it('keeps a view of the bytes, and copies a body that would pin a chunk', () => {
    const { cache } = world()
    const large = testObject(1, 0, { payload: bytes(100) })
    cache.add(large, 0)
    expect(cache.find(1, 0)?.payload.buffer).toBe(large.body.buffer)
    const chunk = bytes(10_000)
    cache.add(testObject(1, 1), 0)
    const small = testObject(1, 2)
    const view = chunk.subarray(500, 502)
    view.set(small.body)
    Object.defineProperty(small, 'body', { value: view })
    cache.add(small, 0)
    const kept = cache.find(1, 2)?.payload
    expect(kept?.buffer).not.toBe(chunk.buffer)
    expect(kept?.buffer.byteLength).toBeLessThan(4096)
    expect(text(cache.find(1, 2)?.payload)).toEqual([1, 2])
  })

  it('gives bytes that stay when the object is evicted', () => {
    const { cache } = world({ maxBytesPerTrack: 100 })
    cache.add(testObject(1, 0), 0)
    const found = cache.find(1, 0)
    cache.add(testObject(2, 0, { payload: bytes(100) }), 0)
    expect(cache.find(1, 0)).toBeUndefined()
    expect(text(found?.payload)).toEqual([1, 0])
  })

  it('lets an object go MAX_CACHE_DURATION after its receipt (section 12.3)', () => {
    const { cache, clock, budget } = world()
    cache.maxAgeMs = 100
    cache.add(testObject(1, 0), 0)
    cache.add(testObject(1, 1), 50)
    clock.time = 100
    expect(cache.find(1, 0)).toBeDefined()
    clock.time = 101
    expect(cache.find(1, 0)).toBeUndefined()
    expect(cache.find(1, 1)).toBeDefined()
    const before = budget.bytes
    clock.time = 1000
    cache.add(testObject(1, 2), 1000)
    expect(budget.bytes).toBeLessThan(before)
    expect(cache.look(1, 0)).toBe('unknown')
    // Received anew, it can be served anew.
    expect(cache.addFetched(testObject(1, 0), 1000)).toBe('duplicate')
    expect(cache.find(1, 0)).toBeDefined()
  })

  it('lets the group go that was unused for longest, not the newest one', () => {
    const { cache, hits, budget } = world({ maxBytesPerTrack: 350 })
    for (const group of [1, 2, 3]) cache.add(testObject(group, 0, { payload: bytes(100) }), 0)
    cache.find(1, 0)
    cache.add(testObject(3, 1, { payload: bytes(100) }), 0)
    expect(hits).toEqual(['cache-track-bytes'])
    expect([1, 2, 3].map((group) => cache.find(group, 0) !== undefined)).toEqual([
      true,
      false,
      true,
    ])
    expect(cache.look(2, 0)).toBe('unknown')
    expect(cache.add(testObject(2, 0, { payload: bytes(100) }), 0)).toBe('duplicate')
    expect(budget.bytes).toBe(cache.bytes)
  })

  it('lets the oldest objects of the newest group go when it is all there is', () => {
    const { cache } = world({ maxBytesPerTrack: 300 })
    for (let i = 0; i < 10; i++) cache.add(testObject(1, i, { payload: bytes(100) }), 0)
    const kept = Array.from({ length: 10 }, (_, i) => i).filter((i) => cache.find(1, i))
    expect(kept).toEqual([7, 8, 9])
  })

  it('shares its bytes among tracks, and takes the newest groups last', () => {
    const { cache: first, budget, clock, hits } = world({ maxBytes: 300 })
    const second = new TrackCache(budget, clock)
    first.add(testObject(1, 0, { payload: bytes(100) }), 0)
    second.add(testObject(1, 0, { payload: bytes(100) }), 0)
    second.add(testObject(2, 0, { payload: bytes(100) }), 0)
    second.add(testObject(3, 0, { payload: bytes(100) }), 0)
    expect(hits).toEqual(['cache-bytes'])
    expect(first.find(1, 0)).toBeDefined()
    expect(second.find(1, 0)).toBeUndefined()
    expect(budget.bytes).toBe(300)
    first.close()
    second.close()
    expect([budget.bytes, budget.objects]).toEqual([0, 0])
  })

  it('does not keep an object that is larger than all its room', () => {
    const { cache, hits } = world({ maxBytesPerTrack: 50 })
    expect(cache.add(testObject(1, 0, { payload: bytes(51) }), 0)).toBe('new')
    expect(cache.find(1, 0)).toBeUndefined()
    expect(hits).toEqual(['cache-track-bytes'])
  })

  it('remembers no more objects than it may, of one track and of all', () => {
    const { cache, budget, hits, clock } = world({ maxObjects: 60, maxObjectsPerTrack: 40 })
    for (let group = 0; group < 100; group++) cache.add(testObject(group, 0), 0)
    expect(cache.objects).toBeLessThanOrEqual(40)
    for (let object = 0; object < 200; object++) cache.add(testObject(100, object), 0)
    expect(cache.objects).toBeLessThanOrEqual(40)
    expect(cache.find(100, 199)).toBeDefined()
    const other = new TrackCache(budget, clock)
    for (let group = 0; group < 100; group++) other.add(testObject(group, 0), 0)
    expect(budget.objects).toBeLessThanOrEqual(60)
    expect(new Set(hits)).toEqual(new Set(['cache-track-objects', 'cache-objects']))
    // What is forgotten is new.
    expect(cache.add(testObject(0, 0), 0)).toBe('new')
  })

  it('bounds what is remembered of gaps', () => {
    const { cache } = world({ maxObjectsPerTrack: 40 })
    for (let i = 0; i < 1000; i++) {
      cache.absent({ group: 2 * i, object: 0 }, { group: 2 * i, object: Number.POSITIVE_INFINITY })
      cache.absent({ group: 5000, object: 2 * i }, { group: 5000, object: 2 * i })
    }
    expect(cache.objects).toBeLessThanOrEqual(40)
  })

  it('begins anew when it is cleared', () => {
    const { cache, budget } = world()
    cache.add(testObject(5, 0), 0)
    cache.add(endOfTrack(5, 1), 0)
    cache.clear()
    expect([cache.objects, budget.objects, budget.bytes]).toEqual([0, 0, 0])
    expect(cache.add(testObject(5, 0, { payload: bytes(1) }), 0)).toBe('new')
    expect(cache.add(testObject(9, 0), 0)).toBe('new')
  })
})
