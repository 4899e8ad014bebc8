import type { Clock } from '../../../moq/session/index.ts'

export interface PresenceOptions {
  readonly clock: Clock
  /** How long who is withdrawn may take to be back before it is gone, ms. Default 3000. */
  readonly graceMs?: number
  /** How long a new session may take to announce who was there before, ms. Default 5000. */
  readonly settleMs?: number
  /** Announced, when it was not. */
  readonly onAnnounced: (id: string) => void
  /** Announced by no session any more; it may come back. */
  readonly onWithdrawn: (id: string) => void
  /** There, having been gone or never there before. */
  readonly onCame: (id: string) => void
  /** Whether somebody who is withdrawn may be back: a member of the group may. */
  readonly mayReturn: (id: string) => boolean
  /** It did not come back. */
  readonly onGone: (id: string) => void
}

const GRACE_MS = 3000
const SETTLE_MS = 5000

/** A session, as the one that announces. */
type Source = object

interface Entry {
  readonly sources: Set<Source>
  withdrawn: boolean
  stopTimer: () => void
}

/**
 * Who is there, by what one session after the other announces. That our own session is gone says
 * nothing of the others, and who loses a session is mostly back in a moment.
 */
export class Presence {
  private readonly options: PresenceOptions
  private readonly entries = new Map<string, Entry>()
  private stopSettling: () => void = () => {}

  constructor(options: PresenceOptions) {
    this.options = options
  }

  announce(source: Source, id: string): void {
    const known = this.entries.get(id)
    const entry = known ?? { sources: new Set(), withdrawn: true, stopTimer: () => {} }
    entry.sources.add(source)
    entry.stopTimer()
    this.entries.set(id, entry)
    if (entry.withdrawn) {
      entry.withdrawn = false
      this.options.onAnnounced(id)
    }
    if (!known) this.options.onCame(id)
  }

  withdraw(source: Source, id: string): void {
    const entry = this.entries.get(id)
    if (!entry?.sources.delete(source) || entry.sources.size > 0) return
    entry.withdrawn = true
    this.options.onWithdrawn(id)
    const { clock, graceMs = GRACE_MS, mayReturn } = this.options
    if (!mayReturn(id)) {
      this.remove(id)
      return
    }
    entry.stopTimer = clock.after(graceMs, () => this.remove(id))
  }

  /** The session is over: what it announced holds until another one has told. */
  lose(source: Source): void {
    this.stopSettling()
    for (const { sources } of this.entries.values()) sources.delete(source)
  }

  /** A new session tells who is there; whom it does not name in time is gone. */
  settle(): void {
    this.stopSettling()
    const { clock, settleMs = SETTLE_MS } = this.options
    this.stopSettling = clock.after(settleMs, () => {
      for (const [id, { sources, withdrawn }] of [...this.entries]) {
        if (sources.size > 0 || withdrawn) continue
        this.options.onWithdrawn(id)
        this.remove(id)
      }
    })
  }

  /** The group changed: who is withdrawn and is no member any more is not waited for. */
  review(): void {
    for (const [id, { withdrawn }] of [...this.entries]) {
      if (withdrawn && !this.options.mayReturn(id)) this.remove(id)
    }
  }

  close(): void {
    this.stopSettling()
    for (const { stopTimer } of this.entries.values()) stopTimer()
    this.entries.clear()
  }

  private remove(id: string): void {
    this.entries.get(id)?.stopTimer()
    this.entries.delete(id)
    this.options.onGone(id)
  }
}
