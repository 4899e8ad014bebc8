import { describe, expect, it } from 'vitest'
import { RequestCode } from '../wire/codes.ts'
import type { ControlMessage } from '../wire/messages.ts'
import { namespaceOf, trackOf } from '../wire/names.ts'
import type { Property } from '../wire/properties.ts'
import type { IncomingPublish } from './publish.ts'
import { Log, type RawPeer, TestLink } from './test-pair.ts'
import type { TrackState } from './track-status.ts'

const TRACK = trackOf(namespaceOf('room', 'ann'), 'audio')

function publish(requestId: number, trackAlias: number): ControlMessage {
  return { type: 'PUBLISH', requestId, track: TRACK, trackAlias, parameters: {}, properties: [] }
}
const done = (streamCount: number): ControlMessage => ({
  type: 'PUBLISH_DONE',
  status: 2,
  streamCount,
  reason: '',
})

/** A raw publisher (client) and a session that accepts each PUBLISH at once. */
async function world() {
  const link = new TestLink()
  const peer = link.raw('client')
  const log = new Log()
  const accept = (offer: IncomingPublish) => offer.accept({}, log)
  const session = link.session('server', { onPublish: accept })
  await link.settle()
  return { link, peer, session, log }
}

describe('a subscription by PUBLISH', () => {
  it('is no request of the session once it is over (draft-18 section 10.11)', async () => {
    const { link, peer, session } = await world()
    for (let i = 0; i < 3; i++) {
      const request = peer.request(publish(2 * i, i))
      await link.settle()
      expect(session.openRequests).toBe(1)
      request.send(done(0))
      await link.settle()
      expect(session.openRequests).toBe(0)
    }
  })

  it('that ends in the same piece as it began gets the streams that come then', async () => {
    const { link, peer, log } = await world()
    peer.request(publish(0, 7), done(1))
    peer.subgroup(7, 3, 0)
    await link.settle()
    expect(log.lines).toEqual(['done 2', 'object 3/0', 'end', 'drained'])
    expect(peer.closed).toBeNull()
  })
})

describe('the end of a session', () => {
  it('ends a subscription of which only a stream is left', async () => {
    const { link, peer, session, log } = await world()
    const request = peer.request(publish(0, 7))
    await link.settle()
    peer.subgroup(7, 3, 0, false)
    request.send(done(1))
    await link.settle()
    link.clock.advance(60_000)
    await link.settle()
    expect(log.lines).toEqual(['object 3/0', 'done 2'])
    session.close(0, '')
    await link.settle()
    expect(log.lines.at(-1)).toBe('drained')
  })
})

describe('a request that waits for stream credit', () => {
  it('takes no stream once it is given up', async () => {
    const link = new TestLink({ streamCredit: { bidi: 1 } })
    const peer: RawPeer = link.raw('server')
    const session = link.session('client', {})
    await link.settle()
    session.subscribe(TRACK, {}, new Log())
    for (let i = 0; i < 5; i++) session.subscribe(TRACK, {}, new Log()).unsubscribe()
    session.subscribe(trackOf(namespaceOf('b'), 'last'), {}, new Log())
    await link.settle()
    expect(peer.requests.length).toBe(1)
    peer.requests[0]!.send({ type: 'REQUEST_ERROR', code: 0, retryAfterMs: null, reason: '' })
    peer.requests[0]!.finish()
    await link.settle()
    expect(peer.requests.length).toBe(2)
    expect(peer.requests[1]!.received[0]).toMatchObject({ type: 'SUBSCRIBE', requestId: 12 })
  })
})

describe('a request of any kind that waits for stream credit', () => {
  it('is never sent once it is given up, by its owner or with the session', async () => {
    const link = new TestLink({ streamCredit: { bidi: 1 } })
    const peer: RawPeer = link.raw('server')
    const session = link.session('client', {})
    await link.settle()
    session.subscribe(TRACK, {}, new Log())
    const prefix = namespaceOf('b')
    const range = {
      kind: 'standalone' as const,
      track: TRACK,
      start: { group: 0, object: 0 },
      end: { group: 1, object: 0 },
    }
    session.fetch(range, { onObject() {} }).cancel()
    session.trackStatus(TRACK, { onStatus() {}, onRejected() {} }).cancel()
    session.publish(TRACK, { trackAlias: 1, largest: null }, {}).done(0, '')
    session.subscribeTracks(prefix, {}).cancel()
    session.subscribeNamespace(prefix, { onNamespace() {}, onNamespaceDone() {} }).cancel()
    session.publishNamespace(prefix, {}).withdraw()
    expect(session.openRequests).toBe(1)
    session.publishNamespace(namespaceOf('last'), {})
    await link.settle()
    peer.requests[0]!.send({ type: 'REQUEST_ERROR', code: 0, retryAfterMs: null, reason: '' })
    peer.requests[0]!.finish()
    await link.settle()
    expect(peer.requests.map(({ types }) => types)).toEqual([['SUBSCRIBE'], ['PUBLISH_NAMESPACE']])
    const waiting = session.subscribeTracks(prefix, {})
    session.close(0, '')
    await link.settle()
    expect([waiting.over, peer.requests.length]).toEqual([true, 2])
  })
})

describe('the answer to a TRACK_STATUS', () => {
  it('with properties that cannot be taken is a refusal (sections 2.5.1 and 12)', async () => {
    const mandatory: Property[] = [{ type: 0x4000, value: 1 }]
    const malformed: Property[] = [{ type: 0x0e, value: 256 }]
    const huge: Property[] = [{ type: 0x0d, value: new Uint8Array(20_000) }]
    const { UNSUPPORTED_EXTENSION, MALFORMED_TRACK, EXCESSIVE_LOAD } = RequestCode
    for (const [properties, code] of [
      [mandatory, UNSUPPORTED_EXTENSION],
      [malformed, MALFORMED_TRACK],
      [huge, EXCESSIVE_LOAD],
      [[], null],
    ] as const) {
      const link = new TestLink()
      const peer = link.raw('server')
      const session = link.session('client', {})
      await link.settle()
      const states: TrackState[] = []
      const codes: unknown[] = []
      session.trackStatus(TRACK, {
        onStatus: (state) => states.push(state),
        onRejected: (error) => codes.push(error?.code),
      })
      await link.settle()
      peer.requests[0]!.send({ type: 'REQUEST_OK', parameters: {}, properties })
      await link.settle()
      expect([states.length, codes]).toEqual(code === null ? [1, []] : [0, [code]])
    }
  })
})
