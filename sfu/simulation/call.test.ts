import { describe, expect, it } from 'vitest'
import { smallCall } from './call.ts'

async function traceOf(seed: number) {
  const { world, bob } = smallCall(seed, { loss: 0.03, jitterMs: 30 })
  await world.run(5000)
  const { objects } = bob.sounds[0]!
  return {
    shown: bob.picture.frames.map(({ at, rendition }) => [at, rendition]),
    heard: objects.map(({ at }) => at),
    budgets: bob.looks.map(({ budget }) => budget),
    counters: world.counters,
  }
}

describe('a simulated call', () => {
  it('is the same for the same seed, and another for another', async () => {
    const first = await traceOf(1)
    expect(first.shown.length).toBeGreaterThan(50)
    expect(await traceOf(1)).toEqual(first)
    expect((await traceOf(2)).heard).not.toEqual(first.heard)
  })
})
