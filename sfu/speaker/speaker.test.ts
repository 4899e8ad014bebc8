import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../moq/session/manual-clock.ts'
import { lastN } from './last-n.ts'
import { RoomSpeakers } from './room.ts'
import { Speakers } from './rooms.ts'

const FRAME_MS = 20

/** -dBov of a participant at a time, ms; null sends nothing. */
type Trace = (at: number) => number | null

/** A sender that tells voice by a threshold, as ours does. */
const byteOf = (dbov: number) => (dbov <= 50 ? 0x80 : 0) | dbov

const silence: Trace = () => 127
/** A quiet room. */
const room: Trace = (at) => 66 + ((at / FRAME_MS) % 5)
const noise =
  (dbov: number): Trace =>
  (at) =>
    dbov + ((at / FRAME_MS) % 3)

/** Syllables of 160 ms with 60 ms between them, and a pause of 500 ms each 3 s. */
function speech(from: number, to: number, dbov = 25, background: Trace = room): Trace {
  return (at) => {
    const since = at - from
    const isVoice = at >= from && at < to && since % 220 < 160 && since % 3500 < 3000
    return isVoice ? dbov + ((at / FRAME_MS) % 6) : background(at)
  }
}

/** Loud, 240 ms. */
const cough =
  (...times: number[]): Trace =>
  (at) =>
    times.some((time) => at >= time && at < time + 240) ? 12 : room(at)

interface Change {
  readonly at: number
  /** Names; those who speak in capitals. */
  readonly list: string
}

function play(traces: Record<string, Trace>, durationMs: number): Change[] {
  const speakers = new RoomSpeakers()
  const changes: Change[] = []
  for (let at = 0; at < durationMs; at += FRAME_MS) {
    for (const [name, trace] of Object.entries(traces)) {
      const dbov = trace(at)
      if (dbov !== null) speakers.voice(name)!.heard(byteOf(Math.min(127, dbov)), at)
    }
    if (at % 100 !== 0 || !speakers.update(at)) continue
    const list = speakers.speakers.map(({ participant, speaking }) =>
      speaking ? participant.toUpperCase() : participant,
    )
    changes.push({ at, list: list.join(' ') })
  }
  return changes
}

const lists = (changes: readonly Change[]) => changes.map(({ list }) => list)

describe('active speaker', () => {
  it('is nobody in silence', () => {
    expect(play({ a: silence, b: room }, 10_000)).toEqual([])
  })

  it('is who speaks, within half a second, until a second after they stop', () => {
    const changes = play({ a: speech(2000, 6000), b: room }, 12_000)
    expect(lists(changes)).toEqual(['A', 'a'])
    expect(changes[0]!.at).toBeLessThanOrEqual(2500)
    expect(changes[1]!.at).toBeGreaterThan(6000)
    expect(changes[1]!.at).toBeLessThanOrEqual(7000)
  })

  it('is not who coughs, alone or while another speaks', () => {
    expect(play({ a: cough(1000, 4000, 5200) }, 8000)).toEqual([])
    expect(lists(play({ a: speech(500, 9500), b: cough(3000, 5000) }, 9500))).toEqual(['A'])
  })

  it('is not who coughs where silence is not sent at all', () => {
    const sparse: Trace = (at) => (at % 2000 < 240 ? 12 : null)
    expect(play({ a: sparse }, 10_000)).toEqual([])
  })

  it('is not a fan, however loud, and is who speaks beside it', () => {
    expect(play({ a: noise(35) }, 20_000)).toEqual([])
    expect(lists(play({ a: speech(3000, 8000, 18, noise(40)), b: noise(30) }, 12_000))).toEqual([
      'A',
      'a',
    ])
  })

  it('is not noise that begins in silence, after a while', () => {
    const changes = play({ a: (at) => (at < 3000 ? 127 : noise(40)(at)) }, 12_000)
    expect(changes.at(-1)?.list ?? '').not.toContain('A')
    expect(changes.at(-1)?.at ?? 0).toBeLessThan(7000)
  })

  it('stays with the first of two who talk over each other about as loud', () => {
    const changes = play({ a: speech(1000, 9000, 25), b: speech(3000, 8000, 25) }, 9000)
    expect(lists(changes)).toEqual(['A', 'A B', 'A b'])
  })

  it('goes to the louder of two, when they are so for a while, not at a word', () => {
    const changes = play({ a: speech(1000, 20_000, 34), b: speech(3000, 15_000, 20) }, 15_000)
    expect(lists(changes)).toEqual(['A', 'A B', 'B A'])
    expect(changes[2]!.at - changes[1]!.at).toBeGreaterThanOrEqual(300)
    expect(changes[2]!.at - changes[1]!.at).toBeLessThan(1500)
  })

  it('goes on to who speaks when the one in front stops', () => {
    const changes = play({ a: speech(1000, 4000), b: speech(3000, 9000, 30) }, 8500)
    expect(lists(changes)).toEqual(['A', 'A B', 'B a'])
  })

  it('changes at most a few times in a debate of five', () => {
    const turns = ['a', 'b', 'c', 'd', 'e'].map((name, at) => [
      name,
      speech(at * 4000 + 1000, at * 4000 + 5500, 22 + at),
    ])
    const changes = play(Object.fromEntries(turns), 24_000)
    const fronts = changes.map(({ list }) => list[0]!.toLowerCase())
    expect(fronts.filter((front, at) => front !== fronts[at - 1])).toEqual([...'abcde'])
    expect(changes.at(-1)!.list).toBe('e d c b a')
  })

  it('is not who is muted: no level comes, or the voice bit is not set', () => {
    const until = speech(0, 20_000)
    const stops: Trace = (at) => (at < 4000 ? until(at) : null)
    const changes = play({ a: stops }, 10_000)
    expect(lists(changes)).toEqual(['A', 'a'])
    expect(changes[1]!.at).toBeLessThanOrEqual(4800)
    const speakers = new RoomSpeakers()
    for (let at = 0; at < 3000; at += FRAME_MS) speakers.voice('a')!.heard(until(at)! & 0x7f, at)
    expect(speakers.update(3000)).toBe(false)
  })

  it('forgets who left', () => {
    const speakers = new RoomSpeakers()
    const trace = speech(0, 3000)
    for (let at = 0; at <= 1000; at += FRAME_MS) speakers.voice('a')!.heard(byteOf(trace(at)!), at)
    speakers.update(1000)
    expect(speakers.speakers).toEqual([{ participant: 'a', speaking: true }])
    speakers.remove('a')
    expect(speakers.update(1100)).toBe(true)
    expect(speakers.speakers).toEqual([])
  })

  it('is bounded in voices and in those it names', () => {
    const speakers = new RoomSpeakers({ maxVoices: 3, most: 2 })
    const voices = ['a', 'b', 'c'].map((name) => speakers.voice(name)!)
    expect(speakers.voice('d')).toBeNull()
    const trace = speech(0, 3000)
    for (let at = 0; at <= 1000; at += FRAME_MS) {
      for (const voice of voices) voice.heard(byteOf(trace(at)!), at)
    }
    speakers.update(1000)
    expect(speakers.speakers).toHaveLength(2)
  })

  it('is bounded whatever levels come, and names everybody once', () => {
    const event = fc.record({
      who: fc.constantFrom('a', 'b', 'c', 'd'),
      level: fc.nat(255),
      after: fc.integer({ min: 0, max: 200 }),
    })
    fc.assert(
      fc.property(fc.array(event, { maxLength: 300 }), (events) => {
        const speakers = new RoomSpeakers({ most: 3 })
        let now = 0
        for (const { who, level, after } of events) {
          now += after
          speakers.voice(who)!.heard(level, now)
          speakers.update(now)
          const names = speakers.speakers.map(({ participant }) => participant)
          expect(new Set(names).size).toBe(names.length)
          expect(names.length).toBeLessThanOrEqual(3)
        }
      }),
    )
  })
})

/** A second in which somebody speaks in the room `one`, and nobody in the room `two`. */
function talk() {
  const clock = new ManualClock()
  const speakers = new Speakers(clock)
  const trace = speech(0, 5000)
  const told: [room: string, speakers: number][] = []
  const stop = speakers.listen((name, list) => told.push([name, list.length]))
  for (let at = 0; at <= 1000; at += FRAME_MS) {
    speakers.voice('one', 'a')!.heard(byteOf(trace(at)!), at)
    speakers.voice('two', 'a')!.heard(127, at)
    clock.advance(FRAME_MS)
  }
  return { clock, speakers, told, stop }
}

describe('speakers of rooms', () => {
  it('are told by room when they change, and dropped with the last voice', () => {
    const { speakers, told } = talk()
    expect(told).toEqual([['one', 1]])
    expect(speakers.of('one')).toHaveLength(1)
    expect(speakers.of('two')).toEqual([])
    speakers.remove('one', 'a')
    expect(speakers.of('one')).toEqual([])
    expect(told).toEqual([
      ['one', 1],
      ['one', 0],
    ])
  })

  it('keep a timer only while somebody is listened to', () => {
    const { speakers, clock } = talk()
    expect(clock.timers).toBe(1)
    speakers.remove('one', 'a')
    expect(clock.timers).toBe(1)
    speakers.remove('two', 'a')
    speakers.remove('two', 'a')
    expect(clock.timers).toBe(0)
    expect(speakers.roomCount).toBe(0)
    speakers.voice('one', 'b')
    expect(clock.timers).toBe(1)
  })

  it('tell nobody who does not listen any more', () => {
    const { speakers, told, stop } = talk()
    stop()
    speakers.remove('one', 'a')
    expect(told).toHaveLength(1)
  })
})

describe('last N', () => {
  it('is pins, then speakers, then the others', () => {
    const choice = { speakers: ['a', 'b', 'c'], pins: ['c', 'x'], others: ['y', 'z'] }
    expect([...lastN(choice, 3)]).toEqual(['c', 'x', 'a'])
    expect([...lastN(choice, 10)]).toEqual(['c', 'x', 'a', 'b', 'y', 'z'])
  })

  it('never has the subscriber itself, nor more than n', () => {
    expect([...lastN({ speakers: ['me', 'a'], self: 'me' }, 2)]).toEqual(['a'])
    expect(lastN({ speakers: ['a'], pins: ['b'] }, 0).size).toBe(0)
  })
})
