/** Renditions of a camera, encrypted by real tracks, decoded by stand-ins, over sessions in memory. */

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { TestLink } from '../../../moq/session/test-pair.ts'
import { RelayWorld } from '../../../sfu/relay/test-world.ts'
import { FakeCodec, stubCodecs } from '../../media/fake-codecs.ts'
import { VideoWorld, type Wire } from './video-world.ts'

beforeEach(stubCodecs)
afterEach(() => vi.unstubAllGlobals())

/** Ann and Bob without a relay between them: a test says what is forwarded. */
class World extends VideoWorld {
  /** Says of each datagram whether it is lost. */
  loses: () => boolean = () => false

  static async begin(): Promise<World> {
    const link: TestLink = new TestLink({ loseDatagram: () => world.loses() })
    const world: World = new World({
      clock: link.clock,
      settle: () => link.settle(),
      publisher: (handler) => link.session('server', handler),
      receiver: () => link.session('client', {}),
    })
    await world.ready()
    return world
  }
}

const shownOf = (world: VideoWorld) => world.pictures.map(String)

describe('a remote picture of which the relay forwards one rendition at a time', () => {
  it('is one: it changes over at a key frame, with its own decoder, and no frame is out of order', async () => {
    const world = await World.begin()
    const video = world.show(true)
    await world.settle(video)
    await world.frames(video, [0], 0, 8)
    expect(video.info()).toMatchObject({ name: 'video/0', rendition: 0, temporalLayers: 3 })
    await world.frames(video, [2], 8, 12)
    await world.frames(video, [1], 12, 16)
    expect(shownOf(world)).toEqual([
      ...[0, 1, 2, 3, 4, 5, 6, 7].map((number) => `v0@${number}`),
      ...[8, 9, 10, 11].map((number) => `v2@${number}`),
      ...[12, 13, 14, 15].map((number) => `v1@${number}`),
    ])
    expect(FakeCodec.made.map(({ state }) => state)).toEqual(['closed', 'closed', 'configured'])
    expect(video.info()).toMatchObject({
      name: 'video/1',
      codec: 'v1',
      rendition: 1,
      framesDecoded: 16,
      framesDropped: 0,
      decryptFailures: 0,
    })
    expect(world.openPictures).toBe(0)
    expect(world.errors).toEqual([])
  })

  it('goes on with the old one when the new one cannot be decoded, and asks for a key frame of it', async () => {
    const world = await World.begin()
    const video = world.show(true)
    await world.settle(video)
    await world.frames(video, [0], 0, 4)
    const asked = world.groupRequests[1]!
    FakeCodec.refuse = new Error('no such codec')
    await world.frame(video, [0, 1], 4, true)
    FakeCodec.refuse = null
    await world.frame(video, [0], 5)
    expect(shownOf(world).slice(-2)).toEqual(['v0@4', 'v0@5'])
    expect(world.groupRequests[1]).toBeGreaterThan(asked)
  })

  it('keeps to one by itself when several come all the same', async () => {
    const world = await World.begin()
    const video = world.show(true, { width: 640, height: 384, hidden: false })
    await world.settle(video)
    for (let group = 0; group < 16; group++) {
      await world.frames(video, [0, 1, 2], group * 8, group * 8 + 8)
    }
    expect(world.tracks.map(({ wanted }) => wanted)).toEqual([false, true, false])
    expect(video.info().rendition).toBe(1)
  })
})

describe('a remote picture whose relay does not choose', () => {
  it('asks for the rendition that fills the tile, and for no other', async () => {
    const world = await World.begin()
    const video = world.show(false, { width: 320, height: 192, hidden: false })
    await world.settle(video)
    expect(world.tracks.map(({ wanted }) => wanted)).toEqual([true, false, false])
  })

  it('begins with the smallest where the one that it wants is not sent', async () => {
    const world = await World.begin()
    const video = world.show(false)
    await world.settle(video)
    expect(world.tracks.map(({ wanted }) => wanted)).toEqual([true, false, true])
    await world.frames(video, [0], 0, 4)
    expect(video.info()).toMatchObject({ rendition: 0, framesDecoded: 4 })
    // What it wanted does not come, and the next best does.
    await world.frames(video, [0], 4, 100)
    expect(world.tracks.map(({ wanted }) => wanted)).toEqual([true, true, false])
    await world.frames(video, [0, 1], 100, 104)
    expect(video.info().rendition).toBe(1)
    expect(world.tracks.map(({ wanted }) => wanted)).toEqual([false, true, false])
  })

  it('changes over without a gap: the old one goes on until the new one is shown', async () => {
    const world = await World.begin()
    const video = world.show(false, { width: 320, height: 192, hidden: false })
    await world.settle(video)
    await world.frames(video, [0], 0, 4)
    video.setView({ width: 1280, height: 768, hidden: false })
    await world.settle(video)
    expect(world.tracks.map(({ wanted }) => wanted)).toEqual([true, false, true])
    expect(world.groupRequests[2]).toBe(1)
    await world.frame(video, [0], 4)
    await world.frame(video, [0, 2], 5, true)
    await world.frame(video, [0, 2], 6)
    expect(shownOf(world).slice(-3)).toEqual(['v0@5', 'v2@5', 'v2@6'])
    expect(world.tracks.map(({ wanted }) => wanted)).toEqual([false, false, true])
  })

  it('asks for nothing while it is hidden, and gives the choice to a relay that begins to make it', async () => {
    const world = await World.begin()
    const video = world.show(false)
    await world.settle(video)
    video.setView({ width: 640, height: 384, hidden: true })
    await world.settle(video)
    expect(world.tracks.map(({ wanted }) => wanted)).toEqual([false, false, false])
    video.setManaged(true)
    await world.settle(video)
    expect(world.tracks.map(({ wanted }) => wanted)).toEqual([true, true, true])
  })
})

describe('lost datagrams of a remote picture', () => {
  /** Loses the datagrams at these places, counted from 0. */
  function losing(world: World, ...places: number[]): void {
    let sent = 0
    world.loses = () => places.includes(sent++)
  }

  it('are asked for again, and the frames come in order and whole', async () => {
    const world = await World.begin()
    const video = world.show(true)
    await world.settle(video)
    // Two datagrams a frame: one of frame 5, and all of frame 7.
    losing(world, 7, 10, 11)
    await world.frames(video, [0], 0, 16)
    expect(shownOf(world)).toEqual(Array.from({ length: 16 }, (_, number) => `v0@${number}`))
    expect(video.info()).toMatchObject({
      framesDropped: 0,
      decryptFailures: 0,
      repairs: { repaired: 3, late: 0, givenUp: 0 },
    })
    expect(world.fetches).toBe(2)
  })

  it('are let go where FETCH is refused, and not asked for any more', async () => {
    const world = await World.begin()
    const video = world.show(true)
    await world.settle(video)
    world.refuseFetches = true
    losing(world, 7, 17)
    await world.frames(video, [0], 0, 24)
    expect(world.fetches).toBe(1)
    expect(video.info()).toMatchObject({ framesDropped: 2, framesDecoded: 22 })
  })

  it('are not asked for where the relay leaves out a layer', async () => {
    const world = await World.begin()
    const video = world.show(true)
    await world.settle(video)
    await world.frames(video, [0], 0, 8)
    // All frames of the top layer from now on: the first and the third pair of datagrams of four frames.
    let sent = 0
    world.loses = () => Math.floor(sent++ / 2) % 3 !== 1
    await world.frames(video, [0], 8, 88)
    const { repairs, temporalLayers, framesDecoded } = video.info()
    expect(temporalLayers).toBe(2)
    expect(framesDecoded).toBeGreaterThanOrEqual(48)
    // Some, until it was clear.
    expect(world.fetches).toBeLessThan(8)
    expect(repairs!.givenUp).toBeLessThan(12)
  })
})

describe('lost datagrams of a remote picture behind a relay', () => {
  /** A real relay; `losesUp` says of each datagram of Ann's, `losesDown` of each of Bob's, if it is lost. */
  async function behindRelay() {
    const relay = new RelayWorld()
    const losses = { up: () => false, down: () => false }
    const wire: Wire = {
      clock: relay.clock,
      settle: () => relay.settle(),
      publisher: (handler) => {
        const session = relay.client(handler)
        const { transport } = session
        const send = transport.sendDatagram.bind(transport)
        transport.sendDatagram = (bytes) => losses.up() || send(bytes)
        return session
      },
      receiver: () => {
        const session = relay.client({})
        const { transport } = session
        const { onDatagram } = transport.handler!
        transport.handler!.onDatagram = (bytes) => {
          if (!losses.down()) onDatagram(bytes)
        }
        return session
      },
    }
    const world = new VideoWorld(wire)
    await world.ready()
    const video = world.show(true)
    await world.settle(video)
    return { world, video, losses }
  }

  const nth = (...places: number[]) => {
    let sent = 0
    return () => places.includes(sent++)
  }

  it('come from its cache when they were lost below it, and from their sender when above', async () => {
    const { world, video, losses } = await behindRelay()
    losses.down = nth(4)
    await world.frames(video, [0], 0, 8)
    expect(world.fetches).toBe(0)
    expect(video.info()).toMatchObject({ framesDecoded: 8, repairs: { repaired: 1 } })
    losses.up = nth(3)
    await world.frames(video, [0], 8, 16)
    expect(world.fetches).toBe(1)
    expect(shownOf(world)).toEqual(Array.from({ length: 16 }, (_, number) => `v0@${number}`))
    expect(video.info()).toMatchObject({
      framesDecoded: 16,
      framesDropped: 0,
      decryptFailures: 0,
      // With both of the frame that stands on the incomplete one: the relay left it out.
      repairs: { repaired: 4, givenUp: 0 },
    })
    expect(world.errors).toEqual([])
  })
})
