import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MediaFormatError } from './errors.ts'
import {
  type Arrivals,
  decodeReceiverReport,
  encodeReceiverReport,
  fittingWishes,
  MAX_REPORT_BYTES,
  MAX_WISHES,
  type ReceiverReport,
  roundedSize,
  type Wish,
} from './receiver-report.ts'

const ARRIVALS: Arrivals = { intervalMs: 200, bytes: 75_000, received: 80, lost: 2, queueMs: 12 }
const WISH: Wish = {
  participant: 'p1',
  source: 'camera',
  width: 640,
  height: 384,
  framerate: 30,
  priority: 128,
  pinned: true,
  hidden: false,
}

const count = fc.maxSafeNat()
const report: fc.Arbitrary<ReceiverReport> = fc.record({
  arrivals: fc.option(
    fc.record({
      intervalMs: fc.integer({ min: 1, max: 60_000 }),
      bytes: count,
      received: count,
      lost: count,
      queueMs: fc.nat(60_000),
    }),
  ),
  wishes: fc.option(
    fc.uniqueArray(
      fc.record({
        participant: fc
          .string({ unit: 'grapheme', minLength: 1, maxLength: 8 })
          .filter((id) => !id.startsWith('.') && id.isWellFormed())
          .filter((id) => new TextEncoder().encode(id).length <= 128),
        source: fc.constantFrom('camera', 'screen'),
        width: fc.nat(16_384),
        height: fc.nat(16_384),
        framerate: fc.nat(1000),
        priority: fc.nat(255),
        pinned: fc.boolean(),
        hidden: fc.boolean(),
      }),
      { maxLength: 20, selector: ({ source, participant }) => `${source} ${participant}` },
    ),
  ),
})

describe('a receiver report', () => {
  it('is encoded as its head says', () => {
    const bytes = encodeReceiverReport({ arrivals: ARRIVALS, wishes: [WISH] })
    expect(Buffer.from(bytes).toString('hex')).toBe(
      [
        '0103',
        '80c8',
        'c124f8',
        '50',
        '02',
        '0c',
        '01',
        '027031',
        '000180',
        '8280',
        '8180',
        '1e',
      ].join(''),
    )
  })

  it('comes back as it was', () => {
    fc.assert(
      fc.property(report, (value) => {
        expect(decodeReceiverReport(encodeReceiverReport(value))).toEqual(value)
      }),
    )
  })

  it.each([
    ['a picture named twice', { wishes: [WISH, WISH] }, /twice/],
    ['too many wishes', { wishes: many(MAX_WISHES + 1) }, /wishes is 513/],
    ['a name of the service', { wishes: [{ ...WISH, participant: '.mls' }] }, /reserved/],
    ['a width beyond all screens', { wishes: [{ ...WISH, width: 20_000 }] }, /width is 20000/],
    ['an interval of 0', { arrivals: { ...ARRIVALS, intervalMs: 0 } }, /interval is 0/],
    ['an interval of hours', { arrivals: { ...ARRIVALS, intervalMs: 1e7 } }, /at most 60000/],
  ])('refuses %s', (_what, changes, reason) => {
    const value = { arrivals: null, wishes: null, ...changes }
    expect(() => encodeReceiverReport(value)).toThrow(reason)
  })

  it.each([
    ['another version', [2, 0], /version 2/],
    ['unknown contents', [1, 4], /contents 4/],
    ['bytes left over', [1, 0, 0], /malformed/],
    ['nothing', [], /malformed/],
    ['an unknown source', [1, 2, 1, 1, 0x61, 2, 0, 0, 0, 0, 0], /unknown source/],
    ['unknown flags', [1, 2, 1, 1, 0x61, 0, 4, 0, 0, 0, 0], /flags 4/],
    ['a name that is not UTF-8', [1, 2, 1, 1, 0xff, 0, 0, 0, 0, 0, 0], /malformed/],
  ])('refuses %s', (_what, bytes, reason) => {
    expect(() => decodeReceiverReport(Uint8Array.from(bytes))).toThrow(reason)
  })

  it('refuses any other bytes with the same error, truncated and altered ones too', () => {
    const tryIt = (bytes: Uint8Array): void => {
      try {
        const value = decodeReceiverReport(bytes)
        expect(decodeReceiverReport(encodeReceiverReport(value))).toEqual(value)
      } catch (error) {
        expect(error).toBeInstanceOf(MediaFormatError)
      }
    }
    fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), tryIt))
    fc.assert(
      fc.property(report, fc.nat(), fc.nat(255), fc.nat(), (value, at, byte, end) => {
        const bytes = encodeReceiverReport(value)
        tryIt(bytes.subarray(0, end % bytes.length))
        bytes[at % bytes.length] = byte
        tryIt(bytes)
      }),
    )
    expect(() => decodeReceiverReport(new Uint8Array(MAX_REPORT_BYTES + 1))).toThrow(/65537 bytes/)
  })

  it('of a full room fits into its bound', () => {
    const wishes = many(MAX_WISHES, 'x'.repeat(100))
    expect(decodeReceiverReport(encodeReceiverReport({ arrivals: null, wishes })).wishes).toEqual(
      wishes,
    )
  })
})

it('of more wishes than a report takes the first ones are told', () => {
  expect(fittingWishes([WISH])).toEqual([WISH])
  expect(fittingWishes(many(MAX_WISHES + 1))).toHaveLength(MAX_WISHES)
  const long = fittingWishes(many(MAX_WISHES, 'x'.repeat(125)))
  expect(long.length).toBeGreaterThan(400)
  const report = { arrivals: ARRIVALS, wishes: long }
  expect(decodeReceiverReport(encodeReceiverReport(report))).toEqual(report)
})

it('sizes are rounded up to 64 pixels', () => {
  expect([0, 1, 64, 65, 1e9].map(roundedSize)).toEqual([0, 64, 64, 128, 16_384])
})

function many(number: number, prefix = 'p'): Wish[] {
  return Array.from({ length: number }, (_, index) => ({
    ...WISH,
    participant: `${prefix}${index}`,
  }))
}
