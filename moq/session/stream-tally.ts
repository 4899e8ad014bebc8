import type { IncomingSubgroup } from './subscription-handler.ts'

/** The streams of a subscription of ours: which are open, and whether all have come. */
export class StreamTally {
  private readonly open = new Set<IncomingSubgroup>()
  private seen = 0
  /** Of PUBLISH_DONE; null: unknown, so that only time tells. */
  private expected: number | null = null
  private closed = false

  opened(subgroup: IncomingSubgroup): void {
    this.seen++
    this.open.add(subgroup)
  }

  ended(subgroup: IncomingSubgroup): void {
    this.open.delete(subgroup)
  }

  /** PUBLISH_DONE says how many there are in all (draft-18 section 10.11). */
  expect(count: number | null): void {
    this.expected = count
  }

  /** No further ones are taken. */
  close(): void {
    this.closed = true
  }

  /** Whether none is open and none is to come. */
  get complete(): boolean {
    if (this.open.size > 0) return false
    return this.closed || (this.expected !== null && this.seen >= this.expected)
  }

  /** Stops those that are open. */
  stop(code: number): void {
    for (const subgroup of [...this.open]) subgroup.stop(code)
    this.open.clear()
  }
}
