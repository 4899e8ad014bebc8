import { describe, expect, it } from 'vitest'
import { DoneCode } from '../../moq/wire/codes.ts'
import { TRAFFIC } from '../forward/traffic.ts'
import { viewRoom } from './room-view.ts'
import { FRAME_MS, Screen, SimulcastCamera, Viewer, wish } from './test-receivers.ts'
import { RelayWorld, type RelayWorldOptions } from './test-world.ts'

/** The voice bit of an audio level (RFC 6464). */
const SPOKEN = 0x80

async function call(options: RelayWorldOptions = {}) {
  const world = new RelayWorld(options)
  const camera = new SimulcastCamera(world)
  const viewer = new Viewer(world)
  await world.settle()
  /** The camera sends for so long. */
  const run = async (ms: number) => {
    for (let at = 0; at < ms; at += FRAME_MS) {
      camera.frames()
      await world.settle()
      world.clock.advance(FRAME_MS)
      await world.settle()
    }
  }
  /** A viewer who gets everything of the camera. */
  const begin = async (budget = 10e6) => {
    viewer.budget.bitsPerSecond = budget
    viewer.budget.provenBitsPerSecond = budget
    viewer.report([wish()])
    await world.settle()
    viewer.watch()
    await world.settle()
    camera.frames(true)
    await run(300)
    viewer.take()
  }
  const settle = () => world.settle()
  const requests = () => camera.renditions.map(({ requests }) => requests)
  return { world, camera, viewer, run, begin, settle, requests }
}

const layersOf = (camera: SimulcastCamera, { seen }: Viewer, rendition: number) =>
  new Set(
    seen
      .filter((object) => object.rendition === rendition)
      .map(({ place }) => camera.renditions[rendition]!.frames.get(place)!.temporal),
  )

describe('a receiver', () => {
  it('gets the one rendition that its budget bears', async () => {
    const { world, camera, viewer, run, begin } = await call()
    await begin()
    await run(1000)
    expect(viewer.take()).toEqual([2])
    expect(world.relay.tally.gateDrops.rendition).toBeGreaterThan(0)
    expect(camera.renditions.map(({ track }) => track.wanted)).toEqual([true, true, true])
  })

  it('is stepped down as soon as the budget falls, and goes on in the old one until the key frame', async () => {
    const { world, viewer, run, begin, requests, camera } = await call()
    await begin()
    await run(600)
    camera.running.delete(0)
    viewer.budget.bitsPerSecond = 20_000
    const before = requests()
    world.clock.advance(50)
    await world.settle()
    expect(requests()[0]).toBe(before[0]! + 1)
    viewer.seen.length = 0
    await run(300)
    // The base layer alone meanwhile.
    expect(viewer.seen.map(({ rendition }) => rendition)).toContain(2)
    expect([...layersOf(camera, viewer, 2)]).toEqual([0])
    viewer.take()
    camera.running.add(0)
    await run(300)
    expect(viewer.take()).toEqual([0])
    expect(world.counters.renditionSwitches).toEqual({ up: 0, down: 1 })
  })

  it('is stepped up only with proof, and after a while', async () => {
    const { viewer, run, begin, world } = await call()
    await begin(16_000)
    await run(2000)
    expect(viewer.take()).toEqual([0])
    viewer.budget.bitsPerSecond = 10e6
    await run(3000)
    expect(viewer.take()).toEqual([0])
    expect(viewer.budget.wanted).toBeGreaterThan(150_000)
    viewer.budget.provenBitsPerSecond = 10e6
    await run(600)
    expect(viewer.take()).toEqual([0])
    await run(1500)
    expect(viewer.take().at(-1)).toBe(2)
    expect(world.counters.renditionSwitches.up).toBe(1)
  })

  it('takes fewer temporal layers before a smaller rendition, and gets them back at once', async () => {
    const { camera, viewer, run, begin } = await call()
    await begin()
    viewer.budget.bitsPerSecond = 125_000
    await run(FRAME_MS * 4)
    viewer.seen.length = 0
    await run(1000)
    expect([...layersOf(camera, viewer, 2)].sort()).toEqual([0, 1])
    viewer.budget.bitsPerSecond = 10e6
    await run(2500)
    viewer.seen.length = 0
    await run(500)
    expect([...layersOf(camera, viewer, 2)].sort()).toEqual([0, 1, 2])
  })

  it('gets nothing of what it hides, and a larger one of what it enlarges', async () => {
    const { viewer, run, begin, settle } = await call()
    await begin()
    viewer.report([wish({ hidden: true })])
    await settle()
    await run(100)
    viewer.take()
    await run(1000)
    expect(viewer.take()).toEqual([])
    viewer.report([wish({ width: 320 })])
    await settle()
    await run(500)
    expect(viewer.take()).toEqual([0])
    viewer.report([wish({ width: 640 })])
    await settle()
    await run(500)
    expect(viewer.take().at(-1)).toBe(1)
  })

  it('leaves a plain subscriber alone: it gets every rendition, with the same bytes', async () => {
    const { world, viewer, run, begin } = await call()
    const plain = new Viewer(world, 'carol')
    await world.settle()
    plain.watch()
    await world.settle()
    await begin()
    plain.seen.length = 0
    await run(1000)
    expect(new Set(plain.take())).toEqual(new Set([0, 1, 2]))
    await run(500)
    const same = viewer.seen.filter(({ rendition, place, payload }) =>
      plain.seen.some(
        (other) =>
          other.rendition === rendition &&
          other.place === place &&
          Buffer.compare(other.payload, payload) === 0,
      ),
    )
    expect(viewer.seen.slice(-10).every((object) => same.includes(object))).toBe(true)
  })

  it('keeps a picture that went on before its first report', async () => {
    const { camera, viewer, run, settle } = await call()
    viewer.watch()
    await settle()
    camera.frames(true)
    await run(200)
    expect(new Set(viewer.take())).toEqual(new Set([0, 1, 2]))
    viewer.report([wish()])
    await settle()
    viewer.take()
    await run(200)
    expect(viewer.take()).toEqual([2])
  })

  it('is given another rendition when the one it has ends, or nothing comes of it', async () => {
    const { camera, viewer, run, begin } = await call()
    await begin()
    camera.running.delete(2)
    await run(1500)
    expect(viewer.take().at(-1)).toBe(1)
    camera.renditions[1]!.track.done(DoneCode.TRACK_ENDED, 'the test ends it')
    camera.running.delete(1)
    await run(500)
    expect(viewer.take().at(-1)).toBe(0)
    // It comes again, and is had again.
    camera.running.add(2)
    await run(12_000)
    expect(viewer.take().at(-1)).toBe(2)
  })

  it('costs a publisher only what somebody has chosen, and wakes the rest at once', async () => {
    const { camera, viewer, run, begin, world } = await call()
    await begin()
    const wanted = () => camera.renditions.map(({ track }) => track.wanted)
    await run(4000)
    expect(wanted()).toEqual([true, true, true])
    await run(2000)
    expect(wanted()).toEqual([false, false, true])
    viewer.take()
    viewer.budget.bitsPerSecond = 60_000
    world.clock.advance(50)
    await world.settle()
    expect(wanted()).toEqual([false, true, true])
    expect(camera.renditions[1]!.keyWanted).toBe(true)
    await run(200)
    expect(viewer.take().at(-1)).toBe(1)
  })

  it('asks a publisher for the layers that somebody takes', async () => {
    const { world, viewer, run, begin } = await call()
    await begin()
    await run(500)
    const layers = () => world.relay.dumpTracks([]).map(({ wantedLayers }) => wantedLayers)
    expect(layers()).toEqual([0, 0, 3])
    viewer.budget.bitsPerSecond = 125_000
    await run(500)
    expect(layers()).toEqual([0, 0, 2])
    const plain = new Viewer(world, 'carol')
    await world.settle()
    plain.watch('alice', [0])
    await world.settle()
    expect(layers()).toEqual([8, 0, 2])
  })

  it('is shown the pinned and those who spoke last, no more than the limit', async () => {
    const world = new RelayWorld({ limits: { lastN: 2 } })
    const names = ['alice', 'carol', 'dave', 'eve']
    const cameras = names.map((name, leaf) => new SimulcastCamera(world, name, leaf))
    const viewer = new Viewer(world)
    await world.settle()
    viewer.report([wish({ participant: 'eve', pinned: true })])
    await world.settle()
    for (const name of names) viewer.watch(name)
    await world.settle()
    world.clock.advance(50)
    await world.settle()
    for (const camera of cameras) camera.frames(true)
    await world.settle()
    const chosen = viewer.peer
      .receiver!.dump(world.clock.now())
      .pictures.map((picture) => [picture.participant, picture.rendition])
    expect(chosen).toEqual([
      ['alice', 2],
      ['carol', -1],
      ['dave', -1],
      ['eve', 2],
    ])
  })

  it('sends the active speaker first, to whoever subscribes', async () => {
    const { world, viewer, begin } = await call()
    await begin()
    const classes = () =>
      world.relay
        .dumpSubscribers([])
        .find(({ participants }) => participants[0]?.includes('bob'))!
        .subscriptions.map((subscription) => subscription.class)
    expect(classes()).toEqual(['base', 'base', 'base'])
    const voice = world.relay.speakers.voice('demo', 'alice')!
    for (let at = 0; at < 1000; at += 20) {
      voice.heard(at < 200 ? 80 : SPOKEN | 20, world.clock.now())
      world.clock.advance(20)
    }
    await world.settle()
    expect(classes()).toEqual(['speaker', 'speaker', 'speaker'])
    expect(viewer.peer.receiver).not.toBeNull()
    world.relay.speakers.remove('demo', 'alice')
    expect(classes()).toEqual(['base', 'base', 'base'])
    expect(TRAFFIC.indexOf('speaker')).toBeLessThan(TRAFFIC.indexOf('base'))
  })

  it('chooses the temporal layers of a screen, which has one rendition', async () => {
    const world = new RelayWorld()
    const screen = new Screen(world, 'alice')
    const viewer = new Viewer(world)
    await world.settle()
    viewer.report([wish({ source: 'screen' })])
    await world.settle()
    viewer.subscribeTo(screen.name)
    await world.settle()
    const run = async (ms: number, key = false) => {
      for (let at = 0; at < ms; at += FRAME_MS) {
        screen.frame(key && at === 0)
        await world.settle()
        world.clock.advance(FRAME_MS)
        await world.settle()
      }
    }
    const layers = () =>
      new Set(viewer.seen.splice(0).map(({ place }) => screen.frames.get(place)!.temporal))
    await run(500, true)
    expect(layers()).toEqual(new Set([0, 1, 2]))
    viewer.budget.bitsPerSecond = 90_000
    await run(100)
    layers()
    await run(500)
    expect(layers()).toEqual(new Set([0]))
    viewer.report([wish({ source: 'screen', hidden: true })])
    await run(100)
    layers()
    await run(500)
    expect(layers()).toEqual(new Set())
  })

  it('shows why a picture is as it is', async () => {
    const { world, viewer, run, begin } = await call({ room: () => world.room })
    await begin()
    await run(500)
    const room = viewRoom(world.relay, 'demo', world.clock.now())
    const [bob] = room!.subscribers.filter(({ receiver }) => receiver !== null)
    expect(bob!.receiver).toMatchObject({
      room: 'demo',
      participant: 'bob',
      pictures: [
        {
          participant: 'alice',
          source: 'camera',
          chosen: { rendition: 2, temporalLayers: 3 },
          rendition: 2,
          awaited: -1,
          wish: { hidden: false },
        },
      ],
    })
    expect(bob!.subscriptions.map(({ demand, gate }) => [demand, gate?.open])).toEqual([
      [0, false],
      [0, false],
      [3, true],
    ])
    expect(viewer.budget.wanted).toBeGreaterThan(0)
  })
})
