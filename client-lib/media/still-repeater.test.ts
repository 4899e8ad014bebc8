import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../moq/session/manual-clock.ts'
import { REPEAT_MS, StillRepeater } from './still-repeater.ts'

let open = 0

function frameAt(timestamp: number): VideoFrame {
  open++
  const frame = { timestamp, clone: () => frameAt(timestamp), close: () => open-- }
  return frame as unknown as VideoFrame
}

function world() {
  open = 0
  const clock = new ManualClock()
  const given: number[] = []
  const repeater = new StillRepeater({
    clock,
    onFrame: (frame) => {
      given.push(frame.timestamp)
      frame.close()
    },
    copyAt: (_frame, timestamp) => frameAt(timestamp),
  })
  return { clock, given, repeater }
}

describe('a picture that stands still', () => {
  it('is given again and again, at its later times', () => {
    const { clock, given, repeater } = world()
    repeater.push(frameAt(7000))
    clock.advance(REPEAT_MS)
    clock.advance(REPEAT_MS)
    expect(given).toEqual([7000, 7000 + REPEAT_MS * 1000, 7000 + 2 * REPEAT_MS * 1000])
  })

  it('is not given again while others come', () => {
    const { clock, given, repeater } = world()
    for (let at = 0; at < 5; at++) {
      repeater.push(frameAt(at))
      clock.advance(REPEAT_MS / 2)
    }
    expect(given).toEqual([0, 1, 2, 3, 4])
  })

  it('is forgotten when nothing is captured any more, and every frame is closed', () => {
    const { clock, given, repeater } = world()
    repeater.push(frameAt(0))
    repeater.push(frameAt(1))
    repeater.clear()
    clock.advance(10 * REPEAT_MS)
    expect(given).toEqual([0, 1])
    expect(open).toBe(0)
  })
})
