import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DEFAULT_EARLY_LIMITS, EarlyObjects } from './early-objects.ts'
import { JoinWindow } from './join-window.ts'
import { KeyFrameGate } from './key-frame-gate.ts'
import { isBaseLayer } from './marking.ts'
import { arrivals, groups, type ModelObject, publish, quietFate } from './test-support.ts'

const slowed = fc
  .tuple(quietFate, fc.integer({ min: 0, max: 2 }))
  .map(([fate, delay]) => ({ ...fate, delay }))

/** A track with one subscriber, as the relay's way of an object would have them. */
class Track {
  readonly early = new EarlyObjects<ModelObject>()
  readonly received: ModelObject[] = []
  private readonly window = new JoinWindow()
  private readonly gate = new KeyFrameGate()

  add(object: ModelObject, now: number): void {
    const verdict = this.window.add(object, 1, now)
    if (this.early.hold(object, verdict, now)) return
    this.forward(object)
    if (verdict !== 'forward') return
    this.early.release(now, (held) => {
      const again = this.window.add(held, 1, now)
      if (again === 'forward') this.forward(held)
      return again
    })
  }

  private forward(object: ModelObject): void {
    if (this.gate.decide(object) === 'forward') this.received.push(object)
  }
}

function names(objects: readonly ModelObject[]): string[] {
  return objects.map(({ group, object }) => `${group}/${object}`)
}

function inOrder(objects: readonly ModelObject[]): ModelObject[] {
  return [...objects].sort((a, b) => a.group - b.group || a.object - b.object)
}

const group = {
  fates: Array.from({ length: 12 }, () => ({
    fragments: 1,
    omitted: false,
    lost: 0,
    delay: 0,
    lostBehind: false,
    sends: 4,
    trouble: false,
  })),
  newKey: false,
}

describe('early objects', () => {
  it('all pass behind what they build on, when nothing is lost', () => {
    fc.assert(
      fc.property(groups(slowed, 6), (plans) => {
        const track = new Track()
        const published = publish(plans, 3)
        for (const object of arrivals(published)) track.add(object, 0)
        expect(names(inOrder(track.received))).toEqual(names(inOrder(published)))
        expect(track.early.size).toBe(0)
      }),
      { numRuns: 1000 },
    )
  })

  it('wait no longer than they are of use', () => {
    const published = publish([group], 3)
    const track = new Track()
    const late = published[4]!
    expect(isBaseLayer(late.marking)).toBe(true)
    for (const object of published.slice(0, 8)) if (object !== late) track.add(object, 0)
    expect(track.early.size).toBe(3)
    track.add(late, DEFAULT_EARLY_LIMITS.maxMs + 1)
    expect(names(track.received)).toEqual(['0/0', '0/1', '0/2', '0/3', '0/4'])
    expect(track.early.size).toBe(0)
  })

  it('are bounded in number', () => {
    const [object] = publish([group], 3).filter(({ marking }) => !isBaseLayer(marking))
    const early = new EarlyObjects<ModelObject>({ maxMs: 100, maxObjects: 2 })
    expect([0, 0, 0].map(() => early.hold(object!, 'base', 0))).toEqual([true, true, false])
    expect(early.hold(object!, 'base', 200)).toBe(true)
    expect(early.size).toBe(1)
    early.clear()
    expect(early.size).toBe(0)
  })

  it('are datagrams only, that wait for something that may come', () => {
    const [object] = publish([group], 3)
    const early = new EarlyObjects<ModelObject>()
    expect(early.hold({ ...object!, subgroup: 1 }, 'base', 0)).toBe(false)
    for (const verdict of ['forward', 'keys', 'key-frame', 'late'] as const) {
      expect(early.hold({ ...object!, subgroup: -1 }, verdict, 0)).toBe(false)
    }
  })
})
