import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isAfter, type Location } from '../../moq/wire/location.ts'
import { CacheBudget, type FetchSpan, plan, type Segment, TrackCache } from './index.ts'
import { endOfGroup, endOfTrack, testObject } from './test-support.ts'

const GROUPS = 5
const OBJECTS = 5
const ALL = Number.POSITIVE_INFINITY

/** What the model says of each location of a small track. */
type State = Segment['kind']

class Model {
  readonly states = new Map<string, State>()

  at(group: number, object: number): State {
    return this.states.get(`${group}/${object}`) ?? 'unknown'
  }

  set(group: number, object: number, state: State): void {
    if (this.at(group, object) !== 'absent') this.states.set(`${group}/${object}`, state)
  }
}

const location = fc.record({
  group: fc.nat({ max: GROUPS - 1 }),
  object: fc.nat({ max: OBJECTS - 1 }),
})

const step = fc.oneof(
  { weight: 4, arbitrary: location.map((at) => ({ kind: 'add' as const, at })) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(location, location, fc.boolean())
      .map(([a, b, whole]) => ({ kind: 'absent' as const, a, b, whole })),
  },
  { weight: 1, arbitrary: location.map((at) => ({ kind: 'end-of-group' as const, at })) },
  { weight: 1, arbitrary: location.map((at) => ({ kind: 'end-of-track' as const, at })) },
  { weight: 1, arbitrary: location.map((at) => ({ kind: 'expire' as const, at })) },
)

function* locations(from: Location, to: Location): Generator<Location> {
  for (let group = from.group; group <= Math.min(to.group, GROUPS - 1); group++) {
    for (let object = 0; object < OBJECTS; object++) {
      const at = { group, object }
      if (!isAfter(from, at) && !isAfter(at, to)) yield at
    }
  }
}

function build(steps: readonly (typeof step extends fc.Arbitrary<infer S> ? S : never)[]) {
  const clock = { time: 0, now: () => clock.time }
  const limits = { maxBytes: 1e6, maxBytesPerTrack: 1e6, maxObjects: 1e6, maxObjectsPerTrack: 1e6 }
  const cache = new TrackCache(new CacheBudget(limits), clock)
  cache.maxAgeMs = 10
  const model = new Model()
  const last = { group: GROUPS - 1, object: OBJECTS - 1 }
  for (const action of steps) {
    switch (action.kind) {
      case 'add': {
        const { group, object } = action.at
        const verdict = cache.addFetched(testObject(group, object), clock.time)
        if (verdict === 'new' || verdict === 'duplicate') model.set(group, object, 'cached')
        break
      }
      case 'absent': {
        const [low, high] = isAfter(action.a, action.b)
          ? [action.b, action.a]
          : [action.a, action.b]
        const to = action.whole ? { group: high.group, object: ALL } : high
        cache.absent(low, to)
        for (const { group, object } of locations(low, to)) model.set(group, object, 'absent')
        break
      }
      case 'end-of-group': {
        const { group, object } = action.at
        if (cache.add(endOfGroup(group, object), clock.time) !== 'new') break
        for (const at of locations(action.at, { group, object: ALL })) {
          model.set(at.group, at.object, 'absent')
        }
        break
      }
      case 'end-of-track':
        if (cache.add(endOfTrack(action.at.group, action.at.object), clock.time) !== 'new') break
        for (const { group, object } of locations(action.at, last)) {
          model.set(group, object, 'absent')
        }
        break
      case 'expire':
        clock.time += 11
        for (const { group, object } of locations({ group: 0, object: 0 }, last)) {
          if (model.at(group, object) === 'cached') model.set(group, object, 'unknown')
        }
    }
  }
  return { cache, model }
}

const span = fc
  .tuple(location, location, fc.boolean(), fc.constantFrom('ascending', 'descending'))
  .map(([a, b, whole, order]): FetchSpan => {
    const [start, high] = isAfter(a, b) ? [b, a] : [a, b]
    return { start, last: whole ? { group: high.group, object: ALL } : high, order }
  })

function expected(model: Model, { start, last, order }: FetchSpan): string[] {
  const all = [...locations(start, last)].map(({ group, object }) => ({
    group,
    told: `${group}/${object} ${model.at(group, object)}`,
  }))
  const sign = order === 'ascending' ? 1 : -1
  return all.toSorted((a, b) => sign * (a.group - b.group)).map(({ told }) => told)
}

function found(segments: readonly Segment[], { order }: FetchSpan): string[] {
  return segments.flatMap(({ kind, low, high }) => {
    const all = [...locations(low, high)].map((at) => ({ ...at, told: `${at.group}/${at.object}` }))
    const sign = order === 'ascending' ? 1 : -1
    return all.toSorted((a, b) => sign * (a.group - b.group)).map(({ told }) => `${told} ${kind}`)
  })
}

describe('plan', () => {
  it('tells of every location of the span once, in its order, what is known of it', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), span, (steps, wanted) => {
        const { cache, model } = build(steps)
        const segments = plan(cache, wanted)
        expect(found(segments, wanted)).toEqual(expected(model, wanted))
      }),
      { numRuns: 1000 },
    )
  })

  it('puts what is unknown together, in ascending order', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), span, (steps, wanted) => {
        const { cache } = build(steps)
        const segments = plan(cache, { ...wanted, order: 'ascending' })
        for (let i = 1; i < segments.length; i++) {
          const pair = [segments[i - 1]!.kind, segments[i]!.kind]
          expect(pair).not.toEqual(['unknown', 'unknown'])
        }
      }),
    )
  })

  it('walks over ranges of any length in few steps', () => {
    const { cache } = build([])
    cache.add(testObject(1_000_000, 3), 0)
    cache.absent({ group: 5, object: 0 }, { group: 500_000, object: ALL })
    for (const order of ['ascending', 'descending'] as const) {
      const segments = plan(cache, {
        start: { group: 0, object: 0 },
        last: { group: 2 ** 50, object: ALL },
        order,
      })
      expect(segments.map(({ kind }) => kind)).toEqual(
        order === 'ascending'
          ? ['unknown', 'absent', 'unknown', 'cached', 'unknown']
          : ['unknown', 'unknown', 'cached', 'unknown', 'unknown', 'absent', 'unknown'],
      )
    }
  })
})
