import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isAfter } from '../../moq/wire/location.ts'
import { namespaceOf, trackOf } from '../../moq/wire/names.ts'
import { Fetcher, Origin } from './fetch-test-world.ts'
import { RelayWorld } from './test-world.ts'

const track = trackOf(namespaceOf('live'), 'x')

const id = fc.nat({ max: 3 })
const location = fc.record({ group: id, object: id })
const history = fc.uniqueArray(fc.tuple(location, fc.boolean()), {
  selector: ([{ group, object }]) => `${group}/${object}`,
  minLength: 1,
  maxLength: 16,
})
const request = fc.record({
  a: location,
  b: location,
  whole: fc.boolean(),
  order: fc.constantFrom('ascending' as const, 'descending' as const),
})

describe('FETCH through the relay', () => {
  it('brings what the publisher has in the range, in the order, whatever is cached', async () => {
    const limits = fc.record({
      maxCacheBytes: fc.constantFrom(0, 20, 1000),
      maxCacheObjectsPerTrack: fc.constantFrom(4, 1000),
    })
    const property = fc.asyncProperty(
      history,
      fc.array(request, { minLength: 1, maxLength: 4 }),
      limits,
      fc.boolean(),
      async (objects, requests, cacheLimits, live) => {
        const world = new RelayWorld({ limits: cacheLimits })
        const origin = new Origin(world, track)
        const fetchers = requests.map(() => new Fetcher(world))
        await world.settle()
        if (live) fetchers[0]!.subscribe(track)
        await world.settle()
        const ordered = objects.toSorted(([x], [y]) => (isAfter(x, y) ? 1 : -1))
        for (const [{ group, object }, before] of ordered) if (before) origin.has(group, object)
        for (const [{ group, object }, before] of ordered) {
          if (!before) origin.publish(group, object)
        }
        const seen = live ? ordered.filter(([, before]) => !before) : ordered
        await world.settle()
        const largest = seen.at(-1)?.[0] ?? null
        const answers = requests.map(({ a, b, whole, order }, i) => {
          const [start, last] = isAfter(a, b) ? [b, a] : [a, b]
          const end = [last.group, whole ? 0 : last.object + 1] as const
          const parameters = { groupOrder: order }
          const fetched = fetchers[i]!.standalone(
            track,
            [start.group, start.object],
            end,
            parameters,
          )
          const sign = order === 'ascending' ? 1 : -1
          const wanted = ordered
            .map(([at]) => at)
            .filter((at) => !isAfter(start, at) && (whole || !isAfter(at, last)))
            .filter((at) => at.group <= last.group && largest && !isAfter(at, largest))
            .sort((x, y) => sign * (x.group - y.group) || x.object - y.object)
            .map(({ group, object }) => `${group}/${object}`)
          return { fetched, wanted, start }
        })
        await world.settle()
        for (const { fetched, wanted, start } of answers) {
          expect(fetched.got).toEqual(wanted)
          const inside = largest !== null && !isAfter(start, largest)
          expect([fetched.done, fetched.code !== null]).toEqual([inside, !inside])
        }
        expect(world.relay.fetchCount).toBe(0)
      },
    )
    await fc.assert(property, { numRuns: 300 })
  })
})
