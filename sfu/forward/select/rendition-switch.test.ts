import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RenditionSwitch } from './rendition-switch.ts'

const to = (rendition: number, temporalLayers = 3) => ({ rendition, temporalLayers })

describe('a rendition switch', () => {
  it('lets nothing pass before the first key frame', () => {
    const change = new RenditionSwitch()
    change.choose(to(1), 0)
    expect([change.current, change.awaited, change.passes(1, 0)]).toEqual([-1, 1, false])
    expect(change.onKeyFrame(1)).toBe(-1)
    expect([change.current, change.awaited, change.passes(1, 2)]).toEqual([1, -1, true])
  })

  it('keeps the old rendition until the key frame of the new one, then ends it', () => {
    const change = new RenditionSwitch()
    change.choose(to(0), 0)
    change.onKeyFrame(0)
    change.choose(to(2), 0)
    expect([change.passes(0, 2), change.passes(2, 0)]).toEqual([true, false])
    // A key frame of the old one, or of one that nobody waits for, changes nothing.
    expect([change.onKeyFrame(0), change.onKeyFrame(1), change.current]).toEqual([-1, -1, 0])
    expect(change.onKeyFrame(2)).toBe(0)
    expect([change.passes(0, 0), change.passes(2, 0)]).toEqual([false, true])
  })

  it('cuts the old rendition to its base layer on the way down', () => {
    const change = new RenditionSwitch()
    change.choose(to(2), 0)
    change.onKeyFrame(2)
    change.choose(to(0), 0)
    expect([change.passes(2, 0), change.passes(2, 1)]).toEqual([true, false])
  })

  it('shows the old rendition with as many layers as the larger one is to have, while that is awaited', () => {
    const change = new RenditionSwitch()
    change.choose(to(0, 1), 0)
    change.onKeyFrame(0)
    expect([change.passes(0, 1), change.layersOf(0)]).toEqual([false, 1])
    change.choose(to(2, 3), 0)
    expect([change.passes(0, 2), change.layersOf(0)]).toEqual([true, 3])
    // It is not to have more than the receiver wishes of any.
    change.choose(to(0, 2), 0)
    expect([change.passes(0, 1), change.passes(0, 2)]).toEqual([true, false])
  })

  it('changes the layers of a rendition at once, and stays when the choice comes back', () => {
    const change = new RenditionSwitch()
    change.choose(to(1, 3), 0)
    change.onKeyFrame(1)
    change.choose(to(1, 1), 0)
    expect([change.passes(1, 0), change.passes(1, 1)]).toEqual([true, false])
    change.choose(to(2), 0)
    change.choose(to(1, 2), 0)
    expect([change.awaited, change.passes(1, 1), change.onKeyFrame(2)]).toEqual([-1, true, -1])
  })

  it('tells what is wanted of each rendition, and adopts one that went out before', () => {
    const change = new RenditionSwitch()
    const wanted = () => [0, 1, 2].map((rendition) => change.layersOf(rendition))
    change.adopt(2)
    expect([change.current, change.passes(2, 7)]).toEqual([2, true])
    expect(wanted()).toEqual([0, 0, 8])
    change.choose(to(2, 3), 0)
    expect(wanted()).toEqual([0, 0, 3])
    change.choose(to(0, 2), 0)
    expect(wanted()).toEqual([2, 0, 1])
    change.onKeyFrame(0)
    expect(wanted()).toEqual([2, 0, 0])
    change.choose(to(1, 3), 0)
    expect(wanted()).toEqual([3, 3, 0])
  })

  it('tells when the publisher has ended what was forwarded', () => {
    const change = new RenditionSwitch()
    change.choose(to(1), 0)
    change.onKeyFrame(1)
    change.choose(to(2), 100)
    expect(change.dump(350)).toEqual({
      rendition: 1,
      temporalLayers: 3,
      awaited: 2,
      awaitedMs: 250,
    })
    expect([change.onGone(2), change.awaited]).toEqual([false, -1])
    expect([change.onGone(1), change.current]).toEqual([true, -1])
  })

  it('forwards nothing once nothing is chosen', () => {
    const change = new RenditionSwitch()
    change.choose(to(1), 0)
    change.onKeyFrame(1)
    change.choose(null, 0)
    expect([change.passes(1, 0), change.onKeyFrame(1), change.current]).toEqual([false, -1, -1])
  })

  it('never forwards two renditions, never stops one without its successor', () => {
    const action = fc.oneof(
      fc.record({ choose: fc.option(fc.nat(3)) }),
      fc.record({ key: fc.nat(3) }),
    )
    fc.assert(
      fc.property(fc.array(action), (actions) => {
        const change = new RenditionSwitch()
        for (const does of actions) {
          const before = change.current
          if ('key' in does) change.onKeyFrame(does.key)
          else change.choose(does.choose === null ? null : to(does.choose), 0)
          const passing = [0, 1, 2, 3].filter((rendition) => change.passes(rendition, 0))
          expect(passing).toEqual(change.current < 0 ? [] : [change.current])
          const stopped = before >= 0 && change.current < 0
          expect(stopped && !('choose' in does && does.choose === null)).toBe(false)
          if (change.current !== before && change.current >= 0) expect('key' in does).toBe(true)
        }
      }),
    )
  })
})
