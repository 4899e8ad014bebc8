import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ChatMessage, decodeMessage, encodeMessage } from './message.ts'

const number = fc.nat()
const id = fc.integer({ min: 1, max: 2 ** 31 })
const numbered = fc
  .record({ session: number, id, base: id, sentAt: number })
  .map((one) => ({ ...one, base: Math.min(one.base, one.id) }))
const topic = fc.string({ unit: 'grapheme-ascii', maxLength: 64 })
const bytes = fc.uint8Array({ maxLength: 2000 }).map((some) => Uint8Array.from(some))
const participantId = fc.stringMatching(/^[a-z0-9]{1,20}$/)

const anyMessage: fc.Arbitrary<ChatMessage> = fc.oneof(
  fc
    .tuple(numbered, fc.string({ unit: 'grapheme', maxLength: 300 }))
    .map(([one, text]) => ({ kind: 'text' as const, ...one, text: text.toWellFormed() })),
  fc
    .tuple(numbered, topic, bytes)
    .map(([one, about, data]) => ({ kind: 'data' as const, ...one, topic: about, bytes: data })),
  fc
    .array(
      fc.record({
        participantId,
        session: number,
        first: number,
        last: number,
        lost: fc.array(number, { maxLength: 16 }),
      }),
      { maxLength: 64 },
    )
    .map((acks) => ({ kind: 'acks' as const, acks })),
)

/** What is no message is an error, and nothing else happens. */
function tryDecode(from: Uint8Array): ChatMessage | null | 'refused' {
  try {
    return decodeMessage(from)
  } catch (error) {
    expect(error).toBeInstanceOf(Error)
    return 'refused'
  }
}

describe('messages of a chat', () => {
  it('come back as they were written', () => {
    fc.assert(
      fc.property(anyMessage, (message) => {
        expect(decodeMessage(encodeMessage(message))).toEqual(message)
      }),
    )
  })

  it('are refused when cut short or continued', () => {
    fc.assert(
      fc.property(anyMessage, fc.nat(), (message, at) => {
        const whole = encodeMessage(message)
        expect(tryDecode(whole.subarray(0, at % whole.length))).toBe('refused')
        expect(tryDecode(Uint8Array.of(...whole, 0))).toBe('refused')
      }),
    )
  })

  it('of any bytes are refused, of a later version, or within the bounds', () => {
    const hostile = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc
        .tuple(fc.integer({ min: 0, max: 5 }), fc.uint8Array({ maxLength: 300 }))
        .map(([kind, rest]) => Uint8Array.of(1, kind, ...rest)),
      fc.tuple(anyMessage, fc.nat(), fc.nat({ max: 255 })).map(([message, at, byte]) => {
        const altered = encodeMessage(message).slice()
        altered[at % altered.length] = byte
        return altered
      }),
    )
    fc.assert(
      fc.property(hostile, (some) => {
        const message = tryDecode(Uint8Array.from(some))
        if (message === null || message === 'refused') return
        if (message.kind === 'acks') expect(message.acks.length).toBeLessThanOrEqual(64)
        else expect(message.base).toBeLessThanOrEqual(message.id)
        expect(decodeMessage(encodeMessage(message))).toEqual(message)
      }),
      { numRuns: 2000 },
    )
  })

  it('of kinds that are not known are ignored, whatever they hold', () => {
    fc.assert(
      fc.property(fc.integer({ min: 4, max: 255 }), fc.uint8Array(), (kind, rest) => {
        expect(decodeMessage(Uint8Array.of(1, kind, ...rest))).toBeNull()
      }),
    )
  })

  it('of data have 64 KiB and a topic of 64 bytes at most', () => {
    const base = { kind: 'data', session: 1, id: 1, base: 1, sentAt: 0 } as const
    const of = (size: number, about: string) =>
      encodeMessage({ ...base, topic: about, bytes: new Uint8Array(size) })
    expect(tryDecode(of(65_536, 'x'.repeat(64)))).toMatchObject({ kind: 'data' })
    expect(tryDecode(of(65_537, ''))).toBe('refused')
    expect(tryDecode(of(0, 'x'.repeat(65)))).toBe('refused')
  })

  it('of data do not hold on to what they came in', () => {
    const base = { kind: 'data', session: 1, id: 1, base: 1, sentAt: 0, topic: 't' } as const
    const sent = encodeMessage({ ...base, bytes: Uint8Array.of(1, 2, 3) })
    const message = decodeMessage(sent)
    sent.fill(0)
    expect(message).toMatchObject({ bytes: Uint8Array.of(1, 2, 3) })
  })
})
