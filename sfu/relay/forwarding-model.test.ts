import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type FilterRange, filterRange } from '../../moq/session/filter.ts'
import { ResetCode } from '../../moq/wire/codes.ts'
import { isAfter, type Location } from '../../moq/wire/location.ts'
import { namespaceOf, trackOf } from '../../moq/wire/names.ts'
import type { Parameters } from '../../moq/wire/parameters.ts'
import {
  ManualPublisher,
  type ManualStream,
  ManualSubscriber,
  type ManualTrack,
  type SeenTrack,
} from './test-peers.ts'
import { RelayWorld } from './test-world.ts'

const track = trackOf(namespaceOf('model'), 'x')
const PER_GROUP = 6
const SUBGROUPS = 2

/** The objects of the track, numbered in the order in which its original publisher made them. */
function locate(index: number): Location & { readonly subgroup: number } {
  const object = index % PER_GROUP
  return { group: Math.floor(index / PER_GROUP), object, subgroup: object % SUBGROUPS }
}

/** Of a subgroup: the ids of its first and last object. */
const firstOf = (subgroup: number) => subgroup
const lastOf = (subgroup: number) => PER_GROUP - SUBGROUPS + subgroup

/** One of the publishers: sends what it is given, as far as the relay wants it. */
class ModelPublisher {
  private readonly peer: ManualPublisher
  private readonly published: ManualTrack | null = null
  private readonly streams = new Map<string, ManualStream>()
  private of: ManualTrack | null = null
  /** It is so many objects behind the newest. */
  readonly lag: number

  constructor(world: RelayWorld, byPublish: boolean, lag: number) {
    this.lag = lag
    this.peer = new ManualPublisher(world, byPublish ? null : track.namespace)
    this.peer.willServe(track)
    if (byPublish) this.published = this.peer.publish(track)
  }

  /** Its subscription of the relay's, while there is one. */
  get served(): ManualTrack | null {
    const served = this.published ?? this.peer.track(track)
    return served?.publication?.closed === false ? served : null
  }

  get asked(): boolean {
    return this.published === null && this.served !== null
  }

  /** @returns whether it sent it */
  send(index: number): boolean {
    const { group, object, subgroup } = locate(index)
    const { served } = this
    if (served !== this.of) this.streams.clear()
    this.of = served
    const key = `${group}/${subgroup}`
    const open = this.streams.get(key)
    if (!served?.publication?.passes(group, object)) {
      // What is left out breaks the stream off (section 11.4.3).
      open?.reset(ResetCode.CANCELLED)
      this.streams.delete(key)
      return false
    }
    const outgoing = open ?? this.open(served, group, subgroup, object)
    this.streams.set(key, outgoing)
    outgoing.object(object, `${group}/${object}`)
    if (object === lastOf(subgroup)) {
      outgoing.fin()
      this.streams.delete(key)
    }
    served.largest = { group, object }
    return true
  }

  /** It leaves out an object that others have. */
  skip(index: number): void {
    const { group, subgroup } = locate(index)
    const key = `${group}/${subgroup}`
    this.streams.get(key)?.reset(ResetCode.CANCELLED)
    this.streams.delete(key)
  }

  done(): void {
    this.served?.done()
  }

  close(): void {
    this.peer.session.close(0, '')
  }

  private open(served: ManualTrack, group: number, subgroup: number, object: number): ManualStream {
    return served.stream(group, subgroup, { firstObject: object === firstOf(subgroup) })
  }
}

/** A subscription, and what it should get. */
class ModelSubscription {
  readonly seen: SeenTrack
  readonly expected: string[] = []
  private readonly asked: Parameters
  private forward: boolean
  private range: FilterRange | null = null
  private ended = false

  constructor(subscriber: ManualSubscriber, parameters: Parameters) {
    this.asked = parameters
    this.forward = parameters.forward ?? true
    this.seen = subscriber.subscribe(track, parameters)
  }

  get active(): boolean {
    return this.seen.accepted !== null && this.seen.done === null && !this.ended
  }

  get wantsObjects(): boolean {
    return this.active && this.forward
  }

  /** An object came to the relay for the first time. */
  published({ group, object }: Location): void {
    if (!this.wantsObjects) return
    this.range ??= filterRange(this.asked.filter, this.seen.accepted!.largest)
    const { start, endGroup } = this.range
    if (group > endGroup || isAfter(start, { group, object })) return
    this.expected.push(`${group}/${object}`)
  }

  setForward(forward: boolean): void {
    if (!this.active) return
    this.forward = forward
    this.seen.update({ forward })
  }

  unsubscribe(): void {
    this.ended = true
    this.seen.subscription!.unsubscribe()
  }

  check(): void {
    const { objects, payloads, streams, accepted, rejected } = this.seen
    expect(accepted === null || rejected === null).toBe(true)
    expect(objects.toSorted()).toEqual(this.expected.toSorted())
    expect(payloads).toEqual(objects)
    for (const { header, objects: ids, end } of streams) {
      const { group, subgroup } = header
      expect(ids).toEqual(ids.toSorted((a, b) => a - b))
      for (const id of ids) expect(id % SUBGROUPS).toBe(subgroup)
      if (header.firstObject) expect(ids[0]).toBe(firstOf(subgroup!))
      if (end !== 'fin') continue
      // A FIN says that nothing of the subgroup was left out behind the stream's first object.
      const due = this.expected.filter((at) => {
        const [of, id] = at.split('/').map(Number)
        return of === group && id! % SUBGROUPS === subgroup && id! >= ids[0]!
      })
      expect(ids.map((id) => `${group}/${id}`)).toEqual(due)
    }
  }
}

const PUBLISHERS = 3
const SUBSCRIBERS = 3
const publisher = fc.nat({ max: PUBLISHERS - 1 })
const subscriber = fc.nat({ max: SUBSCRIBERS - 1 })
const near = fc.record({ group: fc.nat({ max: 4 }), object: fc.nat({ max: PER_GROUP - 1 }) })
const filter = fc.oneof(
  fc.constantFrom(undefined, { kind: 'largest-object' as const }),
  fc.constant({ kind: 'next-group-start' as const }),
  fc.record({ kind: fc.constant('absolute-start' as const), start: near }),
  fc.tuple(near, fc.nat({ max: 2 })).map(([start, more]) => ({
    kind: 'absolute-range' as const,
    start,
    endGroup: start.group + more,
  })),
)
const step = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('join' as const),
      who: publisher,
      byPublish: fc.boolean(),
      lag: fc.constantFrom(0, 0, 0, 1, 2),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('leave' as const), who: publisher, done: fc.boolean() }),
  },
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant('publish' as const),
      /** Those that leave the object out. */
      without: fc.subarray([0, 1, 2]),
      count: fc.integer({ min: 1, max: 4 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('subscribe' as const),
      who: subscriber,
      filter,
      forward: fc.constantFrom(true, true, false),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('unsubscribe' as const), who: subscriber }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('forward' as const),
      who: subscriber,
      forward: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(100, 2500) }),
  },
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

class Model {
  private readonly world = new RelayWorld({ room: () => Number.MAX_SAFE_INTEGER })
  private readonly publishers: (ModelPublisher | null)[] = new Array(PUBLISHERS).fill(null)
  private readonly subscribers: ManualSubscriber[] = []
  private readonly current: (ModelSubscription | null)[] = new Array(SUBSCRIBERS).fill(null)
  private readonly all: ModelSubscription[] = []
  /** Objects that the relay has had of this track. */
  private readonly arrived = new Set<string>()
  private head = 0

  constructor() {
    for (let i = 0; i < SUBSCRIBERS; i++) this.subscribers.push(new ManualSubscriber(this.world))
  }

  async run(steps: readonly Step[]): Promise<void> {
    await this.world.settle()
    for (const one of steps) {
      await this.do(one)
      await this.world.settle()
      // A reset behind objects is held until they are taken, and PUBLISH_DONE waits for that.
      this.world.clock.advance(10)
      await this.world.settle()
      this.check()
    }
  }

  private async do(one: Step): Promise<void> {
    switch (one.do) {
      case 'join':
        this.publishers[one.who] ??= new ModelPublisher(this.world, one.byPublish, one.lag)
        return
      case 'leave': {
        const leaving = this.publishers[one.who]
        this.publishers[one.who] = null
        if (one.done) {
          leaving?.done()
          await this.world.settle()
        }
        leaving?.close()
        return
      }
      case 'publish':
        for (let i = 0; i < one.count; i++) {
          await this.publish(this.head++, one.without)
        }
        return
      case 'subscribe': {
        if (this.current[one.who]?.active) return
        const { filter, forward } = one
        const subscription = new ModelSubscription(this.subscribers[one.who]!, {
          forward,
          ...(filter && { filter }),
        })
        this.current[one.who] = subscription
        this.all.push(subscription)
        return
      }
      case 'unsubscribe':
        if (this.current[one.who]?.active) this.current[one.who]!.unsubscribe()
        return
      case 'forward':
        this.current[one.who]?.setForward(one.forward)
        return
      case 'wait':
        this.world.clock.advance(one.ms)
    }
  }

  private async publish(head: number, without: readonly number[]): Promise<void> {
    for (const [i, from] of this.publishers.entries()) {
      const index = from ? head - from.lag : -1
      if (index < 0) continue
      if (without.includes(i)) from!.skip(index)
      else if (from!.send(index)) this.arrive(index)
    }
    // A publisher's own reset takes back what it has on its way, so each sends one at a time.
    await this.world.settle()
  }

  private arrive(index: number): void {
    const at = locate(index)
    const key = `${at.group}/${at.object}`
    if (this.arrived.has(key)) return
    this.arrived.add(key)
    for (const subscription of this.all) subscription.published(at)
  }

  private check(): void {
    for (const subscription of this.all) subscription.check()
    const [known] = this.world.relay.dumpTracks(track.namespace)
    if (!known) this.arrived.clear()
    const wanted = this.all.some(({ active }) => active)
    const wantsObjects = this.all.some((subscription) => subscription.wantsObjects)
    for (const from of this.publishers) {
      // Our SUBSCRIBE lives as long as somebody wants the track; a PUBLISH stays, told what is wanted.
      if (from?.asked) expect(wanted).toBe(true)
      const publication = from?.served?.publication
      if (!publication) continue
      if (from!.asked) expect(publication.forward || !wantsObjects).toBe(true)
      else expect(publication.forward).toBe(wantsObjects)
    }
    expect(this.world.relay.subscriptionCount).toBe(this.all.filter(({ active }) => active).length)
    expect(this.world.relay.tally.malformedTracks).toBe(0)
  }
}

describe('a track of several publishers', () => {
  it('comes to each subscriber whole, once and in order, whoever joins and leaves', async () => {
    const steps = fc.array(step, { minLength: 5, maxLength: 40, size: 'max' })
    const property = fc.asyncProperty(steps, (list) => new Model().run(list))
    await fc.assert(property, { numRuns: 300 })
  })
})
