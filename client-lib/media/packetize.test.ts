import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeMediaProperties } from '../../moq/media/index.ts'
import type { EncodedVideo, ObjectPlan } from './frames.ts'
import { AudioPacketizer, DATAGRAM_CEILING, VideoPacketizer } from './packetize.ts'

const frame = (key: boolean, temporalLayer: number, length = 10): EncodedVideo => ({
  bytes: Uint8Array.from({ length }, (_, i) => i & 0xff),
  timestamp: 1_700_000_000_000_000,
  key,
  temporalLayer,
})
const media = (plan: ObjectPlan) => decodeMediaProperties(plan.immutable)

describe('VideoPacketizer', () => {
  it('sends nothing before the first key frame', () => {
    const packetizer = new VideoPacketizer({ temporalLayers: 3 })
    expect(packetizer.packetize(frame(false, 0), 1200)).toEqual([])
    expect(packetizer.packetize(frame(true, 0), 1200)).toHaveLength(1)
  })

  it('puts the base on a stream and enhancement in datagrams, ids ascending over both', () => {
    const packetizer = new VideoPacketizer({ temporalLayers: 3, firstGroup: 7 })
    const plans = [0, 2, 1, 2, 0].flatMap((layer, i) =>
      packetizer.packetize(frame(i === 0, layer, layer === 2 ? 1500 : 10), 1200),
    )
    expect(plans.map((p) => [p.group, p.object, p.delivery, p.temporalLayer])).toEqual([
      [7, 0, 'stream', 0],
      [7, 1, 'datagram', 2],
      [7, 2, 'datagram', 2],
      [7, 3, 'datagram', 1],
      [7, 4, 'datagram', 2],
      [7, 5, 'datagram', 2],
      [7, 6, 'stream', 0],
    ])
    expect(plans.map((p) => media(p).frame)).toEqual([0, 1, 1, 2, 3, 3, 4])
    expect(plans.map((p) => media(p).fragment ?? null)).toEqual([
      null,
      { index: 0, count: 2 },
      { index: 1, count: 2 },
      null,
      { index: 0, count: 2 },
      { index: 1, count: 2 },
      null,
    ])
  })

  it('marks layers, dependencies and the base that a frame depends on', () => {
    const packetizer = new VideoPacketizer({ temporalLayers: 3 })
    const marks = [0, 2, 1, 2, 0, 2].map((layer, i) => {
      const plan = packetizer.packetize(frame(i === 0, layer), 1200)[0]!
      const { independent, discardable, layer: marked } = media(plan).frameMarking!
      return [independent, discardable, marked!.temporal, marked!.baseIndex, marked!.baseSync]
    })
    expect(marks).toEqual([
      [true, false, 0, 1, false],
      [false, true, 2, 1, true],
      [false, false, 1, 1, true],
      [false, true, 2, 1, false],
      [false, false, 0, 2, false],
      [false, true, 2, 2, true],
    ])
  })

  it('marks by what was encoded, not by what was sent, and leaves out what depends on it', () => {
    /** `!` leaves the frame out; told is what is sent: number, layer, and B where it has the mark. */
    const sent = (pattern: string): string[] => {
      const packetizer = new VideoPacketizer({ temporalLayers: 3 })
      packetizer.packetize(frame(true, 0), 1200)
      return pattern.split(' ').flatMap((step) => {
        const encoded = frame(false, Number(step[0]))
        if (step.endsWith('!')) {
          packetizer.leaveOut(encoded)
          return []
        }
        return packetizer.packetize(encoded, 1200).map((plan) => {
          const { frame: number, frameMarking } = media(plan)
          const { temporal, baseSync } = frameMarking!.layer!
          return `${number}:${temporal}${baseSync ? 'B' : ''}`
        })
      })
    }
    expect(sent('2 1 2 0 2')).toEqual(['1:2B', '2:1B', '3:2', '4:0', '5:2B'])
    // The second frame of layer 2 refers to the one of layer 1.
    expect(sent('2! 1! 2 0 2')).toEqual(['1:0', '2:2B'])
    expect(sent('2 1! 2 0 2')).toEqual(['1:2B', '2:0', '3:2B'])
    expect(sent('2! 1 2 0 2')).toEqual(['1:1B', '2:2', '3:0', '4:2B'])
    expect(sent('2 1 2! 0 2')).toEqual(['1:2B', '2:1B', '3:0', '4:2B'])
    expect(sent('2 0! 2 1 2 0')).toEqual(['1:2B'])
  })

  it('starts the next group at a key frame', () => {
    const packetizer = new VideoPacketizer({ temporalLayers: 1 })
    packetizer.packetize(frame(true, 0), 1200)
    packetizer.packetize(frame(false, 0), 1200)
    const plan = packetizer.packetize(frame(true, 0), 1200)[0]!
    expect([plan.group, plan.object, media(plan).frame]).toEqual([1, 0, 0])
    expect(media(plan).frameMarking!.layer).toBeNull()
  })

  it('falls back to a subgroup a layer without datagrams, and for a frame too large for them', () => {
    const packetizer = new VideoPacketizer({ temporalLayers: 3 })
    packetizer.packetize(frame(true, 0), 0)
    expect(packetizer.packetize(frame(false, 2), 0)).toMatchObject([
      { delivery: 'stream', subgroup: 2, object: 1 },
    ])
    expect(packetizer.packetize(frame(false, 1, 100_000), 1200)).toMatchObject([
      { delivery: 'stream', subgroup: 1, object: 2 },
    ])
  })

  it('cuts so that header, properties and SFrame fit, and nothing is lost or repeated', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 60_000 }),
        fc.integer({ min: 300, max: 2000 }),
        (length, maxDatagramSize) => {
          const packetizer = new VideoPacketizer({ temporalLayers: 3, firstGroup: 2 ** 45 })
          packetizer.packetize(frame(true, 0), maxDatagramSize)
          const source = frame(false, 2, length)
          const plans = packetizer.packetize(source, maxDatagramSize)
          const joined = plans.flatMap((plan) => [...plan.payload])
          expect(joined).toEqual([...source.bytes])
          const limit = Math.min(maxDatagramSize, DATAGRAM_CEILING)
          for (const plan of plans) {
            if (plan.delivery === 'stream') continue
            expect(31 + plan.properties.length + 33 + plan.payload.length).toBeLessThanOrEqual(
              limit,
            )
          }
        },
      ),
      { numRuns: 50 },
    )
  })
})

describe('AudioPacketizer', () => {
  const audio = { bytes: new Uint8Array(3), timestamp: 20_000, level: 30, voice: true }

  it('shares a group among N frames and says which is the last', () => {
    const packetizer = new AudioPacketizer({ framesPerGroup: 2, firstGroup: 4 })
    const plans = Array.from({ length: 5 }, () => packetizer.packetize(audio))
    expect(plans.map((p) => [p.group, p.object, p.last])).toEqual([
      [4, 0, false],
      [4, 1, true],
      [5, 0, false],
      [5, 1, true],
      [6, 0, false],
    ])
    expect(media(plans[0]!)).toEqual({
      timestamp: 20_000,
      audioLevel: { level: 30, voice: true },
    })
  })

  it('defaults to five', () => {
    const packetizer = new AudioPacketizer()
    const plans = Array.from({ length: 6 }, () => packetizer.packetize(audio))
    expect(plans.map((p) => p.group)).toEqual([0, 0, 0, 0, 0, 1])
  })

  it('opens another group after a mute, and no empty one', () => {
    const packetizer = new AudioPacketizer()
    packetizer.startGroup()
    expect(packetizer.packetize(audio)).toMatchObject({ group: 0, object: 0 })
    packetizer.startGroup()
    packetizer.startGroup()
    expect(packetizer.packetize(audio)).toMatchObject({ group: 1, object: 0 })
  })
})
