import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  FRAME_MS,
  type PublishedFrame,
  type SeenObject,
  SimulcastCamera,
  Viewer,
  wish,
} from './test-receivers.ts'
import { RelayWorld } from './test-world.ts'

/** What happens between two frames. */
type Action =
  | { readonly does: 'frames'; readonly count: number }
  | { readonly does: 'budget'; readonly bits: number }
  | { readonly does: 'key' | 'stop' | 'start'; readonly rendition: number }
  | { readonly does: 'lose'; readonly rendition: number; readonly count: number }
  | { readonly does: 'wish'; readonly hidden: boolean; readonly width: number }
  | { readonly does: 'room'; readonly bytes: number }

const rendition = fc.nat(2)
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ does: fc.constant('frames' as const), count: fc.nat(20) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      does: fc.constant('budget' as const),
      bits: fc.constantFrom(0, 4000, 8000, 16_000, 40_000, 70_000, 120_000, 250_000, 1e6),
    }),
  },
  fc.record({
    does: fc.constantFrom('key' as const, 'stop' as const, 'start' as const),
    rendition,
  }),
  fc.record({
    does: fc.constant('lose' as const),
    rendition,
    count: fc.integer({ min: 1, max: 3 }),
  }),
  fc.record({
    does: fc.constant('wish' as const),
    hidden: fc.boolean(),
    width: fc.constantFrom(0, 320, 640),
  }),
  fc.record({ does: fc.constant('room' as const), bytes: fc.constantFrom(0, 300, 65_536) }),
)

class Model {
  readonly world: RelayWorld = new RelayWorld({ room: () => this.world.room })
  readonly camera = new SimulcastCamera(this.world)
  readonly viewer = new Viewer(this.world)
  private readonly losing = [0, 0, 0]

  async run(actions: readonly Action[]): Promise<void> {
    const { world, viewer } = this
    await world.settle()
    viewer.report([wish()])
    await world.settle()
    viewer.watch()
    await world.settle()
    await this.frames(3)
    for (const each of actions) await this.act(each)
    // Calm at last: the picture goes on.
    viewer.report([wish()])
    for (const index of [0, 1, 2]) this.camera.running.add(index)
    this.losing.fill(0)
    world.room = 65_536
    world.offerRoom()
    viewer.budget.bitsPerSecond = viewer.budget.provenBitsPerSecond = 10e6
    await this.frames(100)
    const before = viewer.seen.length
    await this.frames(8)
    expect(viewer.seen.length).toBeGreaterThan(before)
  }

  private async act(each: Action): Promise<void> {
    const { world, camera, viewer } = this
    switch (each.does) {
      case 'frames':
        return this.frames(each.count)
      case 'budget':
        viewer.budget.bitsPerSecond = viewer.budget.provenBitsPerSecond = each.bits
        return
      case 'key':
        camera.renditions[each.rendition]!.keyWanted = true
        return
      case 'stop':
        camera.running.delete(each.rendition)
        return
      case 'start':
        camera.running.add(each.rendition)
        return
      case 'lose':
        this.losing[each.rendition] = each.count
        return
      case 'wish':
        viewer.report([wish({ hidden: each.hidden, width: each.width })])
        await world.settle()
        return
      case 'room':
        world.room = each.bytes
        world.offerRoom()
        return
    }
  }

  private async frames(count: number): Promise<void> {
    for (let frame = 0; frame < count; frame++) {
      for (const index of this.camera.running) {
        const rendition = this.camera.renditions[index]!
        const isLost = this.losing[index]! > 0
        if (isLost) this.losing[index]!--
        rendition.frame(rendition.keyWanted || rendition.frames.size === 0, !isLost)
      }
      await this.world.settle()
      this.world.clock.advance(FRAME_MS)
      this.world.offerRoom()
      await this.world.settle()
    }
  }

  frameOf({ rendition, place }: SeenObject): PublishedFrame {
    return this.camera.renditions[rendition]!.frames.get(place)!
  }
}

describe('what a receiver is given', () => {
  it('can be decoded, comes once, and is of one rendition at a time, whatever happens', async () => {
    const property = fc.asyncProperty(fc.array(action, { maxLength: 30 }), async (actions) => {
      const model = new Model()
      await model.run(actions)
      const { seen } = model.viewer
      const got = new Set<PublishedFrame>()
      let current = -1
      for (const object of seen) {
        const frame = model.frameOf(object)
        expect(got.has(frame)).toBe(false)
        got.add(frame)
        // A change is a key frame that begins a group.
        if (object.rendition !== current) expect(object.place).toMatch(/\/0$/)
        current = object.rendition
      }
      for (const frame of got)
        for (const other of frame.references) expect(got.has(other)).toBe(true)
    })
    await fc.assert(property, { numRuns: 100 })
  })
})
