/** For tests (vitest): calls that are set up, and what has to hold of each of them. */

import { expect } from 'vitest'
import { delays, faultsOf, percentile, soundDroppedForOthers } from './judge.ts'
import type { LinkConditions } from './net/link.ts'
import { SimulatedPublisher } from './publisher.ts'
import { SimulatedReceiver } from './receiver.ts'
import { SimulatedWorld } from './world.ts'

/** Of two homes, each 20 ms from the relay. */
export const PATH_MS = 40

export interface SmallCall {
  readonly world: SimulatedWorld
  readonly ann: SimulatedPublisher
  readonly bob: SimulatedReceiver
}

/** Ann sends, Bob watches. @param down Bob's access */
export function smallCall(seed: number, down: Partial<LinkConditions> = {}): SmallCall {
  const world = new SimulatedWorld(seed)
  const ann = new SimulatedPublisher(world, { participant: 'ann', leaf: 1 })
  const bob = new SimulatedReceiver(world, {
    participant: 'bob',
    watches: [ann],
    access: { down: { rate: 4e6, queueBytes: 60_000, ...down } },
  })
  return { world, ann, bob }
}

/**
 * Whatever the network does: the bytes are those that were sent, nothing comes that cannot be decoded,
 * and no sound is missing that could have come in the place of something else.
 */
export function expectSound(world: SimulatedWorld, ...receivers: SimulatedReceiver[]): void {
  expect(world.errors).toEqual([])
  // The cache is a ring: that it is full is no fault.
  expect(world.limitsHit.filter((limit) => !limit.startsWith('cache'))).toEqual([])
  for (const receiver of receivers) {
    expect(receiver.tracks.some(({ objects }) => objects.length > 0)).toBe(true)
    expect(faultsOf(receiver)).toEqual([])
    expect(soundDroppedForOthers(receiver, world.now)).toEqual([])
  }
}

/** How long sound that was sent in this stretch took, ms: 95 of a hundred frames at most. */
export function soundDelay(receiver: SimulatedReceiver, from: number, to: number): number {
  return Math.max(...receiver.sounds.map((sound) => percentile(delays(sound, from, to), 0.95)))
}

/** Budgets of a stretch, bits a second: the least and the greatest. */
export function budgets(receiver: SimulatedReceiver, from: number, to: number): [number, number] {
  const seen = receiver.looks.filter(({ at }) => at >= from && at < to).map(({ budget }) => budget)
  return [Math.min(...seen), Math.max(...seen)]
}

/** The wait in the link before a receiver, ms: 95 of a hundred looks at most. */
export function queueDelay(receiver: SimulatedReceiver, from: number, to: number): number {
  const seen = receiver.looks
    .filter(({ at }) => at >= from && at < to)
    .map(({ queueMs }) => queueMs)
  return percentile(
    seen.sort((a, b) => a - b),
    0.95,
  )
}
