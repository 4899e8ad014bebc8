import { describe, expect, it } from 'vitest'
import { expectSound, PATH_MS, smallCall, soundDelay } from './call.ts'
import { missingSound } from './judge.ts'

const GONE_AT = 8000
const BACK_AT = 18_000
const END = 28_000
/** A sender looks whether its path is back each so many ms at least. */
const PROBE_MS = 2000

describe.each([1, 2])('a path that is gone for 10 s (seed %d)', (seed) => {
  it('goes on with what is new, and as before within 5 s', async () => {
    const { world, bob } = smallCall(seed)
    const { picture, connection } = bob
    await world.run(GONE_AT)
    connection.path.down.change({ rate: 0 })
    await world.run(BACK_AT - GONE_AT)
    connection.path.down.change({ rate: 4e6 })
    await world.run(END - BACK_AT)

    expectSound(world, bob)
    const [sound] = bob.sounds
    expect(missingSound(sound!, 1000, GONE_AT - 500)).toEqual([])
    expect(missingSound(sound!, BACK_AT + PROBE_MS, END - 1000)).toEqual([])
    // Nothing of the past is caught up with.
    const back = BACK_AT + PROBE_MS
    expect(soundDelay(bob, back + 1000, END)).toBeLessThan(PATH_MS + 100)
    const isNew = (sentAt: number) => sentAt > BACK_AT - 1000
    expect(picture.delayUntil(BACK_AT, ({ frame }) => isNew(frame.sentAt))).toBeLessThan(
      PROBE_MS + 1000,
    )
    expect(picture.delayUntil(BACK_AT, ({ rendition }) => rendition === 2)).toBeLessThan(5000)
    expect(picture.longestFreeze(back + 1500, END - 100)).toBeLessThan(500)
  })
})
