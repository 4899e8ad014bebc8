import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ladderOf } from './ladder.ts'
import { CAMERA, NO_LIMITS } from './test-sources.ts'

const names = (steps: ReturnType<typeof ladderOf>): string[] =>
  steps.map(({ rendition, temporalLayers }) => `${rendition}/${temporalLayers}`)

describe('a ladder', () => {
  it('of a face begins larger renditions with two layers', () => {
    const steps = ladderOf(CAMERA, NO_LIMITS, 'face')
    expect(names(steps)).toEqual(['0/1', '0/2', '0/3', '1/2', '1/3', '2/2', '2/3'])
    expect(steps.map(({ bits }) => bits / 1000)).toEqual([60, 90, 150, 300, 500, 1080, 1800])
  })

  it('of a screen has size first, frames last', () => {
    expect(names(ladderOf(CAMERA, NO_LIMITS, 'screen'))).toEqual([
      '0/1',
      '1/1',
      '2/1',
      '2/2',
      '2/3',
    ])
  })

  it.each([
    [{ width: 320, height: 180 }, '0/3'],
    [{ width: 321, height: 400 }, '1/3'],
    [{ width: 1920, height: 1080 }, '2/3'],
    // A tall place: the width of the picture decides.
    [{ width: 300, height: 1000 }, '0/3'],
    [{ width: 0, height: 360 }, '1/3'],
    [{ framerate: 15 }, '2/2'],
    [{ framerate: 7 }, '2/1'],
    [{ width: 100, framerate: 7 }, '0/1'],
    [{ framerate: 16 }, '2/3'],
  ])('ends where more could not be shown: %j', (limits, top) => {
    expect(names(ladderOf(CAMERA, { ...NO_LIMITS, ...limits }, 'face')).at(-1)).toBe(top)
  })

  it('has nothing for what is hidden or not there', () => {
    expect(ladderOf(CAMERA, { ...NO_LIMITS, hidden: true }, 'face')).toEqual([])
    expect(ladderOf([], NO_LIMITS, 'face')).toEqual([])
  })

  it('leaves out what costs as much as something better', () => {
    const dear = { ...CAMERA[0]!, layerBits: [60_000, 400_000, 600_000] }
    expect(names(ladderOf([dear, CAMERA[1]!], NO_LIMITS, 'face'))).toEqual(['0/1', '1/2', '1/3'])
  })

  it('goes up strictly, in cost and in quality, whatever was measured', () => {
    const rate = fc.double({ min: 0, max: 1e7, noNaN: true })
    const offers = fc.array(
      fc.record({
        layerBits: fc.array(rate, { minLength: 1, maxLength: 4 }),
        size: fc.nat(1000),
        framerate: fc.nat(60),
      }),
      { maxLength: 5 },
    )
    const limits = fc.record({
      width: fc.nat(1000),
      height: fc.nat(1000),
      framerate: fc.nat(60),
      hidden: fc.boolean(),
    })
    fc.assert(
      fc.property(offers, limits, fc.constantFrom('face', 'screen'), (all, shown, kind) => {
        const renditions = all.map(({ size, ...rest }, rendition) => ({
          ...rest,
          rendition,
          width: size,
          height: size,
        }))
        const steps = ladderOf(renditions, shown, kind)
        expect(steps.length > 0).toBe(!shown.hidden && all.length > 0)
        steps.slice(1).forEach((step, index) => {
          const below = steps[index]!
          expect(step.bits).toBeGreaterThan(below.bits)
          const quality = ({ rendition, temporalLayers }: typeof step) =>
            rendition * 100 + temporalLayers
          expect(quality(step)).toBeGreaterThan(quality(below))
        })
      }),
    )
  })
})
