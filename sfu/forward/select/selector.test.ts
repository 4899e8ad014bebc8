import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../simulation/net/random.ts'
import { type Selection, Selector, type SourceInput } from './selector.ts'
import { camera, microphone, NO_LIMITS } from './test-sources.ts'

const name = ({ step }: Selection): string =>
  step ? `${step.rendition}/${step.temporalLayers}` : 'none'

/** A selector that is asked each 100 ms. */
class World {
  now = 0
  readonly selector = new Selector()
  budget = 10e6
  proven = 10e6
  sources: SourceInput[]
  changes = 0
  private last = new Map<string, string>()

  constructor(...sources: SourceInput[]) {
    this.sources = sources
  }

  update(): string[] {
    const { budget, proven, sources } = this
    const selections = this.selector.update(this.now, { budget, proven, reserved: 0, sources })
    for (const selection of selections) {
      const before = this.last.get(selection.key)
      if (before !== undefined && before !== name(selection)) this.changes++
      this.last.set(selection.key, name(selection))
    }
    return selections.map(name)
  }

  run(ms: number): string[] {
    let names = this.update()
    for (const end = this.now + ms; this.now < end; ) {
      this.now += 100
      names = this.update()
    }
    return names
  }
}

describe('a selector', () => {
  it('begins at once with what is proven, and with the smallest picture without proof', () => {
    expect(new World(camera('a')).update()).toEqual(['2/3'])
    const unproven = new World(camera('a'))
    unproven.proven = 0
    unproven.budget = 1e6
    expect(unproven.update()).toEqual(['0/1'])
  })

  it('steps down at once, as far as needed', () => {
    const world = new World(camera('a'), microphone('b'))
    expect(world.run(1000)).toEqual(['2/3', '0/1'])
    world.budget = 400_000
    expect(world.update()).toEqual(['1/2', '0/1'])
    world.budget = 10_000
    expect(world.update()).toEqual(['none', '0/1'])
  })

  it('steps up only when the path has shown that it carries that, and for a second', () => {
    const world = new World(camera('a'))
    world.budget = 200_000
    world.run(1000)
    world.budget = 10e6
    world.proven = 200_000
    expect(world.run(20_000)).toEqual(['0/3'])
    world.proven = 700_000
    expect(world.run(900)).toEqual(['0/3'])
    expect(world.run(100)).toEqual(['1/3'])
  })

  it('gives a picture that was taken away its smallest step back soon, however often that was', () => {
    const world = new World(camera('a'))
    world.run(1000)
    for (let times = 0; times < 4; times++) {
      world.budget = 0
      expect(world.run(200)).toEqual(['none'])
      world.budget = 10e6
      expect(world.run(900)).toEqual(['none'])
      expect(world.run(200)).not.toEqual(['none'])
    }
    expect(world.run(100)).toEqual(['0/1'])
  })

  it('tells what it would like to have, so that the path is probed for it', () => {
    const world = new World(camera('a'), camera('b', { limits: { ...NO_LIMITS, width: 320 } }))
    world.budget = 100_000
    world.update()
    expect(world.selector.wanted).toBeCloseTo((1_800_000 + 150_000) / 0.9)
  })

  it('with as much proven as it wanted has everything', () => {
    const world = new World(camera('a'), camera('b'))
    world.budget = 100_000
    world.update()
    world.budget = world.selector.wanted
    world.proven = world.selector.wanted
    expect(world.run(2000)).toEqual(['2/3', '2/3'])
  })

  it('waits longer each time that a step up was taken back', () => {
    const world = new World(camera('a'))
    const waits: number[] = []
    for (let i = 0; i < 6; i++) {
      world.budget = 200_000
      world.update()
      world.budget = 10e6
      const begin = world.now
      while (world.update()[0] !== '2/3') world.now += 100
      waits.push((world.now - begin) / 1000)
      world.now += 1000
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 30])
    // Half a minute without a fall, and all is forgotten.
    world.run(31_000)
    world.now += 1
    world.budget = 200_000
    world.update()
    world.budget = 10e6
    expect(world.run(1000)).toEqual(['2/3'])
  })

  it('does not let a small step that was taken back keep it from a much larger one', () => {
    const world = new World(camera('a'))
    world.budget = 400_000
    world.run(1000)
    for (let i = 0; i < 4; i++) {
      world.budget = 120_000
      world.update()
      world.budget = 400_000
      world.run(10_000)
    }
    world.budget = 120_000
    world.update()
    world.budget = 10e6
    expect(world.run(900)).toEqual(['0/2'])
    expect(world.run(200)).toEqual(['2/3'])
  })

  it('takes a fall in several steps for one, so that the path is believed soon after it', () => {
    const world = new World(camera('a'))
    world.run(1000)
    for (const budget of [1e6, 700_000, 400_000, 200_000, 100_000]) {
      world.budget = budget
      world.run(200)
    }
    world.budget = 10e6
    expect(world.run(1900)).not.toEqual(['2/3'])
    expect(world.run(200)).toEqual(['2/3'])
  })

  it('does at once what a person does: hides, shows, enlarges, pins', () => {
    const world = new World(camera('a'), camera('b'))
    world.budget = 900_000
    world.proven = 900_000
    expect(world.run(3000)).toEqual(['1/3', '1/2'])
    world.sources[1] = camera('b', { limits: { ...NO_LIMITS, hidden: true } })
    expect(world.update()[1]).toBe('none')
    world.sources[1] = camera('b')
    expect(world.update()[1]).not.toBe('none')
    world.run(3000)
    world.sources[1] = camera('b', { tier: 'front' })
    expect(world.update()).toEqual(['1/2', '1/3'])
  })

  it('gives up the better pictures of others for who speaks, never their sound', () => {
    const others = Array.from({ length: 5 }, (_, index) => camera(`c${index}`))
    const sound = Array.from({ length: 5 }, (_, index) => microphone(`m${index}`))
    const world = new World(camera('a', { tier: 'front' }), ...others, ...sound)
    world.budget = 1_100_000
    const names = world.run(5000)
    expect(names[0]).toBe('1/3')
    expect(names.slice(1, 6)).toEqual(['0/2', '0/1', '0/1', '0/1', '0/1'])
    world.budget = 0
    expect(world.update()).toEqual([...new Array(6).fill('none'), ...new Array(5).fill('0/1')])
  })

  it('forgets a source that is gone', () => {
    const world = new World(camera('a'))
    world.budget = 100_000
    world.update()
    world.sources = []
    world.update()
    world.budget = 10e6
    world.sources = [camera('a')]
    expect(world.update()).toEqual(['2/3'])
  })

  it('changes seldom under noise of the budget and of what is measured', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const random = seededRandom(seed)
      const world = new World(camera('a'))
      world.budget = 1_500_000
      world.proven = 1_500_000
      world.run(3000)
      world.changes = 0
      for (let i = 0; i < 600; i++) {
        world.now += 100
        const noise = (): number => 0.9 + 0.2 * random()
        world.budget = 1_500_000 * noise()
        world.proven = world.budget
        const renditions = camera('a').renditions.map((offer) => {
          const factor = noise()
          return { ...offer, layerBits: offer.layerBits.map((bits) => bits * factor) }
        })
        world.sources = [camera('a', { renditions })]
        world.update()
      }
      expect(world.changes).toBeLessThanOrEqual(8)
    }
  })

  it('changes a bounded number of times a minute, whatever the budget does', () => {
    const stretch = fc.record({
      budget: fc.integer({ min: 0, max: 3_000_000 }),
      ms: fc.integer({ min: 100, max: 5000 }),
    })
    fc.assert(
      fc.property(fc.array(stretch, { minLength: 60, maxLength: 60 }), (stretches) => {
        const world = new World(camera('a'))
        for (const { budget, ms } of stretches) {
          if (world.now > 60_000) break
          world.budget = budget
          world.proven = budget
          world.run(ms)
        }
        // Ups at most after 1, 2, 4, 8, 16 s of calm; downs of seven steps between them.
        expect(world.changes).toBeLessThanOrEqual(40)
      }),
      { numRuns: 50 },
    )
  })

  it('never costs more than the budget, but for sound, and never more than can be shown', () => {
    const source = fc.record({
      tier: fc.constantFrom('audio', 'front', 'video', 'screen'),
      width: fc.constantFrom(0, 200, 640),
    })
    const input = fc.record({
      budget: fc.nat(4_000_000),
      proven: fc.nat(4_000_000),
      sources: fc.array(source, { maxLength: 5 }),
      ms: fc.nat(3000),
    })
    fc.assert(
      fc.property(fc.array(input, { maxLength: 20 }), (inputs) => {
        const selector = new Selector()
        let now = 0
        for (const { budget, proven, sources, ms } of inputs) {
          now += ms
          const all = sources.map(({ tier, width }, index) =>
            tier === 'audio'
              ? microphone(`m${index}`)
              : camera(`c${index}`, { tier, limits: { ...NO_LIMITS, width } }),
          )
          const made = selector.update(now, { budget, proven, reserved: 50_000, sources: all })
          const cost = (sound: boolean): number =>
            made
              .filter(({ key }) => key.startsWith('m') === sound)
              .reduce((sum, { step }) => sum + (step?.bits ?? 0), 0)
          expect(cost(false)).toBeLessThanOrEqual(Math.max(0, budget - 50_000 - cost(true)))
          made.forEach(({ key, step }, index) => {
            const { width } = sources[index]!
            if (step && key.startsWith('c') && width === 200) expect(step.rendition).toBe(0)
            if (step && key.startsWith('c') && width === 640) expect(step.rendition).toBeLessThan(2)
          })
        }
      }),
    )
  })
})
