import { describe, expect, it } from 'vitest'
import type { NativeConnection } from './binding.ts'
import { ReadSlab } from './buffers.ts'
import { Inflow } from './inflow.ts'
import type { QuicReceiveStream } from './streams.ts'

/** What a server reads of its peer: bytes by stream, and how often quiche had to list them. */
function rig() {
  const waiting = new Map<number, { bytes: number[]; fin: boolean }>()
  const datagrams: number[][] = []
  let lists = 0
  const native = {
    isReadable: () => waiting.size + datagrams.length > 0,
    streamReadable: (id: number) => waiting.has(id),
    readable() {
      lists++
      return [...waiting.keys()]
    },
    streamRecv(id: number, into: Uint8Array): [number, boolean] | null {
      const found = waiting.get(id)
      if (found === undefined) return null
      waiting.delete(id)
      into.set(found.bytes)
      return [found.bytes.length, found.fin]
    },
    dgramRecvQueueLen: () => datagrams.length,
    dgramRecv(into: Uint8Array) {
      const found = datagrams.shift()
      if (found === undefined) return null
      into.set(found)
      return found.length
    },
  }
  const inflow = new Inflow(
    native as unknown as NativeConnection,
    true,
    new ReadSlab(),
    1,
    () => {},
  )
  const seen: string[] = []
  const streams = new Map<number, QuicReceiveStream>()
  const deliver = () => {
    inflow.deliver({
      ready: true,
      onDatagram: (bytes) => seen.push(`datagram ${bytes}`),
      onStream(receive) {
        streams.set(receive.id, receive)
        receive.handler = {
          onBytes: (bytes, fin) => seen.push(`${receive.id}: ${bytes}${fin ? ' fin' : ''}`),
          onReset: () => {},
        }
      },
    })
    return seen.splice(0)
  }
  const arrive = (id: number, bytes: number[], fin = false) => waiting.set(id, { bytes, fin })
  return { arrive, datagrams, deliver, streams, lists: () => lists }
}

describe('what arrives', () => {
  it('is read without a list as long as streams come in their order and go on', () => {
    const { arrive, datagrams, deliver, lists } = rig()
    arrive(2, [1])
    arrive(0, [2])
    datagrams.push([3])
    expect(deliver()).toEqual(['datagram 3', '2: 1', '0: 2'])
    arrive(2, [4], true)
    arrive(6, [5])
    arrive(10, [6], true)
    expect(deliver()).toEqual(['2: 4 fin', '6: 5', '10: 6 fin'])
    arrive(6, [7])
    arrive(14, [8])
    expect(deliver()).toEqual(['6: 7', '14: 8'])
    expect(lists()).toBe(0)
  })

  it('is found in a list where a stream overtakes one that was lost', () => {
    const { arrive, deliver, lists } = rig()
    arrive(6, [1])
    expect(deliver()).toEqual(['6: 1'])
    expect(lists()).toBe(1)
    arrive(2, [2], true)
    arrive(10, [3])
    expect(deliver().sort()).toEqual(['10: 3', '2: 2 fin'])
    arrive(14, [4])
    expect(deliver()).toEqual(['14: 4'])
    expect(lists()).toBe(2)
  })

  it('is found in a list where more streams go on than are remembered', () => {
    const { arrive, deliver } = rig()
    const ids = Array.from({ length: 9 }, (_, i) => 2 + 4 * i)
    for (const round of [1, 2, 3]) {
      for (const id of ids) arrive(id, [round])
      expect(deliver().sort()).toEqual(ids.map((id) => `${id}: ${round}`).sort())
    }
  })

  it('waits in QUIC while the owner of a stream wants silence', () => {
    const { arrive, deliver, streams } = rig()
    arrive(2, [1])
    deliver()
    streams.get(2)!.pause()
    arrive(2, [2])
    arrive(6, [3])
    expect(deliver()).toEqual(['6: 3'])
    streams.get(2)!.resume()
    expect(deliver()).toEqual(['2: 2'])
  })
})
