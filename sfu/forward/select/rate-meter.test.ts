import { describe, expect, it } from 'vitest'
import { RateMeter } from './rate-meter.ts'
import { offerOf } from './rendition-offer.ts'

const FACTS = { width: 640, height: 360, framerate: 30, bitrate: 600_000, temporalLayers: 3 }

/** Base, T2, T1, T2: each 25 ms a frame of 1000 bytes. */
function feed(meter: RateMeter, from: number, to: number): void {
  for (let now = from; now < to; now += 25) meter.add([0, 2, 1, 2][(now / 25) % 4]!, 1000, now)
}

describe('a rate meter', () => {
  it('measures what each further temporal layer makes of it', () => {
    const meter = new RateMeter()
    expect(meter.cumulative(0)).toBeNull()
    feed(meter, 0, 900)
    expect(meter.cumulative(900)).toBeNull()
    feed(meter, 900, 10_000)
    const rates = meter.cumulative(10_000)!
    expect(rates.map((rate) => Math.round(rate / 1000))).toEqual([80, 160, 320])
  })

  it('follows a change within four seconds and forgets a track that is silent', () => {
    const meter = new RateMeter()
    feed(meter, 0, 10_000)
    for (let now = 10_000; now < 14_000; now += 100) meter.add(0, 1000, now)
    expect(Math.round(meter.cumulative(14_000)![0]! / 1000)).toBe(80)
    expect(meter.cumulative(16_000)).toBeNull()
    meter.add(0, 1000, 20_000)
    expect(meter.cumulative(20_500)).toBeNull()
    meter.add(0, 1000, 21_000)
    expect(meter.cumulative(21_000)).toEqual([16_000])
  })

  it('says how much of its time it has measured', () => {
    const meter = new RateMeter()
    meter.add(0, 1000, 10_000)
    expect(meter.share(11_000)).toBe(0.25)
    expect(meter.share(20_000)).toBe(1)
  })

  it('takes a layer beyond all for the last one', () => {
    const meter = new RateMeter()
    for (let now = 0; now <= 2000; now += 100) meter.add(99, 100, now)
    expect(meter.cumulative(2000)).toHaveLength(8)
  })
})

describe('an offer', () => {
  it('goes by what is measured, else by what the publisher says, else by a guess', () => {
    const meter = new RateMeter()
    expect(offerOf(1, FACTS, meter.cumulative(0))).toEqual({
      rendition: 1,
      width: 640,
      height: 360,
      framerate: 30,
      layerBits: [240_000, 360_000, 600_000],
    })
    feed(meter, 0, 10_000)
    expect(offerOf(1, FACTS, meter.cumulative(10_000)).layerBits[2]).toBeCloseTo(320_000)
    expect(offerOf(0, null, null)).toMatchObject({ width: 0, layerBits: [500_000] })
    expect(offerOf(0, { ...FACTS, temporalLayers: 5 }, null).layerBits).toHaveLength(5)
  })

  it('goes by what the publisher says for the time that is not measured yet', () => {
    const measured = [640_000, 760_000, 1_000_000]
    const of = (share: number) => offerOf(1, FACTS, measured, 3, share).layerBits.map(Math.round)
    expect(of(0.25)).toEqual([340_000, 460_000, 700_000])
    expect(of(1)).toEqual(measured)
    expect(offerOf(1, null, measured, 3, 0.25).layerBits).toEqual(measured)
  })

  it('does not take layers for free that nobody asked the publisher for', () => {
    const three = [240_000, 360_000, 600_000]
    const of = (measured: number[], asked?: number) =>
      offerOf(1, FACTS, measured, asked).layerBits.map(Math.round)
    expect(of([120_000], 1)).toEqual([120_000, 180_000, 300_000])
    expect(of([120_000, 120_000, 120_000], 1)).toEqual([120_000, 180_000, 300_000])
    expect(of([120_000, 150_000, 160_000], 3)).toEqual([120_000, 150_000, 160_000])
    expect(of([100, 100], 0)).toEqual(three)
    expect(offerOf(0, null, [100, 100], 0).layerBits).toEqual([100, 100])
  })
})
