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

describe('a path whose delay varies', () => {
  it.each([
    5, 6, 7,
  ])('by 200 ms brings all the sound and a picture that moves (seed %d)', async (seed) => {
    const { world, bob } = smallCall(seed, { jitterMs: 200 })
    await world.run(END)
    expectSound(world, bob)
    expect(missingSound(bob.sounds[0]!, 1000, END - 1000)).toEqual([])
    expect(soundDelay(bob, BEGUN, END)).toBeLessThan(PATH_MS + 200 + 150)
    expect(bob.picture.longestFreeze(BEGUN, END - 300)).toBeLessThan(500)
    // BBR makes its window for the shortest round trip, so that more than this may not be on its way.
    expect(bob.picture.switches(BEGUN, END)).toBeLessThanOrEqual(2)
    expect(budgets(bob, BEGUN, END)[0]).toBeGreaterThan(150_000)
  })

  it.each([8, 9])('by 50 ms only is taken for what it is (seed %d)', async (seed) => {
    const { world, bob } = smallCall(seed, { jitterMs: 50 })
    await world.run(END)
    expectSound(world, bob)
    expect(missingSound(bob.sounds[0]!, 1000, END - 1000)).toEqual([])
    expect(soundDelay(bob, BEGUN, END)).toBeLessThan(PATH_MS + 50 + 100)
    expect(bob.picture.switches(BEGUN, END)).toBe(0)
    const [least, most] = budgets(bob, BEGUN, END)
    expect(most / least).toBeLessThan(1.5)
  })
})
