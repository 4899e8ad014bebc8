import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type AudioObject, AudioSequence } from './audio-sequence.ts'

function setUp() {
  const clock = { ms: 0 }
  const released: AudioObject[] = []
  const sequence = new AudioSequence({
    now: () => clock.ms,
    onFrame: (frame) => released.push(frame),
  })
  return { clock, released, sequence }
}

/** Frame i of a stream with five frames a group. */
const frame = (i: number): AudioObject => ({
  group: Math.floor(i / 5),
  object: i % 5,
  timestamp: i * 20_000,
  payload: Uint8Array.of(i),
})
const indexes = (frames: readonly AudioObject[]) => frames.map((f) => f.payload[0])

describe('AudioSequence', () => {
  it('releases frames in order at once, over group borders too', () => {
    const { released, sequence } = setUp()
    for (let i = 0; i < 12; i++) sequence.push(frame(i))
    expect(indexes(released)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
    expect(sequence.nextDeadline()).toBeNull()
  })

  it('holds a group that overtook the one before it', () => {
    const { released, sequence } = setUp()
    for (const i of [0, 1, 2, 3, 5, 6, 4]) sequence.push(frame(i))
    expect(indexes(released)).toEqual([0, 1, 2, 3, 4, 5, 6])
    expect(sequence.counters).toMatchObject({ gaps: 0, late: 0 })
  })

  it('goes on without a missing frame after its bound, and drops it when it comes', () => {
    const { clock, released, sequence } = setUp()
    for (const i of [0, 1, 3]) sequence.push(frame(i))
    expect(sequence.nextDeadline()).toBe(60)
    clock.ms = 59
    sequence.poll()
    expect(indexes(released)).toEqual([0, 1])
    clock.ms = 60
    sequence.poll()
    sequence.push(frame(2))
    expect(indexes(released)).toEqual([0, 1, 3])
    expect(sequence.counters).toMatchObject({ gaps: 1, late: 1 })
  })

  it('counts what is missing by the numbers of groups and objects, at least', () => {
    const { clock, sequence } = setUp()
    const at = (group: number, object: number) => {
      sequence.push({ group, object, timestamp: 0, payload: new Uint8Array(1) })
      clock.ms += 100
      sequence.poll()
      return sequence.counters.missing
    }
    expect(at(7, 2)).toBe(0)
    expect(at(7, 3)).toBe(0)
    expect(at(7, 6)).toBe(2)
    // A microphone that was off begins a new group.
    expect(at(8, 0)).toBe(2)
    expect(at(10, 1)).toBe(4)
  })

  it('counts a duplicate that still waits', () => {
    const { sequence } = setUp()
    for (const i of [0, 2, 2]) sequence.push(frame(i))
    expect(sequence.counters.duplicate).toBe(1)
  })

  it('keeps order, releases nothing twice and lets nothing wait beyond the bound', () => {
    const arrivals = fc.array(fc.tuple(fc.integer({ min: 0, max: 60 }), fc.nat(30)), {
      maxLength: 120,
    })
    fc.assert(
      fc.property(arrivals, (list) => {
        const { clock, released, sequence } = setUp()
        for (const [i, delay] of list) {
          clock.ms += delay
          const deadline = sequence.nextDeadline()
          if (deadline !== null && deadline <= clock.ms) sequence.poll()
          sequence.push(frame(i))
          expect(sequence.nextDeadline() ?? clock.ms).toBeGreaterThan(clock.ms - 1)
        }
        const order = released.map((f) => f.payload[0]!)
        expect(order).toEqual([...new Set(order)].sort((a, b) => a - b))
      }),
    )
  })
})
