import { describe, expect, it } from 'vitest'
import { concat, digest, numbered, numberOf, pattern } from './contract-bytes.ts'
import type { ContractRig } from './contract-rig.ts'

/** The contract of streams: bytes, ends, resets, stops, pauses. */
export function defineStreamTests(rig: ContractRig): void {
  describe('bytes', () => {
    it('carries a unidirectional stream in order, both ways', async () => {
      for (const [, sender, receiver] of rig.directions()) {
        const outbound = await sender.uni()
        for (let i = 0; i < 100; i++) outbound.write(pattern(100 + i, i))
        outbound.finish()
        const inbound = await rig.nextUni(receiver, 1)
        await rig.ended(inbound)
        const expected = Array.from({ length: 100 }, (_, i) => pattern(100 + i, i))
        expect(await digest(inbound.bytes())).toBe(await digest(concat(expected)))
        expect([inbound.fins, inbound.resets]).toEqual([1, []])
      }
    })

    it('carries both directions of a bidirectional stream, opened by either side', async () => {
      for (const [, opener, acceptor] of rig.directions()) {
        const near = await opener.bidi()
        near.outbound.write(pattern(5_000, 1)).finish()
        const far = await rig.nextBidi(acceptor, 1)
        await rig.ended(far.inbound)
        far.outbound.write(pattern(7_000, 2)).finish()
        await rig.ended(near.inbound)
        expect(far.inbound.bytes()).toEqual(pattern(5_000, 1))
        expect(near.inbound.bytes()).toEqual(pattern(7_000, 2))
      }
    })

    it('ends a stream after its bytes have arrived, and a stream without bytes', async () => {
      const late = await rig.client.uni()
      late.write(pattern(10, 1))
      const inbound = await rig.nextUni(rig.server, 1)
      await rig.watch.until('the bytes arrive', () => inbound.length === 10)
      expect(inbound.fins).toBe(0)
      late.finish()
      await rig.ended(inbound)
      expect(inbound.fins).toBe(1)

      const empty = await rig.client.uni()
      empty.finish()
      const nothing = await rig.nextUni(rig.server, 2)
      await rig.ended(nothing)
      expect([nothing.length, nothing.fins]).toEqual([0, 1])
    })

    it.each([65_536, 1_000_000, 5_000_000])('carries %d bytes intact, both ways', async (size) => {
      const sent = pattern(size, size)
      const sum = await digest(sent)
      for (const [, sender, receiver] of rig.directions()) {
        const outbound = await sender.uni()
        for (let at = 0; at < size; at += 65_536) outbound.write(sent.subarray(at, at + 65_536))
        outbound.finish()
        const inbound = await rig.nextUni(receiver, 1)
        await rig.ended(inbound)
        expect(inbound.length).toBe(size)
        expect(await digest(inbound.bytes())).toBe(sum)
      }
    })

    it('carries one large write intact', async () => {
      const sent = pattern(1_500_000, 3)
      const outbound = await rig.client.uni()
      outbound.write(sent).finish()
      const inbound = await rig.nextUni(rig.server, 1)
      await rig.ended(inbound)
      expect(await digest(inbound.bytes())).toBe(await digest(sent))
    })

    it('leaves written bytes alone, so that one array may go to many streams', async () => {
      const shared = pattern(3_000, 9)
      for (const [, sender, receiver] of rig.directions()) {
        for (let i = 0; i < 3; i++) (await sender.uni()).write(shared).finish()
        await rig.watch.until(
          'three streams end',
          () => receiver.unis.filter((uni) => uni.ended).length === 3,
        )
        for (const inbound of receiver.unis) expect(inbound.bytes()).toEqual(pattern(3_000, 9))
      }
      expect(shared).toEqual(pattern(3_000, 9))
    })

    it('gives bytes that later ones do not overwrite', async () => {
      const outbound = await rig.client.uni()
      outbound.write(pattern(2_000, 1))
      const inbound = await rig.nextUni(rig.server, 1)
      await rig.watch.until('the first bytes arrive', () => inbound.length === 2_000)
      outbound.write(pattern(2_000, 2)).finish()
      await rig.ended(inbound)
      expect(inbound.bytes()).toEqual(concat([pattern(2_000, 1), pattern(2_000, 2)]))
    })

    it('carries hundreds of streams at once, both ways', async () => {
      const count = 300
      await Promise.all(
        rig.directions().map(async ([, sender]) => {
          for (let i = 0; i < count; i++) (await sender.uni(i % 256)).write(numbered(i)).finish()
        }),
      )
      for (const [, , receiver] of rig.directions()) {
        await rig.watch.until(
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
      const outbound = await rig.client.uni(255)
      outbound.write(pattern(100, 1))
      rig.monitor.call('setOrder', () => outbound.stream.setOrder(0))
      outbound.write(pattern(100, 2)).finish()
      rig.monitor.call('setOrder', () => outbound.stream.setOrder(7))
      const inbound = await rig.nextUni(rig.server, 1)
      await rig.ended(inbound)
      expect(inbound.length).toBe(200)
    })
  })

  describe('reset and stop', () => {
    const codes = () => [0x0, 0x5, 0x12, rig.largestCode]

    it('carries reset codes, both ways', async () => {
      for (const [, sender, receiver] of rig.directions()) {
        for (const [index, code] of codes().entries()) {
          const outbound = await sender.uni()
          outbound.write(pattern(100, 1))
          const inbound = await rig.nextUni(receiver, index + 1)
          await rig.watch.until('the bytes arrive', () => inbound.length === 100)
          outbound.reset(code)
          await rig.ended(inbound)
          expect([inbound.fins, inbound.resets]).toEqual([0, [code]])
        }
      }
    })

    it('carries stop codes, both ways, and calls back no more', async () => {
      for (const [, sender, receiver] of rig.directions()) {
        for (const [index, code] of codes().entries()) {
          const outbound = await sender.uni()
          outbound.write(pattern(100, 1))
          const inbound = await rig.nextUni(receiver, index + 1)
          await rig.watch.until('bytes arrive', () => inbound.length > 0)
          inbound.stop(code)
          await rig.watch.until('the sender is stopped', () => outbound.stops.length > 0)
          expect(outbound.stops).toEqual([code])
          // A stopped stream is over for its sender: what is still done to it has no effect.
          outbound.write(pattern(100, 2)).finish().reset(0x1)
          await rig.roundTrip(sender, receiver)
          expect([inbound.fins, inbound.resets, outbound.stops]).toEqual([0, [], [code]])
        }
      }
    })

    it('resets and stops the directions of a bidirectional stream one by one', async () => {
      for (const [, opener, acceptor] of rig.directions()) {
        const near = await opener.bidi()
        near.outbound.write(pattern(10, 1))
        const far = await rig.nextBidi(acceptor, 1)
        await rig.watch.until('bytes arrive', () => far.inbound.length === 10)
        near.outbound.reset(0x2)
        await rig.ended(far.inbound)
        expect(far.inbound.resets).toEqual([0x2])
        far.outbound.write(pattern(20, 2))
        await rig.watch.until('the answer arrives', () => near.inbound.length === 20)
        near.inbound.stop(0x4)
        await rig.watch.until('the answer is stopped', () => far.outbound.stops.length > 0)
        expect(far.outbound.stops).toEqual([0x4])
      }
    })

    it('has nothing to reset once a stream has ended', async () => {
      const outbound = await rig.client.uni()
      outbound.write(pattern(100, 1)).finish().reset(0x1)
      const inbound = await rig.nextUni(rig.server, 1)
      await rig.ended(inbound)
      expect([inbound.length, inbound.fins, inbound.resets]).toEqual([100, 1, []])
    })

    it('abandons what a reset overtakes', async () => {
      const outbound = await rig.client.uni()
      outbound.write(pattern(100, 1))
      const inbound = await rig.nextUni(rig.server, 1)
      inbound.pause()
      for (let i = 0; i < 64; i++) outbound.write(pattern(65_536, i))
      outbound.reset(0x2)
      inbound.resume()
      await rig.ended(inbound)
      expect(inbound.resets).toEqual([0x2])
      expect(outbound.stream.buffered).toBe(0)
    })
  })

  describe('pause and resume', () => {
    it('holds back a stream paused as it arrives, and loses nothing', async () => {
      for (const [, sender, receiver] of rig.directions()) {
        receiver.onInbound = (inbound) => inbound.pause()
        const outbound = await sender.uni()
        outbound.write(pattern(8_000, 1)).finish()
        const inbound = await rig.nextUni(receiver, 1)
        receiver.onInbound = null
        await rig.roundTrip(sender, receiver)
        expect(inbound.chunks.length).toBe(0)
        inbound.resume()
        await rig.ended(inbound)
        expect(inbound.bytes()).toEqual(pattern(8_000, 1))
      }
    })

    it('can pause at every callback', async () => {
      const sent = pattern(300_000, 4)
      rig.server.onInbound = (inbound) => {
        inbound.onEach = () => inbound.pause()
      }
      const outbound = await rig.client.uni()
      for (let at = 0; at < sent.length; at += 10_000) {
        outbound.write(sent.subarray(at, at + 10_000))
      }
      outbound.finish()
      const inbound = await rig.nextUni(rig.server, 1)
      rig.server.onInbound = null
      for (let pauses = 0; !inbound.ended; pauses++) {
        await rig.watch.until('the stream is paused', () => inbound.paused)
        const before = inbound.chunks.length
        // The other way, since the held bytes may fill the session's window this way.
        if (pauses < 5) {
          const count = rig.client.unis.length
          ;(await rig.server.uni()).write(new Uint8Array([1])).finish()
          await rig.ended(await rig.nextUni(rig.client, count + 1))
        }
        expect(inbound.chunks.length).toBe(before)
        inbound.resume()
      }
      expect(await digest(inbound.bytes())).toBe(await digest(sent))
    })

    it('lets a paused stream fill up at its sender', async () => {
      rig.server.onInbound = (inbound) => inbound.pause()
      const outbound = await rig.client.uni()
      const piece = pattern(65_536, 1)
      for (let i = 0; i < 128; i++) outbound.write(piece)
      outbound.finish()
      const inbound = await rig.nextUni(rig.server, 1)
      for (let i = 0; i < 5; i++) {
        ;(await rig.server.uni()).write(new Uint8Array([1])).finish()
        await rig.ended(await rig.nextUni(rig.client, i + 1))
      }
      expect(outbound.stream.buffered).toBeGreaterThan(0)
      inbound.resume()
      await rig.ended(inbound)
      expect(inbound.length).toBe(128 * 65_536)
    })
  })
}
