import { describe, expect, it } from 'vitest'
import { expectSound, PATH_MS, smallCall } from './call.ts'
import { missingSound } from './judge.ts'

const CHANGE_AT = 10_000
const END = 15_000

describe('an epoch that changes under load', () => {
  it.each([
    [4e6, 1],
    [900_000, 2],
    [500_000, 3],
  ])('costs no sound and hardly a picture at %d bit/s (seed %d)', async (rate, seed) => {
    const { world, ann, bob } = smallCall(seed, { rate })
    await world.run(CHANGE_AT)
    ann.useEpoch(2)
    await world.run(END - CHANGE_AT)
    expectSound(world, bob)
    expect(missingSound(bob.sounds[0]!, 2000, END - 1000)).toEqual([])
    const { picture } = bob
    const isNew = picture.delayUntil(CHANGE_AT, ({ frame }) => frame.epoch === 2)
    expect(isNew).toBeLessThan(2 * PATH_MS + 400)
    // From the last picture before to the next.
    expect(picture.longestFreeze(CHANGE_AT - 500, CHANGE_AT + 1500)).toBeLessThan(2 * PATH_MS + 200)
    const after = picture.between(CHANGE_AT + isNew, END)
    expect(after.every(({ frame }) => frame.epoch === 2)).toBe(true)
  })
})
