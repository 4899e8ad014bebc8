import { describe, expect, it } from 'vitest'
import { describeTransportContract } from './contract-suite.ts'
import type { CloseInfo, TransportHandler, TransportSession } from './transport.ts'
import { createW3cSession, type W3cOptions } from './w3c.ts'
import { createFakePair, type FakeOptions } from './w3c-fake.ts'

const OPTIONS: W3cOptions = { path: '/?room=demo', peer: 'relay:4433', protocol: 'moqt-18' }

function connect(fake: FakeOptions = {}, options: Partial<W3cOptions> = {}) {
  const fakes = createFakePair(fake)
  return {
    fakes,
    client: createW3cSession(fakes.client, { ...OPTIONS, ...options }),
    server: createW3cSession(fakes.server, { ...OPTIONS, ...options }),
  }
}

for (const newer of [false, true]) {
  const way = newer ? 'as specified' : 'as in Chromium'
  describeTransportContract(`the W3C adapter over a browser ${way}`, async () => {
    const { client, server } = connect({ createWritable: newer, refuse: !newer })
    return { client, server, dispose: async () => {}, features: { path: '/?room=demo' } }
  })
}

function handle(session: TransportSession, parts: Partial<TransportHandler> = {}): void {
  session.handler = {
    onUni() {},
    onBidi() {},
    onDatagram() {},
    onStreamCredit() {},
    onRoom() {},
    onClosed() {},
    ...parts,
  }
}

/** Lets everything that is settled already take its course. */
const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

describe('createW3cSession', () => {
  it('takes the protocol from the browser, or the one that it was told', () => {
    expect(connect({ protocol: 'moqt-19' }).client.protocol).toBe('moqt-19')
    expect(connect().client.protocol).toBe('moqt-18')
  })

  it.each([
    ['pending', false],
    ['rejected', true],
  ])('holds streams back in number while they are %s for want of credit', async (_how, refuse) => {
    const { client, server } = connect(
      { credit: 2, refuse },
      { after: (_ms, callback) => void setImmediate(callback) },
    )
    let credits = 0
    const received: number[] = []
    const endings: (() => void)[] = []
    handle(client, { onStreamCredit: () => credits++ })
    handle(server, {
      onUni(stream) {
        stream.handler = { onBytes: (bytes) => received.push(...bytes), onReset() {} }
      },
    })
    for (;;) {
      const stream = client.openUni(0)
      if (stream === null) break
      stream.write(new Uint8Array([endings.length]))
      endings.push(() => stream.finish())
    }
    await turn()
    // Some are with the browser, which waits; of those only as many as there is credit have come.
    expect(received).toEqual([0, 1])
    expect(endings.length).toBe(16)
    while (client.openUni(0) !== null);
    const before = credits
    for (const end of endings) end()
    while (received.length < 16) await turn()
    expect(received).toEqual(Array.from({ length: 16 }, (_, index) => index))
    expect(credits).toBe(before + 1)
    expect(client.openUni(0)).not.toBeNull()
  })

  it('gives the stream of one that was reset while waiting to the next', async () => {
    const { client, server } = connect({ credit: 1 })
    const received: number[] = []
    handle(client)
    handle(server, {
      onUni(stream) {
        stream.handler = {
          onBytes: (bytes) => received.push(...bytes),
          onReset: (code) => received.push(-code),
        }
      },
    })
    const first = client.openUni(0)
    first?.write(new Uint8Array([1]))
    const second = client.openUni(0)
    second?.write(new Uint8Array([2]))
    second?.reset(9)
    const third = client.openUni(0)
    third?.write(new Uint8Array([3]))
    third?.finish()
    await turn()
    first?.finish()
    await turn()
    expect(received).toEqual([1, 3])
    expect(second?.buffered).toBe(0)
  })

  it('gives room while the window has some, and none while it is full', async () => {
    const { client, server } = connect({}, { window: 100_000 })
    const rooms: number[] = []
    let resume = () => {}
    handle(client, { onRoom: (bytes) => rooms.push(bytes) })
    handle(server, {
      onUni(stream) {
        stream.handler = { onBytes() {}, onReset() {} }
        stream.pause()
        resume = () => stream.resume()
      },
    })
    client.wantRoom()
    await turn()
    expect(rooms).toEqual([100_000])
    const stream = client.openUni(0)
    for (let i = 0; i < 4; i++) stream?.write(new Uint8Array(50_000))
    await turn()
    client.wantRoom()
    await turn()
    expect(rooms.length).toBe(1)
    resume()
    await turn()
    expect(rooms.length).toBe(2)
    expect(rooms[1]).toBeGreaterThan(0)
    expect(rooms[1]).toBeLessThanOrEqual(100_000)
  })

  it('refuses datagrams while too many wait', async () => {
    const { client, server } = connect()
    handle(client)
    handle(server)
    let taken = 0
    while (client.sendDatagram(new Uint8Array(10))) taken++
    expect(taken).toBe(64)
    await turn()
    expect(client.sendDatagram(new Uint8Array(10))).toBe(true)
  })

  it('tells the loss of the connection as the transport doing', async () => {
    const { client, server, fakes } = connect()
    const closed: CloseInfo[] = []
    const resets: number[] = []
    handle(client, {
      onClosed: (info) => closed.push(info),
      onUni(stream) {
        stream.handler = { onBytes() {}, onReset: (code) => resets.push(code) }
      },
    })
    handle(server)
    server.openUni(0)?.write(new Uint8Array(1))
    await turn()
    fakes.client.fail(new Error('Connection lost.'))
    await turn()
    expect(closed).toEqual([{ by: 'transport', code: 0x1, reason: 'Connection lost.' }])
    expect(resets).toEqual([0x3])
  })

  it('reads statistics where there are any, and not more often than they age', async () => {
    const fakes = createFakePair()
    let asked = 0
    let time = 1_000
    const webTransport = Object.assign(fakes.client, {
      getStats: async () => {
        asked++
        return { smoothedRtt: 40, estimatedSendRate: 2_000_000, packetsLost: 3 }
      },
    })
    const session = createW3cSession(webTransport, { ...OPTIONS, now: () => time })
    expect(session.congestion()).toBeNull()
    await turn()
    expect(session.congestion()).toEqual({
      rttMs: 40,
      congestionWindow: 10_000,
      bytesInFlight: null,
      deliveryRate: 2_000_000,
      lostPackets: 3,
    })
    expect(asked).toBe(1)
    time += 200
    session.congestion()
    expect(asked).toBe(2)
  })

  it('cuts a close reason to 1024 bytes between characters', async () => {
    const { client, server } = connect()
    const closed: CloseInfo[] = []
    handle(client)
    handle(server, { onClosed: (info) => closed.push(info) })
    client.close(0, 'é'.repeat(700))
    await turn()
    expect(closed[0]?.reason).toBe('é'.repeat(512))
  })

  it('ends a session whose handler throws, and says so', async () => {
    const faults: unknown[] = []
    const { client, server } = connect({}, { onFault: (error) => faults.push(error) })
    const fault = new Error('a bug')
    const closed: CloseInfo[] = []
    handle(client, { onClosed: (info) => closed.push(info) })
    handle(server, {
      onDatagram() {
        throw fault
      },
    })
    client.sendDatagram(new Uint8Array(1))
    await turn()
    expect(faults).toEqual([fault])
    expect(closed).toEqual([{ by: 'peer', code: 0x1, reason: 'internal error' }])
  })
})
