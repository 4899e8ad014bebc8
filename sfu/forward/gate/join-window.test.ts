import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { FetchObject } from '../../../moq/wire/fetch.ts'
import { MoqObject, ObjectStatus } from '../../../moq/wire/object.ts'
import { encodeSubgroupBody } from '../../../moq/wire/subgroup.ts'
import { CacheBudget, DEFAULT_CACHE_LIMITS, TrackCache } from '../../cache/index.ts'
import { DEFAULT_JOIN_LIMITS, JoinWindow } from './join-window.ts'
import { KeyFrameGate } from './key-frame-gate.ts'
import { type GatedObject, isBaseLayer } from './marking.ts'
import { type Fate, groups, type ModelObject, publish, quietFate } from './test-support.ts'

const PAYLOAD = 100

const fate: Fate = {
  fragments: 1,
  omitted: false,
  lost: 0,
  delay: 0,
  lostBehind: false,
  sends: 4,
  trouble: false,
}

function groupsOf(...frames: number[]): ModelObject[] {
  const plans = frames.map((count) => ({
    fates: Array.from({ length: count }, () => fate),
    newKey: false,
  }))
  return publish(plans, 3)
}

/** A track with its cache and window, as the relay has them. */
class Track {
  readonly cache = new TrackCache(new CacheBudget(DEFAULT_CACHE_LIMITS), { now: () => 0 })
  readonly window = new JoinWindow()

  add(object: ModelObject, now: number): void {
    const body = encodeSubgroupBody(new Uint8Array(0), new Uint8Array(PAYLOAD))
    const { group, object: id } = object
    const subgroup = object.subgroup < 0 ? null : 0
    this.cache.add(
      new MoqObject(
        group,
        subgroup,
        id,
        1,
        ObjectStatus.NORMAL,
        false,
        body,
        1,
        0,
        body.length - PAYLOAD,
      ),
      now,
    )
    this.window.add(object, PAYLOAD, now)
  }
}

function idsOf(objects: readonly GatedObject[]): string[] {
  return objects.map(({ group, object }) => `${group}/${object}`)
}

describe("the joiner's window", () => {
  it('gives the base layer of the newest group so far', () => {
    const track = new Track()
    for (const object of groupsOf(8, 10)) track.add(object, 0)
    const joined = track.window.serve(track.cache, 500)
    expect(joined?.group).toBe(1)
    expect(idsOf(joined!.objects.map(({ facts }) => facts))).toEqual(['1/0', '1/4', '1/8'])
    expect(joined!.objects[1]!.object).toMatchObject({ group: 1, object: 4, subgroup: 0 })
    expect(joined!.objects.every(({ object }) => object.payload.length === PAYLOAD)).toBe(true)
  })

  it('hands over to the live objects without a gap or a duplicate', () => {
    fc.assert(
      fc.property(groups(quietFate), fc.nat(60), (plans, joinsAt) => {
        const track = new Track()
        const published = publish(plans, 3)
        const before = published.slice(0, joinsAt)
        for (const object of before) track.add(object, 0)
        const gate = new KeyFrameGate()
        const received: GatedObject[] = []
        const offer = (object: GatedObject) => {
          if (gate.decide(object) === 'forward') received.push(object)
        }
        const joined = track.window.serve(track.cache, 0)
        for (const { facts } of joined?.objects ?? []) offer(facts)
        expect(received.length).toBe(joined?.objects.length ?? 0)
        const live = published.slice(joinsAt)
        for (const object of live) offer(object)
        const from = joined?.group ?? live[0]?.group ?? 0
        const isWanted = ({ group, marking }: GatedObject) => isBaseLayer(marking) && group >= from
        // Whoever joins in a group that cannot be served gets the next one.
        const first = received[0]?.group ?? Number.POSITIVE_INFINITY
        const expected = published.filter((object) => isWanted(object) && object.group >= first)
        expect(idsOf(received.filter(isWanted))).toEqual(idsOf(expected))
        expect(new Set(idsOf(received)).size).toBe(received.length)
        if (before.length > 0) expect(joined).not.toBeNull()
      }),
      { numRuns: 300 },
    )
  })

  it('serves nothing that is too old, too large for it or for the path of the joiner', () => {
    const { maxAgeMs, maxBytes, maxObjects } = DEFAULT_JOIN_LIMITS
    const track = new Track()
    for (const object of groupsOf(9)) track.add(object, 1000)
    expect(track.window.isServable(1000 + maxAgeMs)).toBe(true)
    expect(track.window.serve(track.cache, 1001 + maxAgeMs)).toBeNull()
    expect(track.window.isServable(1000, 3 * PAYLOAD)).toBe(true)
    expect(track.window.isServable(1000, 3 * PAYLOAD - 1)).toBe(false)

    const large = new JoinWindow()
    const objects = groupsOf(9, 1)
    for (const object of objects.slice(0, 9)) large.add(object, maxBytes / 2, 0)
    expect(large.isServable(0)).toBe(false)
    large.add(objects[9]!, 100, 0)
    expect(large.isServable(0)).toBe(true)

    const long = new JoinWindow()
    for (const object of groupsOf(4 * maxObjects)) long.add(object, 1, 0)
    expect(long.isServable(0)).toBe(true)
    for (const object of groupsOf(4 * maxObjects + 1)) long.add(object, 1, 0)
    expect(long.isServable(0)).toBe(false)
  })

  it('serves nothing when a base frame is missing, in what came or in the cache', () => {
    const track = new Track()
    const objects = groupsOf(9, 1)
    for (const object of objects.slice(0, 9)) if (object.object !== 4) track.add(object, 0)
    expect(track.window.serve(track.cache, 0)).toBeNull()
    track.add(objects[9]!, 0)
    expect(track.window.serve(track.cache, 0)?.objects).toHaveLength(1)
    const empty = { find: (): FetchObject | undefined => undefined }
    expect(track.window.serve(empty, 0)).toBeNull()
  })

  it('leaves the tail of the group before out', () => {
    const track = new Track()
    const objects = groupsOf(9, 5)
    const tail = objects[8]!
    for (const object of objects) if (object !== tail) track.add(object, 0)
    track.add(tail, 0)
    const joined = track.window.serve(track.cache, 0)
    expect(idsOf(joined!.objects.map(({ facts }) => facts))).toEqual(['1/0', '1/4'])
  })

  it('serves nothing of an old key, or after trouble with its counters', () => {
    const track = new Track()
    const objects = groupsOf(9)
    for (const object of objects.slice(0, 5)) track.add(object, 0)
    expect(track.window.isServable(0)).toBe(true)
    track.add({ ...objects[5]!, generation: 2 }, 0)
    expect(track.window.isServable(0)).toBe(false)
  })

  it('is empty when another history begins', () => {
    const track = new Track()
    for (const object of groupsOf(9)) track.add(object, 0)
    track.window.clear()
    expect(track.window.serve(track.cache, 0)).toBeNull()
  })
})
