import { describe, expect, it } from 'vitest'
import { expectSound, PATH_MS, soundDelay } from './call.ts'
import { missingSound } from './judge.ts'
import type { LinkConditions } from './net/link.ts'
import { SimulatedPublisher } from './publisher.ts'
import { SimulatedReceiver } from './receiver.ts'
import { SimulatedWorld } from './world.ts'

/** Ann's encoders do what the relay tells, and Bob's path bears everything. */
function callFrom(seed: number, up: Partial<LinkConditions>) {
  const world = new SimulatedWorld(seed)
  const ann = new SimulatedPublisher(world, {
    participant: 'ann',
    leaf: 1,
    access: { up },
    follows: true,
  })
  const bob = new SimulatedReceiver(world, { participant: 'bob', watches: [ann] })
  return { world, ann, bob }
}

describe('a publisher that follows the feedback of the relay', () => {
  it.each([
    1, 2,
  ])('comes to its largest picture on a good uplink, and stays there (seed %d)', async (seed) => {
    const { world, bob } = callFrom(seed, {})
    await world.run(24_000)
    expectSound(world, bob)
    expect(missingSound(bob.sounds[0]!, 1000, 23_000)).toEqual([])
    const { picture } = bob
    const largest = picture.delayUntil(0, ({ rendition }) => rendition === 2)
    expect(largest).toBeLessThan(8000)
    // Each size once at most on the way, and smoothly while a larger one is waited for.
    expect(picture.switches(0, 24_000)).toBeLessThanOrEqual(2)
    expect(picture.longestFreeze(3000, 23_900)).toBeLessThan(200)
    expect(picture.between(5000, 6000).length).toBeGreaterThan(25)
  })

  it.each([
    1, 2,
  ])('sends what a narrow uplink bears, and its sound is not late (seed %d)', async (seed) => {
    const rate = 700_000
    const { world, ann, bob } = callFrom(seed, { rate, queueBytes: 60_000 })
    const rates: number[] = []
    world.every(200, () => rates.push(ann.bitrate))
    await world.run(24_000)
    expectSound(world, bob)
    expect(missingSound(bob.sounds[0]!, 1000, 23_000)).toEqual([])
    expect(soundDelay(bob, 5000, 23_000)).toBeLessThan(PATH_MS + 150)
    const late = rates.slice(50)
    // It tries for somewhat more now and then, as only that tells.
    expect(Math.max(...late)).toBeLessThan(rate * 1.2)
    expect(Math.min(...late)).toBeGreaterThan(rate * 0.3)
    expect(bob.picture.longestFreeze(8000, 23_900)).toBeLessThan(500)
    expect(bob.picture.switches(10_000, 23_000)).toBe(0)
  })
})
