/** What a session does otherwise in moqt-19, beside moqt-18 where that tells them apart. */

import { describe, expect, it } from 'vitest'
import { RequestCode, ResetCode, SessionCode } from '../wire/codes.ts'
import type { ControlMessage, RequestError, Setup } from '../wire/messages.ts'
import { namespaceOf, trackOf } from '../wire/names.ts'
import type { Parameters } from '../wire/parameters.ts'
import { encodeSubgroupBody } from '../wire/subgroup.ts'
import type { IncomingFetch } from './incoming-fetch.ts'
import type { IncomingSubscribe } from './incoming-subscribe.ts'
import type { IncomingNamespaceSubscription } from './namespaces.ts'
import type { Publication } from './publication.ts'
import { SetupOption } from './setup-rules.ts'
import { Log, TestLink } from './test-pair.ts'
import type { IncomingTracksSubscription } from './tracks-subscription.ts'

const PREFIX = namespaceOf('a')
const TRACK = trackOf(PREFIX, 'b')
const NEXT: Parameters = { subscriberPriority: 1 }

function subscribe(requestId = 0, parameters: Parameters = {}): ControlMessage {
  return { type: 'SUBSCRIBE', requestId, track: TRACK, parameters }
}

function update(requestId: number, parameters: Parameters = NEXT): ControlMessage {
  return { type: 'REQUEST_UPDATE', requestId, parameters }
}

/** A session that keeps what is asked of it, and a peer that says whatever a test wants. */
async function hostile(protocol = 'moqt-19', maxRequestUpdates = 2) {
  const link = new TestLink({ protocol })
  const asked = {
    subscribes: [] as IncomingSubscribe[],
    fetches: [] as IncomingFetch[],
    namespaces: [] as IncomingNamespaceSubscription[],
    tracks: [] as IncomingTracksSubscription[],
  }
  const limits: string[] = []
  const session = link.session(
    'server',
    {
      onLimit: (limit) => limits.push(limit),
      onSubscribe: (request) => asked.subscribes.push(request),
      onFetch: (request) => asked.fetches.push(request),
      onSubscribeNamespace: (request) => asked.namespaces.push(request),
      onSubscribeTracks: (request) => asked.tracks.push(request),
    },
    { limits: { maxRequestUpdates } },
  )
  const peer = link.raw('client')
  await link.settle()
  return { link, session, peer, asked, limits }
}

describe.each([
  ['moqt-18', true],
  ['moqt-19', false],
] as const)("a FIN of the requester's in %s (3.3.2, 6.1)", (version, cancels) => {
  it(`${cancels ? 'cancels' : 'leaves'} its SUBSCRIBE_NAMESPACE and SUBSCRIBE_TRACKS`, async () => {
    const { link, session, peer, asked } = await hostile(version)
    const one = peer.request({
      type: 'SUBSCRIBE_NAMESPACE',
      requestId: 0,
      prefix: PREFIX,
      parameters: {},
    })
    const two = peer.request({
      type: 'SUBSCRIBE_TRACKS',
      requestId: 2,
      prefix: PREFIX,
      parameters: {},
    })
    one.finish()
    two.finish()
    await link.settle()
    for (const request of [...asked.namespaces, ...asked.tracks]) request.accept()
    asked.namespaces[0]!.namespace(namespaceOf('a', 'c'))
    asked.tracks[0]!.blocked(TRACK)
    await link.settle()
    expect(one.types).toEqual(cancels ? [] : ['REQUEST_OK', 'NAMESPACE'])
    expect(two.types).toEqual(cancels ? [] : ['REQUEST_OK', 'PUBLISH_BLOCKED'])
    expect(session.openRequests).toBe(cancels ? 0 : 2)
    // What is left is cancelled by STOP_SENDING.
    one.reset(ResetCode.CANCELLED)
    two.reset(ResetCode.CANCELLED)
    await link.settle()
    expect(session.openRequests).toBe(0)
    expect(session.closed).toBe(false)
  })
})

describe('MAX_REQUEST_UPDATES (draft-19 section 10.3.1.7)', () => {
  it('is told in SETUP, and not to a peer of draft-18', async () => {
    for (const [protocol, value] of [
      ['moqt-19', 2],
      ['moqt-18', undefined],
    ] as const) {
      const link = new TestLink({ protocol })
      const setups: Setup[] = []
      link.session('server', {}, { limits: { maxRequestUpdates: 2 }, implementation: 'x/1' })
      link.session('client', { onReady: (setup) => setups.push(setup) })
      await link.settle()
      const option = setups[0]!.options.find(({ type }) => type === SetupOption.MAX_REQUEST_UPDATES)
      expect(option?.value).toBe(value)
    }
  })

  it('ends the session of a peer with more updates before FETCH_OK', async () => {
    const { link, peer, asked, limits } = await hostile()
    const range = { kind: 'standalone', track: TRACK, start: at(0, 0), end: at(1, 0) } as const
    const request = peer.request({ type: 'FETCH', requestId: 0, range, parameters: {} })
    request.send(update(2), update(4))
    await link.settle()
    expect(asked.fetches).toHaveLength(1)
    expect(peer.closed).toBeNull()
    asked.fetches[0]!.accept({ endOfTrack: false, end: at(1, 0), properties: [] })
    await link.settle()
    expect(request.types).toEqual(['FETCH_OK', 'REQUEST_OK', 'REQUEST_OK'])
    // Their answers gave the room back.
    request.send(update(6), update(8))
    await link.settle()
    expect(peer.closed).toBeNull()
    const second = peer.request({ type: 'FETCH', requestId: 10, range, parameters: {} })
    expect(limits).toEqual([])
    second.send(update(12), update(14), update(16))
    await link.settle()
    expect(limits).toEqual(['maxRequestUpdates'])
    expect(peer.closed?.code).toBe(SessionCode.TOO_MANY_REQUEST_UPDATES)
  })

  it('may be said once in SETUP (draft-19 section 10.3.1)', async () => {
    for (const [protocol, code] of [
      ['moqt-19', SessionCode.PROTOCOL_VIOLATION],
      ['moqt-18', null],
    ] as const) {
      const link = new TestLink({ protocol })
      const option = { type: SetupOption.MAX_REQUEST_UPDATES, value: 1 }
      link.session('client', {}, { setup: [option, option] })
      let closed: number | null = null
      const server = link.session('server', { onClosed: (info) => (closed = info.code) })
      await link.settle()
      expect(server.closed ? SessionCode.PROTOCOL_VIOLATION : closed).toBe(code)
    }
  })

  it('counts those that wait for the answer to a SUBSCRIBE', async () => {
    const { link, peer, asked } = await hostile()
    peer.request(subscribe(), update(2), update(4))
    await link.settle()
    asked.subscribes[0]!.accept({ trackAlias: 1, largest: null }, {})
    await link.settle()
    expect(peer.closed).toBeNull()
    peer.request(subscribe(6), update(8), update(10), update(12))
    await link.settle()
    asked.subscribes[1]!.accept({ trackAlias: 1, largest: null }, {})
    await link.settle()
    expect(peer.closed?.code).toBe(SessionCode.TOO_MANY_REQUEST_UPDATES)
  })

  it('does not bind a peer of draft-18', async () => {
    const { link, peer, asked } = await hostile('moqt-18', 1)
    const request = peer.request(subscribe(), update(2), update(4), update(6))
    await link.settle()
    asked.subscribes[0]!.accept({ trackAlias: 1, largest: null }, {})
    await link.settle()
    expect(request.types).toEqual(['SUBSCRIBE_OK', 'REQUEST_OK', 'REQUEST_OK', 'REQUEST_OK'])
  })

  it("makes one of our updates that the peer has no room for, and keeps each one's result", async () => {
    const link = new TestLink({ protocol: 'moqt-19' })
    const seen: Parameters[] = []
    let answers = 0
    const publications: Publication[] = []
    link.session(
      'server',
      {
        onSubscribe: (request) =>
          publications.push(
            request.accept(
              { trackAlias: 1, largest: null },
              { onUpdate: (parameters) => void seen.push(parameters) },
            ),
          ),
      },
      { limits: { maxRequestUpdates: 2 } },
    )
    const client = link.session('client', {})
    await link.settle()
    const subscription = client.subscribe(TRACK, {}, new Log())
    await link.settle()
    for (let priority = 1; priority <= 5; priority++) {
      subscription.update({ subscriberPriority: priority }, () => answers++)
    }
    subscription.update({ forward: false }, () => answers++)
    await link.settle()
    expect(seen).toEqual([
      { subscriberPriority: 1 },
      { subscriberPriority: 2 },
      { subscriberPriority: 5, forward: false },
    ])
    expect(answers).toBe(6)
    expect(publications[0]).toMatchObject({ subscriberPriority: 5, forward: false })
    expect(client.closed).toBe(false)
  })

  it('fails what waits together with what was refused', async () => {
    const { link, session, peer } = await hostile()
    const log = new Log()
    const errors: (number | undefined)[] = []
    const subscription = session.subscribe(TRACK, {}, log)
    await link.settle()
    const request = peer.requests[0]!
    request.send({ type: 'SUBSCRIBE_OK', trackAlias: 1, parameters: {}, properties: [] })
    await link.settle()
    // This peer said nothing of a bound: there is none.
    for (let i = 0; i < 3; i++) subscription.update(NEXT, (error) => errors.push(error?.code))
    await link.settle()
    expect(request.types).toEqual(['SUBSCRIBE', ...Array(3).fill('REQUEST_UPDATE')])
    request.send({ type: 'REQUEST_ERROR', code: 0x3, retryAfterMs: null, reason: '' })
    await link.settle()
    expect(errors).toEqual([3, 3, 3])
  })
})

describe('range filters (draft-19 section 5.1.3), for which we allow no range', () => {
  const filters: Parameters = {
    objectIdFilters: [{ kind: 'ranges', set: 0, ranges: [{ start: 0, end: 5 }] }],
  }

  it('are refused with INVALID_FILTER in a request', async () => {
    const { link, peer, asked } = await hostile()
    const request = peer.request(subscribe(0, filters))
    const tracks = peer.request({
      type: 'SUBSCRIBE_TRACKS',
      requestId: 2,
      prefix: PREFIX,
      parameters: filters,
    })
    await link.settle()
    for (const { received } of [request, tracks]) {
      expect(received).toMatchObject([{ type: 'REQUEST_ERROR', code: RequestCode.INVALID_FILTER }])
    }
    expect(asked.subscribes).toEqual([])
    expect(peer.closed).toBeNull()
  })

  it('fail an update, unless it only takes filters away', async () => {
    const { link, peer, asked } = await hostile()
    const request = peer.request(subscribe())
    await link.settle()
    asked.subscribes[0]!.accept({ trackAlias: 1, largest: null }, {})
    request.send(update(2, { objectIdFilters: [{ kind: 'remove' }] }))
    await link.settle()
    request.send(update(4, filters))
    await link.settle()
    expect(request.received.slice(1)).toMatchObject([
      { type: 'REQUEST_OK' },
      { type: 'REQUEST_ERROR', code: RequestCode.INVALID_FILTER },
      { type: 'PUBLISH_DONE', status: 0x8 },
    ])
  })

  it('end the publication of a PUBLISH_OK that has them', async () => {
    const { link, session, peer } = await hostile()
    const rejected: RequestError[] = []
    const publication = session.publish(
      TRACK,
      { trackAlias: 1, largest: null },
      { onRejected: (error) => rejected.push(error) },
    )
    await link.settle()
    peer.requests[0]!.send({ type: 'REQUEST_OK', parameters: filters, properties: [] })
    await link.settle()
    expect(peer.requests[0]!.types).toEqual(['PUBLISH', 'PUBLISH_DONE'])
    expect(rejected.map(({ code }) => code)).toEqual([RequestCode.INVALID_FILTER])
    expect(publication.closed).toBe(true)
  })

  it('are not sent beyond what the peer allows', async () => {
    const { link, session, peer } = await hostile()
    expect(() => session.subscribe(TRACK, filters, new Log())).toThrow(/0 filter ranges/)
    await link.settle()
    expect(peer.requests.flatMap(({ types }) => types)).toEqual([])
  })
})

describe('several subscriptions to a track (draft-19 section 5.1)', () => {
  it('are served each, and a SUBSCRIBE beside a PUBLISH too', async () => {
    const { link, session, peer, asked } = await hostile()
    const requests = [peer.request(subscribe(0)), peer.request(subscribe(2))]
    await link.settle()
    for (const request of asked.subscribes) request.accept({ trackAlias: 1, largest: null }, {})
    session.publish(trackOf(PREFIX, 'c'), { trackAlias: 2, largest: null }, {})
    const beside = peer.request({ ...subscribe(4), track: trackOf(PREFIX, 'c') } as ControlMessage)
    await link.settle()
    expect(requests.map(({ types }) => types)).toEqual([['SUBSCRIBE_OK'], ['SUBSCRIBE_OK']])
    asked.subscribes[2]!.accept({ trackAlias: 2, largest: null }, {})
    await link.settle()
    expect(beside.types).toEqual(['SUBSCRIBE_OK'])
  })

  /** Two subscriptions under one alias: to groups 0 and 1, and from group 1 on. */
  async function shared() {
    const link = new TestLink({ protocol: 'moqt-19' })
    const publications: Publication[] = []
    link.session('server', {
      onSubscribe: (request) =>
        publications.push(request.accept({ trackAlias: 1, largest: null }, {})),
    })
    const client = link.session('client', {})
    await link.settle()
    const logs = [new Log(), new Log()]
    const subscriptions = [
      client.subscribe(
        TRACK,
        { filter: { kind: 'absolute-range', start: at(0, 0), endGroup: 1 } },
        logs[0]!,
      ),
      client.subscribe(TRACK, { filter: { kind: 'absolute-start', start: at(1, 0) } }, logs[1]!),
    ]
    await link.settle()
    const write = async (group: number) => {
      for (const publication of publications) {
        if (publication.closed || !publication.passes(group, 0)) continue
        const writer = publication.openSubgroup(
          {
            trackAlias: 1,
            group,
            subgroup: 0,
            priority: null,
            hasProperties: false,
            endOfGroup: false,
            firstObject: true,
          },
          1,
        )!
        writer.write(0, encodeSubgroupBody(null, Uint8Array.of(1)))
        writer.finish()
      }
      await link.settle()
    }
    return { link, client, publications, logs, subscriptions, write }
  }

  it('share an alias: an object goes to each whose filter it passes', async () => {
    const { client, logs, write } = await shared()
    await write(0)
    await write(1)
    await write(2)
    expect(logs[0]!.lines).toEqual([
      'accepted',
      'object 0/0',
      'end',
      // Sent for each, and which is whose cannot be told.
      'object 1/0',
      'end',
      'object 1/0',
      'end',
    ])
    expect(logs[1]!.lines.filter((line) => line.startsWith('object'))).toEqual([
      'object 1/0',
      'object 1/0',
      'object 2/0',
    ])
    expect(client.closed).toBe(false)
  })

  it('end one by one', async () => {
    const { link, publications, logs, subscriptions, write } = await shared()
    publications[0]!.done(0x2, '')
    await link.settle()
    await write(1)
    expect(logs[1]!.lines).toContain('object 1/0')
    link.clock.advance(2000)
    expect(logs[0]!.lines.slice(-2)).toEqual(['end', 'drained'])
    await write(2)
    expect(logs[0]!.lines.at(-1)).toBe('drained')
    expect(logs[1]!.lines).toContain('object 2/0')
    subscriptions[1]!.unsubscribe()
    await link.settle()
    expect(publications[1]!.closed).toBe(true)
  })
})

describe('terms of a SUBSCRIBE_TRACKS (draft-19 section 10.19.1)', () => {
  it('hold for the PUBLISH that comes of it, which repeats GROUP_ORDER', async () => {
    const { link, session, peer } = await hostile()
    const terms: Parameters = { groupOrder: 'descending', subscriberPriority: 7 }
    const publication = session.publish(TRACK, { trackAlias: 1, largest: null, terms }, {})
    await link.settle()
    expect(peer.requests[0]!.received).toMatchObject([
      { type: 'PUBLISH', parameters: { groupOrder: 'descending' } },
    ])
    peer.requests[0]!.send({ type: 'REQUEST_OK', parameters: {}, properties: [] })
    await link.settle()
    expect(publication).toMatchObject({ groupOrder: 'descending', subscriberPriority: 7 })
  })
})

it.each([
  ['moqt-18', SessionCode.PROTOCOL_VIOLATION],
  ['moqt-19', null],
])('EXPIRES in SUBSCRIBE_NAMESPACE_OK of %s closes the session with %s (10.2.15)', async (version, code) => {
  const { link, session, peer } = await hostile(version)
  session.subscribeNamespace(PREFIX, { onNamespace() {}, onNamespaceDone() {} })
  await link.settle()
  peer.requests[0]!.send({ type: 'REQUEST_OK', parameters: { expires: 5 }, properties: [] })
  await link.settle()
  expect(peer.closed?.code ?? null).toBe(code)
})

function at(group: number, object: number) {
  return { group, object }
}
