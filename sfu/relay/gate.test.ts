import { describe, expect, it } from 'vitest'
import { ResetCode } from '../../moq/wire/codes.ts'
import { namespaceOf, trackOf } from '../../moq/wire/names.ts'
import type { Parameters } from '../../moq/wire/parameters.ts'
import { Camera } from './test-camera.ts'
import { Publisher, RelayWorld, type RelayWorldOptions, Subscriber, sealed } from './test-world.ts'

const alice = namespaceOf('sotto', 'demo', 'alice')
const video = trackOf(alice, 'video/0')
const utf8 = new TextEncoder()

async function set(options: RelayWorldOptions = {}) {
  const world = new RelayWorld(options)
  const camera = new Camera(world, alice)
  await world.settle()
  const join = async (parameters: Parameters = {}) => {
    const subscriber = new Subscriber(world)
    const subscription = subscriber.subscribe(video, parameters)
    await world.settle()
    return Object.assign(subscriber, { subscription })
  }
  return { world, camera, join, settle: () => world.settle() }
}

const places = ({ received }: Subscriber) => received.map(([at, by]) => `${at} ${by}`)
const requests = ({ publisher }: Camera) => publisher.groupRequests
const drops = ({ relay }: RelayWorld) => relay.tally.gateDrops
const THREE_SECONDS = 3000

describe('the key-frame gate in the relay', () => {
  it('gives a joiner nothing before a key frame, for which it asks once', async () => {
    const { world, camera, join, settle } = await set()
    const first = await join()
    camera.key()
    camera.base()
    await settle()
    world.clock.advance(THREE_SECONDS)
    const late = await join()
    const other = await join()
    expect(requests(camera)).toBe(1)
    camera.base()
    camera.enhancement()
    await settle()
    expect(places(late)).toEqual([])
    camera.key()
    await settle()
    camera.enhancement()
    camera.base()
    await settle()
    expect(places(late).sort()).toEqual(['1/0 stream', '1/1 datagram', '1/2 stream'])
    expect(places(other)).toEqual(places(late))
    expect(places(first)).toHaveLength(7)
    expect(drops(world)).toMatchObject({ 'key-frame': 2, base: 2 })
  })

  it('begins with the newest group from the cache, and goes on without a gap', async () => {
    const { camera, join, settle } = await set()
    await join()
    camera.key()
    camera.enhancement()
    camera.base()
    await settle()
    const joiner = await join()
    expect(places(joiner)).toEqual(['0/0 stream', '0/2 stream'])
    expect(requests(camera)).toBe(0)
    camera.enhancement()
    camera.base()
    await settle()
    expect(places(joiner).sort()).toEqual([
      '0/0 stream',
      '0/2 stream',
      '0/3 datagram',
      '0/4 stream',
    ])
    camera.key()
    await settle()
    // Its stream had all of the subgroup: it is finished, not reset.
    expect(joiner.ended).toEqual([0])
    expect(joiner.resets).toEqual([])
  })

  it('does not begin with old objects where the filter forbids them (section 5.1.2)', async () => {
    const { camera, join, settle } = await set()
    await join()
    camera.key()
    await settle()
    const next = await join({ filter: { kind: 'next-group-start' } })
    const live = await join({ filter: { kind: 'largest-object' } })
    expect(requests(camera)).toBe(0)
    camera.base()
    await settle()
    expect([places(next), places(live)]).toEqual([[], []])
    // Only the one whose filter the object passes needs a key frame.
    expect(requests(camera)).toBe(1)
    camera.key()
    await settle()
    expect([places(next), places(live)]).toEqual([['1/0 stream'], ['1/0 stream']])
  })

  it('does not begin with a group of which an object is missing in the cache', async () => {
    const { camera, join, settle } = await set({ limits: { maxCacheBytes: 0 } })
    await join()
    camera.key()
    await settle()
    const joiner = await join()
    expect(places(joiner)).toEqual([])
    expect(requests(camera)).toBe(1)
  })

  it('does not begin with objects past a delivery timeout (section 8)', async () => {
    const { world, camera, join, settle } = await set()
    await join()
    camera.key()
    await settle()
    world.clock.advance(100)
    const joiner = await join({ objectDeliveryTimeout: 50 })
    expect(places(joiner)).toEqual([])
    expect(requests(camera)).toBe(1)
  })

  it('begins with no group when the window is set to nothing', async () => {
    const { world, camera, join, settle } = await set({ limits: { joinWindowMs: 0 } })
    await join()
    camera.key()
    await settle()
    world.clock.advance(1)
    expect(places(await join())).toEqual([])
    expect(requests(camera)).toBe(1)
  })

  it('closes with another KID until the next key frame', async () => {
    const { world, camera, join, settle } = await set()
    const subscriber = await join()
    camera.key()
    await settle()
    camera.epoch = 2
    camera.base()
    camera.enhancement()
    await settle()
    expect(places(subscriber)).toEqual(['0/0 stream'])
    expect(requests(camera)).toBe(1)
    camera.key()
    camera.base()
    await settle()
    expect(places(subscriber)).toEqual(['0/0 stream', '1/0 stream', '1/1 stream'])
    const [told] = world.relay.dumpTracks(alice)
    expect(told?.keys).toMatchObject({ generation: 2, phases: [{ epoch: 2 }, { epoch: 1 }] })
  })

  it('closes when a base frame is lost, and asks at most once an interval', async () => {
    const { world, camera, join, settle } = await set()
    const subscriber = await join()
    camera.key()
    await settle()
    camera.base(false)
    camera.base()
    camera.base()
    await settle()
    expect(places(subscriber)).toEqual(['0/0 stream'])
    expect(requests(camera)).toBe(1)
    // A reset would overtake what is still on its way.
    expect(subscriber.resets).toEqual([])
    // The key frame is lost as well.
    camera.key(false)
    camera.base()
    await settle()
    expect(requests(camera)).toBe(1)
    world.clock.advance(499)
    await settle()
    expect(requests(camera)).toBe(1)
    world.clock.advance(1)
    await settle()
    expect(requests(camera)).toBe(2)
    camera.key()
    await settle()
    expect(places(subscriber)).toEqual(['0/0 stream', '2/0 stream'])
    world.clock.advance(THREE_SECONDS)
    await settle()
    expect(requests(camera)).toBe(2)
    expect(subscriber.resets).toEqual([ResetCode.CANCELLED])
    expect(subscriber.ended).toEqual([])
  })

  it('goes on in the same group at a key frame there, on another stream', async () => {
    const { camera, join, settle } = await set()
    const subscriber = await join()
    camera.key()
    camera.base(false)
    camera.base()
    await settle()
    camera.base(true, true)
    camera.base()
    await settle()
    expect(places(subscriber)).toEqual(['0/0 stream', '0/3 stream', '0/4 stream'])
    expect(subscriber.resets).toEqual([ResetCode.CANCELLED])
  })

  it('asks for a key frame when a subscriber missed its latency budget, and spares the others', async () => {
    const { world, camera, join, settle } = await set({ room: () => world.room })
    const slow = await join()
    camera.key()
    await settle()
    world.room = 0
    camera.base()
    await settle()
    world.clock.advance(THREE_SECONDS)
    world.room = 65_536
    world.offerRoom()
    await settle()
    expect(slow.resets).toEqual([ResetCode.DELIVERY_TIMEOUT])
    expect(requests(camera)).toBe(1)
    camera.base()
    await settle()
    expect(places(slow)).toEqual(['0/0 stream'])
    camera.key()
    await settle()
    expect(places(slow)).toEqual(['0/0 stream', '1/0 stream'])
  })

  it('holds a datagram that overtook its base frame, for all subscribers at once', async () => {
    const { camera, join, settle } = await set()
    const subscriber = await join()
    camera.key()
    await settle()
    const { track } = camera
    const held: (() => void)[] = []
    const write = track.writeStream.bind(track)
    track.writeStream = (...args) => {
      held.push(() => write(...args))
      return true
    }
    camera.base()
    camera.enhancement()
    await settle()
    expect(places(subscriber)).toEqual(['0/0 stream'])
    for (const late of held) late()
    await settle()
    expect(places(subscriber).sort()).toEqual(['0/0 stream', '0/1 stream', '0/2 datagram'])
  })

  it('drops what comes again under the same counter, and waits for a key frame', async () => {
    const { world, camera, join, settle } = await set()
    const subscriber = await join()
    camera.key()
    await settle()
    const payload = utf8.encode(sealed(0, 'again'))
    camera.skip()
    camera.track.writeStream(0, { group: 0, object: 1, properties: new Uint8Array(), payload })
    await settle()
    expect(places(subscriber)).toEqual(['0/0 stream'])
    expect(world.relay.keys.troubles.replayed).toBe(1)
    expect(drops(world).keys).toBe(1)
    camera.base()
    await settle()
    expect(places(subscriber)).toEqual(['0/0 stream'])
    expect(requests(camera)).toBe(1)
  })

  it('closes while a subscriber wants nothing (Forward State 0)', async () => {
    const { camera, join, settle } = await set()
    const [subscriber, other] = [await join(), await join()]
    camera.key()
    await settle()
    subscriber.subscription.update({ forward: false })
    await settle()
    camera.base()
    await settle()
    subscriber.subscription.update({ forward: true })
    await settle()
    camera.base()
    await settle()
    expect(places(subscriber)).toEqual(['0/0 stream'])
    expect(places(other)).toHaveLength(3)
    expect(requests(camera)).toBe(1)
    camera.key()
    await settle()
    expect(places(subscriber)).toEqual(['0/0 stream', '1/0 stream'])
  })

  it('lets sound through without a key frame, unless its header is refused', async () => {
    const world = new RelayWorld()
    const publisher = new Publisher(world, alice)
    publisher.track('audio')
    const subscriber = new Subscriber(world)
    await world.settle()
    subscriber.subscribe(trackOf(alice, 'audio'))
    await world.settle()
    publisher.stream('audio', 3, 5, sealed(1, 'one'))
    publisher.datagram('audio', 4, 7, sealed(2, 'two'))
    publisher.datagram('audio', 5, 0, sealed(2, 'again'))
    publisher.stream('audio', 6, 0, '\u001f')
    publisher.stream('audio', 7, 0, sealed(3, 'three'))
    await world.settle()
    expect(subscriber.received.map(([at]) => at)).toEqual(['3/5', '4/7', '7/0'])
    expect(world.relay.keys.troubles.replayed).toBe(1)
    expect(drops(world).keys).toBe(2)
  })

  it.each([
    trackOf(namespaceOf('news', 'demo', 'alice'), 'video/0'),
    trackOf(alice, 'something-else'),
    trackOf(alice, 'verify'),
  ])('leaves a track alone that is not of a call, or not encrypted: %#', async (track) => {
    const world = new RelayWorld()
    const publisher = new Publisher(world, track.namespace)
    const name = new TextDecoder().decode(track.name)
    publisher.track(name)
    const subscriber = new Subscriber(world)
    await world.settle()
    subscriber.subscribe(track)
    await world.settle()
    publisher.stream(name, 0, 4, 'plain')
    publisher.datagram(name, 0, 9, 'plain')
    await world.settle()
    expect(subscriber.received).toHaveLength(2)
    expect(world.relay.keys.size).toBe(0)
  })

  it('forgets a participant with its last track', async () => {
    const { world, join, settle } = await set()
    const { subscription } = await join()
    expect(world.relay.keys.size).toBe(1)
    subscription.unsubscribe()
    await settle()
    expect(world.relay.keys.size).toBe(0)
  })
})
