import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeMediaProperties } from '../../moq/media/index.ts'
import { type AssembledFrame, FrameAssembler, type VideoObject } from './assemble.ts'
import { VideoPacketizer } from './packetize.ts'

const PATTERNS: Record<number, readonly number[]> = { 1: [0], 2: [0, 1], 3: [0, 2, 1, 2] }
const BASE_MS = 400

/** Objects of `groups` groups of `length` frames each, through the real packetizer. */
function stream(
  temporalLayers: number,
  groups: number,
  length: number,
  bytes = 1500,
): VideoObject[] {
  const packetizer = new VideoPacketizer({ temporalLayers })
  const pattern = PATTERNS[temporalLayers]!
  const objects: VideoObject[] = []
  for (let g = 0; g < groups; g++) {
    for (let f = 0; f < length; f++) {
      const plans = packetizer.packetize(
        {
          bytes: new Uint8Array(bytes).fill(f),
          timestamp: (g * length + f) * 33_333,
          key: f === 0,
          temporalLayer: pattern[f % pattern.length]!,
        },
        1200,
      )
      for (const plan of plans) {
        const { group, object, payload } = plan
        objects.push({ group, object, payload, media: decodeMediaProperties(plan.immutable) })
      }
    }
  }
  return objects
}

interface Release extends AssembledFrame {
  readonly at: number
}

function setUp(options: { maxFrames?: number } = {}) {
  const clock = { ms: 0 }
  const released: Release[] = []
  let keyRequests = 0
  const assembler = new FrameAssembler({
    now: () => clock.ms,
    onFrame: (frame) => released.push({ ...frame, at: clock.ms }),
    onKeyFrameNeeded: () => keyRequests++,
    baseMs: BASE_MS,
    ...options,
  })
  const advanceTo = (ms: number): void => {
    for (let due = assembler.nextDeadline(); due !== null && due <= ms; ) {
      clock.ms = Math.max(clock.ms, due)
      assembler.poll()
      const next = assembler.nextDeadline()
      if (next !== null && next <= due) throw new Error('a deadline did not pass')
      due = next
    }
    clock.ms = ms
  }
  return { clock, released, assembler, advanceTo, keyRequests: () => keyRequests }
}

const numbers = (frames: readonly AssembledFrame[]) => frames.map((f) => `${f.group}.${f.number}`)
const frameOf = (object: VideoObject) => object.media.frame!
/** All but the given frames of group 0. */
const without = (objects: readonly VideoObject[], ...frames: number[]) =>
  objects.filter((o) => o.group !== 0 || !frames.includes(frameOf(o)))

/** The frames that a frame of the pattern truly refers to. */
function references(number: number, temporalLayers: number): number[] {
  const pattern = PATTERNS[temporalLayers]!
  const phase = number % pattern.length
  const base = number - phase
  if (phase === 0) return number === 0 ? [] : [number - pattern.length]
  if (pattern[phase] === 1 || phase === 1) return [base]
  return [base, base + 2]
}

describe('FrameAssembler', () => {
  it('releases every frame of a lossless stream at once, whole and in order', () => {
    const { assembler, released } = setUp()
    for (const object of stream(3, 2, 12)) assembler.push(object)
    expect(numbers(released)).toEqual(
      [0, 1].flatMap((g) => Array.from({ length: 12 }, (_, f) => `${g}.${f}`)),
    )
    expect(released[5]!.bytes).toEqual(new Uint8Array(1500).fill(5))
    expect(released[0]).toMatchObject({ key: true, temporalLayer: 0, discardable: false })
    expect(released[1]).toMatchObject({ key: false, temporalLayer: 2, discardable: true })
    expect(Object.values(assembler.counters.dropped).every((n) => n === 0)).toBe(true)
  })

  it('skips a lost top-layer frame after the reorder bound', () => {
    const { assembler, released, advanceTo } = setUp()
    for (const object of without(stream(3, 1, 3), 1)) assembler.push(object)
    expect(numbers(released)).toEqual(['0.0'])
    expect(assembler.nextDeadline()).toBe(20)
    advanceTo(20)
    expect(numbers(released)).toEqual(['0.0', '0.2'])
    expect(assembler.counters.dropped.lost).toBe(1)
  })

  it('drops what refers to a lost middle-layer frame, and only that', () => {
    const { assembler, released, advanceTo } = setUp()
    for (const object of without(stream(3, 1, 8), 2)) assembler.push(object)
    advanceTo(100)
    expect(numbers(released)).toEqual(['0.0', '0.1', '0.4', '0.5', '0.6', '0.7'])
    expect(assembler.counters.dropped).toMatchObject({ lost: 1, undecodable: 1 })
  })

  it('drops a frame with a fragment missing', () => {
    const { assembler, released, advanceTo } = setUp()
    const objects = stream(3, 1, 5).filter(
      (o) => !(frameOf(o) === 3 && o.media.fragment?.index === 1),
    )
    for (const object of objects) assembler.push(object)
    advanceTo(100)
    expect(numbers(released)).toEqual(['0.0', '0.1', '0.2', '0.4'])
    expect(assembler.counters.dropped.incomplete).toBe(1)
  })

  it('waits for a late base frame and then catches up', () => {
    const { assembler, released, advanceTo } = setUp()
    const objects = stream(3, 1, 8)
    for (const object of without(objects, 4)) assembler.push(object)
    advanceTo(BASE_MS - 1)
    expect(numbers(released)).toEqual(['0.0', '0.1', '0.2', '0.3'])
    for (const object of objects) if (frameOf(object) === 4) assembler.push(object)
    expect(numbers(released).slice(4)).toEqual(['0.4', '0.5', '0.6', '0.7'])
  })

  it('gives the group up without its base frame, asks for a key frame, and starts again there', () => {
    const { assembler, released, advanceTo, keyRequests } = setUp()
    const objects = stream(3, 2, 9)
    for (const object of without(objects, 4)) if (object.group === 0) assembler.push(object)
    advanceTo(BASE_MS)
    expect(keyRequests()).toBe(1)
    advanceTo(BASE_MS + 1000)
    expect(keyRequests()).toBe(2)
    for (const object of objects) if (object.group === 1) assembler.push(object)
    expect(numbers(released).slice(4)).toEqual(Array.from({ length: 9 }, (_, f) => `1.${f}`))
    expect(assembler.nextDeadline()).toBeNull()
  })

  it('drops a duplicate and what comes too late', () => {
    const { assembler, released } = setUp()
    const [key, ...rest] = stream(3, 1, 3)
    const fragment = rest[0]!
    for (const object of [key!, fragment, fragment, ...rest.slice(1), key!]) assembler.push(object)
    expect(numbers(released)).toEqual(['0.0', '0.1', '0.2'])
    expect(assembler.counters.dropped).toMatchObject({ duplicate: 1, late: 1 })
  })

  it('lets the key frame of a newer group supersede what waits', () => {
    const { assembler, released } = setUp()
    for (const object of without(stream(3, 2, 4), 2)) {
      if (object.group === 0 || frameOf(object) === 0) assembler.push(object)
    }
    expect(numbers(released)).toEqual(['0.0', '0.1', '1.0'])
    expect(assembler.counters.dropped.superseded).toBe(1)
  })

  it('joins within a group when the key frame comes after the others', () => {
    const { assembler, released, advanceTo, keyRequests } = setUp()
    const objects = stream(3, 1, 5)
    for (const object of without(objects, 0)) assembler.push(object)
    advanceTo(BASE_MS)
    expect(keyRequests()).toBe(1)
    assembler.push(objects[0]!)
    expect(numbers(released)).toEqual(['0.0', '0.1', '0.2', '0.3', '0.4'])
  })

  it('drops everything up to a key frame when the decoder lost its state', () => {
    const { assembler, released, keyRequests } = setUp()
    const objects = stream(1, 2, 3)
    assembler.push(objects[0]!)
    assembler.requireKeyFrame()
    for (const object of objects.slice(1)) assembler.push(object)
    expect(keyRequests()).toBe(1)
    expect(numbers(released)).toEqual(['0.0', '1.0', '1.1', '1.2'])
  })

  it('bounds what waits', () => {
    const { assembler, keyRequests } = setUp({ maxFrames: 10 })
    for (const object of without(stream(3, 1, 30, 100), 0)) assembler.push(object)
    expect(assembler.counters.dropped.overflow).toBe(22)
    expect(keyRequests()).toBe(2)
  })

  it('takes plain LOC objects, one a frame and without marking', () => {
    const { assembler, released, advanceTo } = setUp()
    const plain = (group: number, object: number): VideoObject => ({
      group,
      object,
      media: {},
      payload: new Uint8Array(1),
    })
    for (const object of [0, 1, 3]) assembler.push(plain(5, object))
    advanceTo(BASE_MS)
    assembler.push(plain(6, 0))
    expect(numbers(released)).toEqual(['5.0', '5.1', '6.0'])
  })

  it('refuses a fragment that contradicts its frame', () => {
    const { assembler } = setUp()
    const [, first, second] = stream(3, 1, 2)
    assembler.push(first!)
    assembler.push({ ...second!, media: { ...second!.media, fragment: { index: 2, count: 3 } } })
    expect(assembler.counters.dropped.malformed).toBe(1)
  })

  it('releases only decodable frames, in order and in time, whatever is lost, late or repeated', () => {
    const scenario = fc.record({
      layers: fc.constantFrom(1, 2, 3),
      seed: fc.array(
        fc.record({
          lost: fc.integer({ min: 0, max: 9 }),
          delay: fc.integer({ min: 0, max: 600 }),
          twice: fc.boolean(),
        }),
        { minLength: 90, maxLength: 90 },
      ),
      lossTenths: fc.integer({ min: 0, max: 5 }),
      jitter: fc.constantFrom(0, 30, 600),
    })
    fc.assert(
      fc.property(scenario, ({ layers, seed, lossTenths, jitter }) => {
        const { assembler, released, advanceTo } = setUp()
        const objects = stream(layers, 4, 12)
        const arrivals = objects.flatMap((object, i) => {
          const { lost, delay, twice } = seed[i % seed.length]!
          // The last group is whole: whatever happened before, it must come out whole.
          if (object.group < 3 && lost < lossTenths) return []
          const at = (object.group * 12 + frameOf(object)) * 33 + (delay % (jitter + 1))
          const calm = object.group === 3 ? 10_000 + object.object : at
          const copies = [{ object, at: calm }]
          if (twice) copies.push({ object, at: calm + delay })
          return copies
        })
        arrivals.sort((a, b) => a.at - b.at)
        for (const { object, at } of arrivals) {
          advanceTo(at)
          assembler.push(object)
        }
        advanceTo(30_000)

        const seen = new Set<string>()
        const completedAt = completionTimes(arrivals, objects)
        let keyAt = 0
        let previous = [-1, -1]
        for (const frame of released) {
          const order = [frame.group, frame.number]
          expect(order[0]! - previous[0]! || order[1]! - previous[1]!).toBeGreaterThan(0)
          previous = order
          for (const reference of references(frame.number, layers)) {
            expect(seen).toContain(`${frame.group}.${reference}`)
          }
          seen.add(`${frame.group}.${frame.number}`)
          if (frame.number === 0) keyAt = frame.at
          const since = Math.max(completedAt.get(`${frame.group}.${frame.number}`)!, keyAt)
          expect(frame.at - since).toBeLessThanOrEqual(BASE_MS)
        }
        expect(released.filter((f) => f.group === 3)).toHaveLength(12)
        if (lossTenths === 0 && jitter === 0) expect(released).toHaveLength(48)
      }),
      { numRuns: 60 },
    )
  })
})

/** When the last object of each frame first came. */
function completionTimes(
  arrivals: readonly { object: VideoObject; at: number }[],
  objects: readonly VideoObject[],
): Map<string, number> {
  const wanted = new Map<string, Set<number>>()
  const nameOf = (o: VideoObject) => `${o.group}.${frameOf(o)}`
  for (const o of objects) {
    wanted.set(nameOf(o), (wanted.get(nameOf(o)) ?? new Set<number>()).add(o.object))
  }
  const times = new Map<string, number>()
  for (const { object, at } of arrivals) {
    const missing = wanted.get(nameOf(object))!
    if (missing.delete(object.object) && missing.size === 0) times.set(nameOf(object), at)
  }
  return times
}

describe('a frame assembler whose losses are repaired', () => {
  /** Objects of group 0 that are awaited until a time. */
  function repairing(awaited: ReadonlyMap<number, number>) {
    const clock = { ms: 0 }
    const released: Release[] = []
    const assembler = new FrameAssembler({
      now: () => clock.ms,
      onFrame: (frame) => released.push({ ...frame, at: clock.ms }),
      onKeyFrameNeeded: () => {},
      awaitedUntil: (group, first, end) => {
        const times = [...awaited].filter(([id]) => group === 0 && id >= first && id < end)
        return times.length === 0 ? null : Math.max(...times.map(([, until]) => until))
      },
    })
    return { clock, released, assembler }
  }

  it('waits for what was asked for again, and goes on once it came', () => {
    // Key frame: object 0; frame 1: objects 1 and 2; frame 2: 3 and 4.
    const { clock, released, assembler } = repairing(new Map([[2, 150]]))
    const objects = stream(3, 1, 3)
    for (const object of objects) if (object.object !== 2) assembler.push(object)
    clock.ms = 100
    assembler.poll()
    expect(numbers(released)).toEqual(['0.0'])
    expect(assembler.nextDeadline()).toBe(150)
    assembler.push(objects[2]!)
    expect(numbers(released)).toEqual(['0.0', '0.1', '0.2'])
  })

  it('goes on without it when its time is over, or once it is awaited no more', () => {
    const awaited = new Map([[1, 150]])
    const { clock, released, assembler } = repairing(awaited)
    for (const object of without(stream(3, 1, 4), 1)) assembler.push(object)
    clock.ms = 149
    assembler.poll()
    expect(numbers(released)).toEqual(['0.0'])
    awaited.clear()
    assembler.poll()
    expect(numbers(released)).toEqual(['0.0', '0.2', '0.3'])
  })

  it('does not give a decoder a repaired frame whose reference was given up', () => {
    const { clock, released, assembler } = repairing(new Map())
    const objects = stream(3, 1, 5)
    for (const object of without(objects, 2, 3)) assembler.push(object)
    clock.ms = 30
    assembler.poll()
    for (const object of objects) if (frameOf(object) === 3) assembler.push(object)
    expect(numbers(released)).toEqual(['0.0', '0.1', '0.4'])
    expect(assembler.counters.dropped.late).toBe(2)
  })

  it('asks for a key frame when more of the same group comes after it rested', () => {
    const { assembler, keyRequests, advanceTo } = setUp()
    const objects = stream(3, 1, 8)
    for (const object of objects.slice(0, 5)) assembler.push(object)
    assembler.rest()
    for (const object of objects.slice(5)) assembler.push(object)
    advanceTo(BASE_MS - 1)
    expect(keyRequests()).toBe(0)
    advanceTo(BASE_MS)
    expect(keyRequests()).toBe(1)
  })

  it('drops what waits when it rests, asks for nothing, and goes on at a key frame', () => {
    const { assembler, released, keyRequests, advanceTo } = setUp()
    const objects = stream(3, 2, 8)
    for (const object of without(objects, 4)) if (object.group === 0) assembler.push(object)
    assembler.rest()
    advanceTo(5000)
    expect(keyRequests()).toBe(0)
    expect(numbers(released)).toEqual(['0.0', '0.1', '0.2', '0.3'])
    for (const object of objects) if (object.group === 1) assembler.push(object)
    expect(released).toHaveLength(12)
  })
})
