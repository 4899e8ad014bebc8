import { TrackName } from '../../../moq/media/index.ts'
import type { IncomingSubscribe, TrackState } from '../../../moq/session/index.ts'
import {
  defaultMemberSettings,
  type EpochKeys,
  type KeysAlarm,
  type MlsMember,
} from '../../keys/index.ts'
import {
  type Emoji,
  groupNotices,
  type Stretch,
  type VerificationEvent,
  VerificationHistory,
} from '../../verification/index.ts'
import type { Participant } from '../types.ts'
import { GroupLink, type GroupLinkOptions } from './group-link.ts'
import { TRACK_NUMBER } from './track-numbers.ts'
import { type Security, VerificationLink } from './verification-link.ts'

type Wired = 'trackAlias' | 'onLogEntry' | 'onLogInterrupted' | 'onAlarm'

export interface VerifiedGroupOptions extends Omit<GroupLinkOptions, Wired> {
  /** Default: the one of `client-lib/verification`; tests take one that costs nothing. */
  readonly stretch?: Stretch
  /** Alarms, emoji or safety numbers are others than before. */
  readonly onChange: () => void
  readonly onBug: (error: unknown) => void
}

const MAX_ALARMS = 16
/** How long after a return it may take to learn that we were removed meanwhile, ms. */
const EXCUSED_MS = 10_000

/** Our membership in the room's group, with all that is compared of it among the members. */
export class VerifiedGroup {
  private readonly options: VerifiedGroupOptions
  private readonly group: GroupLink
  private readonly verification: VerificationLink
  private readonly past: VerificationHistory
  private told: readonly string[] = []
  private readonly graceMs: number
  /** Since when there is no connection; null while there is one. */
  private awaySince: number | null = null
  /** We were away for so long that the others had to remove us: until then it is no surprise. */
  private excusedUntil = Number.NEGATIVE_INFINITY

  constructor(options: VerifiedGroupOptions) {
    this.options = options
    this.past = new VerificationHistory(options)
    this.group = new GroupLink({
      ...options,
      trackAlias: TRACK_NUMBER.mls,
      onLogEntry: (entry) => this.verification.seeLogEntry(entry),
      onLogInterrupted: () => this.verification.interruptLog(),
      onEpoch: (keys) => this.enter(keys),
      onAlarm: (alarm) => this.onAlarm(alarm),
      onState: (state) => {
        if (state !== 'member') this.verification.leave()
        options.onState?.(state)
      },
    })
    const { graceMs } = { ...defaultMemberSettings, ...options.settings }
    this.graceMs = graceMs
    this.verification = new VerificationLink({
      ...options,
      graceMs,
      signatures: this.group.member,
    })
  }

  /** For what is signed or exported in the group's name. */
  get member(): MlsMember {
    return this.group.member
  }

  /** Alarms of our own membership, in words, the newest last. */
  get alarms(): readonly string[] {
    return this.told
  }

  /** What changed in the group, the newest first. */
  get history(): readonly VerificationEvent[] {
    return this.past.newestFirst
  }

  /**
   * Everybody who is shown, for the history: their names, and the alarms that hold.
   * @returns whether it is another one than when this was asked last
   */
  note(participants: readonly Participant[]): boolean {
    return this.past.see(participants)
  }

  /** The code of the newest epoch; empty until it is computed. */
  get emoji(): readonly Emoji[] {
    return this.verification.emoji
  }

  /** Members of the group that hide, to be shown. */
  get ghosts(): Participant[] {
    return this.verification.ghosts()
  }

  securityOf(participantId: string): Security {
    return this.verification.securityOf(participantId)
  }

  /** False when the track is none of the group's. @param track its name */
  accept(track: string | null, request: IncomingSubscribe): boolean {
    if (track === TrackName.MLS) this.group.accept(request)
    else if (track === TrackName.VERIFY) this.verification.accept(request)
    else return false
    return true
  }

  /** Null where there is nothing to tell of a track. @param track its name */
  status(track: string | null): TrackState | null {
    return track === TrackName.VERIFY ? this.verification.status : null
  }

  /** Whether there is a connection; what was missed is made good once there is one again. */
  setOnline(online: boolean): void {
    const now = this.options.clock.now()
    if (!online) this.awaySince ??= now
    else if (this.awaySince !== null) {
      if (now - this.awaySince >= this.graceMs) this.excusedUntil = now + EXCUSED_MS
      this.awaySince = null
    }
    this.group.setOnline(online)
  }

  /** Whether a participant's namespace is there; our own, too. */
  setPresent(participantId: string, present: boolean): void {
    this.group.setPresent(participantId, present)
    if (participantId === this.options.participantId) return
    this.verification.setAnnounced(participantId, present)
  }

  /** An object of somebody's came. */
  noteTraffic(participantId: string): void {
    this.verification.noteTraffic(participantId)
  }

  /** Settles when all that came so far has been worked through. */
  async idle(): Promise<void> {
    await Promise.all([this.group.member.idle(), this.verification.idle()])
  }

  /** Says goodbye and waits, for a moment, until it is taken. Final. */
  async leave(): Promise<void> {
    await this.group.leave()
    this.verification.close()
  }

  /** The page goes, and may be back in a moment: no goodbye, and the stored state stays. Final. */
  suspend(): void {
    this.group.suspend()
    this.verification.close()
  }

  /** A newer admission token that binds our signature key, for the others to check. */
  setToken(token: string): void {
    this.group.member.setToken(token)
  }

  /** Says goodbye. Final. */
  close(): void {
    this.group.close()
    this.verification.close()
  }

  private enter(keys: EpochKeys): void {
    this.verification.enter(keys)
    this.past.enter(keys)
    this.options.onEpoch(keys)
  }

  private onAlarm({ code, message, epoch }: KeysAlarm): void {
    if (code === 'removed' && this.options.clock.now() < this.excusedUntil) return
    if (epoch !== undefined) this.verification.takeBack(epoch)
    this.past.notice(code, message)
    const { level, text } = groupNotices[code]
    if (level !== 'alarm' || this.told.includes(text)) return
    this.told = [...this.told.slice(1 - MAX_ALARMS), text]
    this.options.onChange()
  }
}
