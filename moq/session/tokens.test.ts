import { describe, expect, it } from 'vitest'
import { RequestCode, ResetCode, SessionCode } from '../wire/codes.ts'
import { ProtocolError } from '../wire/errors.ts'
import type { ControlMessage } from '../wire/messages.ts'
import { namespaceOf, trackOf } from '../wire/names.ts'
import type { AuthorizationToken } from '../wire/parameters.ts'
import type { RequestRefusal, SessionHandler } from './handler.ts'
import type { IncomingPublish } from './publish.ts'
import { Log, TestLink } from './test-pair.ts'

const ROOM = namespaceOf('room')
const TRACK = trackOf(ROOM, 'audio')
const TOKEN: AuthorizationToken = { kind: 'use-value', type: 0, value: Uint8Array.of(1, 2) }
const NO: RequestRefusal = { code: RequestCode.UNAUTHORIZED, reason: 'no', retryAfterMs: null }

type Decide = (refusal: RequestRefusal | null) => void

/** A server that decides on tokens when a test says so, and a raw client. */
async function world(handler: SessionHandler = {}) {
  const link = new TestLink()
  const asked: { tokens: readonly AuthorizationToken[]; decide: Decide }[] = []
  const seen: string[] = []
  const session = link.session('server', {
    onTokens: (tokens, decide) => asked.push({ tokens, decide }),
    onSubscribe: (request) => {
      seen.push('subscribe')
      request.accept(
        { trackAlias: 1, largest: null },
        {
          onUpdate: (parameters) => {
            seen.push(`update ${parameters.subscriberPriority}`)
          },
        },
      )
    },
    ...handler,
  })
  const peer = link.raw('client')
  await link.settle()
  return { link, session, peer, asked, seen }
}

function subscribe(requestId = 0, tokens: AuthorizationToken[] | null = [TOKEN]): ControlMessage {
  const parameters = tokens ? { authorizationTokens: tokens } : {}
  return { type: 'SUBSCRIBE', requestId, track: TRACK, parameters }
}

function update(requestId: number, subscriberPriority: number, token = false): ControlMessage {
  const authorizationTokens = token ? [TOKEN] : undefined
  return {
    type: 'REQUEST_UPDATE',
    requestId,
    parameters: { subscriberPriority, ...(authorizationTokens && { authorizationTokens }) },
  }
}

describe('tokens of requests (draft-18 section 10.2.2)', () => {
  it('are asked about before anything else, also where there are none', async () => {
    const { link, peer, asked, seen } = await world()
    const first = peer.request(subscribe())
    peer.request({ type: 'PUBLISH_NAMESPACE', requestId: 2, namespace: ROOM, parameters: {} })
    await link.settle()
    expect(asked.map(({ tokens }) => tokens.length)).toEqual([1, 0])
    expect(seen).toEqual([])
    asked[0]!.decide(null)
    await link.settle()
    expect(seen).toEqual(['subscribe'])
    expect(first.types).toEqual(['SUBSCRIBE_OK'])
  })

  it('that are refused refuse the request and nothing else', async () => {
    const { link, peer, asked, seen, session } = await world()
    const request = peer.request(subscribe())
    await link.settle()
    asked[0]!.decide(NO)
    asked[0]!.decide(null)
    await link.settle()
    expect(request.received).toMatchObject([{ type: 'REQUEST_ERROR', ...NO }])
    expect(request.ended).toBe(true)
    expect(seen).toEqual([])
    expect(session.closed).toBe(false)
  })

  it('that wait hold what follows on their stream, in order, and no other stream', async () => {
    const { link, peer, asked, seen } = await world()
    const slow = peer.request(subscribe(0), update(2, 1), update(4, 2, true), update(6, 3))
    const other = peer.request({
      type: 'SUBSCRIBE',
      requestId: 8,
      track: trackOf(ROOM, 'video'),
      parameters: {},
    })
    await link.settle()
    expect(asked).toHaveLength(2)
    asked[1]!.decide(null)
    await link.settle()
    expect(other.types).toEqual(['SUBSCRIBE_OK'])
    expect(slow.received).toEqual([])
    asked[0]!.decide(null)
    await link.settle()
    // The second update brings a token of its own, and holds the third.
    expect(seen).toEqual(['subscribe', 'subscribe', 'update 1'])
    expect(asked).toHaveLength(3)
    slow.send(update(10, 4))
    slow.finish()
    await link.settle()
    asked[2]!.decide(null)
    await link.settle()
    expect(seen.slice(2)).toEqual(['update 1', 'update 2', 'update 3', 'update 4'])
    expect(slow.types.filter((type) => type === 'REQUEST_OK')).toHaveLength(4)
  })

  it('are asked about for requests that are refused for another reason', async () => {
    const { link, peer, asked } = await world()
    const request = peer.request({
      type: 'SUBSCRIBE_TRACKS',
      requestId: 0,
      prefix: ROOM,
      parameters: { authorizationTokens: [TOKEN] },
    })
    await link.settle()
    expect(asked).toHaveLength(1)
    asked[0]!.decide(null)
    await link.settle()
    expect(request.received).toMatchObject([{ code: RequestCode.NOT_SUPPORTED }])
  })

  it('may be decided after the request was cancelled, or the session is over', async () => {
    const { link, peer, asked, seen, session } = await world()
    const cancelled = peer.request(subscribe())
    peer.request(subscribe(2))
    await link.settle()
    cancelled.reset(ResetCode.CANCELLED)
    await link.settle()
    asked[0]!.decide(null)
    await link.settle()
    expect(cancelled.received).toEqual([])
    session.close(SessionCode.NO_ERROR, 'bye')
    asked[1]!.decide(null)
    await link.settle()
    expect(seen).toEqual([])
  })

  it('end the session where the owner says so', async () => {
    const { link, peer } = await world({
      onTokens: () => {
        throw new ProtocolError('no such alias', SessionCode.UNKNOWN_AUTH_TOKEN_ALIAS)
      },
    })
    peer.request(subscribe())
    await link.settle()
    expect(peer.closed?.code).toBe(SessionCode.UNKNOWN_AUTH_TOKEN_ALIAS)
  })

  it('of a PUBLISH are decided before its objects are delivered', async () => {
    const offers: IncomingPublish[] = []
    const { link, peer, asked } = await world({ onPublish: (offer) => offers.push(offer) })
    const publish = (requestId: number, trackAlias: number, name: string): ControlMessage => ({
      type: 'PUBLISH',
      requestId,
      track: trackOf(ROOM, name),
      trackAlias,
      parameters: { authorizationTokens: [TOKEN] },
      properties: [],
    })
    peer.request(publish(0, 7, 'a'))
    peer.request(publish(2, 8, 'b'))
    peer.subgroup(7, 0, 0)
    const stopped = peer.subgroup(8, 0, 0, false)
    await link.settle()
    expect(offers).toEqual([])
    asked[0]!.decide(null)
    asked[1]!.decide(NO)
    const log = new Log()
    offers[0]!.accept({}, log)
    await link.settle()
    expect(log.lines).toEqual(['object 0/0', 'end'])
    expect(stopped).toEqual([ResetCode.CANCELLED])
  })

  it('that are never decided on hold no more than the peer may send at once', async () => {
    const { link, peer, session } = await world()
    const flood = Array.from({ length: 40_000 }, (_, index) => update(2 + 2 * index, 1))
    const request = peer.request(subscribe(), ...flood)
    await link.settle()
    expect(request.cancelled).toContain(ResetCode.EXCESSIVE_LOAD)
    expect(session.closed).toBe(false)
  })
})
