import { describe, expect, it } from 'vitest'
import { expectSound, PATH_MS, soundDelay } from './call.ts'
import { missingSound } from './judge.ts'
import { SimulatedPublisher } from './publisher.ts'
import { SimulatedReceiver } from './receiver.ts'
import { SimulatedWorld } from './world.ts'

const FLOOD_AT = 6000
const END = 16_000

describe('a publisher that floods', () => {
  it.each([
    1, 2,
  ])('is cut to what it may send, and costs the others nothing (seed %d)', async (seed) => {
    const world = new SimulatedWorld(seed)
    const up = { rate: 60e6, queueBytes: 500_000 }
    const eve = new SimulatedPublisher(world, { participant: 'eve', leaf: 1, access: { up } })
    const ann = new SimulatedPublisher(world, { participant: 'ann', leaf: 2 })
    const bob = new SimulatedReceiver(world, {
      participant: 'bob',
      watches: [ann, eve],
      access: { down: { rate: 6e6, queueBytes: 90_000 } },
    })
    const carl = new SimulatedReceiver(world, { participant: 'carl', watches: [ann] })
    await world.run(FLOOD_AT)
    eve.flood(40e6)
    await world.run(END - FLOOD_AT)

    expectSound(world, bob, carl)
    const { policed } = world.relay.tally
    expect(policed['session-bytes'] + policed['track-bytes']).toBeGreaterThan(100)
    for (const receiver of [bob, carl]) {
      // Ann's, and of Bob's Eve's too: whoever sends too much is still heard.
      for (const sound of receiver.sounds) {
        expect(missingSound(sound, 2000, END - 1000)).toEqual([])
      }
      expect(soundDelay(receiver, FLOOD_AT, END)).toBeLessThan(PATH_MS + 150)
      expect(receiver.picture.longestFreeze(FLOOD_AT, END - 100)).toBeLessThan(500)
    }
    const best = carl.picture.between(FLOOD_AT, END).map(({ rendition }) => rendition)
    expect(new Set(best)).toEqual(new Set([2]))
  })
})
