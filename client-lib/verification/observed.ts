/** One participant as this member sees it: in the group or not, in the room or not, and what it says. */

import type { AlarmName } from './alarms.ts'
import { compare } from './comparison.ts'
import type { Ledger } from './ledger.ts'
import type { Listener } from './listener.ts'
import { type Suspicion, Suspicions } from './suspicions.ts'

/** Somebody who was heard of within this time, ms, is there. */
const TRAFFIC_MS = 2000

export class Observed {
  readonly listener: Listener
  announced = false
  private wasAnnounced = false
  private inGroup = false
  /** Since when it is in the room, and in the group with us, ms; null while it is not. */
  private metAt: number | null = null
  private trafficAt = Number.NEGATIVE_INFINITY
  private readonly suspicions: Suspicions

  /** @param graceMs how long the group waits before it removes who vanished */
  constructor(listener: Listener, graceMs: number) {
    this.listener = listener
    this.suspicions = new Suspicions(graceMs)
  }

  get alarms(): AlarmName[] {
    return this.suspicions.alarms()
  }

  /** In the group, and not in the room for too long. */
  get isGhost(): boolean {
    return this.alarms.includes('ghost')
  }

  get isGone(): boolean {
    return !this.announced && !this.inGroup
  }

  setAnnounced(announced: boolean): void {
    this.announced = announced
    this.wasAnnounced ||= announced
  }

  /** @param key fingerprint of its leaf's key; null when it holds no leaf */
  setKey(key: string | null): void {
    this.inGroup = key !== null
    this.listener.expect(key)
  }

  noteTraffic(now: number): void {
    this.trafficAt = now
  }

  /**
   * Returns whether its alarms have changed.
   * @param repeatMs how often it repeats its statement
   */
  judge(ledger: Ledger, repeatMs: number, now: number): boolean {
    const met = this.inGroup && this.announced && !ledger.isOutside
    if (!met) this.metAt = null
    else this.metAt ??= now
    return this.suspicions.update(new Set(this.suspect(ledger, repeatMs, now)), now)
  }

  private *suspect(ledger: Ledger, repeatMs: number, now: number): Generator<Suspicion> {
    const { inGroup, announced } = this
    const { current, rows, changedAt } = ledger
    const { heard, otherKeyAt } = this.listener
    if (current === null) return
    if (inGroup && !announced) yield this.wasAnnounced ? 'vanished' : 'never-shown'
    const isFresh = (at: number | null) => at !== null && now - at <= 2 * repeatMs
    const confirmed = heard !== null && isFresh(heard.at)
    // Anybody may say anything under a key of its own: it counts where the owner says nothing.
    if (announced && isFresh(otherKeyAt) && !confirmed) yield 'other-group'
    if (!inGroup) return
    if (announced && this.isSilent(repeatMs, now)) yield 'silent'
    if (heard === null) return
    const { keys, together, groups, lead, log } = compare(rows, heard.rows, heard.at)
    if (keys) yield together ? 'other-keys-before' : 'other-keys'
    // Said since our last change, for before it could not know; and not by somebody cut off since.
    const knows = heard.at > changedAt && confirmed
    if (groups && knows) yield 'other-group'
    if ((lead > 0 && confirmed) || (lead < 0 && knows)) yield 'other-epoch'
    if (log && knows) yield 'other-log'
  }

  /** Its media come, its statements do not. */
  private isSilent(repeatMs: number, now: number): boolean {
    if (this.metAt === null || now - this.trafficAt > TRAFFIC_MS) return false
    const since = Math.max(this.metAt, this.listener.heard?.at ?? 0)
    // One statement may be late; patience with the next is the suspicion's own.
    return now - since > 1.5 * repeatMs - 1000
  }
}
