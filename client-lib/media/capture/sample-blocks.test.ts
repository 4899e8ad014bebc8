import { describe, expect, it } from 'vitest'
import { BLOCK_SAMPLES, type SampleBlock, SampleBlocks } from './sample-blocks.ts'

const START_MS = 1_700_000_000_000
const QUANTUM = 128

/** An audio thread at 48 kHz, unless told, whose clock goes with its samples. */
function setUp(rate = 48_000) {
  const made: { start: number; samples: number[] }[] = []
  const held: SampleBlock[] = []
  let keeps = false
  const blocks: SampleBlocks = new SampleBlocks(rate, (block) => {
    made.push({ start: block.timestamp / 1000 - START_MS, samples: [...block.samples] })
    if (keeps) held.push(block)
    else blocks.giveBack(block.samples)
  })
  let clock = START_MS
  let next = 0
  const quantum = new Float32Array(QUANTUM)
  const run = (ms: number): void => {
    const end = clock + ms
    while (clock < end) {
      for (let i = 0; i < QUANTUM; i++) quantum[i] = (next++ % 1000) / 1000
      clock += (QUANTUM * 1000) / rate
      blocks.push(quantum, QUANTUM, clock)
    }
  }
  return {
    blocks,
    made,
    run,
    /** The audio thread stands still. */
    stall: (ms: number) => {
      clock += ms
    },
    keep: (on: boolean) => {
      keeps = on
      if (!on) for (const { samples } of held.splice(0)) blocks.giveBack(samples)
    },
  }
}

describe('SampleBlocks', () => {
  it('cuts blocks of 20 ms out of what comes, none lost and none twice', () => {
    const { made, run } = setUp()
    run(100)
    expect(made.map(({ start }) => Math.round(start))).toEqual([0, 20, 40, 60, 80])
    const samples = made.flatMap((block) => block.samples)
    expect(samples).toHaveLength(5 * BLOCK_SAMPLES)
    samples.forEach((sample, i) => {
      expect(sample).toBeCloseTo((i % 1000) / 1000)
    })
  })

  it('makes 48 kHz of another rate', () => {
    const { made, run } = setUp(44_100)
    run(1010)
    expect(made).toHaveLength(50)
    expect(made.at(-1)!.start).toBeCloseTo(980, 0)
  })

  it('takes no input for silence', () => {
    const { blocks, made } = setUp()
    for (let i = 0; i < 8; i++) blocks.push(null, QUANTUM, START_MS)
    expect(made[0]!.samples.every((sample) => sample === 0)).toBe(true)
  })

  it('leaves blocks out while none comes back, and takes two at least before it goes on', () => {
    const { blocks, made, run, keep } = setUp()
    keep(true)
    run(400)
    expect(made).toHaveLength(8)
    expect(blocks.counters.dropped).toBe(12)
    keep(false)
    run(100)
    expect(made).toHaveLength(8 + 4)
    // By its timestamp, whoever reads knows how much is missing.
    expect(made[8]!.start - made[7]!.start).toBeCloseTo(20 * 14)
  })

  it('jumps ahead once where the audio thread stood still, and counts that', () => {
    const { blocks, made, run, stall } = setUp()
    run(2500)
    stall(60)
    run(2500)
    expect(blocks.counters.glitches).toBe(1)
    const gaps = made.slice(1).map(({ start }, i) => Math.round(start - made[i]!.start))
    expect(gaps.filter((gap) => gap !== 20)).toEqual([80])
  })

  it('does not take a late quantum, nor a clock that drifts, for lost sound', () => {
    const { blocks, run, stall } = setUp()
    run(1500)
    // As late threads are: it comes after the fact, and the next ones catch up.
    stall(40)
    run(3)
    stall(-40)
    for (let i = 0; i < 12; i++) {
      run(1000)
      stall(4)
    }
    expect(blocks.counters.glitches).toBe(0)
  })

  it('refuses memory that is not of its blocks', () => {
    const { blocks, made, run, keep } = setUp()
    keep(true)
    run(400)
    for (let i = 0; i < 20; i++) blocks.giveBack(new Float32Array(3))
    run(400)
    expect(made).toHaveLength(8)
  })
})
