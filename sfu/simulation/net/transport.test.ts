import { describe, expect, it } from 'vitest'
import { describeTransportContract } from '../../../moq/transport/contract-suite.ts'
import type { TransportHandler } from '../../../moq/transport/transport.ts'
import { SimulatedClock } from './clock.ts'
import type { LinkConditions } from './link.ts'
import { SimulatedPath } from './path.ts'
import { seededRandom } from './random.ts'

/** A path whose clock goes on by itself, as fast as it can. */
async function runningPath(conditions: Partial<LinkConditions>) {
  const clock = new SimulatedClock()
  const path = new SimulatedPath({
    clock,
    random: seededRandom(7),
    up: conditions,
    down: conditions,
    path: '/?room=demo',
  })
  let running = true
  const run = async () => {
    while (running) {
      await clock.runUntil(clock.now() + 20)
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  const done = run()
  const dispose = async () => {
    running = false
    await done
  }
  const features = { streamCredit: 100, path: '/?room=demo' }
  return { client: path.client, server: path.server, dispose, features }
}

describeTransportContract('the simulated path', () =>
  runningPath({ rate: 500e6, delayMs: 5, queueBytes: 1e7 }),
)

function silent(parts: Partial<TransportHandler> = {}): TransportHandler {
  return {
    onUni() {},
    onBidi() {},
    onDatagram() {},
    onStreamCredit() {},
    onRoom() {},
    onClosed() {},
    ...parts,
  }
}

/** Sends as much as there is room for, for a while. */
async function flood(conditions: Partial<LinkConditions>, ms: number) {
  const clock = new SimulatedClock()
  const path = new SimulatedPath({
    clock,
    random: seededRandom(3),
    down: conditions,
    up: { delayMs: 20 },
  })
  const pieces: Uint8Array[] = []
  let sent = 0
  path.client.handler = silent({
    onUni(stream) {
      stream.handler = { onBytes: (bytes) => void pieces.push(bytes), onReset() {} }
    },
  })
  const stream = path.server.openUni(0)!
  const all = Uint8Array.from({ length: 8_000_000 }, (_, at) => (at * 31 + (at >> 8)) & 0xff)
  path.server.handler = silent({
    onRoom(bytes) {
      stream.write(all.subarray(sent, sent + bytes))
      sent += bytes
      path.server.wantRoom()
    },
  })
  path.server.wantRoom()
  await clock.runUntil(ms)
  const received = Buffer.concat(pieces)
  return {
    received,
    sent: all.subarray(0, received.length),
    congestion: path.server.congestion()!,
    queueMs: path.down.queueMs,
  }
}

describe('a simulated sender that always has something to send', () => {
  it.each([
    0, 0.01, 0.05, 0.1,
  ])('fills its path with a loss of %d, and every byte comes in its place', async (loss) => {
    const { received, sent } = await flood(
      { rate: 4e6, delayMs: 20, loss, queueBytes: 60_000 },
      10_000,
    )
    const rate = (received.length * 8) / 10
    expect(rate).toBeGreaterThan(4e6 * (0.85 - loss))
    expect(received.equals(sent)).toBe(true)
  })

  it('tells its window, its rate and its losses', async () => {
    const { congestion } = await flood(
      { rate: 4e6, delayMs: 20, loss: 0.02, queueBytes: 60_000 },
      10_000,
    )
    expect(congestion.deliveryRate).toBeGreaterThan(3e6)
    expect(congestion.deliveryRate).toBeLessThan(4.5e6)
    expect(congestion.bytesInFlight).toBeLessThanOrEqual(congestion.congestionWindow + 1200)
    expect(congestion.rttMs).toBeGreaterThan(40)
    expect(congestion.rttMs).toBeLessThan(130)
    // Of some 4000 packets.
    expect(congestion.lostPackets).toBeGreaterThan(50)
    expect(congestion.lostPackets).toBeLessThan(150)
  })
})
