import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DoneCode, RequestCode, ResetCode } from '../wire/codes.ts'
import { isAfter, type Location } from '../wire/location.ts'
import { namespaceOf, trackOf } from '../wire/names.ts'
import { encodeSubgroupBody } from '../wire/subgroup.ts'
import { ManualClock } from './manual-clock.ts'
import { MigratingSubscription, type MigrationHandler, type MigrationOptions } from './migration.ts'
import type { Publication } from './publication.ts'
import type { Session } from './session.ts'
import type { SubgroupWriter } from './subgroup-writer.ts'
import { TestLink } from './test-pair.ts'

const TRACK = trackOf(namespaceOf('a'), 'b')

/** A relay that has every object of the track, with a session of the subscriber's to it. */
class FakeRelay {
  readonly link = new TestLink()
  readonly client: Session
  readonly server: Session
  publication: Publication | null = null
  fetches = 0
  /** The answer to a SUBSCRIBE waits for `answer`. */
  holds = false
  refuses = false
  private readonly writers = new Map<number, SubgroupWriter>()
  private held: (() => void) | null = null

  constructor(source: Source) {
    this.server = this.link.session('server', {
      onSubscribe: (request) => {
        const answer = () => {
          if (request.over) return
          if (this.refuses) {
            request.reject(RequestCode.DOES_NOT_EXIST, 'not here')
            return
          }
          const { largest } = source
          this.publication = request.accept({ trackAlias: 1, largest }, {})
          this.publication.start = largest
            ? { group: largest.group, object: largest.object + 1 }
            : { group: 0, object: 0 }
        }
        if (this.holds) this.held = answer
        else answer()
      },
      onFetch: (request) => {
        this.fetches++
        const { range } = request
        if (range.kind !== 'standalone') throw new Error('not joining')
        request.accept({ endOfTrack: false, end: range.end, properties: [] })
        const writer = request.openStream(1, 128, 'ascending')!
        for (const at of source.objects) {
          if (isAfter(range.start, at) || !isAfter(range.end, at)) continue
          const { group, object } = at
          const payload = Uint8Array.of(group, object)
          writer.object({ group, object, subgroup: 0, priority: null, properties: NONE, payload })
        }
        writer.finish()
      },
    })
    this.client = this.link.session('client', {})
    source.relays.push(this)
  }

  answer(): void {
    this.held?.()
    this.held = null
  }

  write({ group, object }: Location): void {
    const { publication } = this
    if (!publication || publication.closed || !publication.passes(group, object)) return
    let writer = this.writers.get(group)
    if (!writer) {
      for (const older of this.writers.values()) older.finish()
      const header = { trackAlias: 1, group, subgroup: 0, priority: null }
      const flags = { hasProperties: false, endOfGroup: false, firstObject: object === 0 }
      writer = publication.openSubgroup({ ...header, ...flags }, 1)!
      this.writers.set(group, writer)
    }
    writer.write(object, encodeSubgroupBody(null, Uint8Array.of(group, object)))
  }
}

const NONE = new Uint8Array(0)

/** The original publisher, which every relay hears at once. */
class Source {
  readonly relays: FakeRelay[] = []
  readonly objects: Location[] = []

  get largest(): Location | null {
    return this.objects.at(-1) ?? null
  }

  publish(...locations: [number, number][]): void {
    for (const [group, object] of locations) {
      this.objects.push({ group, object })
      for (const relay of this.relays) relay.write({ group, object })
    }
  }

  async settle(): Promise<void> {
    // What one link brings may have something sent on another.
    for (let i = 0; i < 2; i++) for (const relay of this.relays) await relay.link.settle()
  }
}

class Lines implements MigrationHandler {
  readonly objects: string[] = []
  readonly lines: string[] = []
  onAccepted() {
    this.lines.push('accepted')
  }
  onRejected() {
    this.lines.push('rejected')
  }
  onObject({ group, object }: { group: number; object: number }) {
    this.objects.push(`${group}/${object}`)
  }
  onMoved() {
    this.lines.push('moved')
  }
  onMoveFailed({ code }: { code: number }) {
    this.lines.push(`not moved: 0x${code.toString(16)}`)
  }
  onInterrupted() {
    this.lines.push('interrupted')
  }
  onGap(from: Location, to: Location) {
    this.lines.push(`gap ${from.group}/${from.object} to ${to.group}/${to.object}`)
  }
  onSubgroupReset(_: unknown, code: number) {
    this.lines.push(`reset ${code}`)
  }
  onDone({ status }: { status: number }) {
    this.lines.push(`done ${status}`)
  }
}

async function world(options: MigrationOptions = {}, parameters = {}) {
  const source = new Source()
  const old = new FakeRelay(source)
  const clock = new ManualClock()
  await source.settle()
  const log = new Lines()
  const subscription = new MigratingSubscription(old.client, TRACK, parameters, log, {
    clock,
    ...options,
  })
  await source.settle()
  return { source, old, clock, log, subscription }
}

describe('a subscription that moves to another session (section 9.4.1)', () => {
  it('keeps the old one until the new is accepted, then cancels it', async () => {
    const { source, old, log, subscription } = await world()
    source.publish([0, 0], [0, 1])
    await source.settle()
    const relay = new FakeRelay(source)
    relay.holds = true
    await source.settle()
    subscription.moveTo(relay.client)
    await source.settle()
    source.publish([0, 2])
    await source.settle()
    expect(log.objects).toEqual(['0/0', '0/1', '0/2'])
    expect(old.publication!.closed).toBe(false)
    relay.answer()
    await source.settle()
    expect(old.publication!.closed).toBe(true)
    expect(subscription.session).toBe(relay.client)
    source.publish([0, 3], [1, 0])
    await source.settle()
    expect(log.objects).toEqual(['0/0', '0/1', '0/2', '0/3', '1/0'])
    expect(log.lines).toEqual(['accepted', 'moved', `reset ${ResetCode.GOING_AWAY}`])
    expect(relay.fetches).toBe(0)
  })

  it('lets the old one bring what lies before the new one, and delivers nothing twice', async () => {
    const { source, old, log, subscription } = await world()
    source.publish([0, 0])
    await source.settle()
    const relay = new FakeRelay(source)
    // Of the old one nothing arrives for a while.
    source.publish([0, 1], [0, 2])
    await relay.link.settle()
    subscription.moveTo(relay.client)
    await relay.link.settle()
    source.publish([0, 3])
    await relay.link.settle()
    expect(log.objects).toEqual(['0/0', '0/3'])
    expect(subscription.moving).toBe(true)
    await old.link.settle()
    expect(log.objects).toEqual(['0/0', '0/3', '0/1', '0/2'])
    expect(subscription.moving).toBe(false)
    expect(relay.fetches).toBe(0)
  })

  it('waits so long and no longer, and fetches the rest', async () => {
    const { source, old, clock, log, subscription } = await world({ overlapMs: 500 })
    source.publish([0, 0])
    await source.settle()
    const relay = new FakeRelay(source)
    source.publish([0, 1], [1, 0])
    await relay.link.settle()
    subscription.moveTo(relay.client)
    await relay.link.settle()
    clock.advance(499)
    expect(subscription.moving).toBe(true)
    clock.advance(1)
    await relay.link.settle()
    expect(subscription.moving).toBe(false)
    expect(log.objects).toEqual(['0/0', '0/1', '1/0'])
    expect(relay.fetches).toBe(1)
    await old.link.settle()
    expect(log.objects).toEqual(['0/0', '0/1', '1/0'])
  })

  it('survives the end of the old session before there is a new one', async () => {
    const { source, old, log, subscription } = await world()
    source.publish([0, 0], [0, 1])
    await source.settle()
    old.server.close(0, 'gone')
    await source.settle()
    source.publish([0, 2], [1, 0], [1, 1])
    expect(log.lines).toEqual(['accepted', `reset ${ResetCode.CANCELLED}`, 'interrupted'])
    const relay = new FakeRelay(source)
    subscription.moveTo(relay.client)
    await source.settle()
    source.publish([1, 2])
    await source.settle()
    expect([...log.objects].sort()).toEqual(['0/0', '0/1', '0/2', '1/0', '1/1', '1/2'])
    expect(relay.fetches).toBe(1)
    expect(log.lines.slice(2)).toEqual(['interrupted', 'moved'])
  })

  it('survives the end of the old session while the new one is not accepted yet', async () => {
    const { source, old, log, subscription } = await world()
    source.publish([0, 0])
    await source.settle()
    const relay = new FakeRelay(source)
    relay.holds = true
    await source.settle()
    subscription.moveTo(relay.client)
    await source.settle()
    old.server.close(0, 'gone')
    await source.settle()
    source.publish([0, 1], [0, 2])
    relay.answer()
    await source.settle()
    expect(log.objects).toEqual(['0/0', '0/1', '0/2'])
    expect(log.lines).not.toContain('interrupted')
  })

  it('moves on PUBLISH_DONE with GOING_AWAY, and fetches what the publisher cut short', async () => {
    const { source, old, log, subscription } = await world()
    source.publish([0, 0])
    await source.settle()
    source.publish([0, 1])
    old.publication!.done(DoneCode.GOING_AWAY, 'moving')
    await source.settle()
    expect(log.lines).toContain('interrupted')
    const relay = new FakeRelay(source)
    subscription.moveTo(relay.client)
    await source.settle()
    expect(log.objects).toEqual(['0/0', '0/1'])
  })

  it('stays where it is when the new session refuses it', async () => {
    const { source, log, subscription, old } = await world()
    const relay = new FakeRelay(source)
    relay.refuses = true
    subscription.moveTo(relay.client)
    await source.settle()
    source.publish([0, 0])
    await source.settle()
    expect(log.lines).toEqual(['accepted', 'not moved: 0x10'])
    expect(log.objects).toEqual(['0/0'])
    expect(subscription.session).toBe(old.client)
  })

  it('is over when the track ended on the old session and the new one refuses it', async () => {
    const { source, old, log, subscription } = await world()
    const relay = new FakeRelay(source)
    relay.refuses = true
    relay.holds = true
    subscription.moveTo(relay.client)
    await source.settle()
    old.publication!.done(DoneCode.TRACK_ENDED, 'over')
    await source.settle()
    expect(log.lines).toEqual(['accepted'])
    relay.answer()
    await source.settle()
    expect(log.lines).toEqual(['accepted', 'not moved: 0x10', `done ${DoneCode.TRACK_ENDED}`])
  })

  it('is over when its publisher ends it, or refuses it at first', async () => {
    const { source, old, log } = await world()
    old.publication!.done(DoneCode.TRACK_ENDED, 'over')
    await source.settle()
    expect(log.lines).toEqual(['accepted', `done ${DoneCode.TRACK_ENDED}`])

    const other = new Source()
    const relay = new FakeRelay(other)
    relay.refuses = true
    const refused = new Lines()
    new MigratingSubscription(relay.client, TRACK, {}, refused)
    await other.settle()
    expect(refused.lines).toEqual(['rejected'])
  })

  it('gives up a move for a newer one', async () => {
    const { source, log, subscription } = await world()
    const first = new FakeRelay(source)
    first.holds = true
    const second = new FakeRelay(source)
    subscription.moveTo(first.client)
    await source.settle()
    subscription.moveTo(second.client)
    await source.settle()
    first.answer()
    source.publish([0, 0])
    await source.settle()
    expect(log.objects).toEqual(['0/0'])
    expect(subscription.session).toBe(second.client)
    expect(first.publication?.closed ?? true).toBe(true)
  })

  it('brings its updates along, and a filter without a hole', async () => {
    const { source, subscription } = await world({}, { filter: { kind: 'next-group-start' } })
    subscription.update({ subscriberPriority: 3 })
    const relay = new FakeRelay(source)
    relay.holds = true
    subscription.moveTo(relay.client, { forward: true })
    await source.settle()
    subscription.update({ subscriberPriority: 2 })
    relay.answer()
    await source.settle()
    expect(relay.publication!.subscriberPriority).toBe(2)
  })

  it('calls nothing after unsubscribe', async () => {
    const { source, old, log, subscription } = await world()
    source.publish([0, 0])
    await source.settle()
    const relay = new FakeRelay(source)
    subscription.moveTo(relay.client)
    subscription.unsubscribe()
    source.publish([0, 1])
    await source.settle()
    expect(log.objects).toEqual(['0/0'])
    expect(log.lines).toEqual(['accepted'])
    expect(old.publication!.closed).toBe(true)
  })

  it('fetches as many groups as it is told to, and says what it left out', async () => {
    const { source, old, log, subscription } = await world({ fillGroups: 1 })
    source.publish([0, 0])
    await source.settle()
    old.server.close(0, 'gone')
    await source.settle()
    source.publish([0, 1], [1, 0], [2, 0], [3, 0])
    const relay = new FakeRelay(source)
    subscription.moveTo(relay.client)
    await source.settle()
    expect(log.objects).toEqual(['0/0', '2/0', '3/0'])
    expect(log.lines.some((line) => line.startsWith('gap 0/1 to 1/'))).toBe(true)
  })

  it('fetches nothing when it is told so, and says all that it left out', async () => {
    const { source, old, log, subscription } = await world({ fillGroups: null })
    source.publish([0, 0])
    await source.settle()
    old.server.close(0, 'gone')
    await source.settle()
    source.publish([0, 1], [1, 0], [2, 0])
    const relay = new FakeRelay(source)
    subscription.moveTo(relay.client)
    await source.settle()
    source.publish([2, 1])
    await source.settle()
    expect(relay.fetches).toBe(0)
    expect(log.objects).toEqual(['0/0', '2/1'])
    expect(log.lines.filter((line) => line.startsWith('gap'))).toEqual(['gap 0/1 to 2/0'])
  })

  it('loses nothing and delivers nothing twice, whenever it moves and whatever is slow', async () => {
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.constant('publish' as const) },
      { weight: 2, arbitrary: fc.constant('new group' as const) },
      { weight: 3, arbitrary: fc.constant('settle' as const) },
      { weight: 3, arbitrary: fc.constant('settle newest' as const) },
      { weight: 1, arbitrary: fc.constant('move' as const) },
      { weight: 1, arbitrary: fc.constant('close oldest' as const) },
      { weight: 1, arbitrary: fc.constant('close newest' as const) },
      { weight: 1, arbitrary: fc.constant('time' as const) },
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const { source, clock, log, subscription } = await world()
        let group = 0
        let object = 0
        for (const what of steps) {
          if (what === 'publish') source.publish([group, object++])
          else if (what === 'new group') [group, object] = [group + 1, 0]
          else if (what === 'settle') await source.settle()
          else if (what === 'settle newest') await source.relays.at(-1)!.link.settle()
          else if (what === 'time') clock.advance(2000)
          else if (what === 'move') subscription.moveTo(new FakeRelay(source).client)
          else {
            const open = source.relays.filter(({ server }) => !server.closed)
            open.at(what === 'close oldest' ? 0 : -1)?.server.close(0, 'gone')
          }
        }
        subscription.moveTo(new FakeRelay(source).client)
        await source.settle()
        clock.advance(2000)
        await source.settle()
        source.publish([group + 1, 0])
        await source.settle()
        const published = source.objects.map(({ group, object }) => `${group}/${object}`)
        expect([...log.objects].sort()).toEqual([...published].sort())
      }),
      { numRuns: 300 },
    )
  })
})
