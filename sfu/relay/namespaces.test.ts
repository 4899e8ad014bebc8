import { describe, expect, it } from 'vitest'
import { RequestCode } from '../../moq/wire/codes.ts'
import { formatNamespace, type Namespace, namespaceOf, trackOf } from '../../moq/wire/names.ts'
import { NamespaceRegistry } from './namespaces.ts'
import { ManualPublisher, ManualSubscriber } from './test-peers.ts'
import { RelayWorld, Subscriber } from './test-world.ts'

const live = namespaceOf('live')
const news = namespaceOf('live', 'news')

function watcher(prefix: Namespace) {
  const told: string[] = []
  return {
    prefix,
    told,
    namespace: (namespace: Namespace) => told.push(`+${formatNamespace(namespace)}`),
    namespaceDone: (namespace: Namespace) => told.push(`-${formatNamespace(namespace)}`),
  }
}

describe('namespace registry', () => {
  it('finds publishers by prefix, field by field: the longest prefix and the newest first', () => {
    const registry = new NamespaceRegistry<string>()
    registry.publish(live, 'everything live')
    registry.publish(news, 'old')
    registry.publish(news, 'new')
    registry.publish(namespaceOf('livestream'), 'another')
    registry.publish(namespaceOf('live', 'news', 'today'), 'below')
    registry.publish(live, 'new')
    expect(registry.publishersOf(news)).toEqual(['new', 'old', 'everything live'])
    registry.publish([], 'all')
    expect(registry.publishersOf(namespaceOf('elsewhere'))).toEqual(['all'])
  })

  it('tells a namespace once, and done when its last publisher withdrew its last request', () => {
    const registry = new NamespaceRegistry<string>()
    const all = watcher([])
    registry.watch(all)
    registry.publish(news, 'one')
    registry.publish(news, 'one')
    registry.publish(news, 'two')
    registry.withdraw(news, 'two')
    registry.withdraw(news, 'one')
    registry.withdraw(news, 'stranger')
    expect(all.told).toEqual(['+live-news'])
    registry.withdraw(news, 'one')
    expect(all.told).toEqual(['+live-news', '-live-news'])
    expect(registry.list()).toEqual([])
  })
})

describe('SUBSCRIBE_NAMESPACE at the relay', () => {
  it('tells a session of its own namespaces too (section 6.1)', async () => {
    const world = new RelayWorld()
    const peer = new Subscriber(world)
    peer.watch(live)
    peer.session.publishNamespace(news, {})
    await world.settle()
    expect(peer.namespaces).toEqual(['live-news'])
  })

  it('goes on with a namespace that is published twice by one session, or by two', async () => {
    const world = new RelayWorld()
    const [one, two, observer] = [
      new Subscriber(world),
      new Subscriber(world),
      new Subscriber(world),
    ]
    observer.watch(live)
    const first = one.session.publishNamespace(news, {})
    const second = one.session.publishNamespace(news, {})
    const third = two.session.publishNamespace(news, {})
    await world.settle()
    for (const request of [first, third]) {
      request.withdraw()
      await world.settle()
      expect(observer.namespaces).toEqual(['live-news'])
    }
    second.withdraw()
    await world.settle()
    expect(observer.namespaces).toEqual([])
  })

  it('changes its prefix by an update, and then tells what is new under it (section 10.9.2)', async () => {
    const world = new RelayWorld()
    const [publisher, observer] = [new Subscriber(world), new Subscriber(world)]
    publisher.session.publishNamespace(news, {})
    publisher.session.publishNamespace(namespaceOf('live', 'sport'), {})
    const found: string[] = []
    const errors: number[] = []
    const watch = observer.session.subscribeNamespace(news, {
      onNamespace: (namespace) => found.push(formatNamespace(namespace)),
      onNamespaceDone: () => {},
    })
    observer.watch(namespaceOf('other'))
    await world.settle()
    watch.update({ namespacePrefix: live })
    await world.settle()
    publisher.session.publishNamespace(namespaceOf('live', 'music'), {})
    await world.settle()
    expect(found).toEqual(['live-news', 'live-sport', 'live-music'])
    watch.update({ namespacePrefix: namespaceOf('other', 'field') }, (error) =>
      errors.push(error?.code ?? 0),
    )
    await world.settle()
    expect(errors).toEqual([RequestCode.PREFIX_OVERLAP])
  })

  it('refuses to publish in a reserved namespace (section 3.2)', async () => {
    const world = new RelayWorld()
    const codes: number[] = []
    new Subscriber(world).session.publishNamespace(namespaceOf('.session'), {
      onRejected: (error) => codes.push(error.code),
    })
    await world.settle()
    expect(codes).toEqual([RequestCode.DOES_NOT_EXIST])
  })

  it('asks a publisher anew that publishes the namespace again after it refused a track', async () => {
    const world = new RelayWorld()
    const [publisher, other] = [new ManualPublisher(world, news), new ManualPublisher(world, live)]
    const video = trackOf(news, 'video')
    other.willServe(video)
    const subscriber = new ManualSubscriber(world)
    await world.settle()
    subscriber.subscribe(video)
    await world.settle()
    expect(publisher.asked).toHaveLength(1)
    publisher.willServe(video)
    publisher.session.publishNamespace(news, {})
    await world.settle()
    expect(publisher.asked).toHaveLength(2)
  })
})
