import { describe, expect, it } from 'vitest'
import { RequestCode, ResetCode, SessionCode } from '../wire/codes.ts'
import { encodeDatagram } from '../wire/datagram.ts'
import { encodeFetchHeader } from '../wire/fetch.ts'
import { namespaceOf, trackOf } from '../wire/names.ts'
import { encodeProperties } from '../wire/properties.ts'
import { encodeSubgroupHeader } from '../wire/subgroup.ts'
import { codecFor } from '../wire/versions.ts'
import { ControlBudget } from './control-budget.ts'
import type { SessionHandler } from './handler.ts'
import type { IncomingSubscribe } from './incoming-subscribe.ts'
import type { SessionLimitName, SessionLimits } from './limits.ts'
import { ManualClock } from './manual-clock.ts'
import { Log, type RawPeer, TestLink } from './test-pair.ts'

const TRACK = trackOf(namespaceOf('a'), 'b')
const HEADER = {
  trackAlias: 7,
  group: 0,
  subgroup: 0,
  priority: null,
  hasProperties: true,
  endOfGroup: false,
  firstObject: true,
}

/** A server with limits, and a raw client. */
async function world(limits: Partial<SessionLimits>, handler: SessionHandler = {}) {
  const link = new TestLink()
  const hits: SessionLimitName[] = []
  const session = link.session(
    'server',
    { onLimit: (limit) => hits.push(limit), ...handler },
    { limits },
  )
  const peer = link.raw('client')
  await link.settle()
  return { link, session, peer, hits }
}

/** As `world`, with a subscription of the server's that has alias 7. */
async function subscribed(limits: Partial<SessionLimits>) {
  const { link, session, peer, hits } = await world(limits)
  const log = new Log()
  session.subscribe(TRACK, {}, log)
  await link.settle()
  peer.requests[0]!.send({ type: 'SUBSCRIBE_OK', trackAlias: 7, parameters: {}, properties: [] })
  await link.settle()
  log.lines.length = 0
  return { link, session, peer, hits, log }
}

function stream(peer: RawPeer, ...parts: Uint8Array[]) {
  const stopped: number[] = []
  const stream = peer.transport.openUni(1)!
  stream.handler = { onStopped: (code) => stopped.push(code) }
  for (const part of parts) stream.write(part)
  return { stream, stopped }
}

function subscribe(requestId: number, name = `t${requestId}`) {
  const track = trackOf(namespaceOf('a'), name)
  return { type: 'SUBSCRIBE', requestId, track, parameters: {} } as const
}

describe('what one peer may cost', () => {
  it('is so many open requests, with those that are not answered (section 13)', async () => {
    const open: IncomingSubscribe[] = []
    const { link, peer, hits } = await world(
      { maxRequests: 2 },
      { onSubscribe: (request) => open.push(request) },
    )
    const requests = [0, 2, 4].map((id) => peer.request(subscribe(id)))
    await link.settle()
    expect(requests.map(({ types }) => types)).toEqual([[], [], ['REQUEST_ERROR']])
    expect(requests[2]!.received[0]).toMatchObject({ code: RequestCode.EXCESSIVE_LOAD })
    expect(hits).toEqual(['maxRequests'])
    open[0]!.reject(0, '')
    peer.request(subscribe(6))
    await link.settle()
    expect(open).toHaveLength(3)
  })

  it('counts requests that wait for a decision about their tokens', async () => {
    const decisions: (() => void)[] = []
    const { link, peer, session } = await world(
      { maxRequests: 2 },
      { onSubscribe() {}, onTokens: (_, decide) => decisions.push(() => decide(null)) },
    )
    for (const id of [0, 2, 4]) peer.request(subscribe(id))
    await link.settle()
    expect(decisions).toHaveLength(2)
    expect(session.openRequests).toBe(2)
  })

  it('is so many request streams that say nothing, each for a while', async () => {
    const { link, peer, hits } = await world({ maxRequests: 2, dataStreamMs: 1000 })
    const half = codecFor('moqt-18').encode(subscribe(0)).subarray(0, 4)
    const stopped: number[] = []
    for (let i = 0; i < 3; i++) {
      const { send } = peer.transport.openBidi(1)!
      send.handler = { onStopped: (code) => stopped.push(code) }
      send.write(half)
    }
    await link.settle()
    expect(stopped).toEqual([ResetCode.EXCESSIVE_LOAD])
    expect(hits).toEqual(['maxRequests'])
    for (let i = 0; i < 3; i++) link.clock.advance(500)
    await link.settle()
    expect(stopped).toEqual(Array(3).fill(ResetCode.EXCESSIVE_LOAD))
    expect(hits.slice(1)).toEqual(['dataStreamMs', 'dataStreamMs'])
    expect(peer.closed).toBeNull()
  })

  it('is names of so many bytes, which cost the request', async () => {
    const { link, peer, hits } = await world({ maxNameBytes: 8 }, { onSubscribe() {} })
    const short = peer.request(subscribe(0, 'seven77'))
    const long = peer.request(subscribe(2, 'eight888'))
    const space = peer.request({
      type: 'PUBLISH_NAMESPACE',
      requestId: 4,
      namespace: namespaceOf('12345', '6789'),
      parameters: {},
    })
    await link.settle()
    expect(short.types).toEqual([])
    expect(long.received[0]).toMatchObject({ code: RequestCode.EXCESSIVE_LOAD })
    expect(space.received[0]).toMatchObject({ code: RequestCode.EXCESSIVE_LOAD })
    expect(hits).toEqual(['maxNameBytes', 'maxNameBytes'])
  })

  it('is a name of 4096 bytes at most, whatever is set (section 2.4.1)', async () => {
    const { link, peer } = await world({ maxNameBytes: 100_000 }, { onSubscribe() {} })
    peer.request(subscribe(0, 'x'.repeat(4095)))
    await link.settle()
    expect(peer.closed).toBeNull()
    peer.request(subscribe(2, 'x'.repeat(4096)))
    await link.settle()
    expect(peer.closed?.code).toBe(SessionCode.PROTOCOL_VIOLATION)
  })

  it('is a reason of 1024 bytes at most (section 1.4.4)', async () => {
    const { link, session, peer } = await world({})
    session.subscribe(TRACK, {}, new Log())
    await link.settle()
    // REQUEST_ERROR with a reason of 1025 bytes.
    const payload = Uint8Array.of(0, 0, 0x84, 0x01, ...new Uint8Array(1025).fill(0x61))
    const bytes = Uint8Array.of(5, payload.length >> 8, payload.length & 0xff, ...payload)
    peer.requests[0]!.sendBytes(bytes)
    await link.settle()
    expect(peer.closed?.code).toBe(SessionCode.PROTOCOL_VIOLATION)
  })

  it('is properties of an object of so many bytes, which cost its stream', async () => {
    const { link, peer, log, hits } = await subscribed({ maxPropertiesBytes: 10 })
    const { stopped } = stream(peer, encodeSubgroupHeader(HEADER), Uint8Array.of(0, 11))
    await link.settle()
    expect(stopped).toEqual([ResetCode.EXCESSIVE_LOAD])
    expect(log.lines).toContain(`reset ${ResetCode.EXCESSIVE_LOAD}`)
    expect(hits).toEqual(['maxPropertiesBytes'])
    const properties = encodeProperties([{ type: 0x11, value: new Uint8Array(9) }])
    const header = { trackAlias: 7, group: 1, object: 0, priority: null, endOfGroup: false }
    peer.transport.sendDatagram(encodeDatagram(header, properties, Uint8Array.of(1)))
    await link.settle()
    expect(log.lines.filter((line) => line.startsWith('datagram'))).toEqual([])
    expect(hits).toEqual(['maxPropertiesBytes', 'maxPropertiesBytes'])
    expect(peer.closed).toBeNull()
  })

  it('is properties of a track of so many bytes, which cost the request', async () => {
    const properties = [{ type: 0x11, value: new Uint8Array(50) }]
    const { link, session, peer, hits } = await world(
      { maxPropertiesBytes: 20 },
      { onPublish: () => {} },
    )
    const publish = peer.request({
      type: 'PUBLISH',
      requestId: 0,
      track: TRACK,
      trackAlias: 1,
      parameters: {},
      properties,
    })
    const log = new Log()
    session.subscribe(trackOf(namespaceOf('x'), 'y'), {}, log)
    const rejected: number[] = []
    const range = { start: { group: 0, object: 0 }, end: { group: 1, object: 0 } }
    session.fetch(
      { kind: 'standalone', track: TRACK, ...range },
      { onObject() {}, onRejected: ({ code }) => rejected.push(code) },
    )
    await link.settle()
    peer.requests[0]!.send({ type: 'SUBSCRIBE_OK', trackAlias: 3, parameters: {}, properties })
    peer.requests[1]!.send({
      type: 'FETCH_OK',
      endOfTrack: false,
      end: range.end,
      parameters: {},
      properties,
    })
    await link.settle()
    expect(publish.received[0]).toMatchObject({ code: RequestCode.EXCESSIVE_LOAD })
    expect(log.lines).toEqual(['rejected 0x9'])
    expect(rejected).toEqual([RequestCode.EXCESSIVE_LOAD])
    expect(hits).toEqual(Array(3).fill('maxPropertiesBytes'))
  })

  it('is an object of so many bytes, which costs its stream', async () => {
    const { link, peer, log, hits } = await subscribed({ maxObjectBytes: 100 })
    const { stopped } = stream(peer, encodeSubgroupHeader(HEADER), Uint8Array.of(0, 0, 101))
    await link.settle()
    expect(stopped).toEqual([ResetCode.EXCESSIVE_LOAD])
    expect(log.lines).toContain(`reset ${ResetCode.EXCESSIVE_LOAD}`)
    expect(hits).toEqual(['maxObjectBytes'])
  })

  it('is so many unidirectional streams at the same time; an ended one makes room', async () => {
    // The control stream is one of them.
    const { link, peer, hits } = await world({ maxDataStreams: 3, earlyMs: 100 })
    const padding = () => stream(peer, Uint8Array.of(0xf0, 0x13, 0x2b, 0x3e, 0x28))
    const first = padding()
    padding()
    const third = padding()
    await link.settle()
    expect(third.stopped).toEqual([ResetCode.EXCESSIVE_LOAD])
    expect(hits).toEqual(['maxDataStreams'])
    first.stream.finish()
    await link.settle()
    const fourth = padding()
    await link.settle()
    expect(fourth.stopped).toEqual([])
    expect(peer.closed).toBeNull()
  })

  it('is so many streams and datagrams of an unknown alias', async () => {
    const { link, session, peer, hits } = await world({ earlyStreams: 1, earlyDatagrams: 1 })
    session.subscribe(TRACK, {}, new Log())
    await link.settle()
    expect(peer.subgroup(7, 0, 0)).toEqual([])
    const second = peer.subgroup(7, 1, 0, false)
    await link.settle()
    expect(second).toEqual([ResetCode.EXCESSIVE_LOAD])
    const header = { trackAlias: 7, group: 1, priority: null, endOfGroup: false }
    for (const object of [0, 1]) {
      const none = new Uint8Array(0)
      peer.transport.sendDatagram(encodeDatagram({ ...header, object }, none, Uint8Array.of(1)))
    }
    await link.settle()
    expect(hits).toEqual(['earlyStreams', 'earlyDatagrams'])
  })

  it('is SETUP in time (CONTROL_MESSAGE_TIMEOUT, section 3.5)', async () => {
    const link = new TestLink()
    const hits: SessionLimitName[] = []
    const handler = { onLimit: (limit: SessionLimitName) => hits.push(limit) }
    const session = link.session('server', handler, { limits: { setupMs: 100 } })
    link.clock.advance(100)
    expect(session.closed).toBe(true)
    expect(hits).toEqual(['setupMs'])
  })
})

describe('bytes of control and request streams', () => {
  const limits = { controlBytesPerSecond: 1000, controlBurstBytes: 2000 }

  it('may come in a burst, and then so many a second: the peer waits', async () => {
    let requests = 0
    const { link, peer, hits } = await world(limits, {
      onSubscribe: (request) => {
        requests++
        request.reject(0, '')
      },
    })
    const size = codecFor('moqt-18').encode(subscribe(0, 'x'.repeat(500))).length
    for (let i = 0; i < 40; i++) peer.request(subscribe(2 * i, 'x'.repeat(500)))
    await link.settle()
    const burst = requests
    expect(burst * size).toBeLessThan(2000 + 2 * size)
    expect(burst).toBeGreaterThan(2)
    expect(hits).toEqual(['controlBytesPerSecond'])
    for (let ms = 0; ms < 4000; ms += 50) {
      link.clock.advance(50)
      await link.settle()
    }
    expect(requests).toBeGreaterThan(burst)
    expect(requests).toBeLessThan(40)
    for (let ms = 0; ms < 40_000; ms += 50) {
      link.clock.advance(50)
      await link.settle()
    }
    expect(requests).toBe(40)
    expect(peer.closed).toBeNull()
  })

  it('leave a share to the next messages when work that can wait is paid from them', () => {
    const clock = new ManualClock()
    const budget = new ControlBudget(clock, 1000, 2000, () => {})
    let spent = 0
    for (; budget.hasSpare; spent += 100) budget.take(null, 100)
    expect(spent).toBe(1600)
    clock.advance(99)
    expect(budget.hasSpare).toBe(false)
    clock.advance(101)
    expect(budget.hasSpare).toBe(true)
  })

  it('leave data streams alone', async () => {
    const { link, peer, log } = await subscribed(limits)
    for (let i = 0; i < 30; i++) peer.request(subscribe(2 * i, 'x'.repeat(500)))
    await link.settle()
    peer.subgroup(7, 0, 0)
    await link.settle()
    expect(log.lines).toContain('object 0/0')
  })

  it('stay held for a decision about tokens while the budget lets others go on', async () => {
    const decisions: (() => void)[] = []
    let updates = 0
    const { link, peer } = await world(limits, {
      onTokens: (_, decide) => decisions.push(() => decide(null)),
      onSubscribe: (request) => {
        request.accept({ trackAlias: 1, largest: null }, { onUpdate: () => void updates++ })
      },
    })
    const request = peer.request(subscribe(0, 'x'.repeat(2500)))
    await link.settle()
    request.send({ type: 'REQUEST_UPDATE', requestId: 2, parameters: { subscriberPriority: 1 } })
    await link.settle()
    link.clock.advance(10_000)
    await link.settle()
    expect(updates).toBe(0)
    decisions[0]!()
    await link.settle()
    expect(updates).toBe(1)
  })
})

describe('a data stream that stalls (DATA_STREAM_TIMEOUT, section 3.5)', () => {
  const limits = { dataStreamMs: 1000 }

  async function pass(link: TestLink, ms: number) {
    for (let at = 0; at < ms; at += 500) {
      link.clock.advance(500)
      await link.settle()
    }
  }

  it('within its type or header ends the session, however slowly bytes come', async () => {
    for (const begin of [
      encodeSubgroupHeader({ ...HEADER, group: 70_000 }),
      encodeFetchHeader({ requestId: 1_000_000 }),
      Uint8Array.of(0xf0, 0x13, 0x2b),
    ]) {
      const { link, peer, hits } = await world(limits)
      const { stream: slow } = stream(peer, begin.subarray(0, 1))
      await pass(link, 500)
      if (begin.length > 3) slow.write(begin.subarray(1, 2))
      await pass(link, 2000)
      expect(peer.closed?.code).toBe(SessionCode.DATA_STREAM_TIMEOUT)
      expect(hits).toEqual(['dataStreamMs'])
    }
  })

  it('within an object is stopped, and costs nothing else', async () => {
    const { link, peer, log, hits } = await subscribed(limits)
    const { stopped } = stream(peer, encodeSubgroupHeader(HEADER), Uint8Array.of(0, 0, 50, 1, 2))
    await link.settle()
    await pass(link, 1000)
    expect(stopped).toEqual([])
    await pass(link, 1000)
    expect(stopped).toEqual([ResetCode.DELIVERY_TIMEOUT])
    expect(log.lines.at(-1)).toBe(`reset ${ResetCode.DELIVERY_TIMEOUT}`)
    expect(hits).toEqual(['dataStreamMs'])
    expect(peer.closed).toBeNull()
  })

  it('may bring an object slowly, and be silent between objects', async () => {
    const { link, peer, log } = await subscribed(limits)
    const { stream: slow, stopped } = stream(peer, encodeSubgroupHeader(HEADER))
    await link.settle()
    await pass(link, 5000)
    slow.write(Uint8Array.of(0, 0, 6))
    for (let i = 0; i < 6; i++) {
      await pass(link, 500)
      slow.write(Uint8Array.of(i))
    }
    await link.settle()
    expect(log.lines).toContain('object 0/0')
    await pass(link, 5000)
    expect(stopped).toEqual([])
    expect(peer.closed).toBeNull()
  })

  it('costs a fetch its stream', async () => {
    const { link, session, peer } = await world(limits)
    const resets: number[] = []
    const range = { start: { group: 0, object: 0 }, end: { group: 1, object: 0 } }
    session.fetch(
      { kind: 'standalone', track: TRACK, ...range },
      { onObject() {}, onReset: (code) => resets.push(code) },
    )
    await link.settle()
    stream(peer, encodeFetchHeader({ requestId: 1 }), Uint8Array.of(0x1c))
    await link.settle()
    await pass(link, 2000)
    expect(resets).toEqual([ResetCode.DELIVERY_TIMEOUT])
    expect(peer.closed).toBeNull()
  })
})
