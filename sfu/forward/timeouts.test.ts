import { describe, expect, it } from 'vitest'
import { ResetCode } from '../../moq/wire/codes.ts'
import { EgressWorld, TestOwner } from './test-support.ts'

describe('delivery timeouts (section 8)', () => {
  it('resets a subgroup whose next object is older than OBJECT_DELIVERY_TIMEOUT when it would be sent', () => {
    const world = new EgressWorld()
    const track = new TestOwner(world, 'a')
    track.objectTimeoutMs = 100
    const flow = track.flow(0)
    track.queue(flow, 0)
    world.clock.advance(100)
    track.queue(flow, 1)
    world.egress.pull(1)
    expect(world.order).toEqual(['a 0/0'])
    world.clock.advance(101)
    track.stream(1)
    world.drain()
    expect(world.order).toEqual(['a 0/0', 'a 1/0'])
    expect(world.streams[0]!.resetCode).toBe(ResetCode.DELIVERY_TIMEOUT)
    expect(world.counters.drops.deadline).toBe(1)
    expect([flow.over, track.lost]).toEqual([true, 1])
  })

  it('applies the smaller of the object timeout and the class budget', () => {
    const world = new EgressWorld({ budgets: { audio: 50 } })
    const [tight, loose] = ['tight', 'loose'].map(
      (name) => new TestOwner(world, name, { traffic: 'audio' }),
    )
    tight!.objectTimeoutMs = 20
    loose!.objectTimeoutMs = 500
    for (const track of [tight!, loose!]) track.stream(0)
    world.clock.advance(30)
    world.drain()
    expect(world.order).toEqual(['loose 0/0'])
    loose!.stream(1)
    world.clock.advance(51)
    world.drain()
    expect(world.order).toEqual(['loose 0/0'])
  })

  it('drops a datagram after the smaller of both timeouts', () => {
    const world = new EgressWorld()
    const track = new TestOwner(world, 'a')
    track.objectTimeoutMs = 100
    track.subgroupTimeoutMs = 50
    track.datagram(0, 0)
    world.clock.advance(50)
    track.datagram(0, 1)
    world.egress.pull(1)
    world.clock.advance(51)
    world.drain()
    expect(world.order).toEqual(['a 0/0'])
    track.subgroupTimeoutMs = Number.POSITIVE_INFINITY
    track.datagram(0, 2)
    world.clock.advance(100)
    world.drain()
    expect(world.order).toEqual(['a 0/0', 'a 0/2'])
    expect(world.counters.drops.deadline).toBe(1)
  })

  it('resets what still waits of a subgroup SUBGROUP_DELIVERY_TIMEOUT after its FIN came', () => {
    const world = new EgressWorld()
    const track = new TestOwner(world, 'a')
    track.subgroupTimeoutMs = 200
    const flow = track.flow(0)
    track.queue(flow, 0)
    track.queue(flow, 1)
    world.egress.pull(1)
    // The timer runs from the FIN, however old the objects are.
    world.clock.advance(1000)
    world.egress.queueEnd(flow)
    world.clock.advance(199)
    expect(world.streams[0]!.state).toBe('open')
    world.clock.advance(1)
    expect(world.streams[0]!.resetCode).toBe(ResetCode.DELIVERY_TIMEOUT)
    expect(world.counters.drops.deadline).toBe(1)
    expect([track.waiting, world.egress.waitingBytes, track.lost]).toEqual([0, 0, 1])
  })

  it('does nothing at its time when the subgroup was delivered or reset before', () => {
    const world = new EgressWorld()
    const track = new TestOwner(world, 'a')
    track.subgroupTimeoutMs = 200
    track.stream(0)
    const given = track.stream(1)
    world.egress.pull(1)
    given.abandon(ResetCode.CANCELLED)
    world.clock.advance(1000)
    expect(world.streams.map(({ state }) => state)).toEqual(['finished'])
    expect(world.counters.drops.deadline).toBe(0)
  })

  it('holds the FIN while the transport has not taken all, so that the timeout can still reset', () => {
    const world = new EgressWorld()
    const track = new TestOwner(world, 'a')
    track.subgroupTimeoutMs = 200
    const flows = [0, 1].map((group) => {
      const flow = track.flow(group)
      track.queue(flow, 0)
      return flow
    })
    world.drain()
    for (const stream of world.streams) stream.buffered = 10
    for (const flow of flows) world.egress.queueEnd(flow)
    expect(world.streams.map(({ state }) => state)).toEqual(['open', 'open'])
    expect([track.waiting, track.idle]).toEqual([2, 1])
    world.streams[0]!.buffered = 0
    world.clock.advance(20)
    expect(world.streams.map(({ state }) => state)).toEqual(['finished', 'open'])
    world.clock.advance(200)
    expect(world.streams[1]!.resetCode).toBe(ResetCode.DELIVERY_TIMEOUT)
    expect([track.waiting, track.idle]).toEqual([0, 2])
  })

  it('sends the FIN at once where there is no such timeout', () => {
    const world = new EgressWorld()
    const track = new TestOwner(world, 'a')
    const flow = track.flow(0)
    track.queue(flow, 0)
    world.drain()
    world.streams[0]!.buffered = 10
    world.egress.queueEnd(flow)
    expect(world.streams[0]!.state).toBe('finished')
    expect(world.clock.timers).toBe(0)
  })

  it('keeps no timer and no subgroup for longer than a second after they are over', () => {
    const world = new EgressWorld()
    const track = new TestOwner(world, 'a')
    track.subgroupTimeoutMs = 2 ** 50
    for (let group = 0; group < 10; group++) track.stream(group)
    expect(world.clock.timers).toBe(1)
    world.egress.pull(50)
    world.clock.advance(1000)
    expect(world.clock.timers).toBe(1)
    track.publication.closed = true
    world.clock.advance(1000)
    expect(world.clock.timers).toBe(0)
  })
})

describe('a stream that ends by a reset behind its objects (section 11.4.3)', () => {
  /** One object sent, which the transport has not taken, and the end queued. */
  function broken(buffered: number) {
    const world = new EgressWorld()
    const track = new TestOwner(world, 'a')
    const flow = track.resetting(0, ResetCode.CANCELLED)
    track.queue(flow, 0)
    world.drain()
    world.streams[0]!.buffered = buffered
    world.egress.queueEnd(flow)
    return { world, track, flow, stream: world.streams[0]! }
  }

  it('is reset at once when the transport has taken them', () => {
    const { stream, track } = broken(0)
    expect([stream.resetCode, track.waiting]).toEqual([ResetCode.CANCELLED, 0])
  })

  it('is left alone until the transport has taken them', () => {
    const { world, stream, track } = broken(10)
    world.clock.advance(50)
    expect([stream.state, track.waiting]).toEqual(['open', 1])
    stream.buffered = 0
    world.clock.advance(10)
    expect([stream.resetCode, track.waiting, track.idle]).toEqual([ResetCode.CANCELLED, 0, 2])
  })

  it('is reset all the same when the transport never takes them, and nothing is lost by it', () => {
    const { world, stream, track } = broken(10)
    world.clock.advance(1999)
    expect(stream.state).toBe('open')
    world.clock.advance(1)
    expect([stream.resetCode, track.waiting, track.lost]).toEqual([ResetCode.CANCELLED, 0, 0])
    expect(world.counters.drops.deadline).toBe(0)
  })

  it('is forgotten when the subscriber stops it', () => {
    const { world, stream, track, flow } = broken(10)
    stream.handler!.onStopped(ResetCode.CANCELLED)
    world.clock.advance(10)
    expect([flow.over, track.waiting]).toEqual([true, 0])
  })
})
