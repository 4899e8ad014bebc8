/**
 * What changed in a call's group, and when, for people to read: who came, left or came back with another
 * key, what that did to the code, and what looked wrong. It is as long as a person may want to read: when
 * there is more, what was as it should be goes first.
 */

import type { AlarmName } from './alarms.ts'
import { groupNotices, type NoticeName } from './group-notices.ts'
import { type VerificationEvent, type VerificationEventKind, withText } from './history-event.ts'
import { toHex } from './statement.ts'

export interface VerificationHistoryOptions {
  /** Ourselves. */
  readonly participantId: string
  /** ms since the Unix epoch. */
  readonly wallClock: () => number
}

/** An epoch that we have entered. */
export interface HistoricEpoch {
  readonly groupId: Uint8Array
  readonly epoch: number
  readonly roster: readonly { readonly participantId: string; readonly fingerprint: string }[]
  /** How we came into it, or what others did. */
  readonly reason: string
}

interface Seen {
  readonly id: string
  readonly name: string
  readonly alarmNames: readonly AlarmName[]
}

type Draft = Pick<VerificationEvent, 'kind' | 'level' | 'participant'> &
  Partial<Pick<VerificationEvent, 'code' | 'detail' | 'count'>>

/** Kinds of which one that follows another is counted there. */
const REPEATED: ReadonlySet<VerificationEventKind> = new Set(['renewed', 'notice'])
const MAX_EVENTS = 200
/** Participants whose key and name are remembered after they left. */
const MAX_KNOWN = 1000

export class VerificationHistory {
  private readonly options: VerificationHistoryOptions
  /** The newest first. */
  private events: VerificationEvent[] = []
  private count = 0
  private group: string | null = null
  private epoch = 0
  /** Fingerprint by participant id: the members of our last epoch. */
  private members: ReadonlyMap<string, string> = new Map()
  /** Also of those who have left. */
  private readonly fingerprints = new Map<string, string>()
  private readonly names = new Map<string, string>()
  private readonly alarms = new Map<string, readonly AlarmName[]>()
  /** A notice has said that the group is another one from now on. */
  private toldOfReplacement = false
  private changed = false

  constructor(options: VerificationHistoryOptions) {
    this.options = options
  }

  get newestFirst(): readonly VerificationEvent[] {
    return this.events
  }

  /** We are in an epoch. */
  enter({ groupId, epoch, roster, reason }: HistoricEpoch): void {
    const group = toHex(groupId)
    const before = this.members
    const isFirst = this.group === null
    const isOther = !isFirst && this.group !== group
    if (isOther && !this.toldOfReplacement) this.notice('group-replaced')
    this.toldOfReplacement = false
    this.group = group
    this.epoch = epoch
    this.members = new Map(roster.map((entry) => [entry.participantId, entry.fingerprint]))
    if (isFirst) this.begin(reason)
    else {
      const anew = isOther || reason === 'joined' || reason === 'restored' || reason === 'created'
      if (anew) this.add({ kind: 'reentered', level: 'info', participant: this.self })
      const moved = this.compare(isOther ? new Map() : before)
      if (!anew && !moved) this.add({ kind: 'renewed', level: 'info', participant: this.self })
    }
    for (const [id, fingerprint] of this.members) remember(this.fingerprints, id, fingerprint)
  }

  /** Our membership tells of something. */
  notice(code: NoticeName, detail?: string): void {
    if (code === 'group-replaced') this.toldOfReplacement = true
    const { level } = groupNotices[code]
    this.add({ kind: 'notice', level, participant: this.self, code, ...(detail && { detail }) })
  }

  /**
   * Everybody who is shown, with the alarms that hold.
   * @returns whether anything was added or changed since this was asked last
   */
  see(participants: readonly Seen[]): boolean {
    for (const { id, name, alarmNames } of participants) {
      if (name !== '' && this.names.get(id) !== name) this.learnName(id, name)
      if (alarmNames.length > 0 || this.alarms.has(id)) this.compareAlarms(id, alarmNames)
    }
    if (this.alarms.size > 0) {
      const present = new Set(participants.map(({ id }) => id))
      // That they left is told anyway.
      for (const id of this.alarms.keys()) if (!present.has(id)) this.alarms.delete(id)
    }
    const isNews = this.changed
    this.changed = false
    return isNews
  }

  private get self(): string {
    return this.options.participantId
  }

  private begin(reason: string): void {
    const kind = reason === 'created' || reason === 'restored' ? reason : 'entered'
    const others = this.members.size - 1
    this.add({ kind, level: 'info', participant: this.self, count: Math.max(0, others) })
  }

  /** @returns whether anybody came, left or has another key */
  private compare(before: ReadonlyMap<string, string>): boolean {
    let moved = false
    for (const id of before.keys()) {
      if (this.members.has(id)) continue
      this.add({ kind: 'left', level: 'info', participant: id })
      moved = true
    }
    for (const [participant, fingerprint] of this.members) {
      if (participant === this.self || before.get(participant) === fingerprint) continue
      moved = true
      const known = this.fingerprints.get(participant)
      if (known === undefined) this.add({ kind: 'joined', level: 'info', participant })
      else if (known === fingerprint) this.add({ kind: 'returned', level: 'info', participant })
      else this.add({ kind: 'new-key', level: 'check', participant })
    }
    return moved
  }

  private compareAlarms(participant: string, now: readonly AlarmName[]): void {
    const before = this.alarms.get(participant) ?? []
    for (const code of now) {
      if (!before.includes(code)) this.add({ kind: 'alarm', level: 'alarm', participant, code })
    }
    for (const code of before) {
      if (!now.includes(code)) this.add({ kind: 'alarm-over', level: 'info', participant, code })
    }
    if (now.length > 0) this.alarms.set(participant, now)
    else this.alarms.delete(participant)
  }

  private learnName(id: string, name: string): void {
    remember(this.names, id, name)
    const isNameless = (event: VerificationEvent) => event.participant === id && event.name === ''
    if (!this.events.some(isNameless)) return
    this.events = this.events.map((event) => {
      return isNameless(event) ? withText({ ...event, name }) : event
    })
    this.changed = true
  }

  private add(draft: Draft): void {
    this.changed = true
    if (this.addToNewest(draft)) return
    this.count += 1
    const event = withText({
      number: this.count,
      time: this.options.wallClock(),
      epoch: this.epoch,
      name: this.names.get(draft.participant) ?? '',
      count: 1,
      ...draft,
    })
    this.events = [event, ...this.events]
    if (this.events.length > MAX_EVENTS) {
      const quiet = this.events.findLastIndex(({ level }) => level === 'info')
      this.events.splice(quiet > 0 ? quiet : MAX_EVENTS, 1)
    }
  }

  /** What happens again and again is one entry. */
  private addToNewest({ kind, code }: Draft): boolean {
    const [newest] = this.events
    if (newest?.kind !== kind || newest.code !== code || !REPEATED.has(kind)) return false
    const count = newest.count + 1
    const again = { ...newest, count, time: this.options.wallClock(), epoch: this.epoch }
    this.events = [withText(again), ...this.events.slice(1)]
    return true
  }
}

/** Those who are there now are the newest, so that the others are forgotten first. */
function remember(map: Map<string, string>, id: string, value: string): void {
  map.delete(id)
  map.set(id, value)
  const [oldest] = map.keys()
  if (map.size > MAX_KNOWN) map.delete(oldest!)
}
