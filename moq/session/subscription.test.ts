import { describe, expect, it } from 'vitest'
import { DoneCode, RequestCode, ResetCode, SessionCode } from '../wire/codes.ts'
import { namespaceOf, trackOf } from '../wire/names.ts'
import type { Property } from '../wire/properties.ts'
import type { Session } from './session.ts'
import type { Subscription } from './subscription.ts'
import { Log, type RawPeer, type RawRequest, TestLink } from './test-pair.ts'

const TRACK = trackOf(namespaceOf('room', 'ann'), 'audio')
const DONE = DoneCode.TRACK_ENDED

interface World {
  readonly link: TestLink
  readonly session: Session
  readonly peer: RawPeer
  readonly request: RawRequest
  readonly subscription: Subscription
  readonly log: Log
}

/** Our subscription (client) with a raw publisher (server). */
async function world(
  properties: readonly Property[] = [],
  known: readonly number[] = [],
): Promise<World> {
  const link = new TestLink()
  const session = link.session('client', {}, { knownProperties: new Set(known) })
  const peer = link.raw('server')
  await link.settle()
  const log = new Log()
  const subscription = session.subscribe(TRACK, {}, log)
  await link.settle()
  const request = peer.requests[0]!
  request.send({ type: 'SUBSCRIBE_OK', trackAlias: 1, parameters: {}, properties })
  await link.settle()
  return { link, session, peer, request, subscription, log }
}

function done({ request }: World, streamCount: number | null): void {
  request.send({ type: 'PUBLISH_DONE', status: DONE, streamCount, reason: '' })
  request.finish()
}

describe('PUBLISH_DONE (draft-18 section 10.11)', () => {
  it('leaves the alias to streams that come late, until the stream count is reached', async () => {
    const it = await world()
    it.peer.subgroup(1, 0, 0)
    done(it, 2)
    await it.link.settle()
    expect(it.log.lines).toEqual(['accepted', 'object 0/0', 'end', 'done 2'])
    it.peer.subgroup(1, 1, 0)
    await it.link.settle()
    expect(it.log.lines.slice(4)).toEqual(['object 1/0', 'end', 'drained'])
    const stopped = it.peer.subgroup(1, 2, 0, false)
    await it.link.settle()
    expect(stopped).toEqual([ResetCode.CANCELLED])
    expect(it.session.closed).toBe(false)
  })

  it('with a wrong count, or none, ends after a time as long as the delivery timeouts', async () => {
    for (const count of [5, null]) {
      const it = await world([{ type: 0x02, value: 4000 }])
      done(it, count)
      await it.link.settle()
      it.link.clock.advance(3999)
      expect(it.log.lines).not.toContain('drained')
      it.link.clock.advance(1)
      expect(it.log.lines).toEqual(['accepted', 'done 2', 'drained'])
    }
  })

  it('waits for streams that are open when the time is over', async () => {
    const it = await world()
    const stream = it.peer.transport.openUni(1)!
    stream.write(Uint8Array.of(0x30, 1, 0))
    await it.link.settle()
    done(it, null)
    await it.link.settle()
    it.link.clock.advance(2000)
    expect(it.log.lines).not.toContain('drained')
    stream.write(Uint8Array.of(0, 1, 9))
    stream.finish()
    await it.link.settle()
    expect(it.log.lines.slice(-3)).toEqual(['object 0/0', 'end', 'drained'])
  })

  it('counts streams that their owner stopped as done with', async () => {
    const it = await world()
    const log = it.log as Log & { onSubgroup?: (subgroup: { stop(code: number): void }) => void }
    log.onSubgroup = (subgroup) => subgroup.stop(ResetCode.CANCELLED)
    it.peer.subgroup(1, 0, 0, false)
    await it.link.settle()
    done(it, 1)
    await it.link.settle()
    expect(log.lines).toEqual(['accepted', 'done 2', 'drained'])
  })

  it('can be followed by unsubscribing, which turns the rest away', async () => {
    const it = await world()
    done(it, 3)
    await it.link.settle()
    it.subscription.unsubscribe()
    const stopped = it.peer.subgroup(1, 0, 0, false)
    await it.link.settle()
    expect(stopped).toEqual([ResetCode.CANCELLED])
    it.link.clock.advance(60_000)
    expect(it.log.lines).toEqual(['accepted', 'done 2'])
  })

  it('is the end of it with the session too', async () => {
    const it = await world()
    done(it, 3)
    await it.link.settle()
    it.session.close(SessionCode.NO_ERROR, 'bye')
    expect(it.log.lines).toEqual(['accepted', 'done 2', 'drained'])
    const other = await world()
    other.session.close(SessionCode.NO_ERROR, 'bye')
    expect(other.log.lines).toEqual(['accepted', 'done 0', 'drained'])
  })

  it('of many subscriptions at once keeps no more than a bounded number of them', async () => {
    const link = new TestLink({ streamCredit: { bidi: 5000 } })
    const session = link.session('client', {})
    const peer = link.raw('server')
    await link.settle()
    const logs = Array.from({ length: 1100 }, (_, index) => {
      const log = new Log()
      session.subscribe(trackOf(namespaceOf('room'), `${index}`), {}, log)
      return log
    })
    await link.settle()
    peer.requests.forEach((request, index) => {
      request.send(
        { type: 'SUBSCRIBE_OK', trackAlias: index, parameters: {}, properties: [] },
        { type: 'PUBLISH_DONE', status: DONE, streamCount: null, reason: '' },
      )
    })
    await link.settle()
    expect(logs.filter(({ lines }) => lines.includes('drained'))).toHaveLength(1100 - 1024)
  })
})

describe('track properties in SUBSCRIBE_OK', () => {
  it('that are mandatory and unknown cancel the subscription (2.5.1)', async () => {
    for (const properties of [
      [{ type: 0x4000, value: 1 }],
      // Inside Immutable Properties: delta 0x7ffe as a vi64, value 1.
      [{ type: 0x0b, value: Uint8Array.of(0xc0, 0x7f, 0xfe, 1) }],
    ]) {
      const it = await world(properties)
      expect(it.log.lines).toEqual([`rejected 0x${RequestCode.UNSUPPORTED_EXTENSION.toString(16)}`])
      expect(it.request.cancelled).toContain(ResetCode.CANCELLED)
      const stopped = it.peer.subgroup(1, 0, 0, false)
      await it.link.settle()
      expect(stopped).toEqual([ResetCode.CANCELLED])
      expect(it.session.closed).toBe(false)
      expect(it.session.openRequests).toBe(0)
    }
  })

  it('are taken when they are known, or not mandatory', async () => {
    expect((await world([{ type: 0x4000, value: 1 }], [0x4000])).log.lines).toEqual(['accepted'])
    expect((await world([{ type: 0x8000, value: 1 }])).log.lines).toEqual(['accepted'])
  })

  it('that cannot be read, or are nested, cost the subscription only (12.7)', async () => {
    for (const value of [Uint8Array.of(2), Uint8Array.of(0x0b, 0)]) {
      const it = await world([{ type: 0x0b, value }])
      expect(it.log.lines).toEqual([`rejected 0x${RequestCode.MALFORMED_TRACK.toString(16)}`])
      expect(it.session.closed).toBe(false)
    }
  })

  it('with a value that the draft forbids end the session (12.5, 12.6)', async () => {
    for (const property of [
      { type: 0x22, value: 3 },
      { type: 0x30, value: 2 },
    ]) {
      expect((await world([property])).peer.closed?.code).toBe(SessionCode.PROTOCOL_VIOLATION)
    }
  })
})

describe('a subscription of ours', () => {
  it('that is refused is told the redirect as it came (10.6.1)', async () => {
    const link = new TestLink()
    const session = link.session('client', {})
    const peer = link.raw('server')
    await link.settle()
    const errors: unknown[] = []
    session.subscribe(TRACK, {}, { onObject() {}, onRejected: (error) => errors.push(error) })
    await link.settle()
    const error = {
      type: 'REQUEST_ERROR' as const,
      code: RequestCode.REDIRECT,
      retryAfterMs: 5,
      reason: 'there',
      redirect: { connectUri: 'moqt://b.example', track: TRACK },
    }
    peer.requests[0]!.send(error)
    await link.settle()
    expect(errors).toEqual([error])
  })

  it('with the same alias as another track ends the session (11.1)', async () => {
    const it = await world()
    it.session.subscribe(trackOf(namespaceOf('room'), 'other'), {}, new Log())
    await it.link.settle()
    const again = { type: 'SUBSCRIBE_OK', trackAlias: 1, parameters: {}, properties: [] } as const
    it.peer.requests[1]!.send(again)
    await it.link.settle()
    expect(it.peer.closed?.code).toBe(SessionCode.DUPLICATE_TRACK_ALIAS)
  })

  it('outlives requests whose ids never came: what was reset is not waited for (10.1)', async () => {
    const link = new TestLink()
    const session = link.session('server', {})
    const peer = link.raw('client')
    await link.settle()
    for (let id = 2; id < 10_000; id += 2) {
      peer.request({ type: 'SUBSCRIBE', requestId: id, track: TRACK, parameters: {} }).finish()
      await link.settle()
    }
    expect(session.closed).toBe(false)
    const twice = { type: 'SUBSCRIBE', requestId: 9998, track: TRACK, parameters: {} } as const
    peer.request(twice)
    await link.settle()
    expect(peer.closed?.code).toBe(SessionCode.INVALID_REQUEST_ID)
  })
})
