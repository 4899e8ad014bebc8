import { describe, expect, it } from 'vitest'
import { DoneCode, RequestCode, SessionCode } from '../wire/codes.ts'
import type { Location } from '../wire/location.ts'
import type { ControlMessage, RequestUpdate } from '../wire/messages.ts'
import { namespaceOf, trackOf } from '../wire/names.ts'
import type { Parameters } from '../wire/parameters.ts'
import { codecFor } from '../wire/versions.ts'
import type { IncomingSubscribe } from './incoming-subscribe.ts'
import type { Publication } from './publication.ts'
import type { PublicationHandler } from './publication-handler.ts'
import type { IncomingPublish } from './publish.ts'
import { Log, TestLink } from './test-pair.ts'

const TRACK = trackOf(namespaceOf('room', 'ann'), 'audio')

function updateOf(requestId: number, parameters: Parameters): RequestUpdate {
  return { type: 'REQUEST_UPDATE', requestId, parameters }
}

/** A raw subscriber (client) of a track that a session (server) serves. */
async function served(handler: PublicationHandler = {}, parameters: Parameters = {}) {
  const link = new TestLink()
  let publication: Publication | null = null
  link.session('server', {
    onSubscribe: (request) => {
      publication = request.accept({ trackAlias: 1, largest: { group: 5, object: 2 } }, handler)
    },
  })
  const peer = link.raw('client')
  await link.settle()
  const request = peer.request({ type: 'SUBSCRIBE', requestId: 0, track: TRACK, parameters })
  await link.settle()
  return { link, peer, request, publication: publication! as Publication }
}

describe('REQUEST_UPDATE of a subscriber (draft-18 section 10.9)', () => {
  it('changes only what it gives, and is answered once with the Largest Object', async () => {
    const largest: Location = { group: 8, object: 3 }
    const { link, request, publication } = await served({
      largest: () => largest,
      expires: () => 9,
    })
    request.send(updateOf(2, { subscriberPriority: 3 }), updateOf(4, { objectDeliveryTimeout: 70 }))
    await link.settle()
    expect(publication).toMatchObject({
      subscriberPriority: 3,
      objectDeliveryTimeout: 70,
      forward: true,
    })
    const ok = { type: 'REQUEST_OK', parameters: { expires: 9, largestObject: largest } }
    expect(request.received.slice(1)).toMatchObject([ok, ok])
    expect(request.received).toHaveLength(3)
  })

  it('that turns the Forward State on saves the Joining Location (5.1)', async () => {
    let largest: Location = { group: 5, object: 2 }
    const { link, request, publication } = await served(
      { largest: () => largest },
      { forward: false },
    )
    expect(publication.joiningLocation).toEqual({ group: 5, object: 2 })
    expect(publication.passes(6, 0)).toBe(false)
    largest = { group: 7, object: 0 }
    request.send(updateOf(2, { forward: true }))
    await link.settle()
    expect(publication.passes(7, 1)).toBe(true)
    expect(publication.joiningLocation).toEqual({ group: 7, object: 0 })
    largest = { group: 9, object: 0 }
    request.send(updateOf(4, { forward: true }))
    await link.settle()
    expect(publication.joiningLocation).toEqual({ group: 7, object: 0 })
  })

  it('widens and narrows the filter, and resets streams that fall out of it (10.9.1, 11.4.3)', async () => {
    const { link, request, publication } = await served({
      largest: () => ({ group: 6, object: 0 }),
    })
    const open = (group: number) =>
      publication.openSubgroup(
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
    const [fifth, sixth] = [open(5), open(6)]
    request.send(
      updateOf(2, {
        filter: { kind: 'absolute-range', start: { group: 6, object: 1 }, endGroup: 9 },
      }),
    )
    await link.settle()
    expect([fifth.closed, sixth.closed]).toEqual([true, false])
    expect([
      publication.passes(6, 0),
      publication.passes(6, 1),
      publication.passes(9, 99),
      publication.passes(10, 0),
    ]).toEqual([false, true, true, false])
    request.send(
      updateOf(4, { filter: { kind: 'absolute-start', start: { group: 2, object: 0 } } }),
    )
    await link.settle()
    expect([publication.passes(2, 0), publication.passes(10, 0)]).toEqual([true, true])
    request.send(updateOf(6, { filter: { kind: 'next-group-start' } }))
    await link.settle()
    expect([publication.passes(6, 9), publication.passes(7, 0)]).toEqual([false, true])
    expect(sixth.closed).toBe(true)
    request.send(updateOf(8, { filter: { kind: 'largest-object' } }))
    await link.settle()
    expect([publication.passes(6, 0), publication.passes(6, 1)]).toEqual([false, true])
  })

  it('that fails is answered REQUEST_ERROR, then PUBLISH_DONE with UPDATE_FAILED (10.9.1)', async () => {
    let cancelled = 0
    const { link, request, publication } = await served({
      onUpdate: () => ({ code: RequestCode.UNAUTHORIZED, reason: 'no', retryAfterMs: null }),
      onCancelled: () => cancelled++,
    })
    request.send(updateOf(2, { forward: false }), updateOf(4, { forward: true }))
    await link.settle()
    expect(request.received.slice(1)).toMatchObject([
      { type: 'REQUEST_ERROR', code: RequestCode.UNAUTHORIZED },
      { type: 'PUBLISH_DONE', status: DoneCode.UPDATE_FAILED, streamCount: 0 },
    ])
    expect(request.ended).toBe(true)
    expect(publication.closed).toBe(true)
    expect(cancelled).toBe(1)
  })

  it('fails with INVALID_RANGE when its end group is published already (5.1.2)', async () => {
    const { link, request } = await served({ largest: () => ({ group: 8, object: 0 }) })
    request.send(
      updateOf(2, {
        filter: { kind: 'absolute-range', start: { group: 2, object: 0 }, endGroup: 7 },
      }),
    )
    await link.settle()
    expect(request.received[1]).toMatchObject({ code: RequestCode.INVALID_RANGE })
  })

  it('waits for the answer to its SUBSCRIBE, and costs the session nothing', async () => {
    const link = new TestLink()
    const requests: IncomingSubscribe[] = []
    const updates: Parameters[] = []
    const session = link.session('server', { onSubscribe: (request) => requests.push(request) })
    const peer = link.raw('client')
    await link.settle()
    const request = peer.request(
      { type: 'SUBSCRIBE', requestId: 0, track: TRACK, parameters: {} },
      updateOf(2, { forward: false }),
      updateOf(4, { subscriberPriority: 1 }),
    )
    request.finish()
    await link.settle()
    expect(request.received).toEqual([])
    const publication = requests[0]!.accept(
      { trackAlias: 1, largest: null },
      {
        onUpdate: (parameters) => {
          updates.push(parameters)
        },
      },
    )
    expect(updates).toEqual([])
    await link.settle()
    expect(updates).toEqual([{ forward: false }, { subscriberPriority: 1 }])
    expect(request.types).toEqual(['SUBSCRIBE_OK', 'REQUEST_OK', 'REQUEST_OK'])
    expect(publication.forward).toBe(false)
    expect(session.closed).toBe(false)
  })

  it('is worth nothing to a peer that reads no answers: it loses the request only', async () => {
    const link = new TestLink()
    let cancelled = 0
    const limits: string[] = []
    const session = link.session(
      'server',
      {
        onSubscribe: (request) =>
          request.accept({ trackAlias: 1, largest: null }, { onCancelled: () => cancelled++ }),
        onLimit: (limit) => limits.push(limit),
      },
      { limits: { maxUnreadRequestBytes: 1000 } },
    )
    const peer = link.raw('client')
    await link.settle()
    const request = peer.request({ type: 'SUBSCRIBE', requestId: 0, track: TRACK, parameters: {} })
    await link.settle()
    request.pause()
    for (let id = 2; id < 2000; id += 2) request.send(updateOf(id, { forward: true }))
    await link.settle()
    expect(cancelled).toBe(1)
    expect(limits).toEqual(['maxUnreadRequestBytes'])
    expect([session.closed, session.openRequests]).toEqual([false, 0])
  })

  it('that came with its SUBSCRIBE before SETUP is not lost (3.3)', async () => {
    const link = new TestLink()
    const accepted: Publication[] = []
    link.session('server', {
      onSubscribe: (request) => accepted.push(request.accept({ trackAlias: 1, largest: null }, {})),
    })
    const codec = codecFor('moqt-18')
    const { client } = link.pair
    client.handler = null
    const stream = client.openBidi(1)!
    stream.send.write(
      codec.encode({ type: 'SUBSCRIBE', requestId: 0, track: TRACK, parameters: {} }),
    )
    stream.send.write(codec.encode(updateOf(2, { forward: false })))
    await link.settle()
    expect(accepted).toEqual([])
    client.openUni(0)!.write(codec.encode({ type: 'SETUP', options: [] }))
    await link.settle()
    expect(accepted.map(({ forward }) => forward)).toEqual([false])
  })

  it.each<[string, ControlMessage]>([
    ['uses a request id twice (10.1)', updateOf(0, {})],
    ['uses an id of the other side (10.1)', updateOf(3, {})],
    [
      'has a parameter of another request (10.2.14)',
      updateOf(2, { namespacePrefix: namespaceOf('room') }),
    ],
  ])('ends the session when it %s', async (_, update) => {
    const { link, peer, request } = await served()
    request.send(update)
    await link.settle()
    const expected =
      update.type === 'REQUEST_UPDATE' && update.requestId === 2
        ? SessionCode.PROTOCOL_VIOLATION
        : SessionCode.INVALID_REQUEST_ID
    expect(peer.closed?.code).toBe(expected)
  })
})

describe('REQUEST_UPDATE of ours', () => {
  async function subscribed() {
    const link = new TestLink()
    const session = link.session('client', {})
    const peer = link.raw('server')
    await link.settle()
    const log = new Log()
    const subscription = session.subscribe(TRACK, {}, log)
    await link.settle()
    const request = peer.requests[0]!
    request.send({ type: 'SUBSCRIBE_OK', trackAlias: 1, parameters: {}, properties: [] })
    await link.settle()
    const results: string[] = []
    const update = (parameters: Parameters) =>
      subscription.update(parameters, (error, { largestObject }) =>
        results.push(error ? `error ${error.code}` : `ok ${largestObject?.group}`),
      )
    return { link, peer, log, subscription, request, results, update }
  }

  it('is told its answer, in order', async () => {
    const { link, request, results, update } = await subscribed()
    update({ forward: false })
    update({ forward: true })
    await link.settle()
    expect(request.types).toEqual(['SUBSCRIBE', 'REQUEST_UPDATE', 'REQUEST_UPDATE'])
    for (const group of [1, 2]) {
      const parameters = { largestObject: { group, object: 0 } }
      request.send({ type: 'REQUEST_OK', parameters, properties: [] })
    }
    await link.settle()
    expect(results).toEqual(['ok 1', 'ok 2'])
  })

  it('that fails is told so, and so is what follows it, before the end (10.9.1)', async () => {
    const { link, log, request, results, update } = await subscribed()
    update({ forward: false })
    update({ forward: true })
    await link.settle()
    request.send(
      { type: 'REQUEST_ERROR', code: RequestCode.UNAUTHORIZED, retryAfterMs: null, reason: 'no' },
      { type: 'PUBLISH_DONE', status: DoneCode.UPDATE_FAILED, streamCount: 0, reason: 'no' },
    )
    await link.settle()
    expect(results).toEqual(['error 1', 'error 1'])
    expect(log.lines).toEqual(['accepted', `done ${DoneCode.UPDATE_FAILED}`, 'drained'])
  })

  it('has one answer: more of them end the session (5.1)', async () => {
    for (const answer of [
      { type: 'REQUEST_OK', parameters: {}, properties: [] },
      { type: 'REQUEST_ERROR', code: 0, retryAfterMs: null, reason: '' },
    ] satisfies ControlMessage[]) {
      const { link, peer, request } = await subscribed()
      request.send(answer)
      await link.settle()
      expect(peer.closed?.code).toBe(SessionCode.PROTOCOL_VIOLATION)
    }
  })
})

describe('REQUEST_UPDATE on the stream of a PUBLISH', () => {
  async function published(onTokens = true) {
    const link = new TestLink()
    const offers: IncomingPublish[] = []
    const publisher = link.session('client', {})
    const subscriber = link.session('server', {
      onPublish: (offer) => offers.push(offer),
      ...(onTokens && {
        onTokens: (tokens, decide) => {
          const bad = tokens.some((token) => token.kind === 'use-alias')
          const refusal = {
            code: RequestCode.EXPIRED_AUTH_TOKEN,
            reason: 'late',
            retryAfterMs: null,
          }
          decide(bad ? refusal : null)
        },
      }),
    })
    await link.settle()
    const told: string[] = []
    const publication = publisher.publish(
      TRACK,
      { trackAlias: 7, largest: null },
      { onCancelled: () => told.push('cancelled') },
    )
    await link.settle()
    const log = new Log()
    const subscription = offers[0]!.accept({}, log)
    await link.settle()
    return { link, publisher, subscriber, publication, subscription, log, told }
  }

  it('is the subscriber’s to send as well as the publisher’s', async () => {
    const { link, publication, subscription, publisher, subscriber } = await published()
    const results: string[] = []
    subscription.update({ forward: false }, (error) => results.push(`subscriber ${error?.code}`))
    publication.update(
      { authorizationTokens: [{ kind: 'use-value', type: 0, value: Uint8Array.of(1) }] },
      (error) => results.push(`publisher ${error?.code}`),
    )
    await link.settle()
    expect(results.sort()).toEqual(['publisher undefined', 'subscriber undefined'])
    expect(publication.forward).toBe(false)
    expect([publisher.closed, subscriber.closed]).toEqual([false, false])
  })

  it('of the publisher’s that fails ends the subscription on both sides (10.9.1)', async () => {
    const { link, publication, log, told, subscriber } = await published()
    const results: (number | undefined)[] = []
    publication.update({ authorizationTokens: [{ kind: 'use-alias', alias: 1 }] }, (error) =>
      results.push(error?.code),
    )
    await link.settle()
    expect(results).toEqual([RequestCode.EXPIRED_AUTH_TOKEN])
    expect(told).toEqual(['cancelled'])
    expect(publication.closed).toBe(true)
    expect(log.lines).toEqual([`done ${DoneCode.UPDATE_FAILED}`, 'drained'])
    expect(subscriber.closed).toBe(false)
  })
})
