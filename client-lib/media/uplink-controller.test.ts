import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { PublisherFeedback, TrackFeedback } from '../../moq/media/index.ts'
import {
  LEAST_BITRATE,
  type RenditionLimits,
  type RenditionPlan,
  UplinkController,
} from './uplink-controller.ts'

const small: RenditionLimits = {
  name: 'video/0',
  minBitrate: 100_000,
  maxBitrate: 200_000,
  framerate: 30,
  temporalLayers: 3,
}
const middle: RenditionLimits = {
  ...small,
  name: 'video/1',
  minBitrate: 400_000,
  maxBitrate: 800_000,
}
const large: RenditionLimits = {
  ...small,
  name: 'video/2',
  minBitrate: 1_200_000,
  maxBitrate: 2_500_000,
}

const track = (name: string, layers = 3, more: Partial<TrackFeedback> = {}): TrackFeedback => ({
  name,
  bitrate: 0,
  lossPermille: 0,
  jitterMs: 0,
  layers,
  keyFrameWanted: false,
  ...more,
})

class Bench {
  now = 0
  readonly told: (readonly RenditionPlan[])[] = []
  readonly keyFrames: string[] = []
  readonly controller: UplinkController

  constructor(
    renditions: readonly RenditionLimits[] = [small, middle, large],
    reserved = 0,
    maxBitrate?: number,
  ) {
    this.controller = new UplinkController(
      {
        renditions,
        reserved,
        ...(maxBitrate !== undefined && { maxBitrate }),
        onPlan: (plans) => this.told.push(plans),
        onKeyFrameWanted: (name) => this.keyFrames.push(name),
      },
      0,
    )
  }

  feed(feedback: Partial<PublisherFeedback>, ms = 200): void {
    const all = [small, middle, large].map(({ name }) => track(name))
    for (let left = ms; left > 0; left -= 200) {
      this.now += 200
      this.controller.onFeedback({ bitrate: 0, estimate: null, tracks: all, ...feedback }, this.now)
    }
  }

  get active(): string[] {
    return this.controller.plan.filter(({ active }) => active).map(({ name }) => name)
  }

  get total(): number {
    return this.controller.plan.reduce((sum, { bitrate }) => sum + bitrate, 0)
  }

  plan(name: string): RenditionPlan {
    return this.controller.plan.find((plan) => plan.name === name)!
  }
}

describe('the uplink controller', () => {
  it('encodes nothing that nobody watches, and begins at once when somebody does', () => {
    const bench = new Bench()
    bench.feed({ estimate: 5e6, tracks: [] }, 3000)
    expect(bench.active).toEqual([])
    bench.feed({ estimate: 5e6, tracks: [track('video/0')] })
    expect(bench.active).toEqual(['video/0'])
  })

  it('stops a rendition after nobody watched it for two seconds, not sooner', () => {
    const bench = new Bench()
    bench.feed({ estimate: 5e6 }, 30_000)
    expect(bench.active).toEqual(['video/0', 'video/1', 'video/2'])
    const two = [track('video/0'), track('video/1'), track('video/2', 0)]
    bench.feed({ estimate: 5e6, tracks: two }, 1800)
    expect(bench.active).toContain('video/2')
    bench.feed({ estimate: 5e6, tracks: two }, 400)
    expect(bench.active).toEqual(['video/0', 'video/1'])
  })

  it('steps down at once, the largest picture first, and keeps the smallest', () => {
    const bench = new Bench()
    bench.feed({ estimate: 5e6 }, 40_000)
    expect(bench.total).toBeGreaterThan(3_500_000 * 0.95)
    bench.feed({ estimate: 1_000_000 })
    expect(bench.active).toEqual(['video/0', 'video/1'])
    expect(bench.total).toBeLessThanOrEqual(900_000)
    bench.feed({ estimate: 300_000 })
    expect(bench.active).toEqual(['video/0'])
    bench.feed({ estimate: 60_000 })
    expect(bench.plan('video/0')).toMatchObject({ active: true, bitrate: 54_000, framerate: 15 })
    bench.feed({ estimate: 40_000 })
    expect(bench.plan('video/0').framerate).toBe(7.5)
  })

  it('leaves no encoder without a bit, however little the path bears', () => {
    const bench = new Bench([small, middle], 60_000)
    for (const estimate of [1, 50_000, 61_000]) {
      bench.feed({ estimate }, 1000)
      expect(bench.active).toEqual(['video/0'])
      expect(bench.total).toBe(LEAST_BITRATE)
    }
  })

  it('steps up slowly, and begins a rendition only when there is more than enough for a while', () => {
    const bench = new Bench()
    bench.feed({ estimate: 200_000 }, 2000)
    expect(bench.active).toEqual(['video/0'])
    const began: Record<string, number> = {}
    const from = bench.now
    let before = bench.total
    while (bench.now - from < 60_000) {
      bench.feed({ estimate: 5e6 })
      for (const name of bench.active) began[name] ??= bench.now - from
      expect(bench.total).toBeLessThanOrEqual(Math.max(before * 1.05, 5e6 * 0.9))
      before = bench.total
    }
    expect(began['video/1']).toBeGreaterThan(4000)
    expect(began['video/2']! - began['video/1']!).toBeGreaterThan(1500)
    expect(began['video/2']).toBeLessThan(30_000)
  })

  it('begins soon whatever the path bears, where it was never too narrow', () => {
    const bench = new Bench()
    bench.feed({ estimate: 2_500_000 }, 800)
    expect(bench.active).toEqual(['video/0', 'video/1'])
    bench.feed({ estimate: 2_500_000 }, 4000)
    expect(bench.active).toEqual(['video/0', 'video/1', 'video/2'])
  })

  it('does not swing while the estimate does a little', () => {
    const bench = new Bench()
    bench.feed({ estimate: 1_500_000 }, 40_000)
    const before = bench.active
    const changes = new Set<string>()
    for (let i = 0; i < 100; i++) {
      bench.feed({ estimate: 1_500_000 * (i % 2 ? 0.95 : 1.05) })
      changes.add(bench.active.join())
    }
    expect([...changes]).toEqual([before.join()])
  })

  it('leaves sound its part', () => {
    const bench = new Bench([small], 50_000)
    bench.feed({ estimate: 200_000 }, 5000)
    expect(bench.total).toBe(130_000)
  })

  it('sends no layers that nobody takes, after a while, and has them back at once', () => {
    const bench = new Bench([small])
    bench.feed({ estimate: 1e6, tracks: [track('video/0', 3)] }, 5000)
    bench.feed({ estimate: 1e6, tracks: [track('video/0', 1)] }, 800)
    expect(bench.plan('video/0').temporalLayers).toBe(3)
    bench.feed({ estimate: 1e6, tracks: [track('video/0', 1)] }, 400)
    expect(bench.plan('video/0')).toMatchObject({ temporalLayers: 1, framerate: 30 })
    bench.feed({ estimate: 1e6, tracks: [track('video/0', 3)] })
    expect(bench.plan('video/0').temporalLayers).toBe(3)
  })

  it('keeps all renditions together under a limit of ours, whatever the path bears', () => {
    const bench = new Bench([small, middle], 0, 600_000)
    bench.feed({ estimate: 5e6 }, 30_000)
    expect(bench.total).toBe(600_000)
  })

  it('gives a rendition up that cannot be encoded, unless it is the only one', () => {
    const bench = new Bench()
    bench.feed({ estimate: 5e6 }, 40_000)
    bench.controller.hold('video/2', bench.now + 10_000)
    bench.feed({ estimate: 5e6 })
    expect(bench.active).toEqual(['video/0', 'video/1'])
    bench.feed({ estimate: 5e6, tracks: [track('video/2')] }, 3000)
    expect(bench.active).toEqual(['video/2'])
    bench.feed({ estimate: 5e6 }, 12_000)
    expect(bench.active).toEqual(['video/0', 'video/1', 'video/2'])
  })

  it('asks for a key frame at most every 500 ms while one is wanted', () => {
    const bench = new Bench([small])
    bench.feed({ tracks: [track('video/0', 3, { keyFrameWanted: true })] }, 1000)
    expect(bench.keyFrames).toEqual(['video/0', 'video/0'])
  })

  it('tells encoders nothing while hardly anything changes', () => {
    const bench = new Bench([small])
    bench.feed({ estimate: 200_000 }, 20_000)
    const before = bench.told.length
    bench.feed({ estimate: 200_000 }, 20_000)
    bench.feed({ estimate: 205_000 }, 20_000)
    expect(bench.told.length).toBe(before)
  })

  it('does not leap after a pause of the feedback', () => {
    const bench = new Bench([large])
    bench.feed({ estimate: 1_400_000 }, 30_000)
    bench.now += 60_000
    bench.feed({ estimate: 5e6 })
    expect(bench.total).toBeLessThan(1_400_000 * 1.1)
  })

  it('keeps within its bounds whatever is told', () => {
    const reading = fc.record({
      estimate: fc.option(fc.nat(20_000_000)),
      layers: fc.array(fc.nat(8), { minLength: 3, maxLength: 3 }),
    })
    fc.assert(
      fc.property(fc.array(reading, { maxLength: 60 }), (readings) => {
        const bench = new Bench()
        for (const { estimate, layers } of readings) {
          const tracks = layers.map((count, at) => track(`video/${at}`, count))
          bench.feed({ estimate, tracks })
          if (estimate !== null) {
            const bound = Math.max(LEAST_BITRATE, estimate * 0.9 + 1)
            expect(bench.total).toBeLessThanOrEqual(bound)
          }
          for (const [at, limits] of [small, middle, large].entries()) {
            const plan = bench.controller.plan[at]!
            expect(plan.bitrate).toBeLessThanOrEqual(limits.maxBitrate)
            expect(plan.framerate).toBeGreaterThanOrEqual(7.5)
            expect(plan.framerate).toBeLessThanOrEqual(30)
          }
        }
      }),
    )
  })
})
