/** Over real UDP on loopback: times are bounded from below only, as the machine may be busy. */

import { createSocket, type Socket } from 'node:dgram'
import { afterEach, describe, expect, it } from 'vitest'
import { RequestCode, Session, textOf, trackOf } from '../../moq/index.ts'
import { connect } from '../../moq/node/index.ts'
import type { TransportSession } from '../../moq/transport/transport.ts'
import { namespaceOf } from '../../moq/wire/names.ts'
import { createEngine } from '../../sfu/engine/index.ts'
import { makeCertificate, testOptions } from '../../sfu/engine/test-support.ts'
import { Shaper, type ShaperOptions } from './shaper.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function socket(): Promise<Socket> {
  const made = createSocket('udp4')
  cleanups.push(() => made.close())
  await new Promise<void>((resolve) => made.bind(0, '127.0.0.1', resolve))
  return made
}

/** An echo behind a shaper. */
async function world(options: Omit<ShaperOptions, 'to'>) {
  const server = await socket()
  server.on('message', (bytes, from) => server.send(bytes, from.port, from.address))
  const to = { host: '127.0.0.1', port: server.address().port }
  const shaper = await Shaper.start({ ...options, to })
  cleanups.push(() => shaper.close())
  return { server, shaper }
}

/** Resolves with the next packet's first byte. */
function next(client: Socket): Promise<number> {
  return new Promise((resolve) => client.once('message', (bytes) => resolve(bytes[0]!)))
}

describe('a shaper', () => {
  it('carries packets both ways, each client its own, not before their delay', async () => {
    const { shaper } = await world({ up: { delayMs: 20 }, down: { delayMs: 30 } })
    const [first, second] = [await socket(), await socket()]
    const begin = performance.now()
    const answers = Promise.all([next(first), next(second)])
    first.send(Uint8Array.of(1), shaper.port, '127.0.0.1')
    second.send(Uint8Array.of(2), shaper.port, '127.0.0.1')
    expect(await answers).toEqual([1, 2])
    expect(performance.now() - begin).toBeGreaterThanOrEqual(49)
    expect(shaper.stats().clients).toBe(2)
  })

  it('sends no faster than its rate and drops what its queue does not hold', async () => {
    const { shaper } = await world({ down: { rate: 800_000, queueBytes: 6000 } })
    const client = await socket()
    let bytes = 0
    client.on('message', (packet) => {
      bytes += packet.length + 28
    })
    const begin = performance.now()
    for (let i = 0; i < 20; i++) client.send(new Uint8Array(972), shaper.port, '127.0.0.1')
    await expect.poll(() => shaper.stats().down.delivered).toBe(6)
    expect(performance.now() - begin).toBeGreaterThanOrEqual(59)
    await expect.poll(() => bytes).toBe(6000)
    expect(shaper.stats().down).toMatchObject({ offered: 20, dropped: 14, lost: 0, backlog: 0 })
  })

  it('changes while it runs: nothing arrives in an outage, and it goes on after', async () => {
    const { shaper } = await world({})
    const client = await socket()
    shaper.change({ down: { rate: 0 } })
    client.send(Uint8Array.of(7), shaper.port, '127.0.0.1')
    await expect.poll(() => shaper.stats().down.backlog).toBe(29)
    expect(shaper.stats().down.delivered).toBe(0)
    const answer = next(client)
    shaper.change({ down: { rate: 1_000_000 } })
    expect(await answer).toBe(7)
  })

  it.each(['moqt', 'https'])('carries a MoQT session over %s', async (scheme) => {
    const certificate = makeCertificate()
    const transports: TransportSession[] = []
    const engine = await createEngine(
      'quiche',
      testOptions(certificate, {
        onSession: (transport) => {
          transports.push(transport)
          new Session(transport, {
            role: 'server',
            handler: {
              onSubscribe: (request) =>
                request.reject(RequestCode.DOES_NOT_EXIST, textOf(request.track.name) ?? ''),
            },
          })
        },
      }),
    )
    cleanups.push(() => engine.close())
    const shaper = await Shaper.start({
      to: { host: '127.0.0.1', port: engine.address.port },
      down: { rate: 2_000_000, delayMs: 15, loss: 0.02 },
      up: { delayMs: 15 },
    })
    cleanups.push(() => shaper.close())
    const session = await connect(`${scheme}://127.0.0.1:${shaper.port}/`, {
      handler: {},
      trust: { kind: 'hash', sha256: certificate.sha256 },
    })
    cleanups.push(() => session.close(0, ''))
    const answers = Array.from({ length: 20 }, (_, index) => ask(session, `track ${index}`))
    expect(await Promise.all(answers)).toEqual(answers.map((_, index) => `track ${index}`))
    // quiche sees the path that we made.
    expect(transports[0]!.congestion()!.rttMs).toBeGreaterThanOrEqual(30)
    expect(shaper.stats().down.delivered).toBeGreaterThan(5)
  })
})

/** The reason with which the server rejects: its answer to this very request. */
function ask(session: Session, name: string): Promise<string> {
  return new Promise((resolve) => {
    session.subscribe(
      trackOf(namespaceOf('a'), name),
      {},
      { onRejected: ({ reason }) => resolve(reason), onObject: () => {} },
    )
  })
}
