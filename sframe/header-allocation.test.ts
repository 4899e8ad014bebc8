/** What a relay does for every frame costs no memory: counted by the engine's own heap figures. */

import { describe, expect, it } from 'vitest'
import { createMutableHeader, decodeHeader, encodeHeader, parseHeader } from './header.ts'

/** Few enough for a heap that collects no garbage in between; many more warm the compiler up. */
const FRAMES = 5000
const WARM_UP = 100_000
/** An allocation takes 16 bytes at least; as much as a thousand of them may be the runtime's own. */
const NOISE = 16 * 1000

const headers = [
  encodeHeader(5, 7),
  encodeHeader(2 ** 40, 2 ** 33),
  encodeHeader(2n ** 63n, 2n ** 62n),
]
// Cut short, and not in its shortest form.
const refused = [headers[1]!.subarray(0, 4), Uint8Array.of(0x80, 0x01)]

/** The median growth of several runs: a collection of garbage, or the compiler, may disturb some. */
function growthOf(work: (bytes: Uint8Array) => void, inputs: readonly Uint8Array[]): number {
  const growths: number[] = []
  for (let frame = 0; frame < WARM_UP; frame++) work(inputs[frame % inputs.length]!)
  for (let run = 0; run < 21; run++) {
    const before = process.memoryUsage().heapUsed
    for (let frame = 0; frame < FRAMES; frame++) work(inputs[frame % inputs.length]!)
    const growth = process.memoryUsage().heapUsed - before
    if (growth >= 0) growths.push(growth)
  }
  return growths.sort((a, b) => a - b)[growths.length >> 1] ?? 0
}

describe('parsing a header', () => {
  const header = createMutableHeader()
  let parsed = 0
  const parse = (bytes: Uint8Array) => {
    // A small integer: a larger one would be allocated by this test.
    parsed = (parsed + (parseHeader(bytes, 0, header) ? header.length : 1)) & 0xffff
  }

  it('allocates nothing, whatever its KID and CTR are, nor for a header that is refused', () => {
    expect(growthOf(parse, headers)).toBeLessThan(NOISE)
    expect(growthOf(parse, refused)).toBeLessThan(NOISE)
    expect(parsed).toBeGreaterThan(0)
  })

  it('into an object of its own is seen to allocate, by the same measure', () => {
    const kept: unknown[] = new Array(64)
    let at = 0
    const decode = (bytes: Uint8Array) => {
      kept[at++ % 64] = decodeHeader(bytes)
    }
    expect(growthOf(decode, headers.slice(0, 1))).toBeGreaterThan(16 * FRAMES)
  })
})
