import { describe, expect, it } from 'vitest'
import { budgets, expectSound, PATH_MS, queueDelay, smallCall, soundDelay } from './call.ts'
import { missingSound } from './judge.ts'

const NARROW = 500_000
const NARROW_AT = 12_000
const WIDE_AT = 26_000
const END = 36_000
/** In which the relay finds out and what is queued in the link goes, ms. */
const SETTLED = 2500

describe.each([
  1, 2,
])('a path that falls from 4 Mbit/s to 500 kbit/s and back (seed %d)', (seed) => {
  it('is followed: sound first, no queue, the top layer again within 5 s', async () => {
    const { world, bob } = smallCall(seed)
    const { picture, connection } = bob
    await world.run(NARROW_AT)
    connection.path.down.change({ rate: NARROW })
    await world.run(WIDE_AT - NARROW_AT)
    connection.path.down.change({ rate: 4e6 })
    await world.run(END - WIDE_AT)

    expectSound(world, bob)
    expect(missingSound(bob.sounds[0]!, 1000, END - 1000)).toEqual([])

    // Wide: the largest picture, smoothly.
    expect(picture.delayUntil(0, ({ rendition }) => rendition === 2)).toBeLessThan(5000)
    expect(picture.switches(5000, NARROW_AT)).toBe(0)
    expect(picture.longestFreeze(5000, NARROW_AT)).toBeLessThan(200)

    // Narrow: what fits, and nothing waits in the network.
    const settled = NARROW_AT + SETTLED
    expect(soundDelay(bob, settled, WIDE_AT)).toBeLessThan(PATH_MS + 150)
    expect(queueDelay(bob, settled, WIDE_AT)).toBeLessThan(100)
    const [least, most] = budgets(bob, settled, WIDE_AT)
    expect(least).toBeGreaterThan(NARROW * 0.4)
    expect(most).toBeLessThan(NARROW)
    expect(picture.switches(settled, WIDE_AT)).toBeLessThanOrEqual(1)
    expect(picture.longestFreeze(NARROW_AT, WIDE_AT)).toBeLessThan(500)

    // Wide again.
    expect(picture.delayUntil(WIDE_AT, ({ rendition }) => rendition === 2)).toBeLessThan(5000)
    expect(picture.longestFreeze(WIDE_AT, END - 100)).toBeLessThan(250)
  })
})
