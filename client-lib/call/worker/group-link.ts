import { decodeLogEntry, groupInfoTrack, logTrack } from '../../../moq/delivery/index.ts'
import {
  type Clock,
  type IncomingSubscribe,
  type Session,
  type Subscription,
  TrackPublisher,
} from '../../../moq/session/index.ts'
import type { FullTrackName } from '../../../moq/wire/names.ts'
import type { Parameters } from '../../../moq/wire/parameters.ts'
import { type EpochKeys, type KeysAlarm, type KeysError, MlsMember } from '../../keys/index.ts'
import type { SuiteName } from '../types.ts'

export interface GroupLinkOptions {
  readonly session: Session
  readonly room: string
  readonly participantId: string
  readonly suite: SuiteName
  readonly clock: Clock
  readonly random: () => number
  /** MoQT track alias of our `mls` track. */
  readonly trackAlias: number
  readonly onEpoch: (keys: EpochKeys) => void
  readonly onAlarm: (alarm: KeysAlarm) => void
  readonly onFailed: (error: KeysError) => void
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
  private readonly member: MlsMember
  private readonly submissions: TrackPublisher
  /** Submissions made before the service subscribed. */
  private unsent: Uint8Array[] = []
  private nextGroup = 0
  private groupInfo: Subscription | null = null
  private snapshotWanted = false
  private onGoodbye: () => void = () => {}
  private closed = false

  constructor(options: GroupLinkOptions) {
    this.options = options
    this.submissions = new TrackPublisher({
      trackAlias: options.trackAlias,
      priority: PRIORITY,
      onDemand: () => this.flush(),
    })
    this.member = new MlsMember({
      participantId: options.participantId,
      suite: options.suite,
      clock: options.clock,
      random: options.random,
      events: {
        submit: (submission) => this.submit(submission),
        requestSnapshot: () => this.requestSnapshot(),
        // The missing entries are not fetched: without them the member joins anew, by itself.
        requestLog: () => {},
        onEpoch: options.onEpoch,
        onState: () => {},
        onAlarm: options.onAlarm,
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
    this.closed = true
  }

  close(): void {
    this.closed = true
    this.member.leave()
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
    this.follow(logTrack(this.options.room), {}, (payload) => {
      this.member.onLogEntry(payload)
      this.watchForGoodbye(payload)
    })
  }

  private followGroupInfo(): void {
    const parameters: Parameters = {
      filter: { kind: 'next-group-start' },
      newGroupRequest: 0,
    }
    this.groupInfo = this.follow(groupInfoTrack(this.options.room), parameters, (payload) => {
      // Snapshots that others asked for are of no use once we have ours.
      if (!this.snapshotWanted) return
      this.snapshotWanted = false
      this.member.onSnapshot(payload)
    })
  }

  private follow(
    track: FullTrackName,
    parameters: Parameters,
    onPayload: (payload: Uint8Array) => void,
  ): Subscription {
    const again = () => {
      if (this.closed) return
      this.options.clock.after(RETRY_MS, () => {
        if (this.closed || this.options.session.closed) return
        const next = this.follow(track, parameters, onPayload)
        if (this.groupInfo === subscription) this.groupInfo = next
      })
    }
    const subscription = this.options.session.subscribe(
      track,
      { ...parameters, rendezvousTimeout: RENDEZVOUS_MS, subscriberPriority: PRIORITY },
      {
        onObject: (object) => onPayload(object.payload),
        onRejected: again,
        onDone: again,
      },
    )
    return subscription
  }

  private watchForGoodbye(payload: Uint8Array): void {
    try {
      const entry = decodeLogEntry(payload)
      if (entry.kind === 'left' && entry.participant === this.options.participantId) {
        this.onGoodbye()
      }
    } catch {
      // The member has judged it already.
    }
  }
}
