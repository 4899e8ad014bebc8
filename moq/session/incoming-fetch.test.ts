import { describe, expect, it } from 'vitest'
import { RequestCode, ResetCode, SessionCode } from '../wire/codes.ts'
import type { FetchRange } from '../wire/messages.ts'
import { namespaceOf, trackOf } from '../wire/names.ts'
import type { FetchHandler } from './fetch-request.ts'
import type { IncomingFetch } from './incoming-fetch.ts'
import { IncomingSubscribe } from './incoming-subscribe.ts'
import { Publication } from './publication.ts'
import { Log, TestLink } from './test-pair.ts'

const TRACK = trackOf(namespaceOf('a'), 'b')
const RANGE: FetchRange = {
  kind: 'standalone',
  track: TRACK,
  start: { group: 0, object: 0 },
  end: { group: 9, object: 0 },
}
const ANSWER = { endOfTrack: true, end: { group: 1, object: 3 }, properties: [] }

function object(group: number, id: number, subgroup: number | null = 0) {
  const payload = Uint8Array.of(group, id)
  return { group, object: id, subgroup, priority: null, properties: new Uint8Array(0), payload }
}

class Lines implements FetchHandler {
  readonly lines: string[] = []
  onAccepted({ endOfTrack }: { endOfTrack: boolean }) {
    this.lines.push(endOfTrack ? 'accepted, end of track' : 'accepted')
  }
  onRejected({ code }: { code: number }) {
    this.lines.push(`rejected 0x${code.toString(16)}`)
  }
  onObject({
    group,
    object,
    priority,
  }: {
    group: number
    object: number
    priority: number | null
  }) {
    this.lines.push(`object ${group}/${object} of ${priority}`)
  }
  onRangeEnd({ kind }: { kind: string }) {
    this.lines.push(kind)
  }
  onEnd() {
    this.lines.push('end')
  }
  onReset(code: number) {
    this.lines.push(`reset ${code}`)
  }
  onGoaway() {
    this.lines.push('goaway')
  }
}

async function world(range: FetchRange = RANGE, parameters = {}, credit = 100) {
  const link = new TestLink({ streamCredit: { uni: credit } })
  const fetches: IncomingFetch[] = []
  const server = link.session('server', { onFetch: (fetch) => fetches.push(fetch) })
  const client = link.session('client', {})
  await link.settle()
  const log = new Lines()
  const fetch = client.fetch(range, log, parameters)
  await link.settle()
  return { link, server, client, log, fetch, request: fetches[0]! }
}

describe('a FETCH of the peer (section 10.12)', () => {
  it('is served on one stream and answered, in either order', async () => {
    for (const answer of ['before', 'between', 'after'] as const) {
      const { link, server, log, request } = await world()
      if (answer === 'before') request.accept(ANSWER)
      const writer = request.openStream(4, 128, 'ascending')!
      expect(writer.object(object(0, 1))).toBeGreaterThan(2)
      if (answer === 'between') request.accept(ANSWER)
      writer.rangeEnd({ group: 1, object: 0, kind: 'non-existent' })
      writer.object(object(1, 2, null))
      writer.finish()
      expect(request.over).toBe(answer !== 'after')
      if (answer === 'after') request.accept(ANSWER)
      expect(request.over).toBe(true)
      expect(server.openRequests).toBe(0)
      await link.settle()
      expect(log.lines.filter((line) => !line.startsWith('accepted'))).toEqual([
        'object 0/1 of 128',
        'non-existent',
        'object 1/2 of 128',
        'end',
      ])
      expect(log.lines).toContain('accepted, end of track')
    }
  })

  it('that is refused has its stream reset', async () => {
    const { link, log, request } = await world()
    const writer = request.openStream(4, 128, 'ascending')!
    request.reject(RequestCode.DOES_NOT_EXIST, 'no such track')
    await link.settle()
    expect(log.lines).toEqual(['rejected 0x10'])
    expect(writer.closed).toBe(true)
    expect(writer.object(object(0, 0))).toBe(0)
  })

  it('waits for stream credit', async () => {
    const { request } = await world(RANGE, {}, 1)
    expect(request.openStream(4, 128, 'ascending')).toBeNull()
    expect(request.over).toBe(false)
  })

  it('resets its stream and tells its owner when the peer cancels, or stops the stream', async () => {
    for (const by of ['request', 'stream'] as const) {
      const { link, log, fetch, request, server } = await world()
      let cancelled = 0
      request.onCancelled = () => cancelled++
      const writer = request.openStream(4, 128, 'ascending')!
      await link.settle()
      if (by === 'request') fetch.cancel()
      else writer.onStopped(ResetCode.CANCELLED)
      await link.settle()
      expect(cancelled).toBe(1)
      expect(writer.closed).toBe(true)
      expect(request.over).toBe(true)
      expect(server.openRequests).toBe(0)
      expect(log.lines).toEqual(by === 'request' ? [] : [`reset ${ResetCode.CANCELLED}`])
    }
  })

  it('is over when its stream is reset after FETCH_OK, with the code', async () => {
    const { link, log, request } = await world()
    request.accept(ANSWER)
    const writer = request.openStream(4, 128, 'ascending')!
    await link.settle()
    writer.reset(ResetCode.UNKNOWN_OBJECT_STATUS)
    expect(request.over).toBe(true)
    await link.settle()
    expect(log.lines).toEqual([
      'accepted, end of track',
      `reset ${ResetCode.UNKNOWN_OBJECT_STATUS}`,
    ])
  })

  it('ends at the subscriber even when the reset overtakes the header of its stream', async () => {
    const { link, client, log, request } = await world()
    request.accept(ANSWER)
    request.openStream(4, 128, 'ascending')!.reset(ResetCode.UNKNOWN_OBJECT_STATUS)
    await link.settle()
    expect(log.lines.at(-1)).toBe(`reset ${ResetCode.UNKNOWN_OBJECT_STATUS}`)
    expect(client.openRequests).toBe(0)
  })

  it('takes updates, and grants those that came before FETCH_OK behind it (section 10.13)', async () => {
    const { link, log, fetch, request } = await world(RANGE, { subscriberPriority: 9 })
    const results: unknown[] = []
    const told: unknown[] = []
    request.onUpdate = (parameters) => {
      told.push(parameters)
      return null
    }
    fetch.update({ subscriberPriority: 4 }, (error) => results.push(error))
    await link.settle()
    expect(request.parameters.subscriberPriority).toBe(4)
    expect(told).toEqual([{ subscriberPriority: 4 }])
    expect(results).toEqual([])
    request.accept(ANSWER)
    await link.settle()
    expect(log.lines).toEqual(['accepted, end of track'])
    expect(results).toEqual([null])
  })

  it('does not outlive an update that fails (section 10.9.1)', async () => {
    for (const accepted of [true, false]) {
      const { link, log, fetch, request } = await world()
      let cancelled = 0
      request.onCancelled = () => cancelled++
      if (accepted) request.accept(ANSWER)
      request.openStream(4, 128, 'ascending')
      await link.settle()
      request.onUpdate = () => ({
        code: RequestCode.UNAUTHORIZED,
        reason: 'no',
        retryAfterMs: null,
      })
      fetch.update({ subscriberPriority: 4 })
      await link.settle()
      expect(log.lines.at(-1)).toBe(accepted ? `reset ${ResetCode.CANCELLED}` : 'rejected 0x1')
      expect(cancelled).toBe(1)
      expect(request.over).toBe(true)
    }
  })

  it('has no parameter in an update but those of a FETCH', async () => {
    const { link, server, fetch } = await world()
    fetch.update({ forward: true })
    await link.settle()
    expect(server.closed).toBe(true)
  })

  it('can be sent elsewhere, and is reset when the time is over (section 10.4)', async () => {
    const { link, log, request } = await world()
    request.goaway('moqt://elsewhere/', 500)
    request.goaway('moqt://elsewhere/', 500)
    await link.settle()
    expect(log.lines).toEqual(['goaway'])
    link.clock.advance(500)
    await link.settle()
    expect(log.lines).toEqual(['goaway', `reset ${ResetCode.GOING_AWAY}`])
    expect(request.over).toBe(true)
  })

  it('ends with its session', async () => {
    const { link, client, request } = await world()
    let cancelled = 0
    request.onCancelled = () => cancelled++
    request.openStream(4, 128, 'ascending')
    client.close(0, '')
    await link.settle()
    expect(cancelled).toBe(1)
    expect(request.openStream(4, 128, 'ascending')).toBeNull()
  })

  it('is not supported where nobody serves it, which costs that request (section 4)', async () => {
    const link = new TestLink()
    const server = link.session('server', {})
    const client = link.session('client', {})
    const log = new Lines()
    client.fetch(RANGE, log)
    await link.settle()
    expect(log.lines).toEqual([`rejected 0x${RequestCode.NOT_SUPPORTED.toString(16)}`])
    expect(server.closed).toBe(false)
  })

  it('is answered by nothing else than REQUEST_UPDATE from its subscriber', async () => {
    const link = new TestLink()
    link.session('server', { onFetch: () => {} })
    const peer = link.raw('client')
    peer.request(
      { type: 'FETCH', requestId: 0, range: RANGE, parameters: {} },
      { type: 'REQUEST_OK', parameters: {}, properties: [] },
    )
    await link.settle()
    expect(peer.closed?.code).toBe(SessionCode.PROTOCOL_VIOLATION)
  })
})

describe('a joining fetch (section 10.12.2)', () => {
  async function joined() {
    const link = new TestLink()
    const fetches: IncomingFetch[] = []
    const subscribes: IncomingSubscribe[] = []
    link.session('server', {
      onFetch: (fetch) => fetches.push(fetch),
      onSubscribe: (request) => subscribes.push(request),
    })
    const client = link.session('client', {})
    await link.settle()
    const subscription = client.subscribe(TRACK, {}, new Log())
    const join = (joiningRequestId: number) =>
      client.fetch({ kind: 'relative-joining', joiningRequestId, joiningStart: 2 }, new Lines())
    join(subscription.requestId)
    join(77)
    await link.settle()
    return { link, subscription, fetches, subscribes }
  }

  it('finds its subscription while it is pending, then established, and not once it is over', async () => {
    const { link, subscription, fetches, subscribes } = await joined()
    const [fetch, stray] = fetches
    expect(fetch!.joining).toBe(subscribes[0])
    expect(fetch!.joining).toBeInstanceOf(IncomingSubscribe)
    expect(stray!.joining).toBeNull()
    const largest = { group: 5, object: 1 }
    const publication = subscribes[0]!.accept({ trackAlias: 1, largest }, {})
    expect(fetch!.joining).toBe(publication)
    expect(publication).toBeInstanceOf(Publication)
    await link.settle()
    subscription.unsubscribe()
    await link.settle()
    expect(fetch!.joining).toBeNull()
  })

  it('of the standalone kind joins nothing', async () => {
    const { request } = await world()
    expect(request.joining).toBeNull()
  })
})
