/** Whatever one provider seals any other opens, through the contexts, byte for byte the same frame. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CounterLedger } from './counter-ledger.ts'
import { encodeHeader } from './header.ts'
import { ReceiverContext } from './receiver.ts'
import { MAX_SEND_COUNTER, SenderContext } from './sender.ts'
import { type Suite, suites } from './suites.ts'
import { hex, providers } from './testing.ts'
import { MAX_UINT64, toUInt64 } from './uint64.ts'

const kids = fc.oneof(
  fc.nat(20).map(BigInt),
  fc.bigInt({ min: 0n, max: MAX_UINT64 }),
  fc.constantFrom(2n ** 53n - 1n, 2n ** 53n, MAX_UINT64),
)
const counters = fc.oneof(fc.nat(20), fc.maxSafeNat(), fc.constant(MAX_SEND_COUNTER))
const plaintexts = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.uint8Array({ minLength: 100, maxLength: 5000, size: 'max' }),
)

describe.each(Object.values<Suite>(suites))('any two providers agree on $name', (suite) => {
  it('for any base key, KID, counter, metadata and frame', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ minLength: 1, maxLength: 100 }),
        kids,
        counters,
        fc.uint8Array({ maxLength: 300, size: 'max' }),
        plaintexts,
        async (baseKey, kid, counter, metadata, plaintext) => {
          const firstCounter = Math.min(counter, MAX_SEND_COUNTER)
          const frames = new Map<string, Uint8Array>()
          for (const provider of providers) {
            const ledger = new CounterLedger()
            const options = { provider, suite, kid, baseKey, firstCounter, ledger }
            const sender = await SenderContext.create(options)
            const frame = await sender.encrypt(plaintext, metadata)
            frames.set(hex(frame), frame)
          }
          expect(frames.size).toBe(1)
          for (const [text, frame] of frames) {
            expect(text.startsWith(hex(encodeHeader(toUInt64(kid), firstCounter)))).toBe(true)
            for (const provider of providers) {
              const receiver = new ReceiverContext({ provider, suite })
              await receiver.installKey(kid, baseKey)
              expect(hex(await receiver.decrypt(frame, metadata))).toBe(hex(plaintext))
            }
          }
        },
      ),
      { numRuns: 20 },
    )
  })
})
