import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SessionCode } from '../../moq/wire/codes.ts'
import { namespaceOf, trackOf } from '../../moq/wire/names.ts'
import { HostilePeer, type HostileStep, hostileStep } from './hostile-peer.ts'
import { Publisher, RelayWorld, Subscriber } from './test-world.ts'

const track = trackOf(namespaceOf('honest'), 'video')
/** Longer than anything that the relay waits for. */
const LONG_MS = 60_000

/** A publisher and a subscriber that keep to the rules, on a track of their own. */
class HonestPair {
  readonly publisher: Publisher
  readonly subscriber: Subscriber
  private sent = 0

  constructor(world: RelayWorld) {
    this.publisher = new Publisher(world, track.namespace)
    this.publisher.track('video')
    this.subscriber = new Subscriber(world)
  }

  publish(): void {
    this.publisher.stream('video', this.sent++, 0, 'frame')
  }

  expectAll(): void {
    const groups = this.subscriber.received.map(([at]) => at)
    expect(groups).toEqual(Array.from({ length: this.sent }, (_, group) => `${group}/0`))
    expect(this.publisher.session.closed || this.subscriber.session.closed).toBe(false)
  }
}

async function attack(steps: readonly HostileStep[]) {
  const world = new RelayWorld()
  const honest = new HonestPair(world)
  await world.settle()
  honest.subscriber.subscribe(track)
  await world.settle()
  const requests = world.relay.requestCount
  const hostile = [new HostilePeer(world), new HostilePeer(world), new HostilePeer(world)]
  for (const step of steps) {
    hostile[step.peer]!.do(step)
    if (step.pause === null) continue
    honest.publish()
    await world.settle()
    world.clock.advance(step.pause)
    await world.settle()
  }
  honest.publish()
  await world.settle()
  for (const peer of hostile) peer.look()
  return { world, honest, hostile, requests }
}

/** Everything that waits for its time has it. */
async function pass(world: RelayWorld): Promise<void> {
  await world.settle()
  for (let i = 0; i < 4; i++) {
    world.clock.advance(LONG_MS)
    await world.settle()
  }
}

const attacks = fc.array(hostileStep, { minLength: 1, maxLength: 40, size: 'max' })

describe('hostile peers', () => {
  it('harm nobody else and leave nothing behind, whatever they say', async () => {
    const property = fc.asyncProperty(attacks, async (steps) => {
      const { world, honest, hostile, requests } = await attack(steps)
      honest.expectAll()
      for (const { code } of hostile.flatMap(({ closes }) => closes)) {
        expect(code).not.toBe(SessionCode.INTERNAL_ERROR)
      }
      for (let i = 0; i < 2; i++) {
        for (const peer of hostile) peer.giveUp()
        await pass(world)
      }
      expect(world.relay.requestCount).toBe(requests)
      for (const peer of hostile) peer.leave()
      honest.publisher.session.close(0, '')
      honest.subscriber.session.close(0, '')
      await pass(world)
      expect(retained(world.relay)).toEqual(retained(new RelayWorld().relay))
      expect(world.clock.timers).toBe(0)
    })
    await fc.assert(property, { numRuns: 300 })
  })
})

/**
 * What a relay without sessions still has: paths to sets and maps that are not empty, and counts that
 * are not zero.
 */
function retained(relay: object): string[] {
  const found: string[] = []
  const seen = new Set<unknown>()
  const look = (value: unknown, path: string) => {
    if (typeof value !== 'object' || value === null || seen.has(value)) return
    seen.add(value)
    if (value instanceof Map || value instanceof Set) {
      if (value.size > 0) found.push(`${path}: ${value.size}`)
      return
    }
    for (const [key, part] of Object.entries(value)) {
      if (!/options|clock|limits|tally|counters/i.test(key)) look(part, `${path}.${key}`)
      if (/^(bytes|objects|count)$/.test(key) && part !== 0) found.push(`${path}.${key}: ${part}`)
    }
  }
  look(relay, 'relay')
  return found
}
