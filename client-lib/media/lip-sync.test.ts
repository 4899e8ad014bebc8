import { describe, expect, it } from 'vitest'
import { randomFrom, travel } from './jitter-simulation.ts'
import { PictureClock } from './picture-clock.ts'
import { type Picture, PictureQueue } from './picture-queue.ts'

const FRAME_MS = 1000 / 30
const REPAINT_MS = 1000 / 60
/** What the sound card and its buffers take. */
const OUTPUT_MS = 25

interface Scene {
  readonly seconds: number
  /** ms that sound or picture number `i` takes; null: it does not come. */
  readonly sound: (i: number) => number | null
  readonly picture: (i: number) => number | null
}

interface Shown {
  readonly at: number
  readonly timestamp: number
  /** How much later than its sound it was shown, ms; null without sound. */
  readonly skew: number | null
}

/** Plays sound and picture of one capture; the page looks at them at each repaint. */
function play({ seconds, sound, picture }: Scene) {
  let delay: number | null = null
  const clock = new PictureClock(() => delay)
  const queue = new PictureQueue<Picture>(clock)
  const arrivals: { at: number; timestamp: number }[] = []
  for (let i = 0; i < (seconds * 1000) / FRAME_MS; i++) {
    const takes = picture(i)
    if (takes !== null) arrivals.push({ at: i * FRAME_MS + takes, timestamp: i * FRAME_MS * 1000 })
  }
  // The assembler and the decoder keep the order.
  for (let i = 1; i < arrivals.length; i++) {
    arrivals[i]!.at = Math.max(arrivals[i]!.at, arrivals[i - 1]!.at)
  }
  const shown: Shown[] = []
  let open = 0
  let next = 0
  let repaintAt = 0
  let toldAt = 0
  const { buffer } = travel({
    seconds,
    delayOf: sound,
    onBlock: (of, at) => {
      for (; next < arrivals.length && arrivals[next]!.at <= at; next++) {
        const { timestamp } = arrivals[next]!
        clock.arrived(timestamp, at)
        queue.push({ timestamp, close: () => open-- })
        open++
      }
      if (at < repaintAt) return
      repaintAt += REPAINT_MS
      delay = of.playhead === null || !of.playing ? null : at - of.playhead / 1000 + OUTPUT_MS
      const taken = queue.take(at)
      if (taken) {
        taken.close()
        const { timestamp } = taken
        shown.push({ at, timestamp, skew: delay === null ? null : at - timestamp / 1000 - delay })
      }
      const lag = clock.soundLagMs
      if (lag === null || at < toldAt) return
      toldAt = at + 500
      of.delayBy(lag)
    },
  })
  queue.clear()
  return { shown, buffer, clock, open }
}

/** ms, of what is shown from a time on. */
function worstSkew(shown: readonly Shown[], from: number): number {
  return shown.reduce(
    (worst, { at, skew }) => (at < from || skew === null ? worst : Math.max(worst, Math.abs(skew))),
    0,
  )
}

describe('lip sync', () => {
  it('shows pictures within 45 ms of their sound, although both vary on their way', () => {
    const random = randomFrom(5)
    const { shown, clock, open } = play({
      seconds: 60,
      sound: () => 30 + 30 * random(),
      picture: () => 40 + 40 * random(),
    })
    expect(worstSkew(shown, 5000)).toBeLessThan(45)
    expect(Math.abs(clock.skewMs!)).toBeLessThan(20)
    expect(shown.length).toBeGreaterThan(1500)
    expect(open).toBe(0)
  })

  it('lets sound wait for a picture that takes longer, and no more once it does not', () => {
    const { shown, buffer } = play({
      seconds: 60,
      sound: () => 30,
      picture: (i) => (i < 900 ? 180 : 40),
    })
    const slow = shown.filter(({ at }) => at > 10_000 && at < 29_000)
    expect(worstSkew(slow, 0)).toBeLessThan(45)
    expect(worstSkew(shown, 35_000)).toBeLessThan(45)
    expect(buffer.stats().delayMs).toBeLessThan(80)
    expect(buffer.stats().underruns).toBe(0)
  })

  it('holds pictures back while sound is late, and shows the newest after a stall of theirs', () => {
    const { shown } = play({
      seconds: 40,
      sound: (i) => (i >= 500 && i < 515 ? 330 - (i - 500) * 20 : 30),
      picture: (i) => (i >= 900 && i < 909 ? 340 - (i - 900) * FRAME_MS : 40),
    })
    expect(
      worstSkew(
        shown.filter(({ at }) => at < 29_900),
        5000,
      ),
    ).toBeLessThan(45)
    expect(worstSkew(shown, 31_000)).toBeLessThan(45)
  })

  it('is in step again with the first sound after a mute, and moves on meanwhile', () => {
    const random = randomFrom(9)
    const { shown } = play({
      seconds: 40,
      sound: (i) => (i >= 500 && i < 1000 ? null : 30 + 40 * random()),
      picture: () => 60 + 20 * random(),
    })
    const muted = shown.filter(({ at }) => at > 11_000 && at < 20_000)
    expect(muted.every(({ skew }) => skew === null)).toBe(true)
    expect(muted.length).toBeGreaterThan(250)
    expect(worstSkew(shown, 5000)).toBeLessThan(45)
  })

  it('shows pictures without sound evenly, and with little delay', () => {
    const random = randomFrom(3)
    const { shown, clock } = play({
      seconds: 30,
      sound: () => null,
      picture: () => 40 + 20 * random(),
    })
    const gaps: number[] = []
    for (let i = 301; i < shown.length; i++) gaps.push(shown[i]!.at - shown[i - 1]!.at)
    expect(Math.max(...gaps)).toBeLessThan(60)
    const delays = shown.slice(300).map(({ at, timestamp }) => at - timestamp / 1000)
    expect(Math.max(...delays)).toBeLessThan(100)
    expect(clock.skewMs).toBeNull()
    expect(clock.soundLagMs).toBeNull()
  })

  it('closes what it passes over, and shows a picture rather than none where too many wait', () => {
    let open = 0
    const shownAt: number[] = []
    const timing = { dueAt: () => 1e9, shown: (at: number) => shownAt.push(at) }
    const queue = new PictureQueue<Picture>(timing)
    for (let i = 0; i < 100; i++) {
      open++
      queue.push({ timestamp: i, close: () => open-- })
      if (i < 20) queue.take(0)?.close()
    }
    expect(shownAt).toEqual([0, 1, 2, 3])
    expect(open).toBe(32)
    queue.clear()
    expect(open).toBe(0)
  })
})
