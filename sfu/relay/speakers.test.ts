import { describe, expect, it } from 'vitest'
import { encodeMediaProperties } from '../../moq/media/index.ts'
import { type FullTrackName, namespaceOf, textOf, trackOf } from '../../moq/wire/names.ts'
import { Publisher, RelayWorld, Subscriber, sealed } from './test-world.ts'

const utf8 = new TextEncoder()
const FRAME_MS = 20
const LOUD = 20
const QUIET = 80

/** A participant's track whose objects state a level. */
class Microphone {
  readonly name: FullTrackName
  readonly publisher: Publisher
  /** Of the next object. */
  group = 0

  constructor(world: RelayWorld, participant: string, track = 'audio') {
    this.name = trackOf(namespaceOf('sotto', 'r', participant), track)
    this.publisher = new Publisher(world, this.name.namespace)
    this.publisher.track(track)
  }

  /** @param dbov loudness below the loudest; null states none */
  frame(dbov: number | null): void {
    const { properties } = encodeMediaProperties({
      timestamp: 1,
      ...(dbov !== null && { audioLevel: { level: dbov, voice: dbov < 50 } }),
    })
    const payload = utf8.encode(sealed(this.group % 128, 'sound'))
    const track = this.publisher.tracks.get(textOf(this.name.name)!)!
    track.writeStream(0, { group: this.group++, object: 0, properties, payload })
  }
}

async function room(...microphones: ((world: RelayWorld) => Microphone)[]) {
  const world = new RelayWorld()
  const made = microphones.map((make) => make(world))
  await world.settle()
  const listener = new Subscriber(world)
  const subscriptions = made.map(({ name }) => listener.subscribe(name))
  await world.settle()
  const told: string[] = []
  world.relay.speakers.listen((name, speakers) =>
    told.push(`${name}: ${speakers.map((one) => said(one)).join(' ')}`),
  )
  /** Everybody sends for so long, at these levels; undefined sends nothing. */
  const pass = async (ms: number, ...levels: (number | null)[]) => {
    for (let at = 0; at < ms; at += FRAME_MS) {
      for (const [index, microphone] of made.entries()) {
        const level = levels[index]
        if (level !== undefined) microphone.frame(level)
      }
      await world.settle()
      world.clock.advance(FRAME_MS)
    }
  }
  await pass(500, ...made.map(() => QUIET))
  return { world, made, listener, subscriptions, told, pass }
}

function said({ participant, speaking }: { participant: string; speaking: boolean }): string {
  return speaking ? participant.toUpperCase() : participant
}

const microphone = (participant: string, track?: string) => (world: RelayWorld) =>
  new Microphone(world, participant, track)

describe('who speaks in a room', () => {
  it('is told by the levels of microphones, and does not flicker', async () => {
    const { told, pass } = await room(microphone('a'), microphone('b'))
    expect(told).toEqual([])
    await pass(1000, LOUD, QUIET)
    expect(told).toEqual(['r: A'])
    await pass(500, QUIET, QUIET)
    await pass(500, LOUD, QUIET)
    expect(told).toEqual(['r: A'])
    await pass(2000, QUIET, LOUD)
    expect(told.at(-1)).toBe('r: B a')
  })

  it('is nobody who shares the sound of a screen, or states no level', async () => {
    const { world, told, pass } = await room(microphone('a', 'screen-audio'), microphone('b'))
    await pass(1500, LOUD, null)
    expect(told).toEqual([])
    expect(world.relay.speakers.of('r')).toEqual([])
  })

  it('is not who left', async () => {
    const { world, made, told, pass } = await room(microphone('a'), microphone('b'))
    await pass(1000, LOUD, QUIET)
    made[0]!.publisher.session.close(0, 'gone')
    await world.settle()
    await pass(200)
    expect(told.at(-1)).toBe('r: ')
    made[1]!.publisher.session.close(0, 'gone')
    await world.settle()
    expect(world.relay.speakers.roomCount).toBe(0)
  })

  it('is followed only while somebody listens, and leaves no timer', async () => {
    const { world, subscriptions, told, pass } = await room(microphone('a'))
    await pass(1000, LOUD)
    expect(world.relay.speakers.roomCount).toBe(1)
    subscriptions[0]!.unsubscribe()
    await world.settle()
    expect(told.at(-1)).toBe('r: ')
    expect(world.relay.speakers.roomCount).toBe(0)
    world.clock.advance(60_000)
    await world.settle()
    expect(world.clock.timers).toBe(0)
  })

  it('is heard from one session of a participant at a time, and goes on with the next', async () => {
    const { world, made, told } = await room(microphone('a'))
    const again = new Microphone(world, 'a')
    again.group = 1000
    await world.settle()
    for (let i = 0; i < 50; i++) {
      again.frame(LOUD)
      made[0]!.frame(QUIET)
      await world.settle()
      world.clock.advance(FRAME_MS)
    }
    expect(told).toEqual([])
    made[0]!.publisher.session.close(0, 'gone')
    await world.settle()
    for (let i = 0; i < 50; i++) {
      again.frame(LOUD)
      await world.settle()
      world.clock.advance(FRAME_MS)
    }
    expect(told).toEqual(['r: A'])
  })
})
