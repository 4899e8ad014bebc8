import { describe, expect, it } from 'vitest'
import { RequestCode, ResetCode } from '../../moq/wire/codes.ts'
import { namespaceOf, trackOf } from '../../moq/wire/names.ts'
import { PropertyType } from '../../moq/wire/properties.ts'
import { Publisher, RelayWorld, Subscriber, sealed, spoken } from './test-world.ts'

const room = namespaceOf('sotto', 'demo')
const alice = namespaceOf('sotto', 'demo', 'alice')
const audio = trackOf(alice, 'sound')

describe('relay', () => {
  it('connects a subscriber with a publisher by namespace, on streams and datagrams', async () => {
    const world = new RelayWorld()
    const publisher = new Publisher(world, alice)
    publisher.track('sound')
    const subscriber = new Subscriber(world)
    await world.settle()
    subscriber.subscribe(audio)
    await world.settle()
    expect(subscriber.accepted).toBe(1)
    publisher.stream('sound', 1, 0, 'one')
    publisher.stream('sound', 1, 1, 'two')
    publisher.datagram('sound', 1, 2, 'three')
    publisher.stream('sound', 2, 0, 'four')
    await world.settle()
    expect(subscriber.received).toEqual([
      // Of one group, the datagram goes first (draft-19 section 7.2).
      ['1/2', 'datagram', 'three'],
      ['1/0', 'stream', 'one'],
      ['1/1', 'stream', 'two'],
      ['2/0', 'stream', 'four'],
    ])
    expect(subscriber.ended).toContain(1)
  })

  it('asks the publisher once for many subscribers and gives all the same bytes', async () => {
    const world = new RelayWorld()
    const publisher = new Publisher(world, alice)
    publisher.track('sound')
    const subscribers = Array.from({ length: 5 }, () => new Subscriber(world))
    await world.settle()
    for (const subscriber of subscribers) subscriber.subscribe(audio)
    await world.settle()
    expect(publisher.requests).toBe(1)
    publisher.stream('sound', 0, 0, 'shared')
    await world.settle()
    for (const { received } of subscribers) expect(received).toEqual([['0/0', 'stream', 'shared']])
  })

  it('ends the upstream subscription with the last subscriber and starts it again', async () => {
    const world = new RelayWorld()
    const publisher = new Publisher(world, alice)
    publisher.track('sound')
    const subscriber = new Subscriber(world)
    await world.settle()
    const first = subscriber.subscribe(audio)
    await world.settle()
    expect(publisher.wanted('sound')).toBe(true)
    first.unsubscribe()
    await world.settle()
    expect(publisher.wanted('sound')).toBe(false)
    expect(world.relay.trackCount).toBe(0)
    subscriber.subscribe(audio)
    await world.settle()
    publisher.stream('sound', 7, 0, 'again')
    await world.settle()
    expect(subscriber.received).toEqual([['7/0', 'stream', 'again']])
  })

  it.runIf(spoken.version === 'moqt-18')(
    'serves a track once a session (draft-18 section 5.1)',
    async () => {
      const world = new RelayWorld()
      const publisher = new Publisher(world, alice)
      publisher.track('sound')
      const subscriber = new Subscriber(world)
      await world.settle()
      const first = subscriber.subscribe(audio)
      subscriber.subscribe(audio)
      await world.settle()
      subscriber.subscribe(audio)
      await world.settle()
      const duplicate = RequestCode.DUPLICATE_SUBSCRIPTION
      expect(subscriber.rejected).toEqual([duplicate, duplicate])
      publisher.stream('sound', 0, 0, 'once')
      await world.settle()
      expect(subscriber.received).toEqual([['0/0', 'stream', 'once']])
      first.unsubscribe()
      await world.settle()
      subscriber.subscribe(audio)
      await world.settle()
      expect(subscriber.accepted).toBe(2)
    },
  )

  it('refuses what nobody publishes, and waits for it when asked to', async () => {
    const world = new RelayWorld()
    const subscriber = new Subscriber(world)
    subscriber.subscribe(audio)
    await world.settle()
    expect(subscriber.rejected).toEqual([RequestCode.DOES_NOT_EXIST])
    subscriber.subscribe(audio, { rendezvousTimeout: 1000 })
    await world.settle()
    const publisher = new Publisher(world, alice)
    publisher.track('sound')
    await world.settle()
    expect(subscriber.accepted).toBe(1)
    subscriber.subscribe(trackOf(namespaceOf('nobody'), 'x'), { rendezvousTimeout: 1000 })
    await world.settle()
    world.clock.advance(1000)
    await world.settle()
    expect(subscriber.rejected).toEqual([RequestCode.DOES_NOT_EXIST, RequestCode.TIMEOUT])
    expect(world.relay.trackCount).toBe(1)
  })

  it('passes on the code with which the publisher refuses', async () => {
    const world = new RelayWorld()
    new Publisher(world, alice)
    const subscriber = new Subscriber(world)
    await world.settle()
    subscriber.subscribe(trackOf(alice, 'no-such-track'))
    await world.settle()
    expect(subscriber.rejected).toEqual([RequestCode.DOES_NOT_EXIST])
  })

  it('tells watchers of namespaces that are there, come and go', async () => {
    const world = new RelayWorld()
    new Publisher(world, alice)
    await world.settle()
    const watcher = new Subscriber(world)
    watcher.watch(room)
    await world.settle()
    expect(watcher.namespaces).toEqual(['sotto-demo-alice'])
    const bob = new Publisher(world, namespaceOf('sotto', 'demo', 'bob'))
    new Publisher(world, namespaceOf('sotto', 'other', 'carol'))
    await world.settle()
    expect(watcher.namespaces).toEqual(['sotto-demo-alice', 'sotto-demo-bob'])
    bob.withdraw()
    await world.settle()
    expect(watcher.namespaces).toEqual(['sotto-demo-alice'])
    watcher.watch(namespaceOf('sotto'))
    await world.settle()
    expect(watcher.rejected).toEqual([RequestCode.PREFIX_OVERLAP])
  })

  it('ends subscriptions and namespaces when a publisher vanishes, and nobody else', async () => {
    const world = new RelayWorld()
    const publisher = new Publisher(world, alice)
    publisher.track('sound')
    const subscriber = new Subscriber(world)
    await world.settle()
    subscriber.watch(room)
    subscriber.subscribe(audio)
    await world.settle()
    publisher.session.close(0, 'gone')
    await world.settle()
    expect(subscriber.done).toBe(1)
    expect(subscriber.namespaces).toEqual([])
    expect(subscriber.session.closed).toBe(false)
    expect(world.relay.sessionCount).toBe(1)
    expect(world.relay.trackCount).toBe(0)
  })

  it('coalesces requests for a new group until one comes (section 10.2.13)', async () => {
    const world = new RelayWorld()
    const publisher = new Publisher(world, alice)
    publisher.track('video/0')
    const video = trackOf(alice, 'video/0')
    const [one, two, three] = [new Subscriber(world), new Subscriber(world), new Subscriber(world)]
    await world.settle()
    const parameters = { newGroupRequest: 0, filter: { kind: 'next-group-start' as const } }
    one.subscribe(video, parameters)
    await world.settle()
    two.subscribe(video, parameters)
    three.subscribe(video, parameters)
    await world.settle()
    expect(publisher.groupRequests).toBe(1)
    publisher.stream('video/0', 4, 0, sealed(0, 'key'))
    await world.settle()
    for (const { received } of [one, two, three])
      expect(received).toEqual([['4/0', 'stream', sealed(0, 'key')]])
    new Subscriber(world).subscribe(video, parameters)
    await world.settle()
    expect(publisher.groupRequests).toBe(2)
  })

  it('keeps filters: a late subscriber to the next group gets nothing of the current one', async () => {
    const world = new RelayWorld()
    const publisher = new Publisher(world, alice)
    publisher.track('sound')
    const [early, late] = [new Subscriber(world), new Subscriber(world)]
    await world.settle()
    early.subscribe(audio)
    await world.settle()
    publisher.stream('sound', 0, 0, 'a')
    await world.settle()
    late.subscribe(audio, { filter: { kind: 'next-group-start' } })
    await world.settle()
    publisher.stream('sound', 0, 1, 'b')
    publisher.stream('sound', 1, 0, 'c')
    await world.settle()
    expect(early.received.map(([at]) => at)).toEqual(['0/0', '0/1', '1/0'])
    expect(late.received.map(([at]) => at)).toEqual(['1/0'])
  })

  it('forwards a reset of a subgroup with its code', async () => {
    const world = new RelayWorld()
    const publisher = new Publisher(world, alice)
    publisher.track('sound')
    const subscriber = new Subscriber(world)
    await world.settle()
    subscriber.subscribe(audio)
    await world.settle()
    publisher.stream('sound', 0, 0, 'a')
    await world.settle()
    publisher.tracks.get('sound')!.abandon(0, ResetCode.DELIVERY_TIMEOUT)
    await world.settle()
    expect(subscriber.resets).toEqual([ResetCode.DELIVERY_TIMEOUT])
  })

  it('isolates: a peer that breaks the protocol loses its session and nobody else', async () => {
    const world = new RelayWorld()
    const publisher = new Publisher(world, alice)
    publisher.track('sound')
    const subscriber = new Subscriber(world)
    const intruder = world.connect()
    await world.settle()
    subscriber.subscribe(audio)
    await world.settle()
    intruder.openUni(0)!.write(Uint8Array.of(0x02, 1, 2, 3))
    await world.settle()
    publisher.stream('sound', 0, 0, 'still here')
    await world.settle()
    expect(subscriber.received).toEqual([['0/0', 'stream', 'still here']])
    expect(world.relay.sessionCount).toBe(2)
  })

  it('drops what is past its latency budget, and audio before nothing else is', async () => {
    const world = new RelayWorld({ room: () => world.room })
    world.room = 0
    const publisher = new Publisher(world, alice)
    publisher.track('audio')
    publisher.track('video/0')
    const subscriber = new Subscriber(world)
    await world.settle()
    subscriber.subscribe(trackOf(alice, 'audio'))
    subscriber.subscribe(trackOf(alice, 'video/0'))
    await world.settle()
    publisher.stream('video/0', 0, 0, sealed(0, 'base'))
    await world.settle()
    publisher.datagram('video/0', 0, 1, sealed(1, 'late enhancement'))
    publisher.stream('audio', 0, 0, sealed(0, 'sound'))
    await world.settle()
    world.clock.advance(200)
    world.room = 10_000
    world.offerRoom()
    await world.settle()
    expect(subscriber.received.map(([, , text]) => text)).toEqual([
      sealed(0, 'sound'),
      sealed(0, 'base'),
    ])
    expect(world.counters.drops.deadline).toBe(1)
  })

  it('refuses the reserved namespaces (section 3.2)', async () => {
    const world = new RelayWorld()
    const subscriber = new Subscriber(world)
    await world.settle()
    subscriber.subscribe(trackOf(namespaceOf('.session'), 'x'))
    subscriber.subscribe(trackOf(namespaceOf('.', 'a'), 'x'))
    await world.settle()
    expect(subscriber.rejected).toEqual([RequestCode.DOES_NOT_EXIST, RequestCode.DOES_NOT_EXIST])
  })

  it('tells the state of a track from its subscription, or asks the publisher (section 10.14)', async () => {
    const world = new RelayWorld()
    const publisher = new Publisher(world, alice)
    publisher.track('sound')
    const [asker, subscriber] = [new Subscriber(world), new Subscriber(world)]
    await world.settle()
    asker.askStatus(audio)
    await world.settle()
    expect(publisher.statusRequests).toBe(1)
    subscriber.subscribe(audio)
    await world.settle()
    publisher.stream('sound', 3, 0, 'a')
    publisher.stream('sound', 3, 1, 'b')
    await world.settle()
    asker.askStatus(audio)
    await world.settle()
    expect(publisher.statusRequests).toBe(1)
    const properties = [
      { type: PropertyType.DEFAULT_PUBLISHER_PRIORITY, value: 40 },
      { type: PropertyType.DYNAMIC_GROUPS, value: 1 },
    ]
    expect(asker.states).toEqual([
      { largest: null, properties },
      { largest: { group: 3, object: 1 }, properties },
    ])
    // It makes no subscription: nothing is sent, and the track goes with its last subscriber.
    expect(asker.received).toEqual([])
    asker.askStatus(trackOf(alice, 'no-such-track'))
    asker.askStatus(trackOf(namespaceOf('nobody'), 'x'))
    await world.settle()
    expect(asker.rejected).toEqual([RequestCode.DOES_NOT_EXIST, RequestCode.DOES_NOT_EXIST])
    asker.askStatus(trackOf(alice, 'sound'))
    publisher.session.close(0, 'gone')
    await world.settle()
    expect(world.relay.sessionCount).toBe(2)
  })

  it('keeps the track properties of the publisher', async () => {
    const world = new RelayWorld()
    const publisher = new Publisher(world, alice)
    publisher.track('sound')
    const subscriber = new Subscriber(world)
    await world.settle()
    subscriber.subscribe(audio)
    await world.settle()
    expect(subscriber.properties).toEqual([
      { type: PropertyType.DEFAULT_PUBLISHER_PRIORITY, value: 40 },
      { type: PropertyType.DYNAMIC_GROUPS, value: 1 },
    ])
  })
})
