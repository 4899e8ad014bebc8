import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RequestCode, ResetCode, SessionCode } from '../wire/codes.ts'
import { encodeFetchHeader, type FetchObject, FetchObjectWriter } from '../wire/fetch.ts'
import type { FetchOk, FetchRange } from '../wire/messages.ts'
import { namespaceOf, trackOf } from '../wire/names.ts'
import type { FetchHandler } from './fetch-request.ts'
import { type RawPeer, TestLink } from './test-pair.ts'

const RANGE: FetchRange = {
  kind: 'standalone',
  track: trackOf(namespaceOf('a'), 'b'),
  start: { group: 1, object: 2 },
  end: { group: 3, object: 0 },
}

function ok(end = { group: 3, object: 0 }, extra: Partial<FetchOk> = {}): FetchOk {
  return { type: 'FETCH_OK', endOfTrack: false, end, parameters: {}, properties: [], ...extra }
}

function object(group: number, id: number): FetchObject {
  const payload = Uint8Array.of(group, id)
  return { group, object: id, subgroup: 0, priority: 7, properties: new Uint8Array(0), payload }
}

class Lines implements FetchHandler {
  readonly lines: string[] = []
  onAccepted({ end }: { end: { group: number; object: number } }) {
    this.lines.push(`accepted ${end.group}/${end.object}`)
  }
  onRejected({ code }: { code: number }) {
    this.lines.push(`rejected 0x${code.toString(16)}`)
  }
  onObject({ group, object }: { group: number; object: number }) {
    this.lines.push(`object ${group}/${object}`)
  }
  onRangeEnd({ group, object, kind }: { group: number; object: number; kind: string }) {
    this.lines.push(`${kind} to ${group}/${object}`)
  }
  onEnd() {
    this.lines.push('end')
  }
  onReset(code: number) {
    this.lines.push(`reset ${code}`)
  }
  onGoaway({ newSessionUri }: { newSessionUri: string }) {
    this.lines.push(`goaway ${newSessionUri}`)
  }
}

async function world(range = RANGE, parameters = {}) {
  const link = new TestLink()
  const session = link.session('client', {})
  const peer = link.raw('server')
  await link.settle()
  const log = new Lines()
  const fetch = session.fetch(range, log, parameters)
  await link.settle()
  return { link, session, peer, log, fetch, request: peer.requests[0]! }
}

/** A data stream; what stopped it is in `stopped`. */
function respond(peer: RawPeer, requestId: number, objects: Uint8Array[], finish = true) {
  const stream = peer.transport.openUni(1)!
  const stopped: number[] = []
  stream.handler = { onStopped: (code) => stopped.push(code) }
  stream.write(encodeFetchHeader({ requestId }))
  for (const bytes of objects) stream.write(bytes)
  if (finish) stream.finish()
  return { stream, stopped }
}

describe('a FETCH of ours (section 10.12)', () => {
  const writer = () => new FetchObjectWriter('ascending', 128)

  it('is the first message of its stream and has its range', async () => {
    const { request } = await world(RANGE, { subscriberPriority: 3 })
    expect(request.received).toEqual([
      { type: 'FETCH', requestId: 0, range: RANGE, parameters: { subscriberPriority: 3 } },
    ])
  })

  it('delivers objects before, between and after FETCH_OK, and ends with both', async () => {
    const { link, peer, log, request, session } = await world()
    const encoder = writer()
    const { stream } = respond(peer, 0, [encoder.object(object(1, 2))], false)
    await link.settle()
    request.send(ok())
    await link.settle()
    stream.write(encoder.rangeEnd({ group: 2, object: 4, kind: 'unknown' }))
    stream.write(encoder.object(object(2, 9)))
    stream.finish()
    await link.settle()
    expect(log.lines).toEqual(['object 1/2', 'accepted 3/0', 'unknown to 2/4', 'object 2/9', 'end'])
    expect(request.ended).toBe(true)
    expect(session.openRequests).toBe(0)
  })

  it('ends only with FETCH_OK when every object came before it', async () => {
    const { link, peer, log, request } = await world()
    respond(peer, 0, [])
    await link.settle()
    expect(log.lines).toEqual([])
    request.send(ok())
    await link.settle()
    expect(log.lines).toEqual(['accepted 3/0', 'end'])
  })

  it('reads groups by the order of the request, ascending unless it says otherwise', async () => {
    const { link, peer, log } = await world(RANGE, { groupOrder: 'descending' })
    const encoder = new FetchObjectWriter('descending', 128)
    respond(peer, 0, [encoder.object(object(3, 0)), encoder.object(object(1, 2))])
    await link.settle()
    expect(log.lines).toEqual(['object 3/0', 'object 1/2'])
  })

  it('reads a stream however it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 30 }),
        async (cuts) => {
          const { link, peer, log } = await world()
          const encoder = writer()
          const parts = [encodeFetchHeader({ requestId: 0 })]
          for (let i = 2; i < 8; i++) parts.push(encoder.object(object(1, i * i)))
          const bytes = Uint8Array.from(parts.flatMap((part) => [...part]))
          const stream = peer.transport.openUni(1)!
          let at = 0
          for (const cut of cuts) {
            stream.write(bytes.slice(at, at + cut))
            at = Math.min(bytes.length, at + cut)
            await link.settle()
          }
          stream.write(bytes.slice(at))
          stream.finish()
          await link.settle()
          expect(log.lines).toEqual([4, 9, 16, 25, 36, 49].map((id) => `object 1/${id}`))
        },
      ),
      { numRuns: 30 },
    )
  })

  it('may have a FETCH_OK that ends with its start, never before it (section 10.13)', async () => {
    for (const [end, code] of [
      [{ group: 1, object: 2 }, null],
      [{ group: 1, object: 0 }, null],
      [{ group: 1, object: 1 }, SessionCode.PROTOCOL_VIOLATION],
      [{ group: 0, object: 9 }, SessionCode.PROTOCOL_VIOLATION],
    ] as const) {
      const { link, peer, request } = await world()
      request.send(ok(end))
      await link.settle()
      expect(peer.closed?.code ?? null).toBe(code)
    }
  })

  it('of a joining kind has no start to compare but that of an absolute one', async () => {
    const joining = { joiningRequestId: 4, joiningStart: 5 }
    for (const [kind, code] of [
      ['relative-joining', null],
      ['absolute-joining', SessionCode.PROTOCOL_VIOLATION],
    ] as const) {
      const { link, peer, request } = await world({ kind, ...joining })
      request.send(ok({ group: 4, object: 1 }))
      await link.settle()
      expect(peer.closed?.code ?? null).toBe(code)
    }
  })

  it('that is refused stops its stream and calls nothing more', async () => {
    const { link, peer, log, request } = await world()
    const { stopped } = respond(peer, 0, [writer().object(object(1, 2))], false)
    await link.settle()
    request.send({
      type: 'REQUEST_ERROR',
      code: RequestCode.DOES_NOT_EXIST,
      retryAfterMs: null,
      reason: '',
    })
    await link.settle()
    expect(log.lines).toEqual(['object 1/2', 'rejected 0x10'])
    expect(stopped).toEqual([ResetCode.CANCELLED])
  })

  it('tells of the reset of its stream with the code, and cancels the request', async () => {
    const { link, peer, log, request } = await world()
    const { stream } = respond(peer, 0, [], false)
    await link.settle()
    stream.reset(ResetCode.UNKNOWN_OBJECT_STATUS)
    await link.settle()
    expect(log.lines).toEqual([`reset ${ResetCode.UNKNOWN_OBJECT_STATUS}`])
    expect(request.cancelled).toContain(ResetCode.CANCELLED)
  })

  it('is over when its request stream ends without an answer, or is reset', async () => {
    for (const end of ['finish', 'reset'] as const) {
      const { link, log, request, session } = await world()
      if (end === 'finish') request.finish()
      else request.reset(ResetCode.GOING_AWAY)
      await link.settle()
      const code = end === 'finish' ? ResetCode.INTERNAL_ERROR : ResetCode.GOING_AWAY
      expect(log.lines).toEqual([`reset ${code}`])
      expect(session.openRequests).toBe(0)
    }
  })

  it('still takes its objects when the publisher ended the request after FETCH_OK', async () => {
    const { link, peer, log, request } = await world()
    request.send(ok())
    request.finish()
    await link.settle()
    respond(peer, 0, [writer().object(object(1, 2))])
    await link.settle()
    expect(log.lines).toEqual(['accepted 3/0', 'object 1/2', 'end'])
  })

  it('is cancelled on both streams (section 5.2), and a stream that comes later is turned away', async () => {
    const { link, peer, log, fetch, request } = await world()
    const first = respond(peer, 0, [], false)
    await link.settle()
    fetch.cancel()
    await link.settle()
    expect(request.cancelled).toContain(ResetCode.CANCELLED)
    expect(first.stopped).toEqual([ResetCode.CANCELLED])

    const again = await world()
    again.fetch.cancel()
    const late = respond(again.peer, 0, [writer().object(object(1, 2))], false)
    await again.link.settle()
    expect(late.stopped).toEqual([ResetCode.CANCELLED])
    expect(again.peer.closed).toBeNull()
    expect([...log.lines, ...again.log.lines]).toEqual([])
  })

  it('stops delivering within a chunk once its owner cancelled it', async () => {
    const link = new TestLink()
    const session = link.session('client', {})
    const peer = link.raw('server')
    await link.settle()
    let objects = 0
    const fetch = session.fetch(RANGE, {
      onObject() {
        objects++
        fetch.cancel()
      },
    })
    await link.settle()
    const encoder = writer()
    const first = encoder.object(object(1, 2))
    const second = encoder.object(object(1, 3))
    respond(peer, 0, [Uint8Array.of(...first, ...second)])
    await link.settle()
    expect(objects).toBe(1)
    expect(peer.closed).toBeNull()
  })

  it('ends the session when it is answered twice, by messages or by streams', async () => {
    const twice = await world()
    twice.request.send(ok(), ok())
    await twice.link.settle()
    expect(twice.peer.closed?.code).toBe(SessionCode.PROTOCOL_VIOLATION)

    for (const finished of [true, false]) {
      const { link, peer, request } = await world()
      if (finished) request.send(ok())
      respond(peer, 0, [], finished)
      await link.settle()
      expect(peer.closed).toBeNull()
      respond(peer, 0, [], false)
      await link.settle()
      expect(peer.closed?.code).toBe(SessionCode.PROTOCOL_VIOLATION)
    }
  })

  it('that we never made has no stream (section 11.4.4)', async () => {
    for (const requestId of [2, 1, 1000]) {
      const { link, peer } = await world()
      respond(peer, requestId, [], false)
      await link.settle()
      expect(peer.closed?.code).toBe(SessionCode.PROTOCOL_VIOLATION)
    }
  })

  it('has a stream that begins with its first object in full', async () => {
    const { link, peer } = await world()
    respond(peer, 0, [Uint8Array.of(0, 0)], false)
    await link.settle()
    expect(peer.closed?.code).toBe(SessionCode.PROTOCOL_VIOLATION)
  })

  it('is updated, and hears of the answers in their order (section 10.9)', async () => {
    const { link, log, fetch, request } = await world()
    const results: (number | null)[] = []
    request.send(ok())
    await link.settle()
    for (const subscriberPriority of [1, 2, 3]) {
      fetch.update({ subscriberPriority }, (error) => results.push(error?.code ?? null))
    }
    await link.settle()
    expect(request.types.slice(1)).toEqual(Array(3).fill('REQUEST_UPDATE'))
    request.send({ type: 'REQUEST_OK', parameters: {}, properties: [] })
    // One error answers all that wait.
    request.send({ type: 'REQUEST_ERROR', code: 1, retryAfterMs: null, reason: '' })
    await link.settle()
    expect(results).toEqual([null, 1, 1])
    expect(log.lines).toEqual(['accepted 3/0', `reset ${ResetCode.CANCELLED}`])
  })

  it('is given up for a mandatory property that is not known (section 2.5.1)', async () => {
    const { link, peer, log, request } = await world()
    request.send(ok(undefined, { properties: [{ type: 0x4000, value: 1 }] }))
    await link.settle()
    expect(log.lines).toEqual([`rejected 0x${RequestCode.UNSUPPORTED_EXTENSION.toString(16)}`])
    expect(request.cancelled).toContain(ResetCode.CANCELLED)
    expect(peer.closed).toBeNull()
  })

  it('is asked to go elsewhere, once (section 10.4)', async () => {
    const { link, peer, log, request } = await world()
    const goaway = { type: 'GOAWAY', newSessionUri: 'moqt://b/', timeout: 0 } as const
    request.send(goaway)
    await link.settle()
    expect(log.lines).toEqual(['goaway moqt://b/'])
    request.send(goaway)
    await link.settle()
    expect(peer.closed?.code).toBe(SessionCode.PROTOCOL_VIOLATION)
  })

  it('ends with its session', async () => {
    const { link, peer, log } = await world()
    peer.transport.close(0, '')
    await link.settle()
    expect(log.lines).toEqual([`reset ${ResetCode.SESSION_CLOSED}`])
  })

  it('waits for SETUP of the peer with its stream', async () => {
    const link = new TestLink()
    const session = link.session('client', {})
    const log = new Lines()
    session.fetch(RANGE, log)
    const { server } = link.pair
    server.handler = {
      onUni: (stream) => {
        stream.handler = { onBytes() {}, onReset() {} }
      },
      onBidi: () => {},
      onDatagram: () => {},
      onStreamCredit: () => {},
      onRoom: () => {},
      onClosed: () => {},
    }
    const stream = server.openUni(1)!
    stream.write(encodeFetchHeader({ requestId: 0 }))
    stream.write(writer().object(object(1, 2)))
    stream.finish()
    await link.settle()
    expect(log.lines).toEqual([])
    server.openUni(0)!.write(Uint8Array.of(0xaf, 0, 0, 0))
    await link.settle()
    expect(session.ready).toBe(true)
    expect(log.lines).toEqual(['object 1/2'])
  })
})
