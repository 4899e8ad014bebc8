/**
 * What looks wrong with one participant, and since when. Honest members differ for a moment, too: a
 * commit, a statement or a namespace is under way. So each suspicion has a patience, and becomes an
 * alarm when it held all through it.
 */

import { type AlarmName, alarmNames } from './alarms.ts'

export type Suspicion =
  /** Other keys for an epoch in which both are, or were. */
  | 'other-keys'
  /** Other keys for an epoch before, and now the same again. */
  | 'other-keys-before'
  /** In a group of its own, or vouched for by a key that our group does not know. */
  | 'other-group'
  | 'other-epoch'
  | 'other-log'
  /** Heard of, and no statement. */
  | 'silent'
  /** In the group, never seen in the room. */
  | 'never-shown'
  /** In the group, no longer seen in the room. */
  | 'vanished'

interface Rule {
  readonly alarm: AlarmName
  readonly patienceMs: number
  /** What it shows cannot be made good: the alarm stays. */
  readonly stays: boolean
}

/** So much later than it may, ms, a group has removed who vanished; who is in it still hides. */
const REMOVAL_MS = 2000

/** @param graceMs how long the group waits for who vanished */
const rulesFor = (graceMs: number): Readonly<Record<Suspicion, Rule>> => ({
  // A member that takes a skipped commit back needs a moment for it.
  'other-keys': { alarm: 'fork', patienceMs: 1500, stays: true },
  'other-keys-before': { alarm: 'fork-merged', patienceMs: 1500, stays: true },
  'other-group': { alarm: 'fork', patienceMs: 4000, stays: false },
  'other-epoch': { alarm: 'epoch-differs', patienceMs: 4000, stays: false },
  'other-log': { alarm: 'log-differs', patienceMs: 3000, stays: false },
  silent: { alarm: 'unconfirmed', patienceMs: 4000, stays: false },
  'never-shown': { alarm: 'ghost', patienceMs: 3000, stays: false },
  vanished: { alarm: 'ghost', patienceMs: graceMs + REMOVAL_MS, stays: false },
})

export class Suspicions {
  private readonly since = new Map<Suspicion, number>()
  private readonly raised = new Set<AlarmName>()
  private readonly stays = new Set<AlarmName>()
  private readonly rules: ReturnType<typeof rulesFor>

  /** @param graceMs how long the group waits before it removes who vanished */
  constructor(graceMs: number) {
    this.rules = rulesFor(graceMs)
  }

  /** What holds now. Returns whether the alarms have changed. */
  update(holding: ReadonlySet<Suspicion>, now: number): boolean {
    for (const suspicion of this.since.keys()) {
      if (!holding.has(suspicion)) this.since.delete(suspicion)
    }
    for (const suspicion of holding) {
      if (!this.since.has(suspicion)) this.since.set(suspicion, now)
    }
    const before = this.alarms().join()
    for (const name of this.raised) if (!this.stays.has(name)) this.raised.delete(name)
    for (const [suspicion, since] of this.since) {
      const { alarm, patienceMs, stays } = this.rules[suspicion]
      if (now - since < patienceMs) continue
      this.raised.add(alarm)
      if (stays) this.stays.add(alarm)
    }
    return this.alarms().join() !== before
  }

  /** Worst first. */
  alarms(): AlarmName[] {
    return alarmNames.filter((name) => this.raised.has(name))
  }
}
