/** For tests with vitest and fast-check: a layered video source, and what its frames really build on. */

import fc from 'fast-check'
import { encodeMediaProperties } from '../../../moq/media/index.ts'
import { type GatedObject, markingOf } from './marking.ts'

export interface Frame {
  /** Frames that it is decoded from. */
  readonly references: readonly Frame[]
  readonly objects: ModelObject[]
}

export interface ModelObject extends GatedObject {
  readonly frame: Frame
  readonly fate: Fate
}

/** What happens to a frame on its way. */
export interface Fate {
  /** 1..3 */
  readonly fragments: number
  /** Not published at all; never a base frame. */
  readonly omitted: boolean
  /** Bit n: fragment n does not reach the relay. */
  readonly lost: number
  /** Places in the order of arrival that it comes later. */
  readonly delay: number
  /** It does not reach the subscriber, though it was queued for it. */
  readonly lostBehind: boolean
  /** Objects that are sent to the subscriber after it was queued. */
  readonly sends: number
  /** Counter trouble: from here on another generation. */
  readonly trouble: boolean
}

export interface GroupPlan {
  readonly fates: readonly Fate[]
  /** It begins under another KID. */
  readonly newKey: boolean
}

const quiet: Fate = {
  fragments: 1,
  omitted: false,
  lost: 0,
  delay: 0,
  lostBehind: false,
  sends: 4,
  trouble: false,
}

const rarely = fc.integer({ min: 0, max: 7 }).map((value) => value === 7)

/** Frames that all arrive, in order. */
export const quietFate: fc.Arbitrary<Fate> = fc.record({
  ...constants(quiet),
  fragments: fc.integer({ min: 1, max: 3 }),
  omitted: rarely,
})

export const anyFate: fc.Arbitrary<Fate> = fc.record({
  fragments: fc.integer({ min: 1, max: 3 }),
  omitted: rarely,
  lost: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, fc.integer({ min: 0, max: 7 })),
  delay: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.integer({ min: 0, max: 6 })),
  lostBehind: rarely,
  sends: fc.integer({ min: 0, max: 4 }),
  trouble: fc.integer({ min: 0, max: 30 }).map((value) => value === 30),
})

/** @param frames in a group, at least */
export function groups(fate: fc.Arbitrary<Fate>, frames = 1): fc.Arbitrary<GroupPlan[]> {
  const group = fc.record({
    fates: fc.array(fate, { minLength: frames, maxLength: 16 }),
    newKey: rarely,
  })
  return fc.array(group, { minLength: 1, maxLength: 6 })
}

/** Temporal layers of a period, and whether its last frame builds on the one before (L1T3). */
const PATTERNS = { 0: [0], 1: [0], 2: [0, 1], 3: [0, 2, 1, 2] } as const

/**
 * Publishes groups as our publisher does: base frames on the stream of subgroup 0, the others as
 * datagrams, with ids in the order of decoding.
 * @param layers 1..3; 0: one layer, marked without layers
 */
export function publish(plans: readonly GroupPlan[], layers: 0 | 1 | 2 | 3): ModelObject[] {
  const published: ModelObject[] = []
  const pattern = PATTERNS[layers]
  let generation = 1
  let baseIndex = 250
  plans.forEach(({ fates, newKey }, group) => {
    if (newKey) generation++
    let object = 0
    let base: Frame | null = null
    let middle: Frame | null = null
    let rest = false
    fates.forEach((fate, number) => {
      if (fate.trouble) generation++
      const place = number % pattern.length
      const temporal = pattern[place]!
      if (temporal === 0) {
        rest = false
        middle = null
        baseIndex = (baseIndex + 1) & 0xff
        // Without a middle frame, what builds on it is not published either.
      } else if (rest || (fate.omitted && place !== 1)) {
        rest = true
        return
      } else if (fate.omitted) return
      const key = number === 0
      const references: Frame[] = []
      if (place === 3) references.push(middle!)
      else if (!key) references.push(base!)
      const frame: Frame = { references, objects: [] }
      if (temporal === 0) base = frame
      if (temporal === 1) middle = frame
      const count = layers === 0 ? 1 : fate.fragments
      for (let index = 0; index < count; index++) {
        const { properties } = encodeMediaProperties({
          frameMarking: {
            start: index === 0,
            end: index === count - 1,
            independent: key,
            discardable: temporal > 0 && temporal === layers - 1,
            layer:
              layers === 0
                ? null
                : { temporal, spatial: 0, baseIndex, baseSync: temporal > 0 && place !== 3 },
          },
        })
        const id = object++
        const made = {
          group,
          object: id,
          subgroup: temporal === 0 ? 0 : -1,
          marking: markingOf(properties, id),
          generation,
          frame,
          fate,
        }
        frame.objects.push(made)
        published.push(made)
      }
    })
  })
  return published
}

/** The order in which they come to the relay: base frames of a group stay in order, datagrams need not. */
export function arrivals(published: readonly ModelObject[]): ModelObject[] {
  const floors = new Map<number, number>()
  return published
    .map((object, index) => {
      let at = index + object.fate.delay
      if (object.subgroup === 0) {
        at = Math.max(at, floors.get(object.group) ?? 0)
        floors.set(object.group, at)
      }
      const fragment = object.frame.objects.indexOf(object)
      const lost = (object.fate.lost & (1 << fragment)) !== 0
      return { object, at, lost }
    })
    .filter(({ lost }) => !lost)
    .sort((a, b) => a.at - b.at)
    .map(({ object }) => object)
}

function constants(fate: Fate) {
  return Object.fromEntries(
    Object.entries(fate).map(([name, value]) => [name, fc.constant(value)]),
  ) as { [Name in keyof Fate]: fc.Arbitrary<Fate[Name]> }
}
