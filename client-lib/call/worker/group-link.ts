import {
  decodeLogEntry,
  decodeSnapshot,
  groupInfoTrack,
  logTrack,
} from '../../../moq/delivery/index.ts'
import { type Clock, type IncomingSubscribe, TrackPublisher } from '../../../moq/session/index.ts'
import type { FullTrackName } from '../../../moq/wire/names.ts'
import type { MoqObject } from '../../../moq/wire/object.ts'
import type { Parameters } from '../../../moq/wire/parameters.ts'
import {
  type Authenticate,
  type EpochKeys,
  type KeysAlarm,
  type KeysError,
  type MemberSettings,
  MlsMember,
  type SignatureKeys,
  type StateName,
  type StateSlot,
} from '../../keys/index.ts'
import { firstGroupAt } from '../../media/first-group.ts'
import type { SuiteName } from '../types.ts'
import { type CallSession, type CallSubscription, OF_RELAY } from './call-session.ts'
import { LogFetch } from './log-fetch.ts'

export interface GroupLinkOptions {
  readonly session: CallSession
  readonly room: string
  readonly participantId: string
  readonly suite: SuiteName
  readonly clock: Clock
  /** ms since 1970. */
  readonly wallClock: () => number
  readonly random: () => number
  /** Admission token that binds `signatureKeys`, which the others check; absent where there is none. */
  readonly token?: string | null
  readonly signatureKeys?: SignatureKeys
  readonly authenticate?: Authenticate
  /** Where the state is kept over a reload. */
  readonly slot?: StateSlot | null
  /** MoQT track alias of our `mls` track. */
  readonly trackAlias: number
  /** The payload of an object of the log, as it came or was fetched, before the member has judged it. */
  readonly onLogEntry?: (payload: Uint8Array) => void
  /** The log ended or was refused, and is asked for again: entries may be missed. */
  readonly onLogInterrupted?: () => void
  readonly settings?: Partial<MemberSettings>
  /** What was asked of the room's group came. */
  readonly onGroupInfo?: () => void
  readonly onEpoch: (keys: EpochKeys) => void
  readonly onAlarm: (alarm: KeysAlarm) => void
  readonly onFailed: (error: KeysError) => void
  readonly onState?: (state: StateName) => void
}

/** How long the relay may wait for the delivery service to open the room, ms. */
const RENDEZVOUS_MS = 10_000
const RETRY_MS = 500
/** How long a goodbye may take to be taken, ms. */
const GOODBYE_MS = 600
const NO_PROPERTIES = new Uint8Array(0)
const PRIORITY = 0

/** Our membership in the room's group, carried over the delivery service's MoQT tracks. */
export class GroupLink {
  private readonly options: GroupLinkOptions
  /** For what is signed or exported in the group's name. */
  readonly member: MlsMember
  private readonly logFetch: LogFetch
  private readonly submissions: TrackPublisher
  /** Submissions made before the service subscribed. */
  private unsent: Uint8Array[] = []
  private nextGroup: number
  private groupInfo: CallSubscription | null = null
  private snapshotWanted = false
  private onGoodbye: () => void = () => {}
  private closed = false

  constructor(options: GroupLinkOptions) {
    this.options = options
    this.nextGroup = firstGroupAt(options.wallClock())
    this.submissions = new TrackPublisher({
      trackAlias: options.trackAlias,
      priority: PRIORITY,
      onDemand: () => this.flush(),
    })
    this.logFetch = new LogFetch(options.session, options.room, (payload) => this.hear(payload))
    this.member = new MlsMember({
      participantId: options.participantId,
      suite: options.suite,
      clock: options.clock,
      random: options.random,
      wallClock: options.wallClock,
      token: options.token,
      signatureKeys: options.signatureKeys,
      authenticate: options.authenticate,
      slot: options.slot,
      settings: options.settings,
      events: {
        submit: (submission) => this.submit(submission),
        requestSnapshot: () => this.requestSnapshot(),
        requestLog: (fromEpoch) => this.logFetch.from(fromEpoch),
        onEpoch: options.onEpoch,
        onState: (state) => options.onState?.(state),
        onAlarm: (alarm) => this.onAlarm(alarm),
        onFailed: options.onFailed,
      },
    })
    this.followLog()
    this.followGroupInfo()
    this.member.start()
  }

  /** Our `mls` track, for the delivery service. */
  accept(request: IncomingSubscribe): void {
    this.submissions.accept(request)
  }

  /**
   * Whether there is a connection. Once there is one again, what was missed of the log is fetched, and
   * what is pending is submitted again.
   */
  setOnline(online: boolean): void {
    if (!online) this.unsent = []
    this.member.setOnline(online)
  }

  setPresent(participantId: string, present: boolean): void {
    this.member.setPresent(participantId, present)
  }

  /** Says goodbye and waits, for a moment, until the log shows it. */
  async leave(): Promise<void> {
    const taken = new Promise<void>((resolve) => {
      this.onGoodbye = resolve
      this.options.clock.after(GOODBYE_MS, resolve)
    })
    this.member.leave()
    await taken
    this.end()
  }

  close(): void {
    this.end()
    this.member.leave()
  }

  /** The page goes, and may be back in a moment: no goodbye, and the stored state stays. */
  suspend(): void {
    this.end()
    this.member.suspend()
  }

  private end(): void {
    this.closed = true
    this.logFetch.close()
  }

  private onAlarm(alarm: KeysAlarm): void {
    if (alarm.code === 'group-replaced') this.logFetch.reset()
    this.options.onAlarm(alarm)
  }

  private submit(submission: Uint8Array): void {
    this.unsent.push(submission)
    this.flush()
  }

  private flush(): void {
    if (!this.submissions.wanted) return
    for (const submission of this.unsent) {
      this.submissions.writeSnapshot(this.nextGroup++, NO_PROPERTIES, submission)
    }
    this.unsent = []
  }

  private requestSnapshot(): void {
    this.snapshotWanted = true
    if (this.groupInfo?.established) this.groupInfo.update({ newGroupRequest: 0 })
  }

  private followLog(): void {
    const onObject = ({ group, payload }: MoqObject) => {
      this.hear(payload)
      this.look(group, payload)
    }
    this.follow(logTrack(this.options.room), {}, onObject, () => this.options.onLogInterrupted?.())
  }

  private hear(entry: Uint8Array): void {
    this.options.onLogEntry?.(entry)
    this.member.onLogEntry(entry)
  }

  private followGroupInfo(): void {
    const parameters: Parameters = {
      filter: { kind: 'next-group-start' },
      newGroupRequest: 0,
    }
    this.groupInfo = this.follow(groupInfoTrack(this.options.room), parameters, ({ payload }) => {
      if (!this.snapshotWanted) {
        this.member.onOthersSnapshot(payload)
        return
      }
      this.snapshotWanted = false
      this.options.onGroupInfo?.()
      this.notePlace(payload)
      this.member.onSnapshot(payload)
    })
  }

  private follow(
    track: FullTrackName,
    parameters: Parameters,
    onObject: (object: MoqObject) => void,
    onInterrupted: () => void = () => {},
  ): CallSubscription {
    const again = () => {
      if (this.closed) return
      onInterrupted()
      this.options.clock.after(RETRY_MS, () => {
        if (this.closed || this.options.session.closed) return
        const next = this.follow(track, parameters, onObject, onInterrupted)
        if (this.groupInfo === subscription) this.groupInfo = next
      })
    }
    const subscription = this.options.session.subscribe(
      track,
      { ...parameters, rendezvousTimeout: RENDEZVOUS_MS, subscriberPriority: PRIORITY },
      {
        onObject,
        onRenewed: onInterrupted,
        onRejected: again,
        onDone: again,
      },
      OF_RELAY,
    )
    return subscription
  }

  private notePlace(payload: Uint8Array): void {
    try {
      const snapshot = decodeSnapshot(payload)
      if (snapshot !== null) this.logFetch.note(snapshot.epoch, snapshot.logGroup)
    } catch {
      // The member judges it.
    }
  }

  private look(group: number, payload: Uint8Array): void {
    try {
      const entry = decodeLogEntry(payload)
      if (entry.kind === 'commit' || entry.kind === 'created') {
        this.logFetch.note(entry.epoch, group)
      }
      if (entry.kind === 'left' && entry.participant === this.options.participantId) {
        this.onGoodbye()
      }
    } catch {
      // The member has judged it already.
    }
  }
}
