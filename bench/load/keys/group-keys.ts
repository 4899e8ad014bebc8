import { GroupLink } from '../../../client-lib/call/worker/group-link.ts'
import { MediaKeys } from '../../../client-lib/call/worker/media-keys.ts'
import type { EpochKeys, KeysAlarm, MlsMember } from '../../../client-lib/keys/index.ts'
import type { SuiteName } from '../../../moq/delivery/index.ts'
import { parseParticipantNamespace, roomNamespace, TrackName } from '../../../moq/media/index.ts'
import type { Clock, IncomingSubscribe, Session } from '../../../moq/session/index.ts'
import { type Namespace, textOf } from '../../../moq/wire/names.ts'
import type { ReceiverContext, UInt64 } from '../../../sframe/index.ts'
import { nodeProvider } from '../../../sframe/node.ts'
import type { EpochSeen, KeysEvents, ParticipantKeys } from './participant-keys.ts'

export interface GroupKeysOptions {
  readonly room: string
  readonly participant: string
  readonly suite: SuiteName
  /** MoQT track alias of its `mls` track. */
  readonly trackAlias: number
  readonly clock: Clock
  readonly wallClock: () => number
  readonly random: () => number
  readonly events: KeysEvents
}

/** Keys are renewed when a scenario says so, and at no other time. */
const SETTINGS = { updateMs: 0 }
/** Told of itself: the room, not the member, is what is unusual. */
const EXPECTED_ALARM: KeysAlarm['code'] = 'suite-adopted'

/**
 * Keys of the room's MLS group, in which this participant is a member as a browser is: by the browser
 * library's member, over the delivery service's tracks.
 */
export class GroupKeys implements ParticipantKeys {
  readonly epochs: EpochSeen[] = []
  readonly hasTrack = true
  private readonly options: GroupKeysOptions
  private readonly media: MediaKeys
  private link: GroupLink | null = null
  /** Own leaf in the newest epoch. */
  private leaf = -1

  constructor(options: GroupKeysOptions) {
    this.options = options
    const { clock, events } = options
    this.media = new MediaKeys(
      clock,
      {
        onInstalled: (keys) => this.onInstalled(keys),
        onRevoked: () => events.onRevoked(),
        onSwitch: () => {
          const key = this.media.sendEpoch
          if (key) events.onSendKey(key)
        },
      },
      nodeProvider,
    )
  }

  get receiver(): ReceiverContext {
    return this.media.receiver
  }

  /** Null before there is a session. */
  get member(): MlsMember | null {
    return this.link?.member ?? null
  }

  async prepare(): Promise<void> {}

  begin(session: Session): void {
    const { room, participant, suite, trackAlias, clock, wallClock, random, events } = this.options
    const link = new GroupLink({
      session,
      room,
      participantId: participant,
      suite,
      clock,
      wallClock,
      random,
      trackAlias,
      settings: SETTINGS,
      onEpoch: (keys) => {
        this.media.install(keys).catch((error: unknown) => events.onFault(`its keys: ${error}`))
      },
      onAlarm: ({ code, message }) => {
        if (code !== EXPECTED_ALARM) events.onFault(`its group: ${message}`)
      },
      onFailed: ({ message }) => events.onFault(`its group: ${message}`),
    })
    this.link = link
    const tell = (present: boolean) => (namespace: Namespace) => {
      const place = parseParticipantNamespace(namespace)
      if (place) link.setPresent(place.participant, present)
    }
    session.subscribeNamespace(roomNamespace(room), {
      onNamespace: tell(true),
      onNamespaceDone: tell(false),
      onRejected: ({ reason }) => events.onFault(`who is in its room: ${reason}`),
    })
  }

  accept(request: IncomingSubscribe): boolean {
    if (!this.link || textOf(request.track.name) !== TrackName.MLS) return false
    this.link.accept(request)
    return true
  }

  /** The first member by leaf renews its keys, for all. */
  async changeEpoch(): Promise<void> {
    if (this.leaf === 0) this.member?.update()
  }

  groupAsked(): void {
    this.media.groupAsked()
  }

  placeOf(kid: UInt64): 'future' | 'before-us' | 'lost' {
    return this.media.placeOf(kid)
  }

  async leave(): Promise<void> {
    await this.link?.leave()
  }

  close(): void {
    this.link?.suspend()
    this.media.close()
  }

  private onInstalled({ groupId, epoch, leaf }: EpochKeys): void {
    this.leaf = leaf
    const group = Buffer.from(groupId).toString('hex')
    this.epochs.push({ group, epoch, at: this.options.clock.now() })
    this.options.events.onReceiveKeys()
  }
}
