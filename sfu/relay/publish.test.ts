import { describe, expect, it } from 'vitest'
import { DoneCode, RequestCode } from '../../moq/wire/codes.ts'
import { formatTrack, namespaceOf, trackOf } from '../../moq/wire/names.ts'
import { ManualPublisher, ManualSubscriber } from './test-peers.ts'
import { RelayWorld, spoken } from './test-world.ts'

const news = namespaceOf('live', 'news')
const video = trackOf(news, 'video')
const audio = trackOf(news, 'audio')

describe('PUBLISH (section 9.5)', () => {
  it('is accepted with Forward State 0 until somebody wants objects', async () => {
    const world = new RelayWorld()
    const [publisher, subscriber] = [new ManualPublisher(world), new ManualSubscriber(world)]
    await world.settle()
    const track = publisher.publish(video)
    await world.settle()
    expect(track.answer).toEqual({ forward: false })
    expect(world.relay.trackCount).toBe(1)
    const seen = subscriber.subscribe(video)
    await world.settle()
    expect(track.updates).toEqual([{ forward: true }])
    track.stream(0, 0).object(0)
    await world.settle()
    expect(seen.objects).toEqual(['0/0'])
    seen.subscription!.unsubscribe()
    await world.settle()
    expect(track.updates).toEqual([{ forward: true }, { forward: false }])
    // The publisher's own request holds the track.
    expect(world.relay.trackCount).toBe(1)
    track.done()
    await world.settle()
    expect(world.relay.trackCount).toBe(0)
  })

  it('serves those who wait for the track, with Forward State 1', async () => {
    const world = new RelayWorld()
    const [publisher, subscriber] = [new ManualPublisher(world), new ManualSubscriber(world)]
    await world.settle()
    const seen = subscriber.subscribe(video, { rendezvousTimeout: 1000 })
    subscriber.watchTracks(news)
    await world.settle()
    const track = publisher.publish(video, { largest: { group: 2, object: 1 } })
    track.stream(3, 0).object(0)
    await world.settle()
    expect(seen.accepted?.largest).toEqual({ group: 2, object: 1 })
    expect(track.answer).toEqual({ forward: true })
    // What overtook the answer is not lost.
    expect(seen.objects).toEqual(['3/0'])
    // Section 9.5: not offered where a SUBSCRIBE waited for it.
    expect(subscriber.offers).toEqual([])
    expect(world.relay.subscriptionCount).toBe(1)
  })

  it('is one more publisher of a subscribed track, beside those of the namespace', async () => {
    const world = new RelayWorld()
    const [one, two] = [new ManualPublisher(world, news), new ManualPublisher(world)]
    one.willServe(video)
    const subscriber = new ManualSubscriber(world)
    await world.settle()
    const seen = subscriber.subscribe(video)
    await world.settle()
    const track = two.publish(video)
    await world.settle()
    expect(track.answer).toEqual({ forward: true })
    one.track(video).stream(0, 0).object(0)
    track.stream(0, 0).object(0).object(1).fin()
    await world.settle()
    one.track(video).done()
    await world.settle()
    expect(seen.objects).toEqual(['0/0', '0/1'])
    expect(seen.done).toBeNull()
  })

  it('asks the publishers of the namespace too when the track is subscribed to', async () => {
    const world = new RelayWorld()
    const [one, two] = [new ManualPublisher(world), new ManualPublisher(world, news)]
    two.willServe(video)
    const subscriber = new ManualSubscriber(world)
    await world.settle()
    one.publish(video)
    await world.settle()
    expect(two.asked).toEqual([])
    const seen = subscriber.subscribe(video)
    await world.settle()
    expect(two.asked).toEqual([formatTrack(video)])
    one.session.close(0, 'gone')
    await world.settle()
    two.track(video).stream(0, 0).object(0)
    await world.settle()
    expect(seen.objects).toEqual(['0/0'])
  })

  it('is refused for a track that the session publishes already (section 5.1)', async () => {
    const world = new RelayWorld()
    const publisher = new ManualPublisher(world, news)
    publisher.willServe(audio)
    const subscriber = new ManualSubscriber(world)
    await world.settle()
    subscriber.subscribe(audio)
    publisher.publish(video)
    await world.settle()
    expect(publisher.publish(video).rejected).toBeNull()
    const [again, established] = [publisher.publish(video), publisher.publish(audio)]
    await world.settle()
    const { DUPLICATE_SUBSCRIPTION, UNINTERESTED } = RequestCode
    const code = spoken.version === 'moqt-18' ? DUPLICATE_SUBSCRIPTION : UNINTERESTED
    expect([again.rejected, established.rejected]).toEqual([code, code])
  })

  it('is refused in the reserved namespaces (section 3.2)', async () => {
    const world = new RelayWorld()
    const publisher = new ManualPublisher(world)
    await world.settle()
    const track = publisher.publish(trackOf(namespaceOf('.session'), 'x'))
    await world.settle()
    expect(track.rejected).toBe(RequestCode.DOES_NOT_EXIST)
    expect(world.relay.trackCount).toBe(0)
  })
})

describe('SUBSCRIBE_TRACKS (section 10.19)', () => {
  it('offers tracks that are there and that come, with the Forward State it asked for', async () => {
    const world = new RelayWorld()
    const publisher = new ManualPublisher(world)
    const [eager, patient, elsewhere] = [
      new ManualSubscriber(world),
      new ManualSubscriber(world),
      new ManualSubscriber(world),
    ]
    patient.answer = { forward: false }
    await world.settle()
    const first = publisher.publish(video, { largest: { group: 4, object: 2 } })
    await world.settle()
    eager.watchTracks(namespaceOf('live'))
    patient.watchTracks(news, { forward: false })
    elsewhere.watchTracks(namespaceOf('live', 'sport'))
    await world.settle()
    const second = publisher.publish(audio)
    await world.settle()
    const largest = { group: 4, object: 2 }
    expect(eager.offers).toEqual([
      { track: formatTrack(video), forward: true, largest },
      { track: formatTrack(audio), forward: true, largest: null },
    ])
    expect(patient.offers.map(({ forward }) => forward)).toEqual([false, false])
    expect(elsewhere.offers).toEqual([])
    expect(first.updates).toEqual([{ forward: true }])
    expect(second.answer).toEqual({ forward: true })
    second.stream(0, 0).object(0).fin()
    await world.settle()
    expect(eager.offered.get(formatTrack(audio))!.objects).toEqual(['0/0'])
    expect(patient.offered.get(formatTrack(audio))!.objects).toEqual([])
    patient.offered.get(formatTrack(audio))!.update({ forward: true })
    await world.settle()
    second.stream(1, 0).object(0)
    await world.settle()
    expect(patient.offered.get(formatTrack(audio))!.objects).toEqual(['1/0'])
    second.done(DoneCode.TRACK_ENDED)
    await world.settle()
    expect(eager.offered.get(formatTrack(audio))!.done).toBe(DoneCode.TRACK_ENDED)
  })

  it('offers a track that the relay subscribed to, and not to its publisher (section 6.1)', async () => {
    const world = new RelayWorld()
    const publisher = new ManualPublisher(world, news)
    publisher.willServe(video)
    publisher.session.subscribeTracks([], {})
    const [subscriber, watcher] = [new ManualSubscriber(world), new ManualSubscriber(world)]
    watcher.watchTracks(news)
    await world.settle()
    subscriber.subscribe(video)
    await world.settle()
    expect(watcher.offers.map(({ track }) => track)).toEqual([formatTrack(video)])
    publisher.track(video).stream(0, 0).object(0)
    await world.settle()
    expect(watcher.offered.get(formatTrack(video))!.objects).toEqual(['0/0'])
    expect(world.relay.subscriptionCount).toBe(2)
  })

  it('does not offer a track again to who refused it or has it', async () => {
    const world = new RelayWorld()
    const [one, two] = [new ManualPublisher(world), new ManualPublisher(world)]
    const watcher = new ManualSubscriber(world)
    watcher.answer = null
    watcher.watchTracks(news)
    await world.settle()
    const track = one.publish(video)
    await world.settle()
    two.publish(video)
    await world.settle()
    expect(watcher.offers).toHaveLength(1)
    // Nobody wants objects after the refusal.
    expect(track.updates.at(-1)).toEqual({ forward: false })
    // It can be subscribed to instead.
    const seen = watcher.subscribe(video)
    await world.settle()
    expect(seen.accepted).not.toBeNull()
    expect(watcher.offers).toHaveLength(1)
  })

  it('tells with PUBLISH_BLOCKED what it cannot offer for want of a stream (section 6.1)', async () => {
    const world = new RelayWorld({ bidiCredit: 2 })
    const publisher = new ManualPublisher(world)
    const watcher = new ManualSubscriber(world)
    watcher.watchTracks(news)
    await world.settle()
    const third = trackOf(news, 'third')
    for (const track of [video, audio]) publisher.publish(track)
    const other = new ManualPublisher(world)
    other.publish(third)
    await world.settle()
    expect(watcher.offers).toHaveLength(2)
    expect(watcher.blocked).toEqual([formatTrack(third)])
    watcher.offered.get(formatTrack(video))!.subscription!.unsubscribe()
    await world.settle()
    expect(watcher.offers).toHaveLength(2)
  })

  it('refuses a prefix that overlaps, and changes it by an update (section 10.9.2)', async () => {
    const world = new RelayWorld()
    const publisher = new ManualPublisher(world)
    const watcher = new ManualSubscriber(world)
    await world.settle()
    const other = trackOf(namespaceOf('other'), 'x')
    publisher.publish(video)
    publisher.publish(other)
    const watch = watcher.watchTracks(namespaceOf('nothing'))
    const second = watcher.watchTracks(namespaceOf('live', 'sport'))
    // The other kind of request has prefixes of its own (section 10.18).
    watcher.session.subscribeNamespace(namespaceOf('live', 'sport'), {
      onNamespace: () => {},
      onNamespaceDone: () => {},
    })
    await world.settle()
    const overlapping = watcher.watchTracks(namespaceOf('live', 'sport', 'golf'))
    await world.settle()
    expect(overlapping.refused).toBe(RequestCode.PREFIX_OVERLAP)
    watch.update({ namespacePrefix: news })
    await world.settle()
    expect(watcher.offers.map(({ track }) => track)).toEqual([formatTrack(video)])
    let refused = 0
    second.update({ namespacePrefix: [] }, (error) => {
      refused = error?.code ?? 0
    })
    await world.settle()
    expect(refused).toBe(RequestCode.PREFIX_OVERLAP)
    watch.cancel()
    await world.settle()
    publisher.publish(audio)
    await world.settle()
    expect(watcher.offers).toHaveLength(1)
    // What it had was not ended by the cancellation (section 10.18).
    expect(watcher.offered.get(formatTrack(video))!.done).toBeNull()
  })
})
