import { describe, expect, it } from 'vitest'
import { namespaceOf, trackOf } from '../wire/names.ts'
import { Log, TestLink } from './test-pair.ts'

const STREAM = Uint8Array.of(0xf0, 0x13, 0x2b, 0x3e, 0x28)
const DATAGRAM = Uint8Array.of(0xf0, 0x13, 0x2b, 0x3e, 0x29)

/** A session's peer that keeps what comes, with the order it was sent with. */
function listening(options = {}) {
  const link = new TestLink(options)
  const session = link.session('client', {})
  const streams: { bytes: number[]; fin: boolean }[] = []
  const datagrams: Uint8Array[] = []
  link.pair.server.handler = {
    onUni: (stream) => {
      const seen = { bytes: [] as number[], fin: false }
      streams.push(seen)
      stream.handler = {
        onBytes: (bytes, fin) => {
          seen.bytes.push(...bytes)
          seen.fin ||= fin
        },
        onReset() {},
      }
    },
    onBidi: () => {},
    onDatagram: (bytes) => datagrams.push(bytes),
    onStreamCredit: () => {},
    onRoom: () => {},
    onClosed: () => {},
  }
  return { link, session, streams, datagrams }
}

describe('padding (section 11.5)', () => {
  it('is sent on a stream: its type, then zeros, as many as asked for', async () => {
    const { link, session, streams } = listening()
    expect(session.sendPadding(40_000, 'stream')).toBe(true)
    await link.settle()
    const { bytes, fin } = streams[1]!
    expect(bytes.slice(0, 5)).toEqual([...STREAM])
    expect(bytes).toHaveLength(40_000)
    expect(bytes.slice(5).every((byte) => byte === 0)).toBe(true)
    expect(fin).toBe(true)
  })

  it('is sent in a datagram, no longer than the transport takes', async () => {
    const { link, session, datagrams } = listening({ maxDatagramSize: 1000 })
    expect(session.sendPadding(300, 'datagram')).toBe(true)
    expect(session.sendPadding(5000, 'datagram')).toBe(true)
    await link.settle()
    expect(datagrams.map(({ length }) => length)).toEqual([300, 1000])
    expect([...datagrams[0]!.subarray(0, 6)]).toEqual([...DATAGRAM, 0])
  })

  it('says when there is no credit, no room, or no session', async () => {
    const { session } = listening({ streamCredit: { uni: 1 }, maxDatagramSize: 0 })
    expect(session.sendPadding(100, 'stream')).toBe(false)
    expect(session.sendPadding(100, 'datagram')).toBe(false)
    session.close(0, '')
    expect(session.sendPadding(100, 'stream')).toBe(false)
  })

  it('is received and dropped as it comes, whatever is in it, and disturbs nothing', async () => {
    const link = new TestLink()
    const session = link.session('server', {})
    const peer = link.raw('client')
    await link.settle()
    const log = new Log()
    session.subscribe(trackOf(namespaceOf('a'), 'b'), {}, log)
    await link.settle()
    peer.requests[0]!.send({ type: 'SUBSCRIBE_OK', trackAlias: 7, parameters: {}, properties: [] })
    const stream = peer.transport.openUni(255)!
    for (const byte of STREAM) {
      stream.write(Uint8Array.of(byte))
      await link.settle()
    }
    for (let i = 0; i < 50; i++) stream.write(new Uint8Array(100_000).fill(i))
    await link.settle()
    // Taken at once: nothing of it waits for anything.
    expect(stream.buffered).toBe(0)
    stream.finish()
    const cut = peer.transport.openUni(255)!
    cut.write(STREAM)
    await link.settle()
    cut.reset(0x9d)
    peer.transport.sendDatagram(Uint8Array.of(...DATAGRAM, 0, 0, 0))
    peer.transport.sendDatagram(DATAGRAM)
    peer.subgroup(7, 0, 0)
    await link.settle()
    expect(log.lines).toEqual(['accepted', 'object 0/0', 'end'])
    expect(peer.closed).toBeNull()
  })

  it('goes from session to session', async () => {
    const link = new TestLink()
    const client = link.session('client', {})
    const server = link.session('server', {})
    await link.settle()
    client.sendPadding(100_000, 'stream')
    client.sendPadding(1000, 'datagram')
    await link.settle()
    expect([client.closed, server.closed]).toEqual([false, false])
  })
})
