import type { IncomingNamespaceSubscription } from '../../moq/session/index.ts'
import { formatNamespace, type Namespace } from '../../moq/wire/names.ts'

/**
 * Which peers publish which namespaces, and who wants to hear of them (draft-18 sections 6 and 9.5).
 * Look-ups walk the fields of one name, so they do not grow with the number of namespaces.
 */
export class NamespaceRegistry<Peer> {
  private readonly publishers = new Map<string, PublishedNamespace<Peer>>()
  private readonly watchers = new Map<string, Set<IncomingNamespaceSubscription>>()

  /** @returns whether the namespace is new to the relay */
  publish(namespace: Namespace, peer: Peer): boolean {
    const key = formatNamespace(namespace)
    const known = this.publishers.get(key)
    if (known) {
      // The newest publisher is asked first; see `find`.
      known.peers.delete(peer)
      known.peers.add(peer)
      return false
    }
    this.publishers.set(key, { namespace, peers: new Set([peer]) })
    this.forEachWatcher(namespace, (watcher) => watcher.namespace(namespace))
    return true
  }

  withdraw(namespace: Namespace, peer: Peer): void {
    const key = formatNamespace(namespace)
    const known = this.publishers.get(key)
    if (!known?.peers.delete(peer) || known.peers.size > 0) return
    this.publishers.delete(key)
    this.forEachWatcher(namespace, (watcher) => watcher.namespaceDone(namespace))
  }

  /** Tells the watcher of what is there, and from now on of changes. */
  watch(watcher: IncomingNamespaceSubscription): void {
    const key = formatNamespace(watcher.prefix)
    const set = this.watchers.get(key) ?? new Set()
    set.add(watcher)
    this.watchers.set(key, set)
    for (const { namespace } of this.publishers.values()) {
      if (namespace.length < watcher.prefix.length) continue
      const head = namespace.slice(0, watcher.prefix.length)
      if (formatNamespace(head) === key) watcher.namespace(namespace)
    }
  }

  unwatch(watcher: IncomingNamespaceSubscription): void {
    const key = formatNamespace(watcher.prefix)
    const set = this.watchers.get(key)
    if (set?.delete(watcher) && set.size === 0) this.watchers.delete(key)
  }

  /** The peer to ask for a track: of the longest published prefix of its namespace, the newest. */
  find(namespace: Namespace): Peer | null {
    for (let length = namespace.length; length >= 0; length--) {
      const known = this.publishers.get(formatNamespace(namespace.slice(0, length)))
      if (!known) continue
      let newest: Peer | null = null
      for (const peer of known.peers) newest = peer
      if (newest) return newest
    }
    return null
  }

  /** Namespaces that are published now. */
  list(): Namespace[] {
    return [...this.publishers.values()].map((known) => known.namespace)
  }

  private forEachWatcher(
    namespace: Namespace,
    tell: (watcher: IncomingNamespaceSubscription) => void,
  ): void {
    for (let length = 0; length <= namespace.length; length++) {
      const set = this.watchers.get(formatNamespace(namespace.slice(0, length)))
      if (set) for (const watcher of set) tell(watcher)
    }
  }
}

interface PublishedNamespace<Peer> {
  readonly namespace: Namespace
  /** In order of arrival. */
  readonly peers: Set<Peer>
}
