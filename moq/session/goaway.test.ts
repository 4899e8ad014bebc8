import { describe, expect, it } from 'vitest'
import { RequestCode, SessionCode } from '../wire/codes.ts'
import type { ControlMessage, Goaway } from '../wire/messages.ts'
import { namespaceOf, trackOf } from '../wire/names.ts'
import { codecFor } from '../wire/versions.ts'
import type { IncomingSubscribe } from './incoming-subscribe.ts'
import { Log, spoken, TestLink } from './test-pair.ts'

const TRACK = trackOf(namespaceOf('a'), 'b')
const codec = codecFor(spoken.version)
/** Later drafts have no Request ID in GOAWAY. */
const hasRequestId = spoken.version === 'moqt-18'

/** A session and a peer that says what a test wants on its control stream. */
async function hostile(role: 'client' | 'server') {
  const link = new TestLink()
  const goaways: Goaway[] = []
  const session = link.session(role, { onGoaway: (goaway) => goaways.push(goaway) })
  const transport = link.pair[role === 'client' ? 'server' : 'client']
  let code: number | null = null
  transport.handler = {
    onUni: (stream) => {
      stream.handler = { onBytes() {}, onReset() {} }
    },
    onBidi: () => {},
    onDatagram: () => {},
    onStreamCredit: () => {},
    onRoom: () => {},
    onClosed: (info) => {
      code = info.code
    },
  }
  const control = transport.openUni(0)!
  const say = async (...messages: ControlMessage[]) => {
    for (const message of messages) control.write(codec.encode(message))
    await link.settle()
  }
  await say({ type: 'SETUP', options: [] })
  return { session, goaways, say, closed: () => code }
}

function goaway(requestId: number, newSessionUri = ''): Goaway {
  return { type: 'GOAWAY', newSessionUri, timeout: 100, requestId }
}

async function pair() {
  const link = new TestLink()
  const requests: IncomingSubscribe[] = []
  const told: Goaway[] = []
  const closes: number[] = []
  const server = link.session('server', { onSubscribe: (request) => requests.push(request) })
  const client = link.session('client', {
    onGoaway: (message) => told.push(message),
    onClosed: ({ code }) => closes.push(code),
  })
  await link.settle()
  const subscribe = async (name = TRACK) => {
    const log = new Log()
    const subscription = client.subscribe(name, {}, log)
    await link.settle()
    return { subscription, log }
  }
  return { link, server, client, requests, told, closes, subscribe }
}

describe('GOAWAY on the control stream (section 10.4)', () => {
  it.runIf(hasRequestId)('names the smallest request that was not processed', async () => {
    const { link, server, client, told, subscribe } = await pair()
    await subscribe()
    server.goaway('moqt://elsewhere/', 3000)
    await link.settle()
    expect(told).toEqual([
      { type: 'GOAWAY', newSessionUri: 'moqt://elsewhere/', timeout: 3000, requestId: 2 },
    ])
    expect(client.goawayReceived).toEqual(told[0])
    expect(server.goawayReceived).toBeNull()
  })

  it('refuses what comes later with GOING_AWAY and leaves what is open alone', async () => {
    const { link, server, requests, subscribe } = await pair()
    const before = await subscribe()
    server.goaway('', 0)
    await link.settle()
    const after = await subscribe(trackOf(namespaceOf('a'), 'c'))
    expect(after.log.lines).toEqual([`rejected 0x${RequestCode.GOING_AWAY.toString(16)}`])
    requests[0]!.accept({ trackAlias: 1, largest: null }, {})
    await link.settle()
    expect(before.log.lines).toEqual(['accepted'])
    expect(requests).toHaveLength(1)
  })

  it('is sent once, though it is asked for twice', async () => {
    const { link, server, told, closes } = await pair()
    server.goaway('', 0)
    server.goaway('', 0)
    await link.settle()
    expect(told).toHaveLength(1)
    expect(closes).toEqual([])
  })

  it('ends the session with GOAWAY_TIMEOUT when requests are open after its time', async () => {
    const { link, server, closes, subscribe } = await pair()
    await subscribe()
    server.goaway('', 3000)
    link.clock.advance(2999)
    await link.settle()
    expect(closes).toEqual([])
    link.clock.advance(1)
    await link.settle()
    expect(closes).toEqual([SessionCode.GOAWAY_TIMEOUT])
  })

  it('counts requests of ours as open, and ends nothing when none is', async () => {
    const ours = await pair()
    ours.server.publishNamespace(namespaceOf('x'), {})
    ours.server.goaway('', 3000)
    ours.link.clock.advance(3000)
    await ours.link.settle()
    expect(ours.closes).toEqual([SessionCode.GOAWAY_TIMEOUT])

    const none = await pair()
    const { subscription } = await none.subscribe()
    none.server.goaway('', 3000)
    subscription.unsubscribe()
    await none.link.settle()
    none.link.clock.advance(3000)
    await none.link.settle()
    expect(none.closes).toEqual([])
  })

  it('of a client has no URI, which is our own bug or ends the session', async () => {
    const { client, server } = await pair()
    expect(() => client.goaway('moqt://x/', 0)).toThrow(RangeError)
    expect(() => server.goaway(`moqt://${'x'.repeat(8200)}/`, 0)).toThrow(RangeError)
    const { say, closed } = await hostile('server')
    await say(goaway(1, 'moqt://x/'))
    expect(closed()).toBe(SessionCode.PROTOCOL_VIOLATION)
  })

  it('with a URI above 8192 bytes ends the session', async () => {
    const { say, closed } = await hostile('client')
    await say(goaway(0, 'x'.repeat(8193)))
    expect(closed()).toBe(SessionCode.PROTOCOL_VIOLATION)
  })

  it('comes once', async () => {
    const { say, closed, goaways } = await hostile('client')
    await say(goaway(0))
    expect(closed()).toBeNull()
    await say(goaway(0))
    expect(closed()).toBe(SessionCode.PROTOCOL_VIOLATION)
    expect(goaways).toHaveLength(1)
  })

  it.runIf(hasRequestId)(
    'names a request of the receiver: another parity is INVALID_REQUEST_ID',
    async () => {
      for (const [role, requestId, code] of [
        ['client', 1, SessionCode.INVALID_REQUEST_ID],
        ['client', 4, null],
        ['server', 0, SessionCode.INVALID_REQUEST_ID],
        ['server', 3, null],
      ] as const) {
        const { say, closed } = await hostile(role)
        await say(goaway(requestId))
        expect(closed()).toBe(code)
      }
    },
  )

  it('is kept until there is credit for the control stream', async () => {
    const link = new TestLink({ streamCredit: { uni: 0 } })
    const server = link.session('server', {})
    server.goaway('', 0)
    await link.settle()
    expect(server.closed).toBe(false)
  })

  it('waits for its time no longer than the session lives', async () => {
    const { link, server, closes, subscribe } = await pair()
    await subscribe()
    server.goaway('', 3000)
    server.close(SessionCode.NO_ERROR, 'done')
    await link.settle()
    link.clock.advance(3000)
    await link.settle()
    expect(closes).toEqual([SessionCode.NO_ERROR])
  })
})

describe('GOAWAY on a request stream (section 10.4)', () => {
  it('goes from the publisher to the subscription, which is reset after its time', async () => {
    const { link, requests, client, server } = await pair()
    const goaways: Goaway[] = []
    const ends: number[] = []
    client.subscribe(
      TRACK,
      {},
      {
        onObject() {},
        onGoaway: (message) => goaways.push(message),
        onDone: ({ status }) => ends.push(status),
      },
    )
    await link.settle()
    let cancelled = 0
    const publication = requests[0]!.accept(
      { trackAlias: 1, largest: null },
      { onCancelled: () => cancelled++ },
    )
    publication.goaway('moqt://there/', 1000)
    await link.settle()
    expect(goaways).toEqual([{ type: 'GOAWAY', newSessionUri: 'moqt://there/', timeout: 1000 }])
    expect(ends).toEqual([])
    link.clock.advance(1000)
    await link.settle()
    expect(ends).toHaveLength(1)
    expect(cancelled).toBe(1)
    expect(server.closed).toBe(false)
  })

  it('resets nothing when the request was over before', async () => {
    const { link, requests, subscribe, server } = await pair()
    const { subscription } = await subscribe()
    const publication = requests[0]!.accept({ trackAlias: 1, largest: null }, {})
    publication.goaway('', 1000)
    await link.settle()
    subscription.unsubscribe()
    await link.settle()
    link.clock.advance(1000)
    await link.settle()
    expect(server.closed).toBe(false)
    expect(server.openRequests).toBe(0)
  })

  it('comes once on a stream, without a URI from a client, and never first', async () => {
    const message = { type: 'GOAWAY', newSessionUri: '', timeout: 0 } as const
    const subscribe = { type: 'SUBSCRIBE', requestId: 0, track: TRACK, parameters: {} } as const
    for (const [messages, code] of [
      [[subscribe, message], null],
      [[subscribe, message, message], SessionCode.PROTOCOL_VIOLATION],
      [[subscribe, { ...message, newSessionUri: 'moqt://x/' }], SessionCode.PROTOCOL_VIOLATION],
      [[message], SessionCode.PROTOCOL_VIOLATION],
    ] as const) {
      const link = new TestLink()
      link.session('server', {
        onSubscribe: (request) => request.accept({ trackAlias: 1, largest: null }, {}),
      })
      const peer = link.raw('client')
      peer.request(...messages)
      await link.settle()
      expect(peer.closed?.code ?? null).toBe(code)
    }
  })
})

describe('a redirect (section 10.6.1)', () => {
  it('with a URI ends the session of a server that receives it', async () => {
    const redirect = {
      type: 'REQUEST_ERROR',
      code: RequestCode.REDIRECT,
      retryAfterMs: 0,
      reason: '',
    } as const
    for (const [role, connectUri, code] of [
      ['server', 'moqt://x/', SessionCode.PROTOCOL_VIOLATION],
      ['server', '', null],
      ['client', 'moqt://x/', null],
    ] as const) {
      const link = new TestLink()
      const session = link.session(role, {})
      const peer = link.raw(role === 'server' ? 'client' : 'server')
      await link.settle()
      const log = new Log()
      session.subscribe(TRACK, {}, log)
      await link.settle()
      peer.requests[0]!.send({ ...redirect, redirect: { connectUri, track: TRACK } })
      await link.settle()
      expect(peer.closed?.code ?? null).toBe(code)
      if (code === null) expect(log.lines).toEqual(['rejected 0x34'])
    }
  })
})

describe('the code of a reset', () => {
  it('that is not known is told as it is, and ends no session (section 14)', async () => {
    const link = new TestLink()
    const session = link.session('client', {})
    const peer = link.raw('server')
    await link.settle()
    const codes: number[] = []
    session.fetch(
      {
        kind: 'standalone',
        track: TRACK,
        start: { group: 0, object: 0 },
        end: { group: 1, object: 0 },
      },
      { onObject() {}, onReset: (code) => codes.push(code) },
    )
    await link.settle()
    peer.requests[0]!.reset(0x9d)
    await link.settle()
    expect(codes).toEqual([0x9d])
    expect(session.closed).toBe(false)
  })
})
