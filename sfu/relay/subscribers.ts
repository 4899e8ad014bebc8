import type { Downstream } from './downstream.ts'
import type { Peer } from './peer.ts'

/**
 * A track's subscribers, each in a numbered slot, so that what is kept for each of them elsewhere
 * stands in an array under the same number. A slot that was left is given to the next who comes.
 */
export class Subscribers {
  /** Null where a slot is free. */
  readonly slots: (Downstream | null)[] = []
  private readonly free: number[] = []
  /** A session subscribes to a track once at most (section 5.1). */
  private readonly byPeer = new Map<Peer, Downstream>()

  get size(): number {
    return this.byPeer.size
  }

  get(peer: Peer): Downstream | undefined {
    return this.byPeer.get(peer)
  }

  /** A copy: serving one may remove another. */
  list(): Downstream[] {
    return [...this.byPeer.values()]
  }

  add(downstream: Downstream): void {
    const slot = this.free.pop() ?? this.slots.length
    this.slots[slot] = downstream
    downstream.slot = slot
    this.byPeer.set(downstream.peer, downstream)
  }

  /** @returns false when it was removed before */
  remove(downstream: Downstream): boolean {
    const { peer, slot } = downstream
    if (this.slots[slot] !== downstream) return false
    this.slots[slot] = null
    this.free.push(slot)
    if (this.byPeer.get(peer) === downstream) this.byPeer.delete(peer)
    return true
  }

  /** Whether any wants objects (Forward State 1). */
  get wantObjects(): boolean {
    for (const { publication } of this.byPeer.values()) if (publication.forward) return true
    return false
  }
}
