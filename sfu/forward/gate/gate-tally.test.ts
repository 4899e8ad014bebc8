import { describe, expect, it } from 'vitest'
import { GateWatch, makeGateTally } from './gate-tally.ts'

describe('GateWatch', () => {
  it('takes the time from the first object held back to the key frame', () => {
    const tally = makeGateTally()
    const watch = new GateWatch(tally)
    watch.heldBack(100)
    watch.heldBack(133)
    watch.opened(400)
    expect(tally).toEqual({ openings: 1, gatedMs: 300 })
    watch.heldBack(1000)
    watch.opened(1050)
    expect(tally).toEqual({ openings: 2, gatedMs: 350 })
  })

  it('takes no time where nothing was held back', () => {
    const tally = makeGateTally()
    new GateWatch(tally).opened(400)
    expect(tally).toEqual({ openings: 1, gatedMs: 0 })
  })
})
