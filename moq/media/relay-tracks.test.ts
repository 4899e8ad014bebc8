import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { namespaceOf, textOf } from '../wire/names.ts'
import { MediaFormatError } from './errors.ts'
import { parseParticipantNamespace } from './names.ts'
import {
  decodePublisherFeedback,
  encodePublisherFeedback,
  MAX_FEEDBACK_TRACKS,
  type PublisherFeedback,
  type TrackFeedback,
} from './publisher-feedback.ts'
import {
  feedbackTrack,
  parseFeedbackTrackName,
  parseRelayNamespace,
  relayNamespace,
  speakersTrack,
} from './relay-tracks.ts'
import { decodeSpeakers, encodeSpeakers, MAX_SPEAKERS, type Speaker } from './speakers.ts'

const participant = fc
  .string({ minLength: 1, maxLength: 20, unit: 'grapheme' })
  .filter((id) => !id.startsWith('.') && id.isWellFormed() && Buffer.byteLength(id) <= 128)

const track: fc.Arbitrary<TrackFeedback> = fc.record({
  name: fc.string({ maxLength: 40 }),
  bitrate: fc.maxSafeNat(),
  lossPermille: fc.integer({ min: 0, max: 1000 }),
  jitterMs: fc.maxSafeNat(),
  layers: fc.integer({ min: 0, max: 8 }),
  keyFrameWanted: fc.boolean(),
})
const feedback: fc.Arbitrary<PublisherFeedback> = fc.record({
  bitrate: fc.maxSafeNat(),
  estimate: fc.option(fc.integer({ min: 1 })),
  tracks: fc.uniqueArray(track, { maxLength: 8, selector: ({ name }) => name }),
})
const speakers: fc.Arbitrary<Speaker[]> = fc.uniqueArray(
  fc.record({ participant, speaking: fc.boolean() }),
  { maxLength: MAX_SPEAKERS, selector: (speaker) => speaker.participant },
)

function checkCodec<T>(
  values: fc.Arbitrary<T>,
  encode: (value: T) => Uint8Array,
  decode: (bytes: Uint8Array) => T,
): void {
  const tryDecode = (bytes: Uint8Array) => {
    try {
      decode(bytes)
    } catch (error) {
      expect(error).toBeInstanceOf(MediaFormatError)
    }
  }

  it('decodes to what was encoded', () => {
    fc.assert(
      fc.property(values, (value) => {
        expect(decode(encode(value))).toEqual(value)
      }),
    )
  })

  it('refuses what is cut short or has bytes left over', () => {
    fc.assert(
      fc.property(values, fc.nat(), (value, cut) => {
        const whole = encode(value)
        expect(() => decode(whole.subarray(0, cut % whole.length))).toThrow(MediaFormatError)
        expect(() => decode(Uint8Array.of(...whole, 0))).toThrow(MediaFormatError)
      }),
    )
  })

  it('refuses another version', () => {
    fc.assert(
      fc.property(values, (value) => {
        const bytes = encode(value).slice()
        bytes[0] = 2
        expect(() => decode(bytes)).toThrow(/version 2/)
      }),
    )
  })

  it('throws nothing but the named error on hostile bytes', () => {
    const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 })
    fc.assert(fc.property(fc.uint8Array(), tryDecode))
    fc.assert(fc.property(fc.uint8Array(), (bytes) => tryDecode(Uint8Array.of(1, ...bytes))))
    fc.assert(
      fc.property(values, changes, (value, edits) => {
        const bytes = encode(value).slice()
        for (const [at, byte] of edits) bytes[at % bytes.length] = byte
        tryDecode(bytes)
      }),
    )
  })
}

describe('publisher feedback', () => {
  checkCodec(feedback, encodePublisherFeedback, decodePublisherFeedback)

  it('rounds, and keeps an estimate of nothing apart from none', () => {
    const value = { bitrate: 1.6, estimate: 0, tracks: [] }
    expect(decodePublisherFeedback(encodePublisherFeedback(value))).toEqual({
      bitrate: 2,
      estimate: 1,
      tracks: [],
    })
  })

  it('of a call of six tracks fits a datagram', () => {
    const tracks = ['catalog', 'audio', 'video/0', 'video/1', 'video/2', 'screen'].map((name) => ({
      name,
      bitrate: 2_500_000,
      lossPermille: 17,
      jitterMs: 23,
      layers: 3,
      keyFrameWanted: false,
    }))
    const bytes = encodePublisherFeedback({ bitrate: 5e6, estimate: 6e6, tracks })
    expect(bytes.length).toBeLessThan(150)
  })

  it('is bounded', () => {
    const one = fc.sample(track, 1)[0]!
    const tracks = Array.from({ length: MAX_FEEDBACK_TRACKS + 1 }, (_, i) => ({
      ...one,
      name: `${i}`,
    }))
    expect(() => encodePublisherFeedback({ bitrate: 0, estimate: null, tracks })).toThrow(/65/)
    expect(() => decodePublisherFeedback(Uint8Array.of(1, 0, 0, 65))).toThrow(/track count 65/)
    const long = [{ ...one, name: 'x'.repeat(256) }]
    expect(() => encodePublisherFeedback({ bitrate: 0, estimate: null, tracks: long })).toThrow(
      /256/,
    )
    const twice = encodePublisherFeedback({ bitrate: 0, estimate: null, tracks: [one, one] })
    expect(() => decodePublisherFeedback(twice)).toThrow(/twice/)
  })
})

describe('speakers', () => {
  checkCodec(speakers, encodeSpeakers, decodeSpeakers)

  it('are these bytes', () => {
    const bytes = encodeSpeakers([
      { participant: 'ab', speaking: true },
      { participant: 'c', speaking: false },
    ])
    expect([...bytes]).toEqual([1, 2, 2, 0x61, 0x62, 1, 1, 0x63, 0])
  })

  it('are bounded, and named once', () => {
    const many = Array.from({ length: MAX_SPEAKERS + 1 }, (_, i) => ({
      participant: `${i}`,
      speaking: true,
    }))
    expect(() => encodeSpeakers(many)).toThrow(/65 speakers/)
    expect(() => decodeSpeakers(Uint8Array.of(1, 65))).toThrow(/speaker count 65/)
    expect(() => decodeSpeakers(Uint8Array.of(1, 2, 1, 0x61, 0, 1, 0x61, 0))).toThrow(/twice/)
    expect(() => decodeSpeakers(Uint8Array.of(1, 1, 1, 0x2e, 0))).toThrow(/reserved/)
  })
})

describe('tracks of the relay', () => {
  it('are under (sotto, room, .relay) and parse back', () => {
    const { namespace, name } = feedbackTrack('r', 'a/b')
    expect(namespace.map(textOf)).toEqual(['sotto', 'r', '.relay'])
    expect(parseRelayNamespace(namespace)).toBe('r')
    expect(parseFeedbackTrackName(textOf(name)!)).toBe('a/b')
    expect(textOf(speakersTrack('r').name)).toBe('speakers')
    expect(parseParticipantNamespace(relayNamespace('r'))).toBeNull()
  })

  it('are of no other name', () => {
    expect(parseRelayNamespace(namespaceOf('sotto', 'r', '.mls'))).toBeNull()
    expect(parseRelayNamespace(namespaceOf('sotto', '.r', '.relay'))).toBeNull()
    expect(parseRelayNamespace(namespaceOf('sotto', 'r'))).toBeNull()
    expect(parseFeedbackTrackName('feedback/')).toBeNull()
    expect(parseFeedbackTrackName('feedback/.mls')).toBeNull()
    expect(parseFeedbackTrackName('speakers')).toBeNull()
  })
})
