import type { PublicMessage } from 'ts-mls'

export interface HeldCommit {
  readonly epoch: number
  readonly bytes: Uint8Array
  readonly message: PublicMessage
}

const MAX_HELD = 64

/**
 * Commits that came before their turn: each epoch is a stream of its own, so they may arrive in any
 * order. Bounded; the farthest epochs go first, since the nearest are needed next.
 */
export class HeldCommits {
  private readonly byEpoch = new Map<number, HeldCommit>()

  put(commit: HeldCommit): void {
    if (!this.byEpoch.has(commit.epoch)) this.byEpoch.set(commit.epoch, commit)
    if (this.byEpoch.size > MAX_HELD) this.byEpoch.delete(Math.max(...this.byEpoch.keys()))
  }

  /** Removes and returns the commit that makes `epoch`. */
  take(epoch: number): HeldCommit | undefined {
    const commit = this.byEpoch.get(epoch)
    this.byEpoch.delete(epoch)
    return commit
  }

  /** Forgets all up to and including `epoch`. */
  dropThrough(epoch: number): void {
    for (const held of this.byEpoch.keys()) if (held <= epoch) this.byEpoch.delete(held)
  }

  /** Forgets what `unwanted` says. */
  drop(unwanted: (commit: HeldCommit) => boolean): void {
    for (const [epoch, held] of this.byEpoch) if (unwanted(held)) this.byEpoch.delete(epoch)
  }

  clear(): void {
    this.byEpoch.clear()
  }
}
