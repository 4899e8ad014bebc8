import type { IncomingNamespaceSubscription } from '../../moq/session/index.ts'
import { formatNamespace, type Namespace } from '../../moq/wire/names.ts'
import { PrefixIndex } from './prefix-index.ts'
import { headOf, namespaceText, SortedNames } from './sorted-names.ts'

/** Who hears of namespaces. */
export type NamespaceWatcher = Pick<
  IncomingNamespaceSubscription,
  'prefix' | 'namespace' | 'namespaceDone'
>

/**
 * Which peers publish which namespaces, and who wants to hear of them (draft-18 sections 6 and 9.5).
 * A watcher is told of its own namespaces too (section 6.1).
 */
export class NamespaceRegistry<Peer> {
  private readonly publishers = new Map<string, PublishedNamespace<Peer>>()
  private readonly sorted = new SortedNames<Namespace>()
  private readonly watchers = new PrefixIndex<NamespaceWatcher>()

  /** A peer may publish a namespace by several requests; it goes with the last of them. */
  publish(namespace: Namespace, peer: Peer): void {
    const key = formatNamespace(namespace)
    const known = this.publishers.get(key)
    if (known) {
      known.peers.set(peer, (known.peers.get(peer) ?? 0) + 1)
      return
    }
    this.publishers.set(key, { namespace, peers: new Map([[peer, 1]]) })
    this.sorted.add(namespaceText(namespace), namespace)
    for (const watcher of this.watchers.matching(namespace)) watcher.namespace(namespace)
  }

  withdraw(namespace: Namespace, peer: Peer): void {
    const key = formatNamespace(namespace)
    const known = this.publishers.get(key)
    const requests = known?.peers.get(peer)
    if (!known || requests === undefined) return
    if (requests > 1) {
      known.peers.set(peer, requests - 1)
      return
    }
    known.peers.delete(peer)
    if (known.peers.size > 0) return
    this.publishers.delete(key)
    this.sorted.delete(namespaceText(namespace))
    for (const watcher of this.watchers.matching(namespace)) watcher.namespaceDone(namespace)
  }

  /** Tells the watcher of changes from now on; `tellNext` tells it of what is there. */
  watch(watcher: NamespaceWatcher): void {
    this.watchers.add(watcher.prefix, watcher)
  }

  unwatch(watcher: NamespaceWatcher): void {
    this.watchers.delete(watcher.prefix, watcher)
  }

  /** The watcher's prefix changes: `tellNext` follows when it has (section 10.9.2). */
  move(watcher: NamespaceWatcher, prefix: Namespace): void {
    this.watchers.delete(watcher.prefix, watcher)
    this.watchers.add(prefix, watcher)
  }

  /**
   * Tells the watcher of the first namespace under its prefix, or the first behind the one that an
   * earlier call returned; it leaves out what it was told before.
   * @returns by which a call goes on, or null when there is none
   */
  tellNext(watcher: NamespaceWatcher, after: string | null): string | null {
    const found = this.sorted.next(headOf(watcher.prefix), after)
    if (!found) return null
    watcher.namespace(found.value)
    return found.name
  }

  /**
   * Peers that publish the namespace or a prefix of it: of the longest prefix first, and of each the
   * newest first.
   */
  publishersOf(namespace: Namespace): Peer[] {
    const found = new Set<Peer>()
    for (let length = namespace.length; length >= 0; length--) {
      const known = this.publishers.get(formatNamespace(namespace.slice(0, length)))
      if (known) for (const peer of [...known.peers.keys()].reverse()) found.add(peer)
    }
    return [...found]
  }

  /** Namespaces that are published now. */
  list(): Namespace[] {
    return [...this.publishers.values()].map((known) => known.namespace)
  }
}

interface PublishedNamespace<Peer> {
  readonly namespace: Namespace
  /** In order of arrival, each with the number of its requests. */
  readonly peers: Map<Peer, number>
}
