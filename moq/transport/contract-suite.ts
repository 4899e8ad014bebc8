/**
 * What every transport must do, as tests: the same suite runs against the in-memory pair, the W3C
 * adapter and each engine. An implementation that passes can carry MoQT.
 */

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { STREAM_SESSION_CLOSED } from './codes.ts'
import { ContractPeer, type Inbound, Monitor, Watch } from './contract-peer.ts'
import type { TransportSession } from './transport.ts'

export interface ContractFeatures {
  /** Whether datagrams are carried. Default true. */
  datagrams?: boolean
  /** Unidirectional streams that may be open at once; the credit test is skipped without it. */
  streamCredit?: number
  /** Largest code that resets and stops carry. Default 2^32 - 1, as over WebTransport. */
  largestStreamCode?: number
  /** Path that the server should see. */
  path?: string
}

export interface ContractPair {
  client: TransportSession
  server: TransportSession
  dispose(): Promise<void>
  features?: ContractFeatures
}

/**
 * Makes a connected pair. A factory whose sessions come from a network calls `attach` in the tick in
 * which a session is handed over, so that its handler is set in time; the suite attaches what was
 * not attached.
 */
export type ContractFactory = (attach: (session: TransportSession) => void) => Promise<ContractPair>

/** Defines the suite under `name`; a fresh pair is made for each test. */
export function describeTransportContract(name: string, factory: ContractFactory): void {
  describe(`${name} keeps the transport contract`, () => {
    let monitor: Monitor
    let watch: Watch
    let pair: ContractPair
    let client: ContractPeer
    let server: ContractPeer
    let largestCode: number

    async function connect(onAttached?: (peer: ContractPeer) => void): Promise<void> {
      monitor = new Monitor()
      watch = new Watch()
      const peers = new Map<TransportSession, ContractPeer>()
      const attach = (session: TransportSession) => {
        if (peers.has(session)) return
        const peer = new ContractPeer(session, monitor, watch)
        peers.set(session, peer)
        onAttached?.(peer)
      }
      pair = await factory(attach)
      attach(pair.client)
      attach(pair.server)
      client = peers.get(pair.client)!
      server = peers.get(pair.server)!
      largestCode = pair.features?.largestStreamCode ?? 0xffff_ffff
    }

    /** Both ways, as [title, sender, receiver]: every ability holds in either direction. */
    const directions = () =>
      [
        ['client to server', client, server],
        ['server to client', server, client],
      ] as const

    async function nextUni(receiver: ContractPeer, count: number): Promise<Inbound> {
      await watch.until(`stream ${count} arrives`, () => receiver.unis.length >= count)
      return receiver.unis[count - 1]!
    }

    async function nextBidi(receiver: ContractPeer, count: number) {
      await watch.until(`bidi stream ${count} arrives`, () => receiver.bidis.length >= count)
      return receiver.bidis[count - 1]!
    }

    const ended = (inbound: Inbound) => watch.until('the stream ends', () => inbound.ended)

    /** A byte there and back on a stream of its own: what was under way before has had its time. */
    async function roundTrip(from: ContractPeer, to: ContractPeer): Promise<void> {
      const count = to.bidis.length
      const { inbound, outbound } = await from.bidi()
      outbound.write(new Uint8Array([1])).finish()
      const there = await nextBidi(to, count + 1)
      await ended(there.inbound)
      there.outbound.write(new Uint8Array([2])).finish()
      await ended(inbound)
    }

    beforeEach(() => connect())

    afterEach(async () => {
      await pair.dispose()
      expect(monitor.violations).toEqual([])
      for (const peer of [client, server]) {
        expect(peer.closed.length).toBeLessThanOrEqual(1)
        expect(peer.afterClosed).toBe(0)
        for (const inbound of [...peer.unis, ...peer.bidis.map((bidi) => bidi.inbound)]) {
          expect(inbound.late).toBe(0)
        }
      }
    })

    it('tells protocol, path and peer', () => {
      expect(client.session.protocol).not.toBe('')
      expect(server.session.protocol).toBe(client.session.protocol)
      expect(client.session.peer).not.toBe('')
      expect(server.session.peer).not.toBe('')
      if (pair.features?.path !== undefined) expect(server.session.path).toBe(pair.features.path)
    })

    describe('bytes', () => {
      it('carries a unidirectional stream in order, both ways', async () => {
        for (const [, sender, receiver] of directions()) {
          const outbound = await sender.uni()
          for (let i = 0; i < 100; i++) outbound.write(pattern(100 + i, i))
          outbound.finish()
          const inbound = await nextUni(receiver, 1)
          await ended(inbound)
          const expected = Array.from({ length: 100 }, (_, i) => pattern(100 + i, i))
          expect(await digest(inbound.bytes())).toBe(await digest(concat(expected)))
          expect([inbound.fins, inbound.resets]).toEqual([1, []])
        }
      })

      it('carries both directions of a bidirectional stream, opened by either side', async () => {
        for (const [, opener, acceptor] of directions()) {
          const near = await opener.bidi()
          near.outbound.write(pattern(5_000, 1)).finish()
          const far = await nextBidi(acceptor, 1)
          await ended(far.inbound)
          far.outbound.write(pattern(7_000, 2)).finish()
          await ended(near.inbound)
          expect(far.inbound.bytes()).toEqual(pattern(5_000, 1))
          expect(near.inbound.bytes()).toEqual(pattern(7_000, 2))
        }
      })

      it('ends a stream after its bytes have arrived, and a stream without bytes', async () => {
        const late = await client.uni()
        late.write(pattern(10, 1))
        const inbound = await nextUni(server, 1)
        await watch.until('the bytes arrive', () => inbound.length === 10)
        expect(inbound.fins).toBe(0)
        late.finish()
        await ended(inbound)
        expect(inbound.fins).toBe(1)

        const empty = await client.uni()
        empty.finish()
        const nothing = await nextUni(server, 2)
        await ended(nothing)
        expect([nothing.length, nothing.fins]).toEqual([0, 1])
      })

      it.each([
        65_536, 1_000_000, 5_000_000,
      ])('carries %d bytes intact, both ways', async (size) => {
        const sent = pattern(size, size)
        const sum = await digest(sent)
        for (const [, sender, receiver] of directions()) {
          const outbound = await sender.uni()
          for (let at = 0; at < size; at += 65_536) outbound.write(sent.subarray(at, at + 65_536))
          outbound.finish()
          const inbound = await nextUni(receiver, 1)
          await ended(inbound)
          expect(inbound.length).toBe(size)
          expect(await digest(inbound.bytes())).toBe(sum)
        }
      })

      it('carries one large write intact', async () => {
        const sent = pattern(1_500_000, 3)
        const outbound = await client.uni()
        outbound.write(sent).finish()
        const inbound = await nextUni(server, 1)
        await ended(inbound)
        expect(await digest(inbound.bytes())).toBe(await digest(sent))
      })

      it('leaves written bytes alone, so that one array may go to many streams', async () => {
        const shared = pattern(3_000, 9)
        for (const [, sender, receiver] of directions()) {
          for (let i = 0; i < 3; i++) (await sender.uni()).write(shared).finish()
          await watch.until(
            'three streams end',
            () => receiver.unis.filter((uni) => uni.ended).length === 3,
          )
          for (const inbound of receiver.unis) expect(inbound.bytes()).toEqual(pattern(3_000, 9))
        }
        expect(shared).toEqual(pattern(3_000, 9))
      })

      it('gives bytes that later ones do not overwrite', async () => {
        const outbound = await client.uni()
        outbound.write(pattern(2_000, 1))
        const inbound = await nextUni(server, 1)
        await watch.until('the first bytes arrive', () => inbound.length === 2_000)
        outbound.write(pattern(2_000, 2)).finish()
        await ended(inbound)
        expect(inbound.bytes()).toEqual(concat([pattern(2_000, 1), pattern(2_000, 2)]))
      })

      it('carries hundreds of streams at once, both ways', async () => {
        const count = 300
        await Promise.all(
          directions().map(async ([, sender]) => {
            for (let i = 0; i < count; i++) (await sender.uni(i % 256)).write(numbered(i)).finish()
          }),
        )
        for (const [, , receiver] of directions()) {
          await watch.until(
            `${count} streams end`,
            () => receiver.unis.filter((uni) => uni.fins === 1).length === count,
          )
          const seen = new Set(receiver.unis.map((uni) => numberOf(uni.bytes())))
          expect(seen.size).toBe(count)
          for (const uni of receiver.unis) {
            expect(uni.bytes()).toEqual(numbered(numberOf(uni.bytes())))
          }
        }
      })

      it('takes a change of order at any time', async () => {
        const outbound = await client.uni(255)
        outbound.write(pattern(100, 1))
        monitor.call('setOrder', () => outbound.stream.setOrder(0))
        outbound.write(pattern(100, 2)).finish()
        monitor.call('setOrder', () => outbound.stream.setOrder(7))
        const inbound = await nextUni(server, 1)
        await ended(inbound)
        expect(inbound.length).toBe(200)
      })
    })

    describe('reset and stop', () => {
      const codes = () => [0x0, 0x5, 0x12, largestCode]

      it('carries reset codes, both ways', async () => {
        for (const [, sender, receiver] of directions()) {
          for (const [index, code] of codes().entries()) {
            const outbound = await sender.uni()
            outbound.write(pattern(100, 1))
            const inbound = await nextUni(receiver, index + 1)
            await watch.until('the bytes arrive', () => inbound.length === 100)
            outbound.reset(code)
            await ended(inbound)
            expect([inbound.fins, inbound.resets]).toEqual([0, [code]])
          }
        }
      })

      it('carries stop codes, both ways, and calls back no more', async () => {
        for (const [, sender, receiver] of directions()) {
          for (const [index, code] of codes().entries()) {
            const outbound = await sender.uni()
            outbound.write(pattern(100, 1))
            const inbound = await nextUni(receiver, index + 1)
            await watch.until('bytes arrive', () => inbound.length > 0)
            inbound.stop(code)
            await watch.until('the sender is stopped', () => outbound.stops.length > 0)
            expect(outbound.stops).toEqual([code])
            // A stopped stream is over for its sender: what is still done to it has no effect.
            outbound.write(pattern(100, 2)).finish().reset(0x1)
            await roundTrip(sender, receiver)
            expect([inbound.fins, inbound.resets, outbound.stops]).toEqual([0, [], [code]])
          }
        }
      })

      it('resets and stops the directions of a bidirectional stream one by one', async () => {
        for (const [, opener, acceptor] of directions()) {
          const near = await opener.bidi()
          near.outbound.write(pattern(10, 1))
          const far = await nextBidi(acceptor, 1)
          await watch.until('bytes arrive', () => far.inbound.length === 10)
          near.outbound.reset(0x2)
          await ended(far.inbound)
          expect(far.inbound.resets).toEqual([0x2])
          far.outbound.write(pattern(20, 2))
          await watch.until('the answer arrives', () => near.inbound.length === 20)
          near.inbound.stop(0x4)
          await watch.until('the answer is stopped', () => far.outbound.stops.length > 0)
          expect(far.outbound.stops).toEqual([0x4])
        }
      })

      it('has nothing to reset once a stream has ended', async () => {
        const outbound = await client.uni()
        outbound.write(pattern(100, 1)).finish().reset(0x1)
        const inbound = await nextUni(server, 1)
        await ended(inbound)
        expect([inbound.length, inbound.fins, inbound.resets]).toEqual([100, 1, []])
      })

      it('abandons what a reset overtakes', async () => {
        const outbound = await client.uni()
        outbound.write(pattern(100, 1))
        const inbound = await nextUni(server, 1)
        inbound.pause()
        for (let i = 0; i < 64; i++) outbound.write(pattern(65_536, i))
        outbound.reset(0x2)
        inbound.resume()
        await ended(inbound)
        expect(inbound.resets).toEqual([0x2])
        expect(outbound.stream.buffered).toBe(0)
      })
    })

    describe('pause and resume', () => {
      it('holds back a stream paused as it arrives, and loses nothing', async () => {
        for (const [, sender, receiver] of directions()) {
          receiver.onInbound = (inbound) => inbound.pause()
          const outbound = await sender.uni()
          outbound.write(pattern(8_000, 1)).finish()
          const inbound = await nextUni(receiver, 1)
          receiver.onInbound = null
          await roundTrip(sender, receiver)
          expect(inbound.chunks.length).toBe(0)
          inbound.resume()
          await ended(inbound)
          expect(inbound.bytes()).toEqual(pattern(8_000, 1))
        }
      })

      it('can pause at every callback', async () => {
        const sent = pattern(300_000, 4)
        server.onInbound = (inbound) => {
          inbound.onEach = () => inbound.pause()
        }
        const outbound = await client.uni()
        for (let at = 0; at < sent.length; at += 10_000) {
          outbound.write(sent.subarray(at, at + 10_000))
        }
        outbound.finish()
        const inbound = await nextUni(server, 1)
        server.onInbound = null
        for (let pauses = 0; !inbound.ended; pauses++) {
          await watch.until('the stream is paused', () => inbound.paused)
          const before = inbound.chunks.length
          // The other way, since the held bytes may fill the session's window this way.
          if (pauses < 5) {
            const count = client.unis.length
            ;(await server.uni()).write(new Uint8Array([1])).finish()
            await ended(await nextUni(client, count + 1))
          }
          expect(inbound.chunks.length).toBe(before)
          inbound.resume()
        }
        expect(await digest(inbound.bytes())).toBe(await digest(sent))
      })

      it('lets a paused stream fill up at its sender', async () => {
        server.onInbound = (inbound) => inbound.pause()
        const outbound = await client.uni()
        const piece = pattern(65_536, 1)
        for (let i = 0; i < 128; i++) outbound.write(piece)
        outbound.finish()
        const inbound = await nextUni(server, 1)
        for (let i = 0; i < 5; i++) {
          ;(await server.uni()).write(new Uint8Array([1])).finish()
          await ended(await nextUni(client, i + 1))
        }
        expect(outbound.stream.buffered).toBeGreaterThan(0)
        inbound.resume()
        await ended(inbound)
        expect(inbound.length).toBe(128 * 65_536)
      })
    })

    it('answers null without stream credit and says when it returns', async ({ skip }) => {
      const credit = pair.features?.streamCredit
      if (credit === undefined) return skip('this transport announces no stream credit')
      for (const [, sender, receiver] of directions()) {
        const open = []
        for (;;) {
          const outbound = sender.tryUni()
          if (outbound !== null) open.push(outbound.write(new Uint8Array([open.length])))
          else if (open.length >= credit) break
          else {
            // Credit may trickle in while a connection is young.
            const seen = sender.credits
            await watch.until('credit trickles in', () => sender.credits > seen)
          }
          expect(open.length).toBeLessThanOrEqual(credit)
        }
        await watch.until('all are received', () => receiver.unis.length === credit)
        const seen = sender.credits
        expect(sender.tryUni()).toBeNull()
        for (const outbound of open) outbound.finish()
        await watch.until('credit returns', () => sender.credits > seen)
        const again = await sender.uni()
        again.write(new Uint8Array([1])).finish()
        await ended(await nextUni(receiver, credit + 1))
      }
    })

    describe('datagrams', () => {
      const without = () => pair.features?.datagrams === false

      it('carries datagrams up to the largest size, both ways', async ({ skip }) => {
        skip(without(), 'this transport has no datagrams')
        for (const [, sender, receiver] of directions()) {
          const { maxDatagramSize } = sender.session
          expect(maxDatagramSize).toBeGreaterThanOrEqual(1_000)
          for (const [index, size] of [1, 100, 1_000, maxDatagramSize].entries()) {
            expect(sender.sendDatagram(pattern(size, index))).toBe(true)
            await watch.until('it arrives', () => receiver.datagrams.length === index + 1)
            expect(receiver.datagrams[index]).toEqual(pattern(size, index))
          }
        }
      })

      it('refuses a datagram that is too large', async ({ skip }) => {
        skip(without(), 'this transport has no datagrams')
        const tooLarge = new Uint8Array(client.session.maxDatagramSize + 1)
        expect(client.sendDatagram(tooLarge)).toBe(false)
        expect(client.sendDatagram(pattern(10, 1))).toBe(true)
        await watch.until('the next one arrives', () => server.datagrams.length > 0)
        expect(server.datagrams).toEqual([pattern(10, 1)])
      })

      it('refuses every datagram where there are none', ({ skip }) => {
        skip(!without(), 'this transport has datagrams')
        expect(client.session.maxDatagramSize).toBe(0)
        expect(client.sendDatagram(new Uint8Array(1))).toBe(false)
      })
    })

    describe('room', () => {
      it('answers each want once', async () => {
        for (const [, sender, receiver] of directions()) {
          sender.wantRoom()
          sender.wantRoom()
          await watch.until('there is room', () => sender.rooms.length > 0)
          await roundTrip(sender, receiver)
          expect(sender.rooms.length).toBe(1)
          expect(sender.rooms[0]).toBeGreaterThan(0)
          sender.wantRoom()
          await watch.until('there is room again', () => sender.rooms.length > 1)
          await roundTrip(sender, receiver)
          expect(sender.rooms.length).toBe(2)
        }
      })

      it('paces a transfer from start to end', async () => {
        for (const [, sender, receiver] of directions()) {
          const sent = pattern(2_000_000, 5)
          const outbound = await sender.uni()
          let at = 0
          sender.onRoomGiven = (bytes) => {
            outbound.write(sent.subarray(at, at + bytes))
            at += bytes
            if (at < sent.length) sender.wantRoom()
            else outbound.finish()
          }
          sender.wantRoom()
          const inbound = await nextUni(receiver, 1)
          await ended(inbound)
          expect(await digest(inbound.bytes())).toBe(await digest(sent))
        }
      })
    })

    describe('the end of a session', () => {
      it.each(['client', 'server'])('tells code and reason when the %s closes', async (by) => {
        const [closer, other] = by === 'client' ? [client, server] : [server, client]
        closer.close(0x10, 'took too long')
        closer.close(0x1, 'a second time has no effect')
        await watch.until('both are told', () => closer.closed.length + other.closed.length === 2)
        const told = { code: 0x10, reason: 'took too long' }
        expect(closer.closed).toEqual([{ by: 'local', ...told }])
        expect(other.closed).toEqual([{ by: 'peer', ...told }])
      })

      it('resets the streams that were open, on both sides, before onClosed', async () => {
        const order: string[] = []
        const toServer = await client.uni()
        toServer.write(pattern(10, 1))
        const toClient = await server.uni()
        toClient.write(pattern(10, 1))
        const atServer = await nextUni(server, 1)
        const atClient = await nextUni(client, 1)
        await watch.until('bytes arrive', () => atServer.length + atClient.length === 20)
        for (const inbound of [atServer, atClient]) {
          inbound.onEach = () => {
            const peer = inbound === atServer ? server : client
            order.push(peer.closed.length === 0 ? 'before' : 'after')
          }
        }
        server.close(0x0, '')
        await watch.until('both are told', () => client.closed.length + server.closed.length === 2)
        expect(atServer.resets).toEqual([STREAM_SESSION_CLOSED])
        expect(atClient.resets).toEqual([STREAM_SESSION_CLOSED])
        expect(order).toEqual(['before', 'before'])
      })

      it('does nothing more once closed', async () => {
        const outbound = await client.uni()
        outbound.write(pattern(10, 1))
        const inbound = await nextUni(server, 1)
        await watch.until('bytes arrive', () => inbound.length === 10)
        client.close(0x0, 'done')
        for (let round = 0; round < 2; round++) {
          expect(client.tryUni()).toBeNull()
          expect(client.tryBidi()).toBeNull()
          expect(client.sendDatagram(new Uint8Array(1))).toBe(false)
          outbound.write(pattern(10, 2)).finish().reset(0x1)
          client.wantRoom()
          await watch.until('it is closed', () => client.closed.length === 1)
        }
        expect(client.session.maxDatagramSize).toBe(0)
        expect(client.rooms).toEqual([])
        expect(client.session.congestion()).toBeNull()
        await watch.until('the peer is told', () => server.closed.length === 1)
      })
    })

    it('loses nothing that is sent as soon as a session is handed over', async () => {
      await pair.dispose()
      const greeted = new Set<ContractPeer>()
      const greet = (peer: ContractPeer) => {
        if (greeted.has(peer)) return
        const outbound = peer.tryUni()
        if (outbound === null) return
        greeted.add(peer)
        outbound.write(pattern(500, 6)).finish()
      }
      await connect((peer) => {
        peer.onCredit = () => greet(peer)
        greet(peer)
      })
      for (const [, , receiver] of directions()) {
        const inbound = await nextUni(receiver, 1)
        await ended(inbound)
        expect(inbound.bytes()).toEqual(pattern(500, 6))
      }
    })
  })
}

/** Bytes that look random and differ by seed. */
function pattern(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length)
  let state = (seed + 1) * 2_654_435_761
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    bytes[i] = state >>> 24
  }
  return bytes
}

function numbered(index: number): Uint8Array {
  const bytes = pattern(1_024, index)
  bytes[0] = index >> 8
  bytes[1] = index & 0xff
  return bytes
}

function numberOf(bytes: Uint8Array): number {
  return bytes[0]! * 256 + bytes[1]!
}

function concat(parts: Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let offset = 0
  for (const part of parts) {
    all.set(part, offset)
    offset += part.length
  }
  return all
}

async function digest(bytes: Uint8Array): Promise<string> {
  const sum = await crypto.subtle.digest('SHA-256', new Uint8Array(bytes))
  return Array.from(new Uint8Array(sum), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
