/**
 * Which lost datagram objects to ask for again (by FETCH), and when: for a relay towards a publisher and
 * for a client towards a relay. A publisher of ours numbers the objects of a group in one row, so a gap
 * is a loss once there was time for a late arrival; it is asked for while the answer can still come within
 * the deadline. Pure: time and RTT are passed in.
 *
 * A relay that sends a receiver fewer layers leaves gaps on purpose, and a congested path loses much:
 * asking again would make either worse. So who knows a gap for a purpose says so, and where much is
 * missing, nothing is asked for.
 */

import { RepairWindow } from './repair-window.ts'

export interface RepairSettings {
  /** How long an object may come late before it counts as lost, ms. */
  readonly reorderMs: number
  /** How long after it was missed an object is of use, ms: the latency budget of its class. */
  readonly deadlineMs: number
  /** What an answer takes beside the RTT, ms. */
  readonly answerMs: number
  /** Above this share of missing objects nothing is asked for, 0..1. */
  readonly mostMissing: number
  /** Objects asked for, on average a second, and at once. */
  readonly perSecond: number
  readonly burst: number
}

/** How losses are repaired unless told otherwise. */
export const DEFAULT_REPAIR: RepairSettings = {
  reorderMs: 10,
  deadlineMs: 150,
  answerMs: 5,
  mostMissing: 0.25,
  perSecond: 60,
  burst: 20,
}

/** Objects of one group to ask for; both ends included. */
export interface RepairRange {
  readonly group: number
  readonly first: number
  readonly last: number
}

/** What is known of an object that came, beside its place. */
export interface ArrivalContext {
  /** So many objects before it, and behind it, are of its own frame: they exist. Default 0. */
  readonly ahead?: number
  readonly behind?: number
  /**
   * What of the group did not come before its frame: is `missed` (the default), was `left-out` on
   * purpose, or is `unclear` until a later object says.
   */
  readonly gap?: 'missed' | 'left-out' | 'unclear'
}

/** Objects. */
export interface RepairCounters {
  /** Were waited for: a later object came, or another fragment of their frame. */
  missed: number
  /** Came by themselves before they were asked for, but not with the others. */
  late: number
  asked: number
  /** Came after they were asked for. */
  repaired: number
  duplicates: number
  /** Were asked for, and did not come in time. */
  expired: number
  /** Not asked for, because the answer would come too late, */
  hopeless: number
  /** because too much was missing, */
  spared: number
  /** or because too much was asked for. */
  limited: number
}

interface Missing {
  readonly group: number
  readonly object: number
  readonly since: number
  /** Not asked for before, ms. */
  dueAt: number
  asked: boolean
  /** It was asked for before its time. */
  again: boolean
}

/** Missing objects that are followed at a time. */
const MOST = 128
/** Objects over which the share of the missing is taken. */
const SHARE_OBJECTS = 64

/** Decides for one track which missing objects to ask for again, and when; it asks nobody itself. */
export class RepairPlanner {
  readonly counters: RepairCounters = {
    missed: 0,
    late: 0,
    asked: 0,
    repaired: 0,
    duplicates: 0,
    expired: 0,
    hopeless: 0,
    spared: 0,
    limited: 0,
  }
  private readonly settings: RepairSettings
  private current = new RepairWindow()
  private previous = new RepairWindow()
  /** In the order of their times. */
  private missing: Missing[] = []
  private missingShare = 0
  private tokens: number
  private refilledAt: number

  /** @param now ms */
  constructor(now: number, settings: Partial<RepairSettings> = {}) {
    this.settings = { ...DEFAULT_REPAIR, ...settings }
    this.tokens = this.settings.burst
    this.refilledAt = now
  }

  /**
   * An object came, by whatever way: every one of the track has to be told.
   * @returns false when it came before
   */
  received(now: number, group: number, object: number, context: ArrivalContext = {}): boolean {
    if (group > this.current.group) this.begin(group, object)
    const window = group === this.current.group ? this.current : this.previous
    // Too old to be told apart: whoever reads the track drops what is over.
    if (group !== window.group) return true
    const isNew = window.came(object)
    if (isNew === false) this.counters.duplicates++
    if (isNew) {
      this.missingShare -= this.missingShare / SHARE_OBJECTS
      this.found(now, group, object)
      const { ahead = 0, behind = 0, gap = 'missed' } = context
      const onMissed = (id: number) => this.miss(now, group, id)
      const first = Math.max(0, object - ahead)
      if (gap !== 'unclear') window.miss(first, gap === 'missed' ? onMissed : ignore)
      // The fragments behind it are on their way: late only from now on.
      const end = object + 1 + behind
      if (gap === 'unclear') window.miss(end, onMissed, first)
      else window.miss(end, onMissed)
    }
    return isNew !== false
  }

  /**
   * What to ask for now. To be called at `nextAt`.
   * @param rttMs to whom it is asked of, smoothed
   */
  poll(now: number, rttMs: number): RepairRange[] {
    const { deadlineMs, answerMs, mostMissing } = this.settings
    this.refill(now)
    const wanted: Missing[] = []
    this.missing = this.missing.filter((entry) => {
      const age = now - entry.since
      if (entry.asked) return this.isAlive(entry, age < deadlineMs)
      if (now < entry.dueAt) return true
      if (!entry.again) this.missingShare += (1 - this.missingShare) / SHARE_OBJECTS
      if (age + rttMs + answerMs > deadlineMs) this.counters.hopeless++
      else if (this.missingShare > mostMissing) this.counters.spared++
      else if (this.tokens < 1) this.counters.limited++
      else {
        this.tokens--
        this.counters.asked++
        entry.asked = true
        wanted.push(entry)
        return true
      }
      return false
    })
    return rangesOf(wanted)
  }

  /** When something may have to be asked for, even if nothing comes, ms; null: never. */
  get nextAt(): number | null {
    let next: number | null = null
    for (const { asked, dueAt } of this.missing) {
      if (!asked && (next === null || dueAt < next)) next = dueAt
    }
    return next
  }

  /**
   * Who was asked does not know of the objects yet, as nothing behind them has come there: they are asked
   * for once more.
   * @param ms how much later
   */
  postpone(now: number, { group, first, last }: RepairRange, ms: number): void {
    for (const entry of this.missing) {
      if (entry.group !== group || entry.object < first || entry.object > last) continue
      if (!entry.asked || entry.again) continue
      entry.asked = false
      entry.again = true
      entry.dueAt = now + ms
      this.counters.asked--
    }
  }

  /**
   * Whether an object was asked for and can still come, ms: for who assembles frames, to wait as long.
   * Null: there is nothing to wait for.
   */
  awaitedUntil(group: number, object: number): number | null {
    return this.awaitedWithin(group, object, object + 1)
  }

  /** As `awaitedUntil`, for the last of the objects from `first` to before `end`. */
  awaitedWithin(group: number, first: number, end: number): number | null {
    let until: number | null = null
    for (const { group: of, object, since } of this.missing) {
      if (of === group && object >= first && object < end) until = since + this.settings.deadlineMs
    }
    return until
  }

  private begin(group: number, object: number): void {
    const { current, previous } = this
    const isFirst = current.group < 0
    this.current = previous
    this.previous = current
    this.missing = this.missing.filter((entry) => this.isAlive(entry, entry.group >= current.group))
    // Of the first group that is seen, what was before is not missed.
    this.current.begin(group, isFirst ? object : 0)
  }

  private isAlive(entry: Missing, alive: boolean): boolean {
    if (!alive && entry.asked) this.counters.expired++
    return alive
  }

  private miss(now: number, group: number, object: number): void {
    this.counters.missed++
    if (this.missing.length >= MOST) {
      this.counters.limited++
      return
    }
    const dueAt = now + this.settings.reorderMs
    this.missing.push({ group, object, since: now, dueAt, asked: false, again: false })
  }

  private found(now: number, group: number, object: number): void {
    const at = this.missing.findIndex((one) => one.object === object && one.group === group)
    if (at < 0) return
    const { asked, since } = this.missing[at]!
    if (asked) this.counters.repaired++
    else if (now - since >= this.settings.reorderMs / 2) this.counters.late++
    this.missing.splice(at, 1)
  }

  private refill(now: number): void {
    const { perSecond, burst } = this.settings
    const elapsed = Math.max(0, now - this.refilledAt)
    this.tokens = Math.min(burst, this.tokens + (elapsed * perSecond) / 1000)
    this.refilledAt = now
  }
}

function ignore(): void {}

function rangesOf(entries: readonly Missing[]): RepairRange[] {
  const ranges: { group: number; first: number; last: number }[] = []
  for (const { group, object } of entries) {
    const last = ranges.at(-1)
    if (last && last.group === group && last.last + 1 === object) last.last = object
    else ranges.push({ group, first: object, last: object })
  }
  return ranges
}
