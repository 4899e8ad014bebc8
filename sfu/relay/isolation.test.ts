/** What one peer says reaches another only as far as it is well formed and means something there. */

import { describe, expect, it } from 'vitest'
import { RawPeer } from '../../moq/session/test-pair.ts'
import { RequestCode } from '../../moq/wire/codes.ts'
import type { Location } from '../../moq/wire/location.ts'
import { namespaceOf, trackOf } from '../../moq/wire/names.ts'
import { PropertyType } from '../../moq/wire/properties.ts'
import { Fetcher } from './fetch-test-world.ts'
import { ManualPublisher, ManualSubscriber } from './test-peers.ts'
import { RelayWorld } from './test-world.ts'

const room = namespaceOf('room')
const video = trackOf(room, 'video')
const MAX = Number.MAX_SAFE_INTEGER

/** A publisher of the namespace whose answers a test writes. */
async function rawWorld() {
  const world = new RelayWorld()
  const publisher = new RawPeer(world.connect())
  publisher.request({
    type: 'PUBLISH_NAMESPACE',
    requestId: 0,
    namespace: room,
    parameters: {},
  })
  const subscriber = new ManualSubscriber(world)
  await world.settle()
  return { world, publisher, subscriber }
}

describe('what a publisher tells', () => {
  it('of the end of its subscription is whole ms, at any time of the clock (section 10.2.10)', async () => {
    for (const [expires, told] of [
      [5000, 4999],
      [MAX, MAX - 1],
    ] as const) {
      const world = new RelayWorld()
      const publisher = new ManualPublisher(world, room)
      publisher.willServe(video, { expires })
      const [first, second] = [new ManualSubscriber(world), new ManualSubscriber(world)]
      await world.settle()
      first.subscribe(video)
      await world.settle()
      world.clock.advance(1.25)
      const seen = second.subscribe(video)
      await world.settle()
      expect(seen.accepted?.parameters.expires).toBe(told)
    }
  })

  it('of a default priority above 255 costs it the track (section 12.4)', async () => {
    const { world, publisher, subscriber } = await rawWorld()
    const seen = subscriber.subscribe(video)
    await world.settle()
    const properties = [{ type: PropertyType.DEFAULT_PUBLISHER_PRIORITY, value: 256 }]
    publisher.requests[0]!.send({ type: 'SUBSCRIBE_OK', trackAlias: 1, parameters: {}, properties })
    await world.settle()
    expect(seen.rejected).toBe(RequestCode.MALFORMED_TRACK)
    expect([publisher.closed, subscriber.session.closed]).toEqual([null, false])
  })

  it('as the reason why a FETCH fails is told as far as it concerns the fetch (section 10.6)', async () => {
    const { INTERNAL_ERROR, INVALID_RANGE, MALFORMED_AUTH_TOKEN, NOT_SUPPORTED } = RequestCode
    for (const [code, told] of [
      [MALFORMED_AUTH_TOKEN, INTERNAL_ERROR],
      [RequestCode.INVALID_JOINING_REQUEST_ID, INTERNAL_ERROR],
      [0x9d, INTERNAL_ERROR],
      [NOT_SUPPORTED, NOT_SUPPORTED],
      [INVALID_RANGE, INVALID_RANGE],
    ] as const) {
      const { world, publisher } = await rawWorld()
      const fetched = new Fetcher(world).standalone(video, [0, 0], [1, 0])
      await world.settle()
      const error = { type: 'REQUEST_ERROR', code, retryAfterMs: null, reason: 'no' } as const
      publisher.requests[0]!.send(error)
      await world.settle()
      expect(fetched.code).toBe(told)
    }
  })

  it('with the largest ids there are can be subscribed to, joined and fetched', async () => {
    const world = new RelayWorld()
    const publisher = new ManualPublisher(world, room)
    publisher.willServe(video)
    const [first, fetcher] = [new ManualSubscriber(world), new Fetcher(world)]
    await world.settle()
    const seen = first.subscribe(video)
    await world.settle()
    publisher.track(video).stream(MAX, 0).object(MAX)
    await world.settle()
    const ends: (Location | undefined)[] = []
    const objects: number[] = []
    const joined = fetcher.session.subscribe(video, {}, { onObject() {} })
    await world.settle()
    const { requestId } = joined
    fetcher.session.fetch(
      { kind: 'relative-joining', joiningRequestId: requestId, joiningStart: 0 },
      {
        onAccepted: ({ end }) => ends.push(end),
        onObject: ({ object }) => objects.push(object),
      },
      { fillTimeout: 0 },
    )
    await world.settle()
    expect([seen.objects, ends, objects]).toEqual([
      [`${MAX}/${MAX}`],
      [{ group: MAX, object: 0 }],
      [MAX],
    ])
  })

  it('in properties of unknown types above 2^53 goes on as it is (section 2.5)', async () => {
    const world = new RelayWorld()
    const publisher = new ManualPublisher(world, room)
    publisher.willServe(video)
    const subscriber = new ManualSubscriber(world)
    await world.settle()
    const seen = subscriber.subscribe(video)
    await world.settle()
    const unknown = [
      { type: 2n ** 60n, value: 7 },
      { type: 2n ** 60n + 1n, value: Uint8Array.of(200, 201) },
    ]
    publisher.track(video).stream(0, 0).object(0, 'x', unknown).object(1)
    await world.settle()
    expect([seen.objects, seen.done]).toEqual([['0/0', '0/1'], null])
  })
})

describe('what subscribers ask', () => {
  it('does not flood a publisher: new groups are asked for one at a time (section 10.2.13)', async () => {
    const { world, publisher, subscriber } = await rawWorld()
    const seen = subscriber.subscribe(video)
    await world.settle()
    const properties = [{ type: PropertyType.DYNAMIC_GROUPS, value: 1 }]
    const [request] = publisher.requests
    request!.send({ type: 'SUBSCRIBE_OK', trackAlias: 1, parameters: {}, properties })
    await world.settle()
    for (let group = 1; group <= 50; group++) seen.update({ newGroupRequest: group })
    await world.settle()
    const asked = () =>
      request!.received.flatMap((message) =>
        message.type === 'REQUEST_UPDATE' ? [message.parameters.newGroupRequest] : [],
      )
    expect(asked()).toEqual([1])
    request!.send({ type: 'REQUEST_OK', parameters: {}, properties: [] })
    await world.settle()
    expect(asked()).toEqual([1, 50])
    expect(seen.granted.length).toBe(50)
  })

  it('in vain leaves the Forward State of the others (section 9.5)', async () => {
    const world = new RelayWorld()
    const publisher = new ManualPublisher(world)
    const [paused, late] = [new ManualSubscriber(world), new ManualSubscriber(world)]
    await world.settle()
    const track = publisher.publish(video, { largest: { group: 5, object: 0 } })
    await world.settle()
    paused.subscribe(video, { forward: false })
    await world.settle()
    const past = { kind: 'absolute-range', start: { group: 0, object: 0 }, endGroup: 4 } as const
    const seen = late.subscribe(video, { filter: past })
    await world.settle()
    expect(seen.rejected).toBe(RequestCode.INVALID_RANGE)
    expect(track.publication!.forward).toBe(false)
  })
})

describe('an object that comes late', () => {
  it('goes to a subscriber whose stream of the subgroup is finished (section 11.4.3)', async () => {
    const world = new RelayWorld()
    const [early, slow] = [new ManualPublisher(world, room), new ManualPublisher(world, room)]
    for (const publisher of [early, slow]) publisher.willServe(video)
    const subscriber = new ManualSubscriber(world)
    await world.settle()
    const seen = subscriber.subscribe(video)
    await world.settle()
    early.track(video).stream(0, 0, { firstObject: false }).object(2).fin()
    await world.settle()
    slow.track(video).stream(0, 0).object(0).object(1)
    await world.settle()
    expect(seen.objects).toEqual(['0/2', '0/0', '0/1'])
    expect(seen.streams[0]!.end).toBe('fin')
  })
})
