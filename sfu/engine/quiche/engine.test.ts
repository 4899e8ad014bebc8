/** The engine against what the network and its peers do to it, over real UDP on loopback. */

import { randomBytes } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import { describe, expect, it } from 'vitest'
import { connectQuic } from '../../../moq/transport/quiche/client.ts'
import type { TransportSession } from '../../../moq/transport/transport.ts'
import { createEngine, EngineError, isEngineInstalled, type Refusal } from '../index.ts'
import { makeCertificate, silentHandler, testOptions } from '../test-support.ts'
import {
  certificate,
  cleanups,
  cuttablePath,
  echo,
  firstPacket,
  handled,
  raw,
  roundTrip,
  start,
  web,
} from './engine-rig.ts'

describe('starting', () => {
  it('says that a port is in use', async () => {
    const { engine } = await start()
    const options = testOptions(certificate, { port: engine.address.port })
    await expect(createEngine('quiche', options)).rejects.toMatchObject({
      name: 'EngineError',
      code: 'EADDRINUSE',
      message: `UDP 127.0.0.1:${engine.address.port} is in use by another process`,
    })
  })

  it.each([
    ['the TLS certificate is not a PEM certificate', { certPem: 'garbage' }],
    ['the TLS key is not an unencrypted PEM private key', { keyPem: 'garbage' }],
    ['the TLS key does not belong to the TLS certificate', { keyPem: makeCertificate().keyPem }],
  ])('says that %s', async (message, change) => {
    const options = testOptions({ ...certificate, ...change })
    await expect(createEngine('quiche', options)).rejects.toThrow(new EngineError(message))
  })

  it('says that a host is no address', async () => {
    const options = testOptions(certificate, { host: 'localhost' })
    await expect(createEngine('quiche', options)).rejects.toThrow(EngineError)
  })

  it('warns of the flaws of quiche beyond loopback, and only there', async () => {
    const near = await start()
    expect(near.lines).toEqual([])
    const far = await start({ host: '0.0.0.0' })
    expect(far.lines.map(({ level }) => level)).toEqual(['warn'])
    expect(far.lines[0]!.message).toContain('CVE-2025-7054')
    expect(far.lines[0]!.message).toContain('@fails-components/webtransport-transport-http3-quiche')
  })

  it('knows that its binding is installed', async () => {
    expect(await isEngineInstalled('quiche')).toBe(true)
  })
})

describe('admission', () => {
  it('tells what a session asks for, and lets it in', async () => {
    const requests: unknown[] = []
    const { engine } = await start({
      accept: (request) => {
        requests.push(request)
        return { accept: true, protocol: request.protocol }
      },
    })
    const { session } = await web(engine, '/call?room=a', ['moqt-99', 'moqt-18'])
    expect([session.protocol, session.kind]).toEqual(['moqt-18', 'webtransport'])
    expect((await raw(engine)).session.kind).toBe('quic')
    await expect.poll(() => requests.length).toBe(2)
    expect(requests).toMatchObject([
      {
        kind: 'webtransport',
        path: '/call?room=a',
        authority: `127.0.0.1:${engine.address.port}`,
        origin: null,
        offered: ['moqt-99', 'moqt-18'],
        protocol: 'moqt-18',
      },
      { kind: 'quic', path: '', offered: ['moqt-18'], protocol: 'moqt-18' },
    ])
    expect(engine.stats()).toMatchObject({ sessions: 2, sessionsAccepted: 2, sessionsRefused: 0 })
  })

  it('refuses a client that offers no version we speak', async () => {
    const refusals: Refusal[] = []
    const { engine } = await start({ onRefused: (refusal) => refusals.push(refusal) })
    await expect(web(engine, '/', ['moqt-99'])).rejects.toThrow(/status 400.*moqt-18/)
    await expect(web(engine, '/', [])).rejects.toThrow(/status 400/)
    await expect(raw(engine, { protocols: ['moqt-99'] })).rejects.toThrow(/no_application_protocol/)
    expect(refusals.map(({ status }) => status)).toEqual([400, 400])
  })

  it('passes on why the relay refuses', async () => {
    const { engine } = await start({
      accept: () => ({ accept: false, status: 403, reason: 'the token has expired' }),
    })
    await expect(web(engine)).rejects.toThrow(/status 403: the token has expired/)
    const { closed } = await raw(engine)
    expect(await closed).toEqual({ by: 'peer', code: 0x2, reason: 'the token has expired' })
  })

  it('keeps to its number of sessions, and has room again when one ends', async () => {
    const { engine } = await start({ limits: { maxSessions: 1 } })
    const first = await web(engine)
    await expect(web(engine)).rejects.toThrow(/status 503/)
    first.session.close(0, '')
    await expect.poll(() => engine.stats().sessions).toBe(0)
    await web(engine)
  })

  it('drops a connection that never becomes a session', async () => {
    const { engine } = await start({
      accept: () => ({ accept: false, status: 404, reason: 'nothing here' }),
      limits: { handshakeTimeoutMs: 50 },
    })
    await expect(web(engine)).rejects.toThrow(/404/)
    await expect.poll(() => engine.stats().connections).toBe(0)
  })

  it('has a client prove its address, always or under load', async () => {
    const { engine } = await start({ addressValidation: 'always', onSession: echo })
    await roundTrip((await raw(engine)).session)
    await roundTrip((await web(engine)).session)
    expect(engine.stats().retries).toBe(2)
    const idle = await start()
    await raw(idle.engine)
    expect(idle.engine.stats().retries).toBe(0)
    // One that goes no further than its first packet is half of what this one bears.
    const loaded = await start({ limits: { maxHandshakes: 2 } })
    const socket = createSocket('udp4')
    cleanups.push(() => socket.close())
    socket.send(await firstPacket(), loaded.engine.address.port, '127.0.0.1')
    await expect.poll(() => loaded.engine.stats().handshakes).toBe(1)
    await raw(loaded.engine)
    expect(loaded.engine.stats().retries).toBe(1)
  })
})

describe('trust', () => {
  it('pins a certificate by its hash, and takes a new one for new connections', async () => {
    const { engine } = await start()
    const pinned = (sha256: string) =>
      connectQuic({
        host: '127.0.0.1',
        port: engine.address.port,
        protocols: ['moqt-18'],
        trust: { kind: 'hash', sha256 },
      })
    const old = handled(await pinned(certificate.sha256))
    const next = makeCertificate()
    engine.setCertificate(next)
    await expect(pinned(certificate.sha256)).rejects.toThrow(/certificate/)
    handled(await pinned(next.sha256))
    expect(old.session.maxDatagramSize).toBeGreaterThan(0)
    expect(() => engine.setCertificate({ ...next, certPem: 'x' })).toThrow(EngineError)
  })

  it('checks chain and name against roots', async () => {
    const { engine } = await start()
    const connect = (host: string, ca?: string) =>
      connectQuic({
        host,
        port: engine.address.port,
        protocols: ['moqt-18'],
        trust: ca === undefined ? { kind: 'roots' } : { kind: 'roots', ca },
      })
    await expect(connect('127.0.0.1')).rejects.toMatchObject({ kind: 'certificate' })
    handled(await connect('127.0.0.1', certificate.certPem))
  })
})

describe('a hostile network', () => {
  function noise(): { send(bytes: Uint8Array, port: number): void; socket: Socket } {
    const socket = createSocket('udp4')
    cleanups.push(() => socket.close())
    return { socket, send: (bytes, port) => socket.send(bytes, port, '127.0.0.1') }
  }

  it('is not answered when it sends noise', async () => {
    const { engine } = await start({ onSession: echo })
    const { socket, send } = noise()
    let answers = 0
    socket.on('message', () => answers++)
    let sent = 0
    for (const first of [0x00, 0x40, 0x80, 0xc0, 0xff]) {
      for (const length of [1, 20, 100, 1199, 1200, 1472]) {
        const packet = randomBytes(length)
        packet[0] = first
        // No version of ours, none at all, or a QUIC v1 packet that makes no sense.
        if (length > 5) packet.writeUInt32BE(first === 0xc0 ? 1 : 0, 1)
        send(packet, engine.address.port)
        sent++
      }
    }
    await expect.poll(() => engine.stats().packetsReceived).toBe(sent)
    await roundTrip((await raw(engine)).session)
    expect(answers).toBe(0)
    expect(engine.stats().packetsIgnored).toBeGreaterThan(20)
  })

  it('is told our versions, for a packet as large as the answer', async () => {
    const { engine } = await start()
    const { socket, send } = noise()
    const { promise, resolve } = Promise.withResolvers<Buffer>()
    socket.on('message', resolve)
    const packet = randomBytes(1200)
    packet.set([0xc0, 0x1a, 0x2a, 0x3a, 0x4a, 8], 0)
    packet[14] = 8
    send(packet, engine.address.port)
    const answer = await promise
    expect(answer.readUInt32BE(1)).toBe(0)
    expect(answer.includes(Buffer.from([0, 0, 0, 1]), 7 + 16)).toBe(true)
    expect(engine.stats()).toMatchObject({ versionNegotiations: 1, connections: 0 })
  })

  it('does not end a session by garbage in its name', async () => {
    const { engine } = await start({ onSession: echo })
    // A relay in the middle learns the connection ids and adds garbage under them.
    const { port } = await forwarder(engine.address.port, (packet, forward) => {
      forward(packet)
      const forged = Buffer.from(packet)
      forged.fill(0x55, 9)
      forward(forged)
    })
    const { session } = await raw(engine, { port })
    for (let i = 0; i < 10; i++) await roundTrip(session)
  })

  it('may move a client to another address', async () => {
    const { engine } = await start({ onSession: echo })
    const moving = await forwarder(engine.address.port, (packet, forward) => forward(packet))
    const { session } = await raw(engine, { port: moving.port })
    await roundTrip(session)
    await moving.move()
    await roundTrip(session)
    expect(engine.stats().connections).toBe(1)
  })

  /** Stands between client and engine; `move` changes the address that the engine sees. */
  async function forwarder(
    target: number,
    pass: (packet: Buffer, forward: (packet: Buffer) => void) => void,
  ) {
    const bound = async () => {
      const socket = createSocket('udp4')
      await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
      cleanups.push(() => socket.close())
      return socket
    }
    const inner = await bound()
    let client = 0
    const makeOuter = async () => {
      const socket = await bound()
      socket.on('message', (packet) => inner.send(packet, client, '127.0.0.1'))
      return socket
    }
    let outer = await makeOuter()
    inner.on('message', (packet, from) => {
      client = from.port
      pass(packet, (out) => outer.send(out, target, '127.0.0.1'))
    })
    return {
      port: inner.address().port,
      move: async () => {
        outer = await makeOuter()
      },
    }
  }
})

describe('room', () => {
  it('keeps what the window does not take with the owner, where it can be dropped', async () => {
    const { promise: served, resolve } = Promise.withResolvers<TransportSession>()
    const { engine } = await start({ onSession: resolve })
    await raw(engine)
    const server = await served
    const rooms: number[] = []
    server.handler = silentHandler({ onRoom: (bytes) => void rooms.push(bytes) })
    const stream = server.openUni(0)!
    stream.write(new Uint8Array(200_000))
    server.wantRoom()
    await expect.poll(() => rooms.length).toBe(1)
    // Room came only once most of it was acknowledged.
    expect(stream.buffered).toBe(0)
    const { congestionWindow, bytesInFlight, rttMs, deliveryRate } = server.congestion()!
    expect(rooms[0]!).toBeLessThanOrEqual(congestionWindow)
    expect(bytesInFlight!).toBeLessThanOrEqual(congestionWindow)
    expect(rttMs).toBeGreaterThanOrEqual(0)
    expect(deliveryRate).toBeGreaterThan(0)
  })

  it('sends the more urgent stream first when the window is full', async () => {
    const { promise: served, resolve } = Promise.withResolvers<TransportSession>()
    const { engine } = await start({ onSession: resolve })
    const { session } = await raw(engine)
    const server = await served
    server.handler = silentHandler()
    const ends: number[] = []
    session.handler = silentHandler({
      onUni: (stream) => {
        stream.handler = {
          onBytes: (bytes, fin) => {
            if (fin) ends.push(bytes.at(-1)!)
          },
          onReset: () => {},
        }
      },
    })
    const orders = [200, 100, 0, 50]
    for (const order of orders) {
      const stream = server.openUni(order)!
      stream.write(new Uint8Array(100_000).fill(order))
      stream.finish()
    }
    await expect.poll(() => ends.length).toBe(4)
    expect(ends).toEqual([0, 50, 100, 200])
  })
})

describe('limits and faults', () => {
  it('ends a session that buffers too much, and says why', async () => {
    const { promise: served, resolve } = Promise.withResolvers<TransportSession>()
    const { engine } = await start({ limits: { streamBuffer: 100_000 }, onSession: resolve })
    const { closed } = await web(engine)
    const server = await served
    const ended = handled(server)
    const stream = server.openUni(0)!
    stream.write(new Uint8Array(100_000))
    stream.write(new Uint8Array(1))
    const told = { code: 0x1, reason: 'a stream buffers more than 100000 bytes' }
    expect(await ended.closed).toEqual({ by: 'local', ...told })
    expect(await closed).toEqual({ by: 'peer', ...told })
  })

  it('costs an owner that throws its own session and no other', async () => {
    const { engine, lines } = await start({
      onSession: (session) => {
        echo(session)
        session.handler!.onUni = () => {
          throw new Error('a fault of the relay')
        }
      },
    })
    const broken = await web(engine)
    const sound = await web(engine)
    const stream = broken.session.openUni(0)!
    stream.write(new Uint8Array(1))
    expect((await broken.closed).by).not.toBe('local')
    await roundTrip(sound.session)
    expect(lines.filter(({ level }) => level === 'warn').length).toBe(1)
  })

  it('goes on giving stream credit after many streams were stopped', async () => {
    const uniStreams = 20
    let stopped = 0
    const { engine } = await start({
      limits: { uniStreams },
      onSession: (session) => {
        session.handler = silentHandler({
          onUni: (stream) => {
            stream.handler = { onBytes: () => {}, onReset: () => {} }
            stream.stop(1)
            stopped++
          },
        })
      },
    })
    const { session } = await raw(engine)
    const rounds = uniStreams * 4
    await new Promise<void>((resolve) => {
      let opened = 0
      const open = () => {
        for (; opened < rounds; opened++) {
          const stream = session.openUni(0)
          if (stream === null) return
          stream.write(new Uint8Array(10))
          // Some end by themselves, some only because they are stopped or reset.
          if (opened % 2 === 0) stream.finish()
          else setImmediate(() => stream.reset(0))
        }
        resolve()
      }
      session.handler = silentHandler({ onStreamCredit: open })
      open()
    })
    await expect.poll(() => stopped).toBe(rounds)
  })

  it('tells every peer when it closes', async () => {
    const { engine } = await start()
    const ends = [await web(engine), await raw(engine)]
    await expect.poll(() => engine.stats().sessions).toBe(2)
    await engine.close()
    for (const { closed } of ends) {
      expect(await closed).toEqual({ by: 'peer', code: 0, reason: 'the relay is stopping' })
    }
  })

  it('resets what it sends to a WebTransport client before it ends the session', async () => {
    const sessions: TransportSession[] = []
    const { engine } = await start({
      onSession: (session) => {
        session.handler = silentHandler()
        sessions.push(session)
      },
    })
    const { session } = await web(engine)
    const told: (string | number)[] = []
    session.handler = silentHandler({
      onUni: (stream) => {
        stream.handler = {
          onBytes: (_, fin) => told.push(fin ? 'finished' : 'bytes'),
          onReset: (code) => told.push(code),
        }
      },
      onClosed: ({ reason }) => told.push(reason),
    })
    await expect.poll(() => sessions.length).toBe(1)
    const stream = sessions[0]!.openUni(0)!
    stream.write(Uint8Array.of(1))
    await expect.poll(() => told).toEqual(['bytes'])
    // Else the browser has an end still to read when its session ends.
    stream.finish()
    sessions[0]!.close(0x7, 'over')
    await expect.poll(() => told).toEqual(['bytes', 0x3, 'over'])
  })

  it('tells of a peer that is gone', async () => {
    const { promise: served, resolve } = Promise.withResolvers<TransportSession>()
    const { engine } = await start({ limits: { idleTimeoutMs: 100 }, onSession: resolve })
    const path = await cuttablePath(engine.address.port)
    await raw(engine, { port: path.port })
    const { closed } = handled(await served)
    path.cut()
    expect(await closed).toMatchObject({ by: 'transport', code: 0x1 })
  })

  it('keeps a peer that has nothing to say', async () => {
    const { engine } = await start({ limits: { idleTimeoutMs: 100 }, onSession: echo })
    const { session } = await raw(engine)
    const { promise: waited, resolve } = Promise.withResolvers<void>()
    setTimeout(resolve, 500)
    await waited
    expect(await roundTrip(session)).toEqual(new Uint8Array([1, 2, 3]))
  })
})
