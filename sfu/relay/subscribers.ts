import type { Downstream } from './downstream.ts'
import type { Peer } from './peer.ts'
import { PerPeer } from './per-peer.ts'

/**
 * A track's subscribers, each in a numbered slot, so that what is kept for each of them elsewhere
 * stands in an array under the same number. A slot that was left is given to the next who comes.
 */
export class Subscribers {
  /** Null where a slot is free. */
  readonly slots: (Downstream | null)[] = []
  private readonly free: number[] = []
  private readonly all = new PerPeer<Downstream>()

  get size(): number {
    return this.all.size
  }

  has(peer: Peer): boolean {
    return this.all.has(peer)
  }

  /** A copy: those of one session. */
  of(peer: Peer): Downstream[] {
    return [...this.all.of(peer)]
  }

  /** A copy: serving one may remove another. */
  list(): Downstream[] {
    return [...this.all]
  }

  add(downstream: Downstream): void {
    const slot = this.free.pop() ?? this.slots.length
    this.slots[slot] = downstream
    downstream.slot = slot
    this.all.add(downstream)
  }

  /** @returns false when it was removed before */
  remove(downstream: Downstream): boolean {
    if (!this.all.delete(downstream)) return false
    this.slots[downstream.slot] = null
    this.free.push(downstream.slot)
    return true
  }

  /** Whether any wants objects (Forward State 1). */
  get wantObjects(): boolean {
    for (const { publication } of this.all) if (publication.forward) return true
    return false
  }
}
