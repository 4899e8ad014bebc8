/** Rules of draft-18 for every endpoint, where no test of a single room shows them. */

import { describe, expect, it } from 'vitest'
import type { TransportSession } from '../transport/transport.ts'
import { DoneCode, RequestCode, ResetCode, SessionCode } from '../wire/codes.ts'
import type { ControlMessage, RequestMessage } from '../wire/messages.ts'
import { type Namespace, namespaceOf, trackOf } from '../wire/names.ts'
import { encodeSubgroupBody } from '../wire/subgroup.ts'
import { codecFor } from '../wire/versions.ts'
import type { SessionHandler } from './handler.ts'
import type { IncomingSubscribe } from './incoming-subscribe.ts'
import type { Publication } from './publication.ts'
import { Log, TestLink } from './test-pair.ts'
import { TrackPublisher } from './track-publisher.ts'

const ROOM = namespaceOf('room')
const TRACK = trackOf(ROOM, 'audio')
const codec = codecFor('moqt-18')
const at = { group: 1, object: 0 }
const OK: ControlMessage = { type: 'REQUEST_OK', parameters: {}, properties: [] }
const LARGEST = { trackAlias: 1, largest: null }

/** One of every request for a namespace. */
function requestsFor(namespace: Namespace): RequestMessage[] {
  const track = trackOf(namespace, 'x')
  return [
    { type: 'SUBSCRIBE', requestId: 0, track, parameters: {} },
    { type: 'PUBLISH', requestId: 2, track, trackAlias: 1, parameters: {}, properties: [] },
    {
      type: 'FETCH',
      requestId: 4,
      range: { kind: 'standalone', track, start: at, end: at },
      parameters: {},
    },
    { type: 'TRACK_STATUS', requestId: 6, track, parameters: {} },
    { type: 'PUBLISH_NAMESPACE', requestId: 8, namespace, parameters: {} },
    { type: 'SUBSCRIBE_NAMESPACE', requestId: 10, prefix: namespace, parameters: {} },
    { type: 'SUBSCRIBE_TRACKS', requestId: 12, prefix: namespace, parameters: {} },
  ]
}

/** A handler that is told of every kind of request, and the kinds that came. */
function listener(): { handler: SessionHandler; seen: string[] } {
  const seen: string[] = []
  const saw = (type: string) => () => void seen.push(type)
  const handler: SessionHandler = {
    onSubscribe: saw('SUBSCRIBE'),
    onPublish: saw('PUBLISH'),
    onFetch: saw('FETCH'),
    onTrackStatus: saw('TRACK_STATUS'),
    onPublishNamespace: saw('PUBLISH_NAMESPACE'),
    onSubscribeNamespace: saw('SUBSCRIBE_NAMESPACE'),
    onSubscribeTracks: saw('SUBSCRIBE_TRACKS'),
  }
  return { handler, seen }
}

/** A peer that has said nothing yet, and the code that its session ended with. */
function silent(link: TestLink, role: 'client' | 'server') {
  const transport: TransportSession = link.pair[role]
  const end: { code: number | null } = { code: null }
  transport.handler = {
    onUni: (stream) => {
      stream.handler = { onBytes() {}, onReset() {} }
    },
    onBidi() {},
    onDatagram() {},
    onStreamCredit() {},
    onRoom() {},
    onClosed: ({ code }) => {
      end.code = code
    },
  }
  return { transport, end }
}

describe('request streams (section 3.3)', () => {
  const track = TRACK
  const answers: ControlMessage[] = [
    { type: 'SETUP', options: [] },
    { type: 'SUBSCRIBE_OK', trackAlias: 1, parameters: {}, properties: [] },
    { type: 'REQUEST_UPDATE', requestId: 0, parameters: {} },
    OK,
    { type: 'REQUEST_ERROR', code: 0, retryAfterMs: null, reason: '' },
    { type: 'PUBLISH_DONE', status: 0, streamCount: 0, reason: '' },
    { type: 'FETCH_OK', endOfTrack: false, end: at, parameters: {}, properties: [] },
    { type: 'NAMESPACE', suffix: ROOM },
    { type: 'NAMESPACE_DONE', suffix: ROOM },
    { type: 'PUBLISH_BLOCKED', track },
  ]

  it.each(answers)('do not begin with $type', async (message) => {
    const link = new TestLink()
    link.session('server', listener().handler)
    const peer = link.raw('client')
    await link.settle()
    peer.request(message)
    await link.settle()
    expect(peer.closed?.code).toBe(SessionCode.PROTOCOL_VIOLATION)
  })

  it('begin with each of the seven requests', async () => {
    const link = new TestLink()
    const { handler, seen } = listener()
    link.session('server', handler)
    const peer = link.raw('client')
    await link.settle()
    const messages = requestsFor(ROOM)
    for (const message of messages) peer.request(message)
    await link.settle()
    expect(seen).toEqual(messages.map(({ type }) => type))
    expect(peer.closed).toBeNull()
  })
})

describe('the control stream (section 3.3)', () => {
  const setup = codec.encode({ type: 'SETUP', options: [] })

  it.each<[string, (transport: TransportSession) => void]>([
    [
      'is finished',
      (transport) => {
        const control = transport.openUni(0)!
        control.write(setup)
        control.finish()
      },
    ],
    [
      'begins with another message',
      (transport) => transport.openUni(0)!.write(Uint8Array.of(0xaf, 0x00, 0, 0, 0x10, 0, 0)),
    ],
    [
      'comes twice',
      (transport) => {
        transport.openUni(0)!.write(setup)
        transport.openUni(0)!.write(setup)
      },
    ],
    [
      'carries a request',
      (transport) => {
        const control = transport.openUni(0)!
        control.write(setup)
        control.write(codec.encode(requestsFor(ROOM)[0]!))
      },
    ],
  ])('ends the session when it %s', async (_, say) => {
    const link = new TestLink()
    link.session('server', {})
    const { transport, end } = silent(link, 'client')
    say(transport)
    await link.settle()
    expect(end.code).toBe(SessionCode.PROTOCOL_VIOLATION)
  })

  it('ends the session when it is reset', async () => {
    const link = new TestLink()
    link.session('server', {})
    const { transport, end } = silent(link, 'client')
    const control = transport.openUni(0)!
    control.write(setup)
    await link.settle()
    control.reset(0)
    await link.settle()
    expect(end.code).toBe(SessionCode.PROTOCOL_VIOLATION)
  })

  it('may be reset with SESSION_CLOSED by a peer that then says why it ends the session', async () => {
    const link = new TestLink()
    const ends: string[] = []
    link.session('server', { onClosed: ({ reason }) => ends.push(reason) })
    const { transport } = silent(link, 'client')
    const control = transport.openUni(0)!
    control.write(setup)
    await link.settle()
    control.reset(ResetCode.SESSION_CLOSED)
    await link.settle()
    expect(ends).toEqual([])
    transport.close(SessionCode.EXPIRED_AUTH_TOKEN, 'the token has expired')
    await link.settle()
    expect(ends).toEqual(['the token has expired'])
  })

  it('ends the session when it is reset with SESSION_CLOSED and nothing follows', async () => {
    const link = new TestLink()
    link.session('server', {})
    const { transport, end } = silent(link, 'client')
    const control = transport.openUni(0)!
    control.write(setup)
    await link.settle()
    control.reset(ResetCode.SESSION_CLOSED)
    await link.settle()
    link.clock.advance(1000)
    await link.settle()
    expect(end.code).toBe(SessionCode.PROTOCOL_VIOLATION)
  })

  it('begins with SETUP that names the implementation (section 10.3.1.5)', async () => {
    const link = new TestLink()
    const told: string[] = []
    link.session('server', {
      onReady: ({ options }) => {
        for (const { type, value } of options) {
          if (type === 0x07) told.push(new TextDecoder().decode(value as Uint8Array))
        }
      },
    })
    link.session('client', {}, { implementation: 'sotto/0' })
    await link.settle()
    expect(told).toEqual(['sotto/0'])
  })
})

describe('reserved namespaces (section 3.2)', () => {
  it.each(['.', '.session'])('refuse every request for %s, which no owner sees', async (field) => {
    const link = new TestLink()
    const { handler, seen } = listener()
    const session = link.session('server', handler)
    const peer = link.raw('client')
    await link.settle()
    for (const namespace of [namespaceOf(field), namespaceOf(field, 'x')]) {
      const requests = requestsFor(namespace).map((message) =>
        peer.request({ ...message, requestId: message.requestId + (namespace.length - 1) * 100 }),
      )
      await link.settle()
      for (const { received, ended } of requests) {
        expect(received).toMatchObject([{ code: RequestCode.DOES_NOT_EXIST }])
        expect(ended).toBe(true)
      }
    }
    expect(seen).toEqual([])
    expect(session.closed).toBe(false)
  })

  it('cannot be reached by an update of a prefix either', async () => {
    const link = new TestLink()
    const asked: Namespace[] = []
    link.session('server', {
      onSubscribeTracks: (request) => {
        request.onPrefix = (prefix) => {
          asked.push(prefix)
          return null
        }
        request.accept()
      },
    })
    const peer = link.raw('client')
    await link.settle()
    const request = peer.request(
      { type: 'SUBSCRIBE_TRACKS', requestId: 0, prefix: ROOM, parameters: {} },
      {
        type: 'REQUEST_UPDATE',
        requestId: 2,
        parameters: { namespacePrefix: namespaceOf('.session') },
      },
    )
    await link.settle()
    expect(request.received).toMatchObject([OK, { code: RequestCode.DOES_NOT_EXIST }])
    expect(asked).toEqual([])
  })

  it('of which nothing is known are the owner’s matter', async () => {
    const link = new TestLink()
    const { handler, seen } = listener()
    link.session('server', handler)
    const peer = link.raw('client')
    await link.settle()
    for (const message of requestsFor(namespaceOf('.future'))) peer.request(message)
    await link.settle()
    expect(seen).toHaveLength(7)
  })
})

describe('request ids of ours (section 10.1)', () => {
  it.each([
    ['client', [0, 2, 4, 6]],
    ['server', [1, 3, 5, 7]],
  ] as const)('of a %s ascend by two, updates included', async (role, ids) => {
    const link = new TestLink()
    const session = link.session(role, {})
    const peer = link.raw(role === 'client' ? 'server' : 'client')
    await link.settle()
    const subscription = session.subscribe(TRACK, {}, new Log())
    session.publishNamespace(ROOM, {})
    await link.settle()
    const [subscribe] = peer.requests
    subscribe!.send({ type: 'SUBSCRIBE_OK', trackAlias: 1, parameters: {}, properties: [] })
    await link.settle()
    subscription.update({ subscriberPriority: 1 })
    session.trackStatus(trackOf(ROOM, 'video'), { onStatus() {}, onRejected() {} })
    await link.settle()
    const sent = peer.requests.flatMap(({ received }) => received)
    const all = sent.map((message) => ('requestId' in message ? message.requestId : undefined))
    expect(all.toSorted()).toEqual(ids)
  })
})

describe('a subscription that we serve', () => {
  /** A raw subscriber, and what became of the streams that it was sent. */
  async function served() {
    const link = new TestLink()
    const requests: IncomingSubscribe[] = []
    link.session('server', { onSubscribe: (request) => requests.push(request) })
    const peer = link.raw('client')
    const resets: number[] = []
    const { handler } = peer.transport
    peer.transport.handler = {
      ...handler!,
      onUni: (stream) => {
        stream.handler = { onBytes() {}, onReset: (code) => resets.push(code) }
      },
    }
    await link.settle()
    const request = peer.request({ type: 'SUBSCRIBE', requestId: 0, track: TRACK, parameters: {} })
    await link.settle()
    return { link, peer, request, incoming: requests[0]!, resets }
  }

  function open(publication: Publication, group: number) {
    const header = {
      trackAlias: 1,
      group,
      subgroup: 0,
      priority: null,
      hasProperties: false,
      endOfGroup: false,
      firstObject: true,
    }
    const writer = publication.openSubgroup(header, 1)!
    writer.write(0, encodeSubgroupBody(null, Uint8Array.of(1)))
    return writer
  }

  it('is answered once (section 5.1)', async () => {
    const { link, request, incoming } = await served()
    incoming.accept(LARGEST, {})
    expect(() => incoming.accept(LARGEST, {})).toThrow('already answered')
    incoming.reject(RequestCode.INTERNAL_ERROR, 'too late')
    await link.settle()
    expect(request.types).toEqual(['SUBSCRIBE_OK'])
  })

  it('resets its streams when it is cancelled (section 5.1.1)', async () => {
    const { link, request, incoming, resets } = await served()
    const publication = incoming.accept(LARGEST, {})
    const writers = [open(publication, 0), open(publication, 1)]
    writers[0]!.finish()
    await link.settle()
    request.reset(ResetCode.CANCELLED)
    await link.settle()
    expect(resets).toEqual([ResetCode.CANCELLED])
    expect(writers[1]!.closed).toBe(true)
    expect(publication.openSubgroup({ ...writers[0]!.header, group: 2 }, 1)).toBeNull()
  })

  it('resets open streams before PUBLISH_DONE, which counts them all (sections 5.1.1, 10.11)', async () => {
    for (const streams of [0, 2]) {
      const { link, request, incoming, resets } = await served()
      const publication = incoming.accept(LARGEST, {})
      for (let group = 0; group < streams; group++) open(publication, group)
      await link.settle()
      publication.done(DoneCode.TRACK_ENDED, 'over')
      expect(publication.openSubgroup(HEADER, 1)).toBeNull()
      await link.settle()
      expect(request.received.at(-1)).toMatchObject({ type: 'PUBLISH_DONE', streamCount: streams })
      expect(request.ended).toBe(true)
      expect(resets).toEqual(Array(streams).fill(ResetCode.CANCELLED))
    }
  })

  const HEADER = {
    trackAlias: 1,
    group: 9,
    subgroup: 0,
    priority: null,
    hasProperties: false,
    endOfGroup: false,
    firstObject: true,
  }

  it('marks the first object of a subgroup, and no later one (section 2.2)', async () => {
    const link = new TestLink()
    const publisher = new TrackPublisher({ trackAlias: 1, priority: 20 })
    const write = (object: number) =>
      publisher.writeStream(0, {
        group: 0,
        object,
        properties: new Uint8Array(0),
        payload: Uint8Array.of(object),
      })
    link.session('server', { onSubscribe: (request) => void publisher.accept(request) })
    const client = link.session('client', {})
    await link.settle()
    const marks: boolean[] = []
    const handler = {
      onObject() {},
      onSubgroup: ({ header }: { header: { firstObject: boolean } }) =>
        marks.push(header.firstObject),
    }
    const first = client.subscribe(TRACK, {}, handler)
    await link.settle()
    write(0)
    await link.settle()
    first.unsubscribe()
    await link.settle()
    client.subscribe(TRACK, {}, handler)
    await link.settle()
    write(1)
    await link.settle()
    expect(marks).toEqual([true, false])
  })
})

describe('a request for namespaces (sections 10.15 to 10.18)', () => {
  async function watched() {
    const link = new TestLink()
    const session = link.session('client', {})
    const peer = link.raw('server')
    await link.settle()
    const told: string[] = []
    session.subscribeNamespace(ROOM, {
      onNamespace: () => told.push('namespace'),
      onNamespaceDone: () => told.push('done'),
    })
    await link.settle()
    return { link, peer, told, request: peer.requests[0]! }
  }

  it('is answered by REQUEST_OK or REQUEST_ERROR before anything else', async () => {
    const { link, peer, request } = await watched()
    request.send({ type: 'NAMESPACE', suffix: namespaceOf('ann') })
    await link.settle()
    expect(peer.closed?.code).toBe(SessionCode.PROTOCOL_VIOLATION)
  })

  it('is told of the end of what it was told of, and of nothing else', async () => {
    const { link, peer, request, told } = await watched()
    const suffix = namespaceOf('ann')
    request.send(OK, { type: 'NAMESPACE', suffix }, { type: 'NAMESPACE_DONE', suffix })
    await link.settle()
    expect(told).toEqual(['namespace', 'done'])
    request.send({ type: 'NAMESPACE_DONE', suffix })
    await link.settle()
    expect(peer.closed?.code).toBe(SessionCode.PROTOCOL_VIOLATION)
  })

  it('counts the end of its stream as that of every namespace', async () => {
    for (const end of ['finish', 'reset'] as const) {
      const { link, peer, request, told } = await watched()
      request.send(OK)
      for (const name of ['ann', 'bob']) {
        request.send({ type: 'NAMESPACE', suffix: namespaceOf(name) })
      }
      await link.settle()
      if (end === 'finish') request.finish()
      else request.reset(ResetCode.GOING_AWAY)
      await link.settle()
      expect(told).toEqual(['namespace', 'namespace', 'done', 'done'])
      expect(peer.closed).toBeNull()
    }
  })
})

describe('TRACK_STATUS (section 10.14)', () => {
  it('is answered with what SUBSCRIBE_OK would say, and the stream ends', async () => {
    const link = new TestLink()
    const properties = [{ type: 0x0e, value: 7 }]
    const session = link.session('server', {
      onTrackStatus: (request) => request.accept({ largest: at, properties }),
    })
    const peer = link.raw('client')
    await link.settle()
    const [status] = requestsFor(ROOM).filter(({ type }) => type === 'TRACK_STATUS')
    const request = peer.request(status!)
    await link.settle()
    expect(request.received).toEqual([
      { type: 'REQUEST_OK', parameters: { largestObject: at }, properties },
    ])
    expect(request.ended).toBe(true)
    expect(session.openRequests).toBe(0)
  })
})

describe('DEFAULT_PUBLISHER_PRIORITY (section 12.4)', () => {
  it('above 255 costs the request, not the session', async () => {
    for (const [value, lines] of [
      [255, ['accepted']],
      [256, [`rejected 0x${RequestCode.MALFORMED_TRACK.toString(16)}`]],
    ] as const) {
      const link = new TestLink()
      const session = link.session('client', {})
      const peer = link.raw('server')
      await link.settle()
      const log = new Log()
      session.subscribe(TRACK, {}, log)
      await link.settle()
      const properties = [{ type: 0x0e, value }]
      peer.requests[0]!.send({ type: 'SUBSCRIBE_OK', trackAlias: 1, parameters: {}, properties })
      await link.settle()
      expect(log.lines).toEqual(lines)
      expect(session.closed).toBe(false)
    }
  })
})

describe('a callback of the owner’s that throws', () => {
  it('ends its session with INTERNAL_ERROR, and the owner is told', async () => {
    const link = new TestLink()
    const bugs: unknown[] = []
    const bug = new Error('a bug')
    link.session('server', {
      onSubscribe: () => {
        throw bug
      },
      onInternalError: (error) => bugs.push(error),
    })
    const peer = link.raw('client')
    await link.settle()
    peer.request(requestsFor(ROOM)[0]!)
    await link.settle()
    expect(peer.closed?.code).toBe(SessionCode.INTERNAL_ERROR)
    expect(bugs).toEqual([bug])
  })
})

describe('a stream whose track alias does not come (section 11.4.2)', () => {
  it('waits without taking more, for so long, and is stopped then', async () => {
    const link = new TestLink()
    const session = link.session('server', {}, { limits: { earlyMs: 500 } })
    const peer = link.raw('client')
    await link.settle()
    session.subscribe(TRACK, {}, new Log())
    const stopped = peer.subgroup(7, 0, 0, false)
    await link.settle()
    link.clock.advance(499)
    await link.settle()
    expect(stopped).toEqual([])
    link.clock.advance(1)
    await link.settle()
    expect(stopped).toEqual([ResetCode.CANCELLED])
    expect(session.closed).toBe(false)
  })
})
