import { describe, expect, it } from 'vitest'
import { RepairSource } from '../../client-lib/media/repair-source.ts'
import { RepairDriver, type RepairRange } from '../../moq/media/index.ts'
import { type OutgoingObject, TrackPublisher } from '../../moq/session/index.ts'
import { namespaceOf, textOf, trackOf } from '../../moq/wire/names.ts'
import { encodeProperties } from '../../moq/wire/properties.ts'
import { RelayWorld, refusesReports } from '../relay/test-world.ts'

const namespace = namespaceOf('sotto', 'r', 'p')
/** Of no call, so that objects need no SFrame header and no key-frame gate is in the way. */
const video = trackOf(namespace, 'plain')
const properties = encodeProperties([{ type: 0x10, value: 1 }])
const utf8 = new TextEncoder()

/** A publisher that can repair, a relay, and a subscriber that does; RTTs are nothing. */
class RepairWorld extends RelayWorld {
  readonly track = new TrackPublisher({ trackAlias: 1, priority: 40 })
  readonly source = new RepairSource({ now: () => this.clock.now(), priority: 40 })
  fetchesOfPublisher = 0
  readonly publisher = this.client({
    onSubscribe: (request) => {
      if (!refusesReports(request)) this.track.accept(request)
    },
    onFetch: (request) => {
      this.fetchesOfPublisher++
      this.source.answer(request, this.track.status.properties)
    },
  })
  readonly subscriber = this.client({})
  readonly asked: RepairRange[] = []
  readonly refused: number[] = []
  /** New objects that the subscriber took. */
  readonly got: string[] = []
  readonly lostBelow = new Set<number>()
  readonly driver = new RepairDriver({
    clock: this.clock,
    rttMs: () => 20,
    fetch: (range) => this.fetch(range),
    settings: { reorderMs: 10, deadlineMs: 150, mostMissing: 1 },
  })

  async begin(): Promise<void> {
    this.publisher.publishNamespace(namespace, {})
    await this.settle()
    this.subscriber.subscribe(
      video,
      {},
      {
        onObject: ({ group, object, payload }) => {
          if (!this.lostBelow.delete(object)) this.take(group, object, payload)
        },
      },
    )
    await this.settle()
  }

  async send(object: number, lost = false): Promise<void> {
    const payload = utf8.encode(`object ${object}`)
    const outgoing: OutgoingObject = { group: 0, object, properties, payload }
    this.source.add(outgoing)
    if (!lost) this.track.writeDatagram(outgoing)
    await this.settle()
  }

  async pass(ms: number): Promise<void> {
    this.clock.advance(ms)
    await this.settle()
  }

  private fetch(range: RepairRange): void {
    this.asked.push(range)
    const { group, first, last } = range
    this.subscriber.fetch(
      {
        kind: 'standalone',
        track: video,
        start: { group, object: first },
        end: { group, object: last + 1 },
      },
      {
        onObject: (object) => this.take(object.group, object.object, object.payload),
        onRejected: (error) => this.refused.push(error.code),
      },
    )
  }

  private take(group: number, object: number, payload: Uint8Array): void {
    if (!this.driver.received(group, object)) return
    expect(textOf(payload)).toBe(`object ${object}`)
    this.got.push(`${group}/${object}`)
  }
}

describe('repair of datagrams', () => {
  it('lost below the relay comes from its cache, by FETCH (section 10.12)', async () => {
    const world = new RepairWorld()
    await world.begin()
    world.lostBelow.add(1).add(2)
    for (const object of [0, 1, 2, 3]) await world.send(object)
    expect(world.got).toEqual(['0/0', '0/3'])
    await world.pass(10)
    expect(world.asked).toEqual([{ group: 0, first: 1, last: 2 }])
    expect(world.got).toEqual(['0/0', '0/3', '0/1', '0/2'])
    expect(world.fetchesOfPublisher).toBe(0)
    expect(world.driver.counters).toMatchObject({ asked: 2, repaired: 2 })
  })

  it('lost above the relay comes from the publisher, through the relay', async () => {
    const world = new RepairWorld()
    await world.begin()
    await world.send(0)
    await world.send(1, true)
    await world.send(2)
    await world.pass(10)
    expect(world.got).toEqual(['0/0', '0/2', '0/1'])
    expect(world.fetchesOfPublisher).toBe(1)
  })

  it('that is not kept any more is refused, and nothing else happens', async () => {
    const world = new RepairWorld()
    await world.begin()
    await world.send(0)
    await world.send(1, true)
    world.clock.advance(1000)
    await world.send(2)
    await world.pass(10)
    expect(world.got).toEqual(['0/0', '0/2'])
    await world.send(3)
    expect(world.got).toEqual(['0/0', '0/2', '0/3'])
  })

  it('keeps no timer once it is closed, nor while nothing is missing', async () => {
    const world = new RepairWorld()
    await world.begin()
    const before = world.clock.timers
    await world.send(0)
    expect(world.clock.timers).toBe(before)
    await world.send(1, true)
    await world.send(2)
    expect(world.clock.timers).toBe(before + 1)
    world.driver.close()
    expect(world.clock.timers).toBe(before)
    await world.pass(100)
    expect(world.asked).toEqual([])
  })
})

describe('a source of repairs', () => {
  it('answers for the newest datagrams only, within its bounds', async () => {
    const world = new RelayWorld()
    const source = new RepairSource({ now: () => world.clock.now(), priority: 1, maxBytes: 4000 })
    const publisher = world.client({ onFetch: (request) => source.answer(request, []) })
    publisher.publishNamespace(namespace, {})
    const reader = world.client({})
    await world.settle()
    for (let object = 0; object < 100; object++) {
      source.add({ group: 0, object, properties, payload: new Uint8Array(100) })
    }
    const fetch = async (start: [number, number], end: [number, number]) => {
      const told: string[] = []
      reader.fetch(
        {
          kind: 'standalone',
          track: video,
          start: { group: start[0], object: start[1] },
          end: { group: end[0], object: end[1] },
        },
        {
          onObject: ({ object, subgroup }) => told.push(`${object} ${subgroup ?? 'datagram'}`),
          onRangeEnd: ({ object, kind }) => told.push(`${kind} to ${object}`),
          onRejected: () => told.push('rejected'),
        },
      )
      await world.settle()
      return told
    }
    expect(await fetch([0, 98], [0, 102])).toEqual(['98 datagram', '99 datagram', 'unknown to 101'])
    expect((await fetch([0, 0], [0, 100])).filter((told) => told.includes('datagram')).length).toBe(
      39,
    )
  })
})
