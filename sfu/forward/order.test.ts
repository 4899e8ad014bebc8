import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { SubgroupFlow } from './flow.ts'
import { EgressWorld, type Sent, TestOwner } from './test-support.ts'
import { TRAFFIC } from './traffic.ts'

const owner = fc.record({
  traffic: fc.constantFrom(...TRAFFIC),
  datagrams: fc.constantFrom(...TRAFFIC),
  subscriberPriority: fc.constantFrom(0, 128, 255),
  descending: fc.boolean(),
})
const entry = fc.record({
  of: fc.nat(10),
  group: fc.nat(6),
  subgroup: fc.nat(3),
  object: fc.nat(8),
  datagram: fc.boolean(),
  priority: fc.constantFrom(0, 127, 255),
})
const queues = fc.record({
  owners: fc.array(owner, { minLength: 1, maxLength: 6 }),
  entries: fc.array(entry, { maxLength: 60 }),
  room: fc.constantFrom(1, 25, 1_000_000),
})

interface Place {
  readonly track: string
  readonly rank: readonly number[]
  readonly group: number
  readonly within: number
  readonly stream: boolean
}

function placeOf({ track, object }: Sent, owners: ReadonlyMap<string, TestOwner>): Place {
  const of = owners.get(track)!
  const stream = object.datagram === null
  return {
    track,
    rank: [
      stream ? of.streamClass : of.datagramClass,
      of.publication.subscriberPriority,
      object.priority,
    ],
    group: of.descending ? -object.group : object.group,
    within: stream ? object.subgroup : object.object,
    stream,
  }
}

/** Below 0 when `a` must be sent before `b` of what waits together (section 7.2), 0 when free. */
function ruled(a: Place, b: Place): number {
  for (let i = 0; i < 3; i++) if (a.rank[i] !== b.rank[i]) return a.rank[i]! - b.rank[i]!
  if (a.track !== b.track) return 0
  if (a.group !== b.group) return a.group - b.group
  return a.stream === b.stream ? a.within - b.within : 0
}

describe('egress order', () => {
  it('obeys the rules of section 7.2 within strict classes, whatever waits and however room comes', () => {
    fc.assert(
      fc.property(queues, ({ owners: specs, entries, room }) => {
        const world = new EgressWorld()
        const owners = specs.map((spec, i) => new TestOwner(world, `track${i}`, spec))
        const flows = new Map<string, { flow: SubgroupFlow; next: number; priority: number }>()
        for (const { of, group, subgroup, object, datagram, priority } of entries) {
          const target = owners[of % owners.length]!
          if (datagram) {
            target.datagram(group, object, { priority })
            continue
          }
          const key = `${target.name}/${group}/${subgroup}`
          const known = flows.get(key) ?? { flow: target.flow(group), next: 0, priority }
          flows.set(key, known)
          // A subgroup has one priority.
          target.queue(known.flow, known.next++, { subgroup, priority: known.priority })
        }
        world.drain(room)
        expect(world.sent.length).toBe(entries.length)
        expect(world.egress.waitingBytes).toBe(0)
        for (const each of owners) expect(each.waiting).toBe(0)
        const byName = new Map(owners.map((each) => [each.name, each]))
        const places = world.sent.map((sent) => placeOf(sent, byName))
        for (let i = 0; i < places.length; i++) {
          for (let j = i + 1; j < places.length; j++) {
            expect(ruled(places[i]!, places[j]!)).toBeLessThanOrEqual(0)
          }
        }
        for (const { flow } of flows.values()) expectAscending(world.sent, flow)
      }),
      { numRuns: 300 },
    )
  })

  it('sends at every moment what section 7.2 wants first of what can be sent without stream credit that is not there', () => {
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.record({ queue: entry }) },
      { weight: 3, arbitrary: fc.record({ room: fc.integer({ min: 1, max: 40 }) }) },
      { weight: 1, arbitrary: fc.record({ credit: fc.nat(2) }) },
    )
    const steps = fc.record({
      owners: fc.array(owner, { minLength: 1, maxLength: 4 }),
      steps: fc.array(step, { maxLength: 80 }),
    })
    fc.assert(
      fc.property(steps, ({ owners: specs, steps: all }) => {
        const world = new EgressWorld()
        world.credit = 0
        const owners = specs.map((spec, i) => new TestOwner(world, `track${i}`, spec))
        const byName = new Map(owners.map((each) => [each.name, each]))
        const flows = new Map<string, { flow: SubgroupFlow; next: number; priority: number }>()
        let waiting: Sent[] = []
        const keyOf = ({ track, object }: Sent) => `${track}/${object.group}/${object.subgroup}`
        world.onSent = (sent) => {
          const place = placeOf(sent, byName)
          waiting = waiting.filter(({ object }) => object !== sent.object)
          for (const other of waiting) {
            const stream = other.object.datagram === null
            const known = stream ? flows.get(keyOf(other))! : null
            const sendable = !known || known.flow.hasStream || world.credit > 0
            if (sendable) expect(ruled(place, placeOf(other, byName))).toBeLessThanOrEqual(0)
          }
        }
        for (const each of all) {
          if ('queue' in each) {
            const { of, group, subgroup, object, datagram, priority } = each.queue
            const target = owners[of % owners.length]!
            if (datagram) {
              waiting.push({
                track: target.name,
                object: target.datagram(group, object, { priority }),
              })
              continue
            }
            const key = `${target.name}/${group}/${subgroup}`
            const known = flows.get(key) ?? { flow: target.flow(group), next: 0, priority }
            flows.set(key, known)
            const options = { subgroup, priority: known.priority }
            const queued = target.queue(known.flow, known.next++, options)
            waiting.push({ track: target.name, object: queued })
          } else if ('room' in each) {
            world.egress.pull(each.room)
          } else {
            world.credit += each.credit
            if (each.credit > 0) world.egress.resume()
          }
        }
        world.credit = Number.POSITIVE_INFINITY
        world.egress.resume()
        world.drain(100)
        expect(waiting).toEqual([])
        expect(world.egress.waitingBytes).toBe(0)
        for (const { flow } of flows.values()) expectAscending(world.sent, flow)
      }),
      { numRuns: 300 },
    )
  })

  it('lets subscriptions of the same priorities take turns, so that none waits for more than one object of each other', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 2, maxLength: 8 }),
        (counts) => {
          const world = new EgressWorld()
          counts.forEach((count, i) => {
            const target = new TestOwner(world, `track${i}`)
            const flow = target.flow(i)
            for (let object = 0; object < count; object++) {
              if (i % 2 === 0) target.queue(flow, object)
              else target.datagram(i, object)
            }
          })
          world.drain()
          const sent = new Map<string, number>(counts.map((_, i) => [`track${i}`, 0]))
          for (const { track } of world.sent) {
            sent.set(track, sent.get(track)! + 1)
            const unfinished = counts.flatMap((count, i) => {
              const done = sent.get(`track${i}`)!
              return done < count ? [done] : []
            })
            if (unfinished.length > 0) {
              expect(Math.max(...sent.values(), 0)).toBeGreaterThan(0)
              expect(Math.max(...unfinished) - Math.min(...unfinished)).toBeLessThanOrEqual(1)
            }
          }
          expect(world.sent.length).toBe(counts.reduce((sum, count) => sum + count, 0))
        },
      ),
    )
  })

  it('gives one that comes later its turn among those that keep queueing', () => {
    const world = new EgressWorld()
    const busy = ['a', 'b', 'c'].map((name) => new TestOwner(world, name))
    const flows = busy.map((each) => each.flow(0))
    let next = 0
    const more = () => {
      for (const [i, each] of busy.entries()) each.queue(flows[i]!, next)
      next++
    }
    more()
    more()
    world.egress.pull(1)
    new TestOwner(world, 'late').stream(9)
    for (let i = 0; i < 4; i++) {
      more()
      world.egress.pull(1)
    }
    expect(world.order.slice(0, 5)).toContain('late 9/0')
  })

  it('moves what waits when the subscriber priority changes (section 7.1), streams in the transport too', () => {
    const world = new EgressWorld()
    const [first, second] = [new TestOwner(world, 'first'), new TestOwner(world, 'second')]
    const [one, two] = [first.flow(0), second.flow(0)]
    first.queue(one, 0)
    second.queue(two, 0)
    world.drain()
    const before = world.streams.map(({ order }) => order)
    expect(before[0]).toBe(before[1])
    first.queue(one, 1)
    first.queue(one, 2)
    second.queue(two, 1)
    second.queue(two, 2)
    second.publication.subscriberPriority = 10
    world.egress.reprioritize(second)
    world.drain()
    expect(world.order.slice(2)).toEqual(['second 0/1', 'second 0/2', 'first 0/1', 'first 0/2'])
    expect(world.streams[1]!.order).toBeLessThan(world.streams[0]!.order)
  })

  it('notices by itself when a subscription that waits has become less urgent', () => {
    const world = new EgressWorld()
    const [first, second] = [new TestOwner(world, 'first'), new TestOwner(world, 'second')]
    first.stream(0)
    second.stream(0)
    first.publication.subscriberPriority = 200
    world.drain()
    expect(world.order).toEqual(['second 0/0', 'first 0/0'])
  })
})

/** Order within a subgroup never changes. */
function expectAscending(sent: readonly Sent[], flow: SubgroupFlow): void {
  const owner = flow.owner as TestOwner
  const bySubgroup = new Map<number, number>()
  for (const { track, object } of sent) {
    if (track !== owner.name || object.datagram || object.group !== flow.group) continue
    expect(object.object).toBe((bySubgroup.get(object.subgroup) ?? -1) + 1)
    bySubgroup.set(object.subgroup, object.object)
  }
}
