import { describe, expect, it } from 'vitest'
import { PathGuess, type PathReading } from './path-guess.ts'

class Bench {
  now = 0
  readonly guess = new PathGuess(2_000_000, 0)

  pass(ms: number, reading: Partial<PathReading> = {}): number {
    for (let left = ms; left > 0; left -= 200) {
      this.now += 200
      this.guess.update({ buffered: 0, refused: 0, bitrate: 1_000_000, ...reading }, this.now)
    }
    return this.guess.estimate
  }
}

describe('a guess of the path', () => {
  it('is all that we would send until the path shows otherwise', () => {
    expect(new Bench().pass(10_000)).toBe(2_000_000)
  })

  it('falls below what was sent when bytes wait or datagrams are refused', () => {
    expect(new Bench().pass(200, { buffered: 100_000 })).toBe(750_000)
    expect(new Bench().pass(200, { refused: 1 })).toBe(750_000)
  })

  it('is not moved by a key frame on its way', () => {
    expect(new Bench().pass(1000, { buffered: 30_000 })).toBe(2_000_000)
  })

  it('falls once a second while the queue stands, and not to nothing', () => {
    const bench = new Bench()
    bench.pass(800, { buffered: 100_000 })
    expect(bench.guess.estimate).toBe(750_000)
    bench.pass(400, { buffered: 100_000 })
    expect(bench.guess.estimate).toBe(750_000 * 0.75)
    expect(bench.pass(60_000, { buffered: 100_000, bitrate: 0 })).toBe(60_000)
  })

  it('grows back slowly, and does not leap after a pause', () => {
    const bench = new Bench()
    bench.pass(200, { refused: 3 })
    expect(bench.pass(4000)).toBeLessThan(1_100_000)
    bench.now += 3_600_000
    expect(bench.pass(200)).toBeLessThan(1_200_000)
    expect(bench.pass(20_000)).toBe(2_000_000)
  })
})
