/**
 * Which members are gone and ought to be removed: at once who said goodbye, after a grace period whose
 * namespace is not there. Pure bookkeeping on a passed-in time.
 */
const MAX_EARLY = 256

export class Departures {
  private readonly graceMs: number
  private readonly self: string
  private roster = new Set<string>()
  /** Epoch in which each participant's leaf was added, or a lower bound of it. */
  private readonly addedIn = new Map<string, number>()
  private readonly left = new Set<string>()
  /** Goodbyes that came before the commit which added the participant: their epochs. */
  private readonly early = new Map<string, number>()
  private readonly present = new Set<string>()
  private readonly absentSince = new Map<string, number>()
  /** Absence counts only once someone reports presence at all. */
  private reporting = false

  constructor(self: string, graceMs: number) {
    this.self = self
    this.graceMs = graceMs
  }

  /**
   * The group's members as of `epoch`. `rejoined` are those that took a new leaf in it though they
   * were in the roster before: what was said of their old leaf is void.
   */
  setRoster(members: Iterable<string>, rejoined: string | null, epoch: number, now: number): void {
    const roster = new Set(members)
    if (rejoined !== null) this.forget(rejoined)
    for (const id of this.roster) if (!roster.has(id)) this.forget(id)
    for (const id of roster) if (!this.addedIn.has(id)) this.addedIn.set(id, epoch)
    this.roster = roster
    for (const [id, saidIn] of this.early) {
      if (roster.has(id)) this.sayGoodbye(id, saidIn)
      if (saidIn <= epoch) this.early.delete(id)
    }
    this.watchAbsent(now)
  }

  /** A goodbye given in `epoch`; one that is older than the participant's leaf says nothing of it. */
  sayGoodbye(id: string, epoch: number): void {
    const added = this.addedIn.get(id)
    if (added === undefined) {
      if (this.early.size < MAX_EARLY) this.early.set(id, epoch)
    } else if (added <= epoch) {
      this.left.add(id)
    }
  }

  setPresent(id: string, present: boolean, now: number): void {
    this.reporting = true
    if (present) {
      this.present.add(id)
      this.absentSince.delete(id)
    } else {
      this.present.delete(id)
    }
    this.watchAbsent(now)
  }

  /** Members to remove now. */
  gone(now: number): string[] {
    return [...this.roster].filter((id) => id !== this.self && this.isGone(id, now))
  }

  /** ms until somebody's grace period ends, or null when none runs. */
  nextExpiry(now: number): number | null {
    let next: number | null = null
    for (const since of this.absentSince.values()) {
      const wait = since + this.graceMs - now
      if (wait > 0 && (next === null || wait < next)) next = wait
    }
    return next
  }

  /** Leaves the group's memory; presence, which is about namespaces, stays. */
  reset(): void {
    this.roster.clear()
    this.addedIn.clear()
    this.left.clear()
    this.early.clear()
    this.absentSince.clear()
  }

  private isGone(id: string, now: number): boolean {
    const since = this.absentSince.get(id)
    return this.left.has(id) || (since !== undefined && now - since >= this.graceMs)
  }

  private watchAbsent(now: number): void {
    if (!this.reporting) return
    for (const id of this.roster) {
      const known = id === this.self || this.present.has(id) || this.absentSince.has(id)
      if (!known) this.absentSince.set(id, now)
    }
  }

  private forget(id: string): void {
    this.addedIn.delete(id)
    this.left.delete(id)
    this.absentSince.delete(id)
  }
}
