import { describe, expect, it } from 'vitest'
import { expectSound, PATH_MS, queueDelay, soundDelay } from './call.ts'
import { missingSound } from './judge.ts'
import { SimulatedPublisher } from './publisher.ts'
import { SimulatedReceiver } from './receiver.ts'
import { SimulatedWorld } from './world.ts'

const KILOBITS = [250, 300, 400, 500, 800, 1200, 2000, 4000, 8000, 20_000]
const BEGUN = 5000
const END = 12_000

describe.each([1, 2])('ten receivers of different rates (seed %d)', (seed) => {
  it('get each what its own path bears', async () => {
    const world = new SimulatedWorld(seed)
    const ann = new SimulatedPublisher(world, { participant: 'ann', leaf: 1 })
    const receivers = KILOBITS.map((kilobits, index) => {
      const down = { rate: kilobits * 1000, queueBytes: Math.max(20_000, kilobits * 15) }
      const participant = `watcher-${index}`
      return new SimulatedReceiver(world, { participant, watches: [ann], access: { down } })
    })
    await world.run(END)
    expectSound(world, ...receivers)
    for (const [index, receiver] of receivers.entries()) {
      const kilobits = KILOBITS[index]!
      const what = `${kilobits} kbit/s`
      const { picture } = receiver
      expect(missingSound(receiver.sounds[0]!, 2000, END - 1000), what).toEqual([])
      expect(soundDelay(receiver, BEGUN, END), what).toBeLessThan(PATH_MS + 150)
      expect(queueDelay(receiver, BEGUN, END), what).toBeLessThan(200)
      // Beside sound there is hardly room: the picture may pause, but not for good.
      if (kilobits < 300) expect(picture.longestFreeze(6000, END - 100), what).toBeLessThan(4000)
      else expect(picture.longestFreeze(BEGUN, END - 100), what).toBeLessThan(700)
      const last = picture.between(END - 3000, END).map(({ rendition }) => rendition)
      if (kilobits >= 4000) expect(Math.min(...last), what).toBe(2)
      if (kilobits <= 400) expect(Math.max(...last), what).toBe(0)
    }
  })
})
