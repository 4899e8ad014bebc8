import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ResetCode } from '../../moq/wire/codes.ts'
import { ENTRY_BYTES } from './overflow.ts'
import { EgressWorld, TestOwner } from './test-support.ts'
import { sendOrderOf, TRAFFIC } from './traffic.ts'

describe('EgressScheduler', () => {
  it('asks for room once until it is given', () => {
    const world = new EgressWorld()
    const track = new TestOwner(world, 'a')
    track.stream(0)
    track.stream(1)
    track.datagram(2, 0)
    expect(world.asked).toBe(1)
    world.egress.pull(10)
    expect(world.asked).toBe(2)
    world.egress.pull(1000)
    expect([world.asked, world.sent.length]).toEqual([2, 3])
    track.datagram(2, 1)
    expect(world.asked).toBe(3)
  })

  it('hands over about what there is room for', () => {
    const world = new EgressWorld()
    const track = new TestOwner(world, 'a')
    for (let group = 0; group < 10; group++) track.stream(group, 0, { body: new Uint8Array(100) })
    world.egress.pull(250)
    expect(world.sent.length).toBe(3)
    expect(world.egress.waitingBytes).toBe(700)
  })

  it('tells by class how long objects waited, what waits longest, and which streams were reset', () => {
    const world = new EgressWorld({ budgets: { audio: 400 } })
    const [audio, base] = [TRAFFIC.indexOf('audio'), TRAFFIC.indexOf('base')]
    const sound = new TestOwner(world, 'a', { traffic: 'audio' })
    const video = new TestOwner(world, 'v', { traffic: 'base', datagrams: 'base' })
    world.clock.advance(1000)
    const flow = sound.flow(0)
    sound.queue(flow, 0)
    video.datagram(0, 0)
    world.clock.advance(30)
    video.stream(1)
    const earliest = new Float64Array(TRAFFIC.length).fill(Number.POSITIVE_INFINITY)
    world.egress.oldest(earliest)
    expect([earliest[audio], earliest[base]]).toEqual([1000, 1000])
    expect(earliest[TRAFFIC.indexOf('screen')]).toBe(Number.POSITIVE_INFINITY)
    world.drain()
    const { latency, sent, resets } = world.counters
    expect([latency[audio]!.count, latency[audio]!.sum]).toEqual([1, 30])
    expect([latency[base]!.count, latency[base]!.sum]).toEqual([2, 30])
    expect([sent.objectsOf(base, true), sent.objectsOf(base, false)]).toEqual([1, 1])
    sound.queue(flow, 1)
    world.clock.advance(401)
    world.drain()
    expect(resets.sent).toMatchObject({ DELIVERY_TIMEOUT: 1, CANCELLED: 0, OTHER: 0 })
    expect(latency[audio]!.count).toBe(1)
    expect(world.counters.dropsOf[audio]).toBe(1)
  })

  it('counts what it sends and says when nothing of a subscription waits', () => {
    const world = new EgressWorld()
    const track = new TestOwner(world, 'a')
    track.stream(0, 0, { body: new Uint8Array(30) })
    track.datagram(0, 1, { body: new Uint8Array(20) })
    expect([track.waiting, track.idle]).toEqual([2, 0])
    world.drain()
    expect([track.waiting, track.idle]).toEqual([0, 1])
    const { sent } = world.counters
    expect([sent.objects, sent.bytes]).toEqual([2, 50])
    expect(world.streams.map(({ state }) => state)).toEqual(['finished'])
  })

  it('ends a subgroup behind its last object, at once when nothing of it waits', () => {
    const world = new EgressWorld()
    const track = new TestOwner(world, 'a')
    const flow = track.flow(0)
    track.queue(flow, 0)
    track.queue(flow, 1)
    world.egress.queueEnd(flow)
    world.egress.pull(1)
    expect(world.streams[0]!.state).toBe('open')
    world.egress.pull(1)
    expect(world.streams[0]!.state).toBe('finished')
    const other = track.flow(1)
    track.queue(other, 0)
    world.drain()
    expect(world.streams[1]!.state).toBe('open')
    world.egress.queueEnd(other)
    expect(world.streams[1]!.state).toBe('finished')
    expect(other.over).toBe(true)
  })

  it('gives the transport send orders by class, then by subscriber priority', () => {
    const world = new EgressWorld()
    const of = (traffic: (typeof TRAFFIC)[number], subscriberPriority: number) =>
      new TestOwner(world, `${traffic}${subscriberPriority}`, { traffic, subscriberPriority })
    of('enhancement', 255).stream(0)
    of('audio', 0).stream(0)
    of('audio', 255).stream(0)
    of('base', 0).stream(0)
    world.drain()
    const orders = world.streams.map(({ order }) => order)
    expect(orders).toEqual(orders.toSorted((a, b) => a - b))
    expect(new Set(orders).size).toBe(4)
    const all = TRAFFIC.flatMap((_, i) => [0, 255].map((priority) => sendOrderOf(i, priority)))
    expect([Math.min(...all), Math.max(...all)]).toEqual([16, 255])
  })

  describe('latency budgets', () => {
    it('resets a subgroup and drops a datagram past the budget of their class, and sends the rest', () => {
      const world = new EgressWorld({ budgets: { audio: 400, enhancement: 150 } })
      const audio = new TestOwner(world, 'audio', { traffic: 'audio' })
      const video = new TestOwner(world, 'video', { traffic: 'base', datagrams: 'enhancement' })
      const flow = audio.flow(0)
      audio.queue(flow, 0)
      world.drain()
      audio.queue(flow, 1)
      audio.queue(flow, 2)
      video.stream(0)
      video.datagram(0, 1)
      world.clock.advance(150)
      video.datagram(0, 2)
      world.clock.advance(251)
      audio.stream(1)
      world.drain()
      expect(world.order).toEqual(['audio 0/0', 'audio 1/0', 'video 0/0'])
      expect(world.streams[0]!.resetCode).toBe(ResetCode.DELIVERY_TIMEOUT)
      expect(world.counters.drops).toEqual({
        deadline: 3,
        congestion: 0,
        overflow: 0,
        selection: 0,
        policing: 0,
      })
      expect([audio.lost, audio.waiting, video.waiting]).toEqual([1, 0, 0])
    })
  })

  describe('without stream credit', () => {
    it('goes on with open streams and datagrams of every class, and with the rest when credit returns', () => {
      const world = new EgressWorld()
      world.credit = 1
      const audio = new TestOwner(world, 'audio', { traffic: 'audio' })
      const video = new TestOwner(world, 'video', { traffic: 'base', datagrams: 'enhancement' })
      const open = video.flow(0)
      video.queue(open, 0)
      world.drain()
      audio.stream(5)
      audio.stream(6)
      audio.datagram(7, 0)
      video.queue(open, 1)
      video.stream(1)
      video.datagram(0, 9)
      world.drain()
      expect(world.order.slice(1)).toEqual(['audio 7/0', 'video 0/1', 'video 0/9'])
      const { asked } = world
      world.drain()
      expect(world.asked).toBe(asked)
      world.credit = 2
      world.egress.resume()
      world.drain()
      expect(world.order.slice(4)).toEqual(['audio 5/0', 'audio 6/0'])
      world.credit = 1
      world.egress.resume()
      world.drain()
      expect(world.order.slice(6)).toEqual(['video 1/0'])
      expect(world.egress.waitingBytes).toBe(0)
    })

    it('asks the transport for one stream, not for each that waits', () => {
      const world = new EgressWorld()
      const tracks = [1, 2, 3].map((i) => new TestOwner(world, `${i}`))
      let tries = 0
      for (const { publication } of tracks) {
        publication.openSubgroup = () => {
          tries++
          return null
        }
      }
      for (const track of tracks) for (let group = 0; group < 5; group++) track.stream(group)
      world.drain(100)
      expect(tries).toBe(1)
    })
  })

  describe('subgroups that are given up', () => {
    it('forgets at once what waits of an abandoned subgroup, and nothing else', () => {
      const world = new EgressWorld()
      const track = new TestOwner(world, 'a')
      const [one, two] = [track.flow(0), track.flow(1)]
      track.queue(one, 0)
      world.drain()
      track.queue(one, 1)
      track.queue(two, 0)
      one.abandon(ResetCode.CANCELLED)
      expect([track.waiting, world.egress.waitingBytes, track.lost]).toEqual([1, 10, 0])
      expect(world.streams[0]!.resetCode).toBe(ResetCode.CANCELLED)
      two.abandon(ResetCode.INTERNAL_ERROR)
      expect([track.waiting, world.egress.waitingBytes, track.lost]).toEqual([0, 0, 1])
      world.drain()
      expect(world.order).toEqual(['a 0/0'])
    })

    it('drops what waits of a stream that the peer stopped and of a subscription that is over', () => {
      const world = new EgressWorld()
      const [stopped, cancelled] = [new TestOwner(world, 'a'), new TestOwner(world, 'b')]
      const flow = stopped.flow(0)
      stopped.queue(flow, 0)
      world.drain()
      stopped.queue(flow, 1)
      world.streams[0]!.handler!.onStopped(ResetCode.CANCELLED)
      cancelled.stream(0)
      cancelled.datagram(1, 0)
      cancelled.publication.closed = true
      world.drain()
      expect(world.order).toEqual(['a 0/0'])
      expect([stopped.waiting, cancelled.waiting, world.egress.waitingBytes]).toEqual([0, 0, 0])
      expect(world.counters.drops).toEqual({
        deadline: 0,
        congestion: 0,
        overflow: 0,
        selection: 0,
        policing: 0,
      })
    })
  })

  describe('datagrams that are not sent', () => {
    it('are told to the owner, whyever', () => {
      const world = new EgressWorld({ budgets: { enhancement: 100 } })
      const track = new TestOwner(world, 'a', { traffic: 'base', datagrams: 'enhancement' })
      const late = track.datagram(0, 1)
      world.clock.advance(101)
      world.drain()
      const refused = track.datagram(0, 2)
      world.takesDatagrams = false
      world.drain()
      world.takesDatagrams = true
      track.datagram(0, 3)
      world.drain()
      expect(track.lostDatagrams).toEqual([late, refused])
      expect(world.order).toEqual(['a 0/3'])
      expect(world.counters.drops).toEqual({
        deadline: 1,
        congestion: 1,
        overflow: 0,
        selection: 0,
        policing: 0,
      })
    })

    it('are told of when there was no room for them', () => {
      const world = new EgressWorld({ maxBytes: 2 * (10 + ENTRY_BYTES) })
      const track = new TestOwner(world, 'a')
      const queued = [1, 2, 3].map((object) => track.datagram(0, object))
      expect(track.lostDatagrams.length).toBe(world.counters.drops.overflow)
      expect(queued).toEqual(expect.arrayContaining(track.lostDatagrams))
      expect(track.lostDatagrams[0]).toBe(queued[0])
    })

    it('are those too that are of no use any more when their turn comes', () => {
      const world = new EgressWorld()
      const track = new TestOwner(world, 'a')
      const useless = track.datagram(0, 1)
      track.datagram(0, 2)
      track.useless.add(useless)
      world.drain()
      expect(world.order).toEqual(['a 0/2'])
      expect(track.lostDatagrams).toEqual([useless])
      expect([track.waiting, world.egress.waitingBytes]).toEqual([0, 0])
    })
  })

  describe('bounded bytes', () => {
    it('drops the least urgent first, and of those the oldest', () => {
      const world = new EgressWorld({ maxBytes: 4 * (100 + ENTRY_BYTES) })
      const body = new Uint8Array(100)
      const audio = new TestOwner(world, 'audio', { traffic: 'audio' })
      const video = new TestOwner(world, 'video', { traffic: 'base', datagrams: 'enhancement' })
      audio.stream(0, 0, { body })
      video.datagram(0, 1, { body })
      world.clock.advance(1)
      video.datagram(0, 2, { body })
      video.stream(0, 0, { body })
      expect(world.counters.drops.overflow).toBe(0)
      audio.stream(1, 0, { body })
      expect(world.counters.drops.overflow).toBe(2)
      audio.stream(2, 0, { body })
      audio.stream(3, 0, { body })
      expect([video.lost, audio.lost]).toEqual([1, 0])
      audio.stream(4, 0, { body })
      expect(audio.lost).toBe(2)
      world.drain()
      expect(world.order).toEqual(['audio 2/0', 'audio 3/0', 'audio 4/0'])
    })

    it('resets the stream of a subgroup that goes, as too far behind', () => {
      const world = new EgressWorld({ maxBytes: 1000 })
      const track = new TestOwner(world, 'a')
      const flow = track.flow(0)
      track.queue(flow, 0)
      world.drain()
      for (let object = 1; object < 30 && !flow.over; object++) track.queue(flow, object)
      expect(world.streams[0]!.resetCode).toBe(ResetCode.TOO_FAR_BEHIND)
      expect([world.egress.waitingBytes, track.waiting, track.lost]).toEqual([0, 0, 1])
    })

    it('never lets more wait, and drops nothing that is more urgent than something it keeps', () => {
      const queued = fc.record({
        of: fc.nat(4),
        datagram: fc.boolean(),
        size: fc.integer({ min: 1, max: 400 }),
      })
      fc.assert(
        fc.property(fc.array(queued, { maxLength: 60 }), (all) => {
          const maxBytes = 2000
          const world = new EgressWorld({ maxBytes })
          const owners = TRAFFIC.slice(0, 5).map(
            (traffic) => new TestOwner(world, traffic, { traffic }),
          )
          const queuedBy = owners.map(() => 0)
          all.forEach(({ of, datagram, size }, group) => {
            queuedBy[of]!++
            const options = { body: new Uint8Array(size) }
            if (datagram) owners[of]!.datagram(group, 0, options)
            else owners[of]!.stream(group, 0, options)
            const entries = owners.reduce((sum, { waiting }) => sum + waiting, 0)
            expect(world.egress.waitingBytes + entries * ENTRY_BYTES).toBeLessThanOrEqual(maxBytes)
          })
          const kept = owners.map(({ waiting }) => waiting)
          world.drain()
          expect(world.sent.length).toBe(kept.reduce((sum, count) => sum + count, 0))
          const lost = all.length - world.sent.length
          expect(world.counters.drops.overflow).toBe(lost)
          // Of one track the newest are kept.
          for (const each of owners) {
            const groups = world.sent.flatMap(({ track, object }) =>
              track === each.name ? [object.group] : [],
            )
            const newest = all
              .flatMap(({ of }, group) => (owners[of] === each ? [group] : []))
              .slice(-groups.length)
            if (groups.length > 0) expect(groups.toSorted((a, b) => a - b)).toEqual(newest)
          }
        }),
      )
    })
  })

  it('moves what waits, and open streams, to another class', () => {
    const world = new EgressWorld()
    const [speaker, other] = ['speaker', 'other'].map(
      (name) => new TestOwner(world, name, { traffic: 'base', datagrams: 'enhancement' }),
    )
    const flow = speaker!.flow(7)
    speaker!.queue(flow, 0)
    world.drain()
    other!.stream(0)
    other!.stream(1)
    speaker!.datagram(7, 2)
    speaker!.queue(flow, 1)
    speaker!.streamClass = TRAFFIC.indexOf('speaker')
    world.egress.reprioritize(speaker!)
    world.drain()
    expect(world.order.slice(1)).toEqual(['speaker 7/1', 'other 0/0', 'other 1/0', 'speaker 7/2'])
    expect(world.streams[0]!.order).toBe(sendOrderOf(TRAFFIC.indexOf('speaker'), 128))
  })

  it.each([0, 3])('forgets all that waits of one owner, beside %i others', (others) => {
    const world = new EgressWorld()
    const [gone, kept] = ['gone', 'kept'].map((name) => new TestOwner(world, name))
    const begun = gone!.flow(0)
    gone!.queue(begun, 0)
    world.drain()
    for (let group = 0; group < others; group++) kept!.stream(group)
    gone!.queue(begun, 1)
    if (others > 0) {
      gone!.stream(1)
      gone!.datagram(1, 1)
    }
    world.egress.withdraw(gone!)
    expect([gone!.waiting, kept!.waiting]).toEqual([0, others])
    // Nothing was lost on the way: it was not wanted any more.
    expect([gone!.lost, gone!.lostDatagrams]).toEqual([0, []])
    expect(world.streams[0]!.resetCode).toBe(ResetCode.CANCELLED)
    world.drain()
    expect(world.order).toEqual([
      'gone 0/0',
      ...[...'012'].slice(0, others).map((n) => `kept ${n}/0`),
    ])
    expect(world.counters.drops.selection).toBe(others > 0 ? 3 : 1)
    expect(world.egress.waitingBytes).toBe(0)
  })

  describe('fetch responses', () => {
    const source = (options: {
      readonly chunks: number[]
      readonly subscriberPriority?: number
      readonly traffic?: number
    }) => ({
      traffic: options.traffic ?? TRAFFIC.indexOf('other'),
      subscriberPriority: options.subscriberPriority ?? 128,
      asked: [] as number[],
      pull(bytes: number): number {
        this.asked.push(bytes)
        return options.chunks.shift() ?? 0
      },
    })

    it('are pulled while they have something, and again when they are woken', () => {
      const world = new EgressWorld()
      const chunks = [100, 100]
      const fetch = source({ chunks })
      world.egress.wake(fetch)
      world.egress.wake(fetch)
      expect(world.asked).toBe(1)
      world.drain(1000)
      expect(fetch.asked.length).toBe(3)
      world.drain(1000)
      expect(fetch.asked.length).toBe(3)
      chunks.push(50)
      world.egress.wake(fetch)
      world.drain(1000)
      expect(fetch.asked.length).toBe(5)
    })

    it('stand beside the subscriptions of their class by subscriber priority, and take turns with equals', () => {
      const world = new EgressWorld()
      const log: string[] = []
      world.onSent = ({ track }) => log.push(track)
      const named = (
        name: string,
        subscriberPriority: number,
        traffic = TRAFFIC.indexOf('other'),
      ) => {
        let left = 3
        world.egress.wake({
          traffic,
          subscriberPriority,
          pull: () => {
            if (left-- === 0) return 0
            log.push(name)
            return 10
          },
        })
      }
      const track = new TestOwner(world, 'track')
      for (let group = 0; group < 3; group++) track.stream(group)
      named('urgent', 10)
      named('equal', 128)
      named('patient', 200)
      named('audio', 255, TRAFFIC.indexOf('audio'))
      world.drain()
      expect(log).toEqual([
        ...Array(3).fill('audio'),
        ...Array(3).fill('urgent'),
        ...Array(3).fill(['track', 'equal']).flat(),
        ...Array(3).fill('patient'),
      ])
    })

    it('wait for stream credit without holding up others', () => {
      const world = new EgressWorld()
      const fetch = source({ chunks: [-1, 10] })
      const track = new TestOwner(world, 'track')
      track.datagram(0, 0)
      world.egress.wake(fetch)
      world.drain()
      expect([fetch.asked.length, world.sent.length]).toEqual([1, 1])
      world.egress.wake(fetch)
      world.drain()
      expect(fetch.asked.length).toBe(1)
      world.egress.resume()
      world.drain()
      expect(fetch.asked.length).toBe(3)
    })

    it('are not pulled any more once removed, even from within their own pull', () => {
      const world = new EgressWorld()
      const fetch = {
        traffic: 0,
        subscriberPriority: 0,
        pulls: 0,
        pull() {
          this.pulls++
          world.egress.remove(this)
          return 10
        },
      }
      world.egress.wake(fetch)
      world.drain()
      const other = source({ chunks: [10] })
      world.egress.wake(other)
      world.egress.remove(other)
      world.drain()
      expect([fetch.pulls, other.asked.length]).toEqual([1, 0])
    })

    it('move when their priority changes and they are woken', () => {
      const world = new EgressWorld()
      const [one, two] = [source({ chunks: [1, 1] }), source({ chunks: [1, 1] })]
      const log: string[] = []
      const watch = (name: string, each: typeof one) => ({
        traffic: each.traffic,
        subscriberPriority: each.subscriberPriority,
        pull: (bytes: number) => {
          const sent = each.pull(bytes)
          if (sent > 0) log.push(name)
          return sent
        },
      })
      const [first, second] = [watch('first', one), watch('second', two)]
      world.egress.wake(first)
      world.egress.wake(second)
      second.subscriberPriority = 1
      world.egress.wake(second)
      world.drain()
      expect(log).toEqual(['second', 'second', 'first', 'first'])
    })
  })

  it('shows what waits, by class', () => {
    const world = new EgressWorld()
    const audio = new TestOwner(world, 'audio', { traffic: 'audio' })
    audio.stream(0)
    audio.datagram(1, 0)
    expect(world.egress.dump()).toMatchObject({
      waitingBytes: 20,
      objects: 2,
      queues: { audio: 2, base: 0 },
      fetches: 0,
      blocked: 0,
    })
  })
})
