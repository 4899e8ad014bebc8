import { describe, expect, it } from 'vitest'
import { describeTransportContract } from './contract-suite.ts'
import { createTransportPair } from './memory.ts'
import type { CloseInfo, ReceiveStream, TransportHandler } from './transport.ts'

describeTransportContract('the in-memory pair', async () => ({
  ...createTransportPair({ path: '/?room=demo', streamCredit: { uni: 10 } }),
  dispose: async () => {},
  features: { streamCredit: 10, path: '/?room=demo' },
}))

describeTransportContract('the in-memory pair on a slower clock', async () => ({
  ...createTransportPair({ schedule: (task) => void setImmediate(task) }),
  dispose: async () => {},
}))

/** A schedule that a test runs by hand. */
function manualSchedule() {
  const tasks: (() => void)[] = []
  return {
    schedule: (task: () => void) => void tasks.push(task),
    run() {
      for (let task = tasks.shift(); task !== undefined; task = tasks.shift()) task()
    },
  }
}

function handler(parts: Partial<TransportHandler> = {}): TransportHandler {
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

describe('createTransportPair', () => {
  it('does nothing until its schedule runs', () => {
    const { schedule, run } = manualSchedule()
    const { client, server } = createTransportPair({ schedule })
    const seen: string[] = []
    client.handler = handler()
    server.handler = handler({ onDatagram: () => seen.push('datagram') })
    client.sendDatagram(new Uint8Array(1))
    expect(seen).toEqual([])
    run()
    expect(seen).toEqual(['datagram'])
  })

  it('keeps what arrives before there is a handler', () => {
    const { schedule, run } = manualSchedule()
    const { client, server } = createTransportPair({ schedule })
    client.sendDatagram(new Uint8Array([1]))
    client.sendDatagram(new Uint8Array([2]))
    run()
    const seen: number[] = []
    server.handler = handler({ onDatagram: (bytes) => seen.push(bytes[0]!) })
    expect(seen).toEqual([])
    run()
    expect(seen).toEqual([1, 2])
  })

  it('loses the datagrams that its loss function names', () => {
    const { schedule, run } = manualSchedule()
    const { client, server } = createTransportPair({
      schedule,
      loseDatagram: (bytes, from) => from === 'client' && bytes[0]! % 2 === 0,
    })
    const seen: number[] = []
    server.handler = handler({ onDatagram: (bytes) => seen.push(bytes[0]!) })
    for (let i = 0; i < 6; i++) expect(client.sendDatagram(new Uint8Array([i]))).toBe(true)
    run()
    expect(seen).toEqual([1, 3, 5])
  })

  it('withholds room while the path is full', () => {
    const { schedule, run } = manualSchedule()
    let room = 0
    const pair = createTransportPair({ schedule, room: () => room })
    const rooms: number[] = []
    pair.client.handler = handler({ onRoom: (bytes) => rooms.push(bytes) })
    pair.client.wantRoom()
    run()
    expect(rooms).toEqual([])
    room = 1_000
    pair.offerRoom()
    run()
    pair.offerRoom()
    run()
    expect(rooms).toEqual([1_000])
  })

  it('does not announce a stream that was reset before it carried anything', () => {
    const { schedule, run } = manualSchedule()
    const { client, server } = createTransportPair({ schedule, streamCredit: { uni: 1 } })
    const streams: ReceiveStream[] = []
    client.handler = handler()
    server.handler = handler({ onUni: (stream) => streams.push(stream) })
    client.openUni(0)?.reset(1)
    expect(client.openUni(0)).toBeNull()
    run()
    expect(streams).toEqual([])
    expect(client.openUni(0)).not.toBeNull()
  })

  it('ends a session whose handler throws, and only that', () => {
    const { schedule, run } = manualSchedule()
    const faults: [unknown, string][] = []
    const { client, server } = createTransportPair({
      schedule,
      onFault: (error, side) => faults.push([error, side]),
    })
    const closed: CloseInfo[] = []
    const fault = new Error('a bug')
    client.handler = handler({ onClosed: (info) => closed.push(info) })
    server.handler = handler({
      onDatagram() {
        throw fault
      },
    })
    client.sendDatagram(new Uint8Array(1))
    run()
    expect(faults).toEqual([[fault, 'server']])
    expect(closed).toEqual([{ by: 'peer', code: 0x1, reason: 'internal error' }])
  })

  it('tells the owner what the options say', () => {
    const congestion = {
      rttMs: 40,
      congestionWindow: 12_000,
      bytesInFlight: null,
      deliveryRate: 1e6,
      lostPackets: 0,
    }
    const { client, server } = createTransportPair({
      protocol: 'moqt-19',
      maxDatagramSize: 0,
      congestion: (side) => (side === 'server' ? congestion : null),
    })
    expect(client.protocol).toBe('moqt-19')
    expect(client.sendDatagram(new Uint8Array(0))).toBe(true)
    expect(client.sendDatagram(new Uint8Array(1))).toBe(false)
    expect([client.congestion(), server.congestion()]).toEqual([null, congestion])
  })
})
