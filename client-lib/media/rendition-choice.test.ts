import { beforeEach, describe, expect, it } from 'vitest'
import { type FlowFigures, RenditionChoice } from './rendition-choice.ts'

const SIZES = [
  { id: 2, width: 1280, height: 720 },
  { id: 0, width: 320, height: 180 },
  { id: 1, width: 640, height: 360 },
]

let flows: FlowFigures[] = []
let now = 0
let choice = new RenditionChoice((id) => flows[id]!)

beforeEach(() => {
  flows = SIZES.map(() => ({ objects: 0, frames: 0, dropped: 0, muted: false }))
  now = 0
  choice = new RenditionChoice((id) => flows[id]!)
  choice.offer(SIZES)
})

/** Time passes, while some renditions come, of whose frames a share is dropped. */
function run(ms: number, coming: readonly number[], dropShare = 0): void {
  for (const end = now + ms; now < end; now += 250) {
    for (const id of coming) {
      const { objects, frames, dropped, muted } = flows[id]!
      flows[id] = {
        objects: objects + 8,
        frames: frames + 8 * (1 - dropShare),
        dropped: dropped + 8 * dropShare,
        muted,
      }
    }
    choice.update(now)
  }
}

describe('a choice of renditions where the relay makes none', () => {
  it('is the smallest that fills the tile, or the largest', () => {
    expect(choice.chosen).toBe(2)
    choice.show({ width: 384, height: 192, hidden: false })
    expect(choice.chosen).toBe(1)
    choice.show({ width: 320, height: 192, hidden: false })
    expect(choice.chosen).toBe(0)
    choice.show({ width: 1920, height: 1080, hidden: false })
    expect(choice.chosen).toBe(2)
  })

  it('is none for a tile that is hidden', () => {
    choice.show({ width: 640, height: 360, hidden: true })
    expect(choice.chosen).toBe(-1)
    choice.show({ width: 640, height: 360, hidden: false })
    expect(choice.chosen).toBe(1)
  })

  it('steps down while one does not flow well, and tries it again later each time', () => {
    const heldFor = (): number => {
      while (choice.chosen === 2) run(250, [2], 0.5)
      const began = now
      while (choice.chosen !== 2) run(250, [choice.chosen!])
      return now - began
    }
    const first = heldFor()
    const second = heldFor()
    expect(first).toBeGreaterThanOrEqual(4000)
    expect(second).toBeGreaterThan(first + 3000)
  })

  it('steps down from one that does not come at all, but not while its sender is muted', () => {
    for (const id of [0, 1, 2]) flows[id] = { ...flows[id]!, muted: true }
    run(5000, [])
    expect(choice.chosen).toBe(2)
    flows[2] = { ...flows[2]!, muted: false }
    run(5000, [])
    expect(choice.chosen).toBe(1)
  })

  it('goes by what there is', () => {
    choice.offer([SIZES[1]!])
    expect(choice.chosen).toBe(0)
    run(10_000, [0], 0.9)
    expect(choice.chosen).toBe(0)
    choice.offer([])
    expect(choice.chosen).toBe(-1)
  })
})

describe('a relay that is said to choose among renditions', () => {
  it('is left to it while one at a time comes', () => {
    choice.setManaged(true)
    expect(choice.chosen).toBeNull()
    for (const id of [0, 1, 2, 1, 0]) run(3000, [id])
    // At a change both may come for a moment.
    run(1500, [0, 1])
    run(3000, [1])
    expect(choice.chosen).toBeNull()
  })

  it('is not believed once several come for three seconds', () => {
    choice.setManaged(true)
    run(4000, [0, 1, 2])
    expect(choice.chosen).toBe(2)
    choice.setManaged(true)
    expect(choice.chosen).toBeNull()
  })
})
