import { describe, expect, it } from 'vitest'
import { budgets, expectSound, PATH_MS, smallCall, soundDelay } from './call.ts'
import { missingSound } from './judge.ts'

const BEGUN = 5000
const END = 15_000

describe('a lossy path', () => {
  it.each([
    [0.01, 1],
    [0.05, 2],
    [0.05, 3],
    [0.1, 4],
  ])('with a loss of %d costs no sound and stops no picture (seed %d)', async (loss, seed) => {
    const { world, bob } = smallCall(seed, { loss })
    await world.run(END)
    expectSound(world, bob)
    expect(missingSound(bob.sounds[0]!, 1000, END - 1000)).toEqual([])
    // What is lost is sent again: half the sound comes after one more round trip at most.
    expect(soundDelay(bob, BEGUN, END)).toBeLessThan(PATH_MS + 150)
    expect(bob.picture.longestFreeze(BEGUN, END - 100)).toBeLessThan(500)
    // Losses by chance are no want of room.
    expect(budgets(bob, BEGUN, END)[0]).toBeGreaterThan(1_500_000)
    expect(bob.picture.switches(BEGUN, END)).toBe(0)
  })
})

describe('a path whose delay varies by 200 ms', () => {
  it.each([5, 6])('brings all the sound and a steady picture (seed %d)', async (seed) => {
    const { world, bob } = smallCall(seed, { jitterMs: 200 })
    await world.run(END)
    expectSound(world, bob)
    expect(missingSound(bob.sounds[0]!, 1000, END - 1000)).toEqual([])
    expect(soundDelay(bob, BEGUN, END)).toBeLessThan(PATH_MS + 200 + 150)
    expect(bob.picture.longestFreeze(BEGUN, END - 300)).toBeLessThan(500)
    // Such a delay looks much like a queue: less than the path bears is taken, but never nothing.
    expect(bob.picture.switches(BEGUN, END)).toBeLessThanOrEqual(2)
    expect(budgets(bob, BEGUN, END)[0]).toBeGreaterThan(250_000)
  })
})
