import type { Peer } from './peer.ts'

const NONE: ReadonlySet<never> = new Set()

/**
 * What there is for each session, all of it for one track: one entry a session, unless the session's
 * draft lets it have several (draft-19 section 5.1).
 */
export class PerPeer<T extends { readonly peer: Peer }> {
  private readonly entries = new Set<T>()
  private readonly byPeer = new Map<Peer, Set<T>>()

  get size(): number {
    return this.entries.size
  }

  has(peer: Peer): boolean {
    return this.byPeer.has(peer)
  }

  of(peer: Peer): ReadonlySet<T> {
    return this.byPeer.get(peer) ?? NONE
  }

  /** In the order in which they were added. */
  [Symbol.iterator](): IterableIterator<T> {
    return this.entries.values()
  }

  add(entry: T): void {
    this.entries.add(entry)
    const others = this.byPeer.get(entry.peer)
    if (others) others.add(entry)
    else this.byPeer.set(entry.peer, new Set([entry]))
  }

  /** @returns false when it was not there */
  delete(entry: T): boolean {
    const others = this.byPeer.get(entry.peer)
    if (others?.delete(entry) && others.size === 0) this.byPeer.delete(entry.peer)
    return this.entries.delete(entry)
  }
}
