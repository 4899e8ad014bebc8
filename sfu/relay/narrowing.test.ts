import { describe, expect, it } from 'vitest'
import { DoneCode, RequestCode } from '../../moq/wire/codes.ts'
import { formatTrack, namespaceOf, textOf, trackOf } from '../../moq/wire/names.ts'
import { ManualPublisher, ManualSubscriber } from './test-peers.ts'
import { RelayWorld, Subscriber } from './test-world.ts'

const news = namespaceOf('live', 'news')
const sport = namespaceOf('live', 'sport')
const kept = trackOf(news, 'kept')
const lost = trackOf(sport, 'lost')
const isNews = (namespace: readonly Uint8Array[]) => textOf(namespace[1]!) === 'news'

/** From now on the session may only deal with news. */
function narrow(world: RelayWorld, index: number): void {
  const peer = world.peers[index]!
  peer.maySubscribe = ({ namespace }) => isNews(namespace)
  peer.mayPublish = ({ namespace }) => isNews(namespace)
  peer.maySubscribeNamespace = isNews
  peer.mayPublishNamespace = isNews
  world.relay.onNarrowed(peer)
}

describe('a session whose right is narrowed', () => {
  it('loses the subscriptions that it may not have any more, and keeps the others', async () => {
    const world = new RelayWorld()
    const [subscriber, publisher] = [new ManualSubscriber(world), new ManualPublisher(world)]
    await world.settle()
    const tracks = [kept, lost].map((track) => publisher.publish(track))
    const [first, second] = [kept, lost].map((track) => subscriber.subscribe(track))
    const waiting = subscriber.subscribe(trackOf(sport, 'later'), { rendezvousTimeout: 1000 })
    await world.settle()
    narrow(world, 0)
    await world.settle()
    expect([first!.done, second!.done]).toEqual([null, DoneCode.UNAUTHORIZED])
    expect(waiting.rejected).toBe(RequestCode.UNAUTHORIZED)
    expect(tracks[1]!.updates.at(-1)).toEqual({ forward: false })
    tracks[0]!.stream(0, 0).object(0)
    await world.settle()
    expect(first!.objects).toEqual(['0/0'])
  })

  it('loses what it publishes: its subscribers hear that the track ended', async () => {
    const world = new RelayWorld()
    const publisher = new ManualPublisher(world, news)
    publisher.session.publishNamespace(sport, {})
    publisher.willServe(trackOf(sport, 'asked'))
    const [subscriber, watcher] = [new ManualSubscriber(world), new Subscriber(world)]
    watcher.watch(namespaceOf('live'))
    await world.settle()
    const tracks = [kept, lost].map((track) => publisher.publish(track))
    const seen = [kept, lost, trackOf(sport, 'asked')].map((track) => subscriber.subscribe(track))
    await world.settle()
    expect(watcher.namespaces).toEqual(['live-news', 'live-sport'])
    narrow(world, 0)
    await world.settle()
    expect(seen.map(({ done }) => done)).toEqual([null, DoneCode.TRACK_ENDED, DoneCode.TRACK_ENDED])
    expect(tracks.map(({ cancelled }) => cancelled)).toEqual([false, true])
    expect(watcher.namespaces).toEqual(['live-news'])
  })

  it('is told of no more namespaces and offered no more tracks than it may see', async () => {
    const world = new RelayWorld()
    const [watcher, publisher] = [new ManualSubscriber(world), new ManualPublisher(world)]
    const ended: string[] = []
    for (const prefix of [news, sport]) {
      watcher.watchTracks(prefix)
      watcher.session.subscribeNamespace(prefix, {
        onNamespace: () => {},
        onNamespaceDone: () => {},
        onDone: () => ended.push(textOf(prefix[1]!)!),
      })
    }
    await world.settle()
    narrow(world, 0)
    await world.settle()
    expect(ended).toEqual(['sport'])
    expect(world.peers[0]!.watches.size).toBe(1)
    expect(world.peers[0]!.trackWatches.size).toBe(1)
    for (const track of [kept, lost]) publisher.publish(track)
    await world.settle()
    expect(watcher.offers.map(({ track }) => track)).toEqual([formatTrack(kept)])
  })

  it('may not move a prefix to where it has no right', async () => {
    const world = new RelayWorld()
    const watcher = new ManualSubscriber(world)
    const watch = watcher.watchTracks(news)
    await world.settle()
    narrow(world, 0)
    let refused = 0
    watch.update({ namespacePrefix: sport }, (error) => {
      refused = error?.code ?? 0
    })
    await world.settle()
    expect(refused).toBe(RequestCode.UNAUTHORIZED)
  })
})
