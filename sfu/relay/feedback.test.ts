import { describe, expect, it } from 'vitest'
import {
  decodePublisherFeedback,
  decodeSpeakers,
  encodeMediaProperties,
  feedbackTrack,
  type PublisherFeedback,
  participantNamespace,
  relayNamespace,
  speakersTrack,
} from '../../moq/media/index.ts'
import { DoneCode, RequestCode } from '../../moq/wire/codes.ts'
import { type FullTrackName, formatNamespace, namespaceOf, trackOf } from '../../moq/wire/names.ts'
import { PropertyType } from '../../moq/wire/properties.ts'
import { FeedbackEndpoint } from '../feedback/index.ts'
import { dumpRoom } from './levels.ts'
import { participantsByRoom } from './room-view.ts'
import { ManualPublisher, ManualSubscriber } from './test-peers.ts'
import { Publisher, RelayWorld, type RelayWorldOptions, Subscriber, sealed } from './test-world.ts'

const EPOCH = 1_700_000_000_000
const ann = participantNamespace('r', 'ann')
const video = trackOf(ann, 'video/0')
const utf8 = new TextEncoder()

/** A relay with its feedback service, and Ann who publishes a picture and reads what is said of it. */
class FeedbackWorld extends RelayWorld {
  readonly endpoint = new FeedbackEndpoint({
    transport: this.connect(true),
    clock: this.clock,
    wallClock: () => EPOCH + this.clock.now(),
    meters: this.relay.meters,
    speakers: this.relay.speakers,
  })
  readonly ann: Publisher
  readonly told: PublisherFeedback[] = []
  private object = 0

  constructor(options: RelayWorldOptions = {}) {
    super(options)
    this.ann = new Publisher(this, ann)
    this.ann.track('video/0')
  }

  get newest(): PublisherFeedback {
    return this.told.at(-1)!
  }

  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 50) {
      this.clock.advance(Math.min(50, left))
      await this.settle()
    }
  }

  /** Ann subscribes to the feedback for her. */
  readFeedback() {
    const done: number[] = []
    const rejected: number[] = []
    this.ann.session.subscribe(
      feedbackTrack('r', 'ann'),
      {},
      {
        onObject: (object) => this.told.push(decodePublisherFeedback(object.payload)),
        onRejected: (error) => rejected.push(error.code),
        onDone: ({ status }) => done.push(status),
      },
    )
    return { done, rejected }
  }

  /** @param lost it takes an id, and does not come */
  frame(bytes: number, isDatagram: boolean, lost = false): void {
    const object = this.object++
    if (lost) return
    const { properties } = encodeMediaProperties({ timestamp: this.clock.now() * 1000 })
    const payload = utf8.encode(sealed(object % 128, 'x'.repeat(bytes - 3)))
    const track = this.ann.tracks.get('video/0')!
    if (isDatagram) track.writeDatagram({ group: 0, object, properties, payload })
    else track.writeStream(0, { group: 0, object, properties, payload })
  }
}

async function watched() {
  const world = new FeedbackWorld()
  await world.settle()
  const viewer = new Subscriber(world)
  const subscription = viewer.subscribe(video)
  await world.settle()
  const { done } = world.readFeedback()
  await world.pass(100)
  return { world, viewer, subscription, done }
}

describe('the feedback to a publisher', () => {
  it('tells what arrives of its tracks and what is lost', async () => {
    const { world } = await watched()
    for (let i = 0; i < 100; i++) {
      world.frame(500, i > 0, i > 0 && i % 10 === 0)
      await world.pass(50)
    }
    const [track] = world.newest.tracks
    expect(track!.name).toBe('video/0')
    expect(track!.bitrate).toBeGreaterThan(60_000)
    expect(track!.bitrate).toBeLessThan(90_000)
    expect(track!.lossPermille).toBeGreaterThan(0)
    expect(world.newest.estimate).toBeGreaterThan(60_000)
  })

  it('tells an uplink that fills up by the time objects are on their way', async () => {
    const { world } = await watched()
    for (let i = 0; i < 100; i++) {
      world.frame(1000, i > 0)
      await world.pass(50)
    }
    const before = world.newest.estimate!
    for (let i = 0; i < 40; i++) {
      // Each comes 100 ms later than the clock it was stamped by.
      const { properties } = encodeMediaProperties({ timestamp: (world.clock.now() - 200) * 1000 })
      const payload = utf8.encode(sealed((100 + i) % 128, 'x'.repeat(500)))
      world.ann.tracks.get('video/0')!.writeDatagram({
        group: 0,
        object: 100 + i,
        properties,
        payload,
      })
      await world.pass(50)
    }
    expect(world.newest.estimate!).toBeLessThan(before * 0.8)
    expect(world.newest.tracks[0]!.jitterMs).toBeGreaterThan(0)
  })

  it('tells whether somebody watches, soon', async () => {
    const { world, subscription } = await watched()
    expect(world.newest.tracks[0]!.layers).toBe(8)
    subscription.update({ forward: false }, () => {})
    await world.pass(150)
    expect(world.newest.tracks[0]!.layers).toBe(0)
    subscription.update({ forward: true }, () => {})
    await world.pass(150)
    expect(world.newest.tracks[0]!.layers).toBe(8)
  })

  it('tells that a key frame is wanted, until a group begins', async () => {
    const world = new FeedbackWorld()
    const camera = new ManualPublisher(world, participantNamespace('r', 'bob'))
    const name = trackOf(participantNamespace('r', 'bob'), 'video/0')
    const dynamic = { type: PropertyType.DYNAMIC_GROUPS, value: 1 }
    camera.willServe(name, { properties: [dynamic] })
    await world.settle()
    new Subscriber(world).subscribe(name)
    await world.settle()
    const told: PublisherFeedback[] = []
    camera.session.subscribe(
      feedbackTrack('r', 'bob'),
      {},
      { onObject: ({ payload }) => told.push(decodePublisherFeedback(payload)) },
    )
    const stream = camera.track(name).stream(0, 0)
    stream.object(0, sealed(0, 'key'))
    await world.pass(10_000)
    expect(told.at(-1)!.tracks[0]!.keyFrameWanted).toBe(false)
    // The newest key frame is too old for who joins now.
    new Subscriber(world).subscribe(name)
    await world.pass(300)
    expect(told.at(-1)!.tracks[0]!.keyFrameWanted).toBe(true)
    camera.track(name).stream(1, 0).object(0, sealed(1, 'key'))
    await world.pass(300)
    expect(told.at(-1)!.tracks[0]!.keyFrameWanted).toBe(false)
  })

  it('is for the session that publishes as the participant, and for nobody else', async () => {
    const { world } = await watched()
    const other = new Subscriber(world)
    other.subscribe(feedbackTrack('r', 'ann'))
    other.askStatus(feedbackTrack('r', 'ann'))
    const watcher = new ManualSubscriber(world)
    watcher.watchTracks(relayNamespace('r'))
    new Publisher(world, participantNamespace('r', 'eve'))
    await world.pass(1000)
    expect(other.rejected).toEqual([RequestCode.UNAUTHORIZED, RequestCode.UNAUTHORIZED])
    expect(other.received).toEqual([])
    expect(watcher.offers.map(({ track }) => track)).not.toContain(
      'sotto-r-.2erelay--feedback.2fann',
    )
    expect(world.told.length).toBeGreaterThan(1)
  })

  it('ends when the session does not publish as the participant any more', async () => {
    const { world, done } = await watched()
    // Somebody else goes on as the same participant.
    new Publisher(world, ann)
    await world.settle()
    world.ann.withdraw()
    await world.pass(1000)
    expect(done).toEqual([DoneCode.UNAUTHORIZED])
  })

  it('leaves nothing behind, nor does who spoke', async () => {
    const { world, viewer } = await watched()
    world.frame(100, false)
    await world.pass(500)
    const participants = participantsByRoom(world.relay).get('r')!
    expect(participants).toEqual(['ann'])
    expect(dumpRoom(world.relay, 'r', participants)).toMatchObject({
      room: 'r',
      participants: ['ann'],
      speakers: [],
      publishers: [{ participant: 'ann' }],
    })
    world.ann.session.close(0, 'gone')
    viewer.session.close(0, 'gone')
    await world.pass(3000)
    expect(world.relay.meters.get('r', 'ann')).toBeNull()
    expect(world.endpoint.roomCount).toBe(0)
    world.endpoint.close()
    await world.pass(3000)
    expect(world.relay.sessionCount).toBe(0)
    expect(world.relay.trackCount).toBe(0)
    expect(world.clock.timers).toBe(0)
  })
})

describe('what services publish in a room', () => {
  const mls = namespaceOf('sotto', 'r', '.mls')

  function offer(world: RelayWorld, track: FullTrackName) {
    const client = new ManualPublisher(world)
    const rejected: number[] = []
    client.session.publishNamespace(track.namespace, {
      onRejected: (error) => rejected.push(error.code),
    })
    const published = client.publish(track)
    return { rejected, published }
  }

  it.each([
    ['the relay', speakersTrack('r')],
    ['the delivery service', trackOf(mls, 'log')],
    ['below one of them', trackOf(namespaceOf('sotto', 'r', '.relay', 'x'), 'speakers')],
    ['a service that nobody knows', trackOf(namespaceOf('sotto', 'r', 'ann', '.new'), 't')],
  ])('no client can publish: %s', async (_, track) => {
    const world = new RelayWorld()
    const { rejected, published } = offer(world, track)
    await world.settle()
    expect(rejected).toEqual([RequestCode.UNAUTHORIZED])
    expect(published.rejected).toBe(RequestCode.UNAUTHORIZED)
    expect(world.relay.publishedNamespaces()).toEqual([])
  })

  it('a service of another process can, where there is one', async () => {
    const world = new RelayWorld({ foreignServices: ['.mls'] })
    const { rejected, published } = offer(world, trackOf(mls, 'log'))
    const relay = offer(world, speakersTrack('r'))
    await world.settle()
    expect(rejected).toEqual([])
    expect(published.rejected).toBeNull()
    expect(relay.rejected).toEqual([RequestCode.UNAUTHORIZED])
  })

  it('is not asked of who publishes a namespace above it', async () => {
    const world = new FeedbackWorld()
    await world.settle()
    const liar = new ManualPublisher(world, namespaceOf('sotto', 'r'))
    liar.willServe(speakersTrack('r'))
    await world.settle()
    const seen = new ManualSubscriber(world).subscribe(speakersTrack('r'))
    await world.pass(300)
    expect(liar.asked).toEqual([])
    const lists = seen.payloads.map((text) => decodeSpeakers(utf8.encode(text)))
    expect(lists.length).toBeGreaterThan(0)
    expect(lists.flat()).toEqual([])
    world.endpoint.close()
    await world.settle()
    expect(world.relay.publishedNamespaces().map(formatNamespace)).not.toContain('sotto-r-.2erelay')
  })
})
