/** Fetches entries of the delivery service's log that were missed, by where epochs lie in its track. */

import { logTrack } from '../../../moq/delivery/index.ts'
import type { CallSession } from './call-session.ts'

/** Epochs whose place in the track is remembered. */
const MAX_PLACES = 64
/** Groups before the place that is guessed for an epoch: a few commits were taken back, perhaps. */
const SLACK = 16
/** Groups asked for at most. */
const MAX_GROUPS = 512

export class LogFetch {
  private readonly session: CallSession
  private readonly room: string
  private readonly onEntry: (payload: Uint8Array) => void
  /** Group of the track by epoch, of entries and snapshots that came. */
  private readonly places = new Map<number, number>()
  private newestGroup = -1
  private running: { cancel(): void } | null = null

  constructor(session: CallSession, room: string, onEntry: (payload: Uint8Array) => void) {
    this.session = session
    this.room = room
    this.onEntry = onEntry
  }

  /** An entry, or the snapshot, of `epoch` is in, or tells of, `group` of the log. */
  note(epoch: number, group: number): void {
    this.newestGroup = Math.max(this.newestGroup, group)
    // Where a commit was taken back, its epoch was made twice: from the first time on is all of it.
    const first = Math.min(this.places.get(epoch) ?? group, group)
    this.places.delete(epoch)
    this.places.set(epoch, first)
    for (const known of this.places.keys()) {
      if (this.places.size <= MAX_PLACES) return
      this.places.delete(known)
    }
  }

  /** One fetch at a time; a new one takes the place of the last. */
  from(epoch: number): void {
    if (this.newestGroup < 0 || this.session.closed) return
    this.running?.cancel()
    const start = Math.max(0, this.groupOf(epoch), this.newestGroup - MAX_GROUPS)
    const range = {
      kind: 'standalone',
      track: logTrack(this.room),
      start: { group: start, object: 0 },
      end: { group: this.newestGroup + SLACK, object: 0 },
    } as const
    const over = () => {
      if (this.running === request) this.running = null
    }
    const request: { cancel(): void } = this.session.fetch(range, {
      onObject: ({ payload }) => this.onEntry(payload),
      onRejected: over,
      onEnd: over,
      onReset: over,
    })
    this.running = request
  }

  /** The log is another one than before. */
  reset(): void {
    this.close()
    this.places.clear()
    this.newestGroup = -1
  }

  close(): void {
    this.running?.cancel()
    this.running = null
  }

  private groupOf(epoch: number): number {
    // Every commit after an epoch is in a later group than that epoch's.
    const before = this.places.get(epoch - 1) ?? this.places.get(epoch)
    if (before !== undefined) return before
    // Groups grow at least as fast as epochs.
    let guess = this.newestGroup
    for (const [known, group] of this.places) {
      if (known > epoch) guess = Math.min(guess, group - (known - epoch))
    }
    return guess - SLACK
  }
}
