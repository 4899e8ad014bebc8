import { participantNamespace, TrackName } from '../../../moq/media/index.ts'
import {
  type Clock,
  type IncomingSubscribe,
  TrackPublisher,
  type TrackState,
} from '../../../moq/session/index.ts'
import { trackOf } from '../../../moq/wire/names.ts'
import type { EpochKeys } from '../../keys/index.ts'
import { firstGroupAt } from '../../media/first-group.ts'
import {
  type AlarmName,
  alarmTexts,
  type Emoji,
  type KeyHolder,
  type LeafSignatures,
  type Stretch,
  safetyNumber,
  Verifier,
  verificationEmoji,
} from '../../verification/index.ts'
import type { Participant } from '../types.ts'
import { type CallSession, OF_PUBLISHER } from './call-session.ts'
import { followTrack } from './follow-track.ts'
import { TRACK_NUMBER } from './track-numbers.ts'

export interface VerificationLinkOptions {
  readonly session: CallSession
  readonly room: string
  readonly participantId: string
  readonly clock: Clock
  /** ms since the Unix epoch. */
  readonly wallClock: () => number
  /** How long the group waits before it removes who vanished, ms. */
  readonly graceMs: number
  readonly signatures: LeafSignatures
  /** Default: PBKDF2 by WebCrypto. */
  readonly stretch?: Stretch
  /** Alarms, emoji or safety numbers are others than before. */
  readonly onChange: () => void
  readonly onBug: (error: unknown) => void
}

/** What is told of a participant's security. */
export type Security = Pick<Participant, 'alarms' | 'alarmNames' | 'safetyNumber'>

/** Statements are few and small, and say whether anything else can be trusted. */
const PRIORITY = 8
const NO_PROPERTIES = new Uint8Array(0)
/** An epoch's emoji and new safety numbers are computed so much later than it begins, ms. */
const COMPUTE_AFTER_MS = 1000

/** The comparison of a call's group over everybody's `verify` track, and what people compare. */
export class VerificationLink {
  private readonly options: VerificationLinkOptions
  private readonly verifier: Verifier
  private readonly publisher: TrackPublisher
  private readonly followed = new Map<string, () => void>()
  /** By participant; `keys` are the two that they are of. */
  private readonly safetyNumbers = new Map<string, { keys: string; digits: string }>()
  private pictures: readonly Emoji[] = []
  private epoch: EpochKeys | null = null
  private cancelCompute: () => void = () => {}
  private group: number
  private closed = false

  constructor(options: VerificationLinkOptions) {
    const { wallClock } = options
    this.options = options
    this.group = firstGroupAt(wallClock())
    this.publisher = new TrackPublisher({
      trackAlias: TRACK_NUMBER.verify,
      priority: PRIORITY,
      onGroupRequested: () => this.verifier.tellAll(),
    })
    this.verifier = new Verifier({
      ...options,
      publish: (statement) => {
        this.publisher.writeSnapshot(this.group++, NO_PROPERTIES, statement)
      },
    })
  }

  /** The code of the newest epoch; empty until it is computed. */
  get emoji(): readonly Emoji[] {
    return this.pictures
  }

  accept(request: IncomingSubscribe): void {
    this.publisher.accept(request)
  }

  get status(): TrackState {
    return this.publisher.status
  }

  enter(keys: EpochKeys): void {
    this.epoch = keys
    const isFirst = FIRST.includes(keys.reason)
    this.verifier.enter({ ...keys, isFirst })
    this.pictures = []
    this.cancelCompute()
    // Costly on purpose, and compared by people, who take longer: a join has better use for the processor.
    this.cancelCompute = this.options.clock.after(COMPUTE_AFTER_MS, () => {
      this.compute(keys).catch(this.options.onBug)
    })
  }

  /** We are in no group until we enter an epoch. */
  leave(): void {
    this.verifier.leave()
  }

  takeBack(epoch: number): void {
    this.verifier.takeBack(epoch)
  }

  seeLogEntry(payload: Uint8Array): void {
    this.verifier.seeLogEntry(payload)
  }

  interruptLog(): void {
    this.verifier.interruptLog()
  }

  /** Whether somebody else's namespace is there. */
  setAnnounced(id: string, announced: boolean): void {
    this.verifier.setAnnounced(id, announced)
    if (announced && !this.followed.has(id)) this.followed.set(id, this.follow(id))
    if (!announced) {
      this.followed.get(id)?.()
      this.followed.delete(id)
    }
  }

  /** An object of somebody's came. */
  noteTraffic(id: string): void {
    this.verifier.noteTraffic(id)
  }

  securityOf(id: string): Security {
    const alarmNames: readonly AlarmName[] = this.verifier.alarms(id)
    const alarms = alarmNames.map((name) => alarmTexts[name])
    return { alarms, alarmNames, safetyNumber: this.safetyNumbers.get(id)?.digits ?? '' }
  }

  /** Members of the group that hide, to be shown. */
  ghosts(): Participant[] {
    return this.verifier.ghosts().map((id) => {
      return { id, name: '', local: false, speaking: false, tracks: [], ...this.securityOf(id) }
    })
  }

  /** Settles when all that was said so far is verified, and all that is to be said is signed. */
  idle(): Promise<void> {
    return this.verifier.idle()
  }

  close(): void {
    this.closed = true
    this.cancelCompute()
    this.verifier.close()
    for (const stop of this.followed.values()) stop()
    this.followed.clear()
  }

  private follow(id: string): () => void {
    const { session, clock, room } = this.options
    return followTrack(
      session,
      clock,
      trackOf(participantNamespace(room, id), TrackName.VERIFY),
      { filter: { kind: 'next-group-start' }, newGroupRequest: 0, subscriberPriority: PRIORITY },
      (object) => this.verifier.hear(id, object.payload),
      OF_PUBLISHER,
    )
  }

  /** The newest epoch's emoji, and safety numbers where a key is new. */
  private async compute(keys: EpochKeys): Promise<void> {
    const pictures = await verificationEmoji(keys.epochAuthenticator, this.options.stretch)
    if (this.epoch !== keys || this.closed) return
    this.pictures = pictures
    this.options.onChange()
    await this.computeSafetyNumbers(keys)
    if (this.epoch === keys && !this.closed) this.options.onChange()
  }

  private async computeSafetyNumbers(epoch: EpochKeys): Promise<void> {
    const self = epoch.roster.find(({ leaf }) => leaf === epoch.leaf)!
    const pairOf = (other: KeyHolder) => `${self.fingerprint} ${other.fingerprint}`
    const members = new Map(epoch.roster.map((entry) => [entry.participantId, entry]))
    for (const [id, { keys }] of this.safetyNumbers) {
      const member = members.get(id)
      if (!member || pairOf(member) !== keys) this.safetyNumbers.delete(id)
    }
    for (const [id, other] of members) {
      if (other === self || this.safetyNumbers.has(id)) continue
      const digits = await safetyNumber(self, other, this.options.stretch)
      if (this.epoch !== epoch || this.closed) return
      this.safetyNumbers.set(id, { keys: pairOf(other), digits })
    }
  }
}

/** Epochs by which a member comes in. */
const FIRST: readonly EpochKeys['reason'][] = ['created', 'joined', 'restored']
