import { describe, expect, it } from 'vitest'
import { firstGroupAt } from './first-group.ts'
import { AudioPacketizer } from './packetize.ts'

describe('the first group of a track', () => {
  it('lies above every group of an earlier session with a frame a group, 50 a second', () => {
    const joined = 1_790_000_000_000
    const packetizer = new AudioPacketizer({ framesPerGroup: 1, firstGroup: firstGroupAt(joined) })
    let last = 0
    for (let ms = 0; ms < 10_000; ms += 20) {
      last = packetizer.packetize({
        bytes: new Uint8Array(1),
        timestamp: ms * 1000,
        level: 0,
        voice: false,
      }).group
    }
    expect(firstGroupAt(joined + 10_000)).toBeGreaterThan(last)
  })

  it('is an id that the wire carries as a number for a thousand years', () => {
    expect(Number.isSafeInteger(firstGroupAt(Date.UTC(3000, 0)))).toBe(true)
  })
})
