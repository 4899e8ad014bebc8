import { describe, expect, it } from 'vitest'
import { DoneCode, RequestCode, ResetCode, SessionCode } from '../wire/codes.ts'
import { encodeDatagram } from '../wire/datagram.ts'
import type { ControlMessage, RequestError } from '../wire/messages.ts'
import { namespaceOf, trackOf } from '../wire/names.ts'
import type { Parameters } from '../wire/parameters.ts'
import { encodeSubgroupBody } from '../wire/subgroup.ts'
import type { Publication } from './publication.ts'
import type { IncomingPublish } from './publish.ts'
import type { Session } from './session.ts'
import type { Subscription } from './subscription.ts'
import { Log, spoken, TestLink } from './test-pair.ts'

const TRACK = trackOf(namespaceOf('room', 'ann'), 'audio')
const OTHER = trackOf(namespaceOf('room', 'bob'), 'audio')
const BODY = encodeSubgroupBody(null, Uint8Array.of(1))

function publishOf(
  track = TRACK,
  trackAlias = 7,
  requestId = 0,
  parameters: Parameters = {},
): ControlMessage {
  return { type: 'PUBLISH', requestId, track, trackAlias, parameters, properties: [] }
}

function object(publication: Publication, group: number, id = 0): boolean {
  const { trackAlias } = publication
  const writer = publication.openSubgroup(
    {
      trackAlias,
      group,
      subgroup: 0,
      priority: null,
      hasProperties: false,
      endOfGroup: false,
      firstObject: id === 0,
    },
    1,
  )
  writer?.write(id, BODY)
  writer?.finish()
  return writer !== null
}

/** A publisher (client) and a subscriber (server) that keeps each PUBLISH for the test to answer. */
async function world() {
  const link = new TestLink()
  const offers: IncomingPublish[] = []
  const publisher = link.session('client', {})
  const subscriber = link.session('server', { onPublish: (offer) => offers.push(offer) })
  await link.settle()
  return { link, publisher, subscriber, offers }
}

describe('PUBLISH (draft-18 section 10.10)', () => {
  it('is usable at once: objects sent before PUBLISH_OK are delivered when it is accepted (5.1)', async () => {
    const { link, publisher, offers } = await world()
    const publication = publisher.publish(
      TRACK,
      { trackAlias: 7, largest: { group: 3, object: 1 }, expires: 5000 },
      {},
    )
    expect(publication.passes(4, 0)).toBe(true)
    expect(object(publication, 4)).toBe(true)
    publication.sendDatagram(
      encodeDatagram(
        { trackAlias: 7, group: 5, object: 0, priority: null, endOfGroup: false },
        new Uint8Array(0),
        Uint8Array.of(1),
      ),
    )
    await link.settle()
    const [offer] = offers
    expect(offer!.largest).toEqual({ group: 3, object: 1 })
    expect(offer!.forward).toBe(true)
    expect(offer!.parameters.expires).toBe(5000)
    const log = new Log()
    const subscription = offer!.accept({}, log)
    // Not within the call: the owner does not have its subscription yet.
    expect(log.lines).toEqual([])
    await link.settle()
    expect(log.lines.sort()).toEqual(['datagram 5/0', 'end', 'object 4/0'])
    expect(subscription.trackAlias).toBe(7)
    expect(publication.established).toBe(true)
    expect(publication.joiningLocation).toEqual({ group: 3, object: 1 })
  })

  it('applies what PUBLISH_OK says, with FORWARD 1 when it says nothing of it (10.2.12)', async () => {
    const { link, publisher, offers } = await world()
    const accepted: Parameters[] = []
    const publication = publisher.publish(
      TRACK,
      { trackAlias: 7, largest: { group: 3, object: 1 }, forward: false },
      {
        onAccepted: (parameters) => accepted.push(parameters),
        largest: () => ({ group: 9, object: 2 }),
      },
    )
    expect(publication.passes(4, 0)).toBe(false)
    await link.settle()
    expect(offers[0]!.forward).toBe(false)
    offers[0]!.accept(
      {
        subscriberPriority: 9,
        // In draft-19 the subscriber says it in SUBSCRIBE_TRACKS.
        ...(spoken.rules.termsForTracks ? {} : { groupOrder: 'descending' }),
        filter: { kind: 'next-group-start' },
        objectDeliveryTimeout: 100,
        subgroupDeliveryTimeout: 200,
      },
      new Log(),
    )
    await link.settle()
    expect(accepted).toHaveLength(1)
    expect(publication).toMatchObject({
      forward: true,
      subscriberPriority: 9,
      groupOrder: spoken.rules.termsForTracks ? null : 'descending',
      objectDeliveryTimeout: 100,
      subgroupDeliveryTimeout: 200,
      start: { group: 10, object: 0 },
      // What PUBLISH communicated, with the largest object as it was when it was sent.
      joiningLocation: { group: 9, object: 2 },
    })
  })

  it('that is rejected resets its streams, and the subscriber stops them by alias (10.10)', async () => {
    const { link, publisher, offers } = await world()
    const rejected: RequestError[] = []
    const publication = publisher.publish(
      TRACK,
      { trackAlias: 7, largest: null },
      { onRejected: (error) => rejected.push(error) },
    )
    const writer = publication.openSubgroup(
      {
        trackAlias: 7,
        group: 0,
        subgroup: 0,
        priority: null,
        hasProperties: false,
        endOfGroup: false,
        firstObject: true,
      },
      1,
    )!
    writer.write(0, BODY)
    await link.settle()
    offers[0]!.reject(RequestCode.UNINTERESTED, 'no')
    await link.settle()
    expect(rejected.map(({ code, reason }) => [code, reason])).toEqual([
      [RequestCode.UNINTERESTED, 'no'],
    ])
    expect(publication.closed).toBe(true)
    expect(writer.closed).toBe(true)
    expect(publication.passes(1, 0) && object(publication, 1)).toBe(false)
  })

  it('is answered NOT_SUPPORTED where nobody takes it, and its streams are stopped', async () => {
    const link = new TestLink()
    const session = link.session('server', {})
    const peer = link.raw('client')
    await link.settle()
    const request = peer.request(publishOf())
    const stopped = peer.subgroup(7, 0, 0, false)
    await link.settle()
    expect(request.received).toMatchObject([
      { type: 'REQUEST_ERROR', code: RequestCode.NOT_SUPPORTED },
    ])
    expect(stopped).toEqual([ResetCode.CANCELLED])
    const late = peer.subgroup(7, 1, 0, false)
    await link.settle()
    expect(late).toEqual([ResetCode.CANCELLED])
    expect(session.closed).toBe(false)
  })

  it('waits for stream credit, and passes nothing before', async () => {
    const link = new TestLink({ streamCredit: { bidi: 1 } })
    const offers: IncomingPublish[] = []
    const publisher = link.session('client', {})
    link.session('server', { onPublish: (offer) => offers.push(offer) })
    await link.settle()
    const first = publisher.publish(OTHER, { trackAlias: 1, largest: null }, {})
    const second = publisher.publish(TRACK, { trackAlias: 2, largest: null }, {})
    expect([first.sent, second.sent]).toEqual([true, false])
    expect(second.passes(0, 0)).toBe(false)
    expect(object(second, 0)).toBe(false)
    await link.settle()
    first.done(DoneCode.TRACK_ENDED, 'over')
    await link.settle()
    expect(second.sent).toBe(true)
    expect(offers).toHaveLength(2)
    // Given up while it waited: nothing is said of it.
    const third = publisher.publish(
      trackOf(OTHER.namespace, 'x'),
      { trackAlias: 3, largest: null },
      {},
    )
    third.done(DoneCode.TRACK_ENDED, 'over')
    second.done(DoneCode.TRACK_ENDED, 'over')
    await link.settle()
    expect(third.sent).toBe(false)
    expect(offers).toHaveLength(2)
    expect(publisher.openRequests).toBe(0)
  })

  it('given up before its answer tells the one who would answer, and cannot be accepted', async () => {
    const { link, publisher, offers } = await world()
    const publication = publisher.publish(TRACK, { trackAlias: 7, largest: null }, {})
    await link.settle()
    let cancelled = 0
    offers[0]!.onCancelled = () => cancelled++
    publication.done(DoneCode.TRACK_ENDED, 'over')
    await link.settle()
    expect(cancelled).toBe(1)
    expect(offers[0]!.over).toBe(true)
    expect(() => offers[0]!.accept({}, new Log())).toThrow('already answered')
    // The track can be offered anew, under the same alias.
    publisher.publish(TRACK, { trackAlias: 7, largest: null }, {})
    await link.settle()
    expect(offers).toHaveLength(2)
  })

  it('ends with PUBLISH_DONE, which is told once all its streams are closed (10.11)', async () => {
    const { link, publisher, offers } = await world()
    const publication = publisher.publish(TRACK, { trackAlias: 7, largest: null }, {})
    await link.settle()
    const log = new Log()
    offers[0]!.accept({}, log)
    object(publication, 0)
    object(publication, 1)
    await link.settle()
    publication.done(DoneCode.TRACK_ENDED, 'over')
    await link.settle()
    expect(log.lines.slice(-2)).toEqual([`done ${DoneCode.TRACK_ENDED}`, 'drained'])
  })
})

describe.runIf(spoken.rules.oneSubscriptionPerTrack)(
  'one subscription a track and role (draft-18 section 5.1)',
  () => {
    async function hostile() {
      const link = new TestLink()
      const offers: IncomingPublish[] = []
      const session = link.session('server', {
        onPublish: (offer) => offers.push(offer),
        onSubscribe: (request) => request.accept({ trackAlias: 1, largest: null }, {}),
      })
      const peer = link.raw('client')
      await link.settle()
      return { link, session, peer, offers }
    }

    it('refuses a second PUBLISH while the first is pending, and while it is accepted', async () => {
      const { link, peer, offers } = await hostile()
      peer.request(publishOf(TRACK, 7, 0))
      await link.settle()
      const second = peer.request(publishOf(TRACK, 8, 2))
      await link.settle()
      offers[0]!.accept({}, new Log())
      const third = peer.request(publishOf(TRACK, 9, 4))
      await link.settle()
      for (const { received } of [second, third]) {
        expect(received).toMatchObject([
          { type: 'REQUEST_ERROR', code: RequestCode.DUPLICATE_SUBSCRIPTION },
        ])
      }
      expect(offers).toHaveLength(1)
    })

    it('refuses a second SUBSCRIBE, and a SUBSCRIBE for what we offer', async () => {
      const { link, session, peer } = await hostile()
      const subscribe = (requestId: number, track = TRACK) =>
        peer.request({ type: 'SUBSCRIBE', requestId, track, parameters: {} })
      const first = subscribe(0)
      const second = subscribe(2)
      session.publish(OTHER, { trackAlias: 2, largest: null }, {})
      await link.settle()
      const third = subscribe(4, OTHER)
      await link.settle()
      expect(first.types).toEqual(['SUBSCRIBE_OK'])
      expect(second.received).toMatchObject([{ code: RequestCode.DUPLICATE_SUBSCRIPTION }])
      expect(third.received).toMatchObject([{ code: RequestCode.DUPLICATE_SUBSCRIPTION }])
      // Once the first is gone the track can be subscribed to anew.
      first.reset(ResetCode.CANCELLED)
      await link.settle()
      const fourth = subscribe(6)
      await link.settle()
      expect(fourth.types).toEqual(['SUBSCRIBE_OK'])
    })

    it('ends our SUBSCRIBE that has no answer before PUBLISH_OK is sent', async () => {
      const { link, session, peer, offers } = await hostile()
      const log = new Log()
      session.subscribe(TRACK, {}, log)
      const request = peer.request(publishOf())
      await link.settle()
      offers[0]!.accept({}, new Log())
      expect(log.lines).toEqual([`rejected 0x${RequestCode.DUPLICATE_SUBSCRIPTION.toString(16)}`])
      await link.settle()
      expect(request.types).toEqual(['REQUEST_OK'])
      expect(peer.requests[0]!.ended || peer.requests[0]!.cancelled.length > 0).toBe(true)
    })

    it('holds across the crossing of a SUBSCRIBE and a PUBLISH of two sessions', async () => {
      const link = new TestLink()
      const offers: IncomingPublish[] = []
      const publisher = link.session('client', {
        onSubscribe: () => expect.unreachable('it has a PUBLISH pending'),
      })
      const subscriber: Session = link.session('server', {
        onPublish: (offer) => offers.push(offer),
      })
      await link.settle()
      const asked = new Log()
      subscriber.subscribe(TRACK, {}, asked)
      const publication = publisher.publish(TRACK, { trackAlias: 7, largest: null }, {})
      await link.settle()
      expect(asked.lines).toEqual(['rejected 0x19'])
      offers[0]!.accept({}, new Log())
      await link.settle()
      expect(publication.established).toBe(true)
    })
  },
)

describe('track aliases of PUBLISH (draft-18 section 11.1)', () => {
  it('end the session when an established subscription to another track has it', async () => {
    const link = new TestLink()
    const offers: IncomingPublish[] = []
    const session = link.session('server', { onPublish: (offer) => offers.push(offer) })
    const peer = link.raw('client')
    await link.settle()
    peer.request(publishOf(TRACK, 7, 0))
    peer.request(publishOf(OTHER, 7, 2))
    await link.settle()
    offers[0]!.accept({}, new Log())
    await link.settle()
    // Accepted from anywhere, for instance a callback of another session: nothing is thrown here.
    offers[1]!.accept({}, new Log())
    await link.settle()
    expect(session.closed).toBe(true)
    expect(peer.closed?.code).toBe(SessionCode.DUPLICATE_TRACK_ALIAS)
  })

  it('may be used again by the publisher that withdrew its track', async () => {
    const { link, publisher, offers } = await world()
    const logs: Log[] = []
    for (const track of [TRACK, OTHER]) {
      const publication = publisher.publish(track, { trackAlias: 7, largest: null }, {})
      await link.settle()
      const log = new Log()
      logs.push(log)
      offers.at(-1)!.accept({}, log)
      object(publication, 1)
      await link.settle()
      publication.done(DoneCode.TRACK_ENDED, 'over')
      await link.settle()
    }
    expect(logs.map(({ lines }) => lines)).toEqual([
      ['object 1/0', 'end', 'done 2', 'drained'],
      ['object 1/0', 'end', 'done 2', 'drained'],
    ])
  })
})

describe('the answer to a PUBLISH', () => {
  async function offered() {
    const link = new TestLink()
    const told: string[] = []
    const session = link.session('server', {})
    const peer = link.raw('client')
    await link.settle()
    const publication = session.publish(
      TRACK,
      { trackAlias: 7, largest: null },
      {
        onAccepted: () => told.push('accepted'),
        onRejected: ({ code }) => told.push(`rejected ${code}`),
        onCancelled: () => told.push('cancelled'),
      },
    )
    await link.settle()
    return { link, session, peer, publication, told, request: peer.requests[0]! }
  }

  it('may come once (5.1)', async () => {
    const { link, peer, request } = await offered()
    const ok: ControlMessage = { type: 'REQUEST_OK', parameters: {}, properties: [] }
    request.send(ok, ok)
    await link.settle()
    expect(peer.closed?.code).toBe(SessionCode.PROTOCOL_VIOLATION)
  })

  it('has no track properties and no LARGEST_OBJECT (10.5)', async () => {
    for (const broken of [
      { parameters: {}, properties: [{ type: 2, value: 1 }] },
      { parameters: { largestObject: { group: 0, object: 0 } }, properties: [] },
    ]) {
      const { link, peer, request } = await offered()
      request.send({ type: 'REQUEST_OK', ...broken })
      await link.settle()
      expect(peer.closed?.code).toBe(SessionCode.PROTOCOL_VIOLATION)
    }
  })

  it('that is missing when the stream ends is a rejection', async () => {
    const fin = await offered()
    fin.request.finish()
    await fin.link.settle()
    expect(fin.told).toEqual([`rejected ${RequestCode.INTERNAL_ERROR}`])
    const reset = await offered()
    reset.request.reset(ResetCode.CANCELLED)
    await reset.link.settle()
    expect(reset.told).toEqual([`rejected ${RequestCode.INTERNAL_ERROR}`])
    expect(reset.session.closed).toBe(false)
  })

  it('may be followed by the end of the session, told once', async () => {
    const { link, session, request, told, publication } = await offered()
    request.send({ type: 'REQUEST_OK', parameters: {}, properties: [] })
    await link.settle()
    session.close(SessionCode.NO_ERROR, 'bye')
    expect(told).toEqual(['accepted', 'cancelled'])
    expect(publication.closed).toBe(true)
  })
})

describe('unsubscribing from what was taken by PUBLISH', () => {
  it('cancels the publication', async () => {
    const { link, publisher, offers } = await world()
    let cancelled = 0
    const publication = publisher.publish(
      TRACK,
      { trackAlias: 7, largest: null },
      { onCancelled: () => cancelled++ },
    )
    await link.settle()
    const subscription: Subscription = offers[0]!.accept({}, new Log())
    await link.settle()
    subscription.unsubscribe()
    await link.settle()
    expect(cancelled).toBe(1)
    expect(publication.closed).toBe(true)
  })
})
