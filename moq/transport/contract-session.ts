import { describe, expect, it } from 'vitest'
import { STREAM_SESSION_CLOSED } from './codes.ts'
import { digest, pattern } from './contract-bytes.ts'
import type { ContractPeer } from './contract-peer.ts'
import type { ContractRig } from './contract-rig.ts'

/** The contract of a session: what it tells, stream credit, datagrams, room and its end. */
export function defineSessionTests(rig: ContractRig): void {
  it('tells protocol, path, authority and peer', () => {
    expect(rig.client.session.protocol).not.toBe('')
    expect(rig.server.session.protocol).toBe(rig.client.session.protocol)
    expect(rig.client.session.peer).not.toBe('')
    expect(rig.server.session.peer).not.toBe('')
    if (rig.pair.features?.path !== undefined)
      expect(rig.server.session.path).toBe(rig.pair.features.path)
    if (rig.pair.features?.authority !== undefined)
      expect(rig.server.session.authority).toBe(rig.pair.features.authority)
  })

  it('answers null without stream credit and says when it returns', async ({ skip }) => {
    const credit = rig.pair.features?.streamCredit
    if (credit === undefined) return skip('this transport announces no stream credit')
    for (const [, sender, receiver] of rig.directions()) {
      const open = []
      for (;;) {
        const outbound = sender.tryUni()
        if (outbound !== null) open.push(outbound.write(new Uint8Array([open.length])))
        else if (open.length >= credit) break
        else {
          // Credit may trickle in while a connection is young.
          const seen = sender.credits
          await rig.watch.until('credit trickles in', () => sender.credits > seen)
        }
        expect(open.length).toBeLessThanOrEqual(credit)
      }
      await rig.watch.until('all are received', () => receiver.unis.length === credit)
      const seen = sender.credits
      expect(sender.tryUni()).toBeNull()
      for (const outbound of open) outbound.finish()
      await rig.watch.until('credit returns', () => sender.credits > seen)
      const again = await sender.uni()
      again.write(new Uint8Array([1])).finish()
      await rig.ended(await rig.nextUni(receiver, credit + 1))
    }
  })

  describe('datagrams', () => {
    const without = () => rig.pair.features?.datagrams === false

    it('carries datagrams up to the largest size, both ways', async ({ skip }) => {
      skip(without(), 'this transport has no datagrams')
      for (const [, sender, receiver] of rig.directions()) {
        const { maxDatagramSize } = sender.session
        expect(maxDatagramSize).toBeGreaterThanOrEqual(1_000)
        for (const [index, size] of [1, 100, 1_000, maxDatagramSize].entries()) {
          expect(sender.sendDatagram(pattern(size, index))).toBe(true)
          await rig.watch.until('it arrives', () => receiver.datagrams.length === index + 1)
          expect(receiver.datagrams[index]).toEqual(pattern(size, index))
        }
      }
    })

    it('refuses a datagram that is too large', async ({ skip }) => {
      skip(without(), 'this transport has no datagrams')
      const tooLarge = new Uint8Array(rig.client.session.maxDatagramSize + 1)
      expect(rig.client.sendDatagram(tooLarge)).toBe(false)
      expect(rig.client.sendDatagram(pattern(10, 1))).toBe(true)
      await rig.watch.until('the next one arrives', () => rig.server.datagrams.length > 0)
      expect(rig.server.datagrams).toEqual([pattern(10, 1)])
    })

    it('refuses every datagram where there are none', ({ skip }) => {
      skip(!without(), 'this transport has datagrams')
      expect(rig.client.session.maxDatagramSize).toBe(0)
      expect(rig.client.sendDatagram(new Uint8Array(1))).toBe(false)
    })
  })

  describe('room', () => {
    it('answers each want once', async () => {
      for (const [, sender, receiver] of rig.directions()) {
        sender.wantRoom()
        sender.wantRoom()
        await rig.watch.until('there is room', () => sender.rooms.length > 0)
        await rig.roundTrip(sender, receiver)
        expect(sender.rooms.length).toBe(1)
        expect(sender.rooms[0]).toBeGreaterThan(0)
        sender.wantRoom()
        await rig.watch.until('there is room again', () => sender.rooms.length > 1)
        await rig.roundTrip(sender, receiver)
        expect(sender.rooms.length).toBe(2)
      }
    })

    it('paces a transfer from start to end', async () => {
      for (const [, sender, receiver] of rig.directions()) {
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
        const inbound = await rig.nextUni(receiver, 1)
        await rig.ended(inbound)
        expect(await digest(inbound.bytes())).toBe(await digest(sent))
      }
    })
  })

  describe('the end of a session', () => {
    it.each(['client', 'server'])('tells code and reason when the %s closes', async (by) => {
      const [closer, other] = by === 'client' ? [rig.client, rig.server] : [rig.server, rig.client]
      closer.close(0x10, 'took too long')
      closer.close(0x1, 'a second time has no effect')
      await rig.watch.until('both are told', () => closer.closed.length + other.closed.length === 2)
      const told = { code: 0x10, reason: 'took too long' }
      expect(closer.closed).toEqual([{ by: 'local', ...told }])
      expect(other.closed).toEqual([{ by: 'peer', ...told }])
    })

    it('resets the streams that were open, on both sides, before onClosed', async () => {
      const order: string[] = []
      const toServer = await rig.client.uni()
      toServer.write(pattern(10, 1))
      const toClient = await rig.server.uni()
      toClient.write(pattern(10, 1))
      const atServer = await rig.nextUni(rig.server, 1)
      const atClient = await rig.nextUni(rig.client, 1)
      await rig.watch.until('bytes arrive', () => atServer.length + atClient.length === 20)
      for (const inbound of [atServer, atClient]) {
        inbound.onEach = () => {
          const peer = inbound === atServer ? rig.server : rig.client
          order.push(peer.closed.length === 0 ? 'before' : 'after')
        }
      }
      rig.server.close(0x0, '')
      await rig.watch.until(
        'both are told',
        () => rig.client.closed.length + rig.server.closed.length === 2,
      )
      expect(atServer.resets).toEqual([STREAM_SESSION_CLOSED])
      expect(atClient.resets).toEqual([STREAM_SESSION_CLOSED])
      expect(order).toEqual(['before', 'before'])
    })

    it('does nothing more once closed', async () => {
      const outbound = await rig.client.uni()
      outbound.write(pattern(10, 1))
      const inbound = await rig.nextUni(rig.server, 1)
      await rig.watch.until('bytes arrive', () => inbound.length === 10)
      rig.client.close(0x0, 'done')
      for (let round = 0; round < 2; round++) {
        expect(rig.client.tryUni()).toBeNull()
        expect(rig.client.tryBidi()).toBeNull()
        expect(rig.client.sendDatagram(new Uint8Array(1))).toBe(false)
        outbound.write(pattern(10, 2)).finish().reset(0x1)
        rig.client.wantRoom()
        await rig.watch.until('it is closed', () => rig.client.closed.length === 1)
      }
      expect(rig.client.session.maxDatagramSize).toBe(0)
      expect(rig.client.rooms).toEqual([])
      expect(rig.client.session.congestion()).toBeNull()
      await rig.watch.until('the peer is told', () => rig.server.closed.length === 1)
    })
  })

  it('loses nothing that is sent as soon as a session is handed over', async () => {
    await rig.pair.dispose()
    const greeted = new Set<ContractPeer>()
    const greet = (peer: ContractPeer) => {
      if (greeted.has(peer)) return
      const outbound = peer.tryUni()
      if (outbound === null) return
      greeted.add(peer)
      outbound.write(pattern(500, 6)).finish()
    }
    await rig.connect((peer) => {
      peer.onCredit = () => greet(peer)
      greet(peer)
    })
    for (const [, , receiver] of rig.directions()) {
      const inbound = await rig.nextUni(receiver, 1)
      await rig.ended(inbound)
      expect(inbound.bytes()).toEqual(pattern(500, 6))
    }
  })
}
