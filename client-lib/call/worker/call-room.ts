import {
  type PictureSource,
  parseParticipantNamespace,
  parseRelayNamespace,
  REPORT_TRACK,
  TrackName,
} from '../../../moq/media/index.ts'
import type {
  Clock,
  IncomingFetch,
  IncomingSubscribe,
  TrackState,
} from '../../../moq/session/index.ts'
import { RequestCode } from '../../../moq/wire/codes.ts'
import { type Namespace, textOf } from '../../../moq/wire/names.ts'
import type { Property } from '../../../moq/wire/properties.ts'
import type { ChatDelivery, ReceivedData, ReceivedText } from '../../chat/index.ts'
import type { Authenticate, EpochKeys, KeysError, StateSlot } from '../../keys/index.ts'
import { ArrivalMeter } from '../../media/arrival-meter.ts'
import type { MediaError } from '../../media/media-error.ts'
import type { PcmChunk } from '../../media/pcm.ts'
import type { Connected } from '../../transport/connect.ts'
import type { CompleteView } from '../participant-view.ts'
import type { PathInfo } from '../types.ts'
import type { WorkerOptions } from '../worker-protocol.ts'
import { ActiveSpeakers } from './active-speakers.ts'
import { ChatLink } from './chat-link.ts'
import type { GroupIdentity } from './credentials.ts'
import { Faults } from './faults.ts'
import { FeedbackLink } from './feedback-link.ts'
import type { JoinSteps } from './join-steps.ts'
import { Line } from './line.ts'
import type { LocalMedia } from './local-media.ts'
import type { MediaKeys } from './media-keys.ts'
import { Presence } from './presence.ts'
import { ReceiverReports } from './receiver-reports.ts'
import { RelayConnection } from './relay-connection.ts'
import { RemoteParticipants } from './remote-participants.ts'
import { TRACK_NUMBER } from './track-numbers.ts'
import { VerifiedGroup } from './verified-group.ts'

export interface CallRoomOptions {
  readonly call: WorkerOptions
  readonly identity: GroupIdentity
  readonly authenticate: Authenticate | undefined
  /** Where the membership is kept over a reload; the group closes it. */
  readonly slot: StateSlot | null
  readonly keys: MediaKeys
  readonly media: LocalMedia
  readonly clock: Clock
  /** ms since the Unix epoch. */
  readonly wallClock: () => number
  readonly steps: JoinSteps
  readonly events: CallRoomEvents
}

export interface CallRoomEvents {
  /** Who is there, or what is known of somebody, is other than before. */
  onChange(): void
  onKeysFailed(error: KeysError): void
  onMediaError(error: MediaError): void
  onChat(text: ReceivedText): void
  onData(data: ReceivedData): void
  onChatDelivered(delivery: ChatDelivery): void
  /** The receiver closes the picture. */
  onPicture(participantId: string, source: PictureSource, frame: VideoFrame): void
  onSamples(source: string, chunk: PcmChunk): void
  onSoundEnded(source: string): void
  onBug(error: unknown): void
}

/**
 * What sessions with the relay are for: the room's group, its chat, and the others in it. It goes on from
 * one connection to the next.
 */
export class CallRoom {
  readonly group: VerifiedGroup
  readonly chat: ChatLink
  readonly remotes: RemoteParticipants
  readonly speakers: ActiveSpeakers
  private readonly options: CallRoomOptions
  private readonly feedback: FeedbackLink
  private readonly reports: ReceiverReports
  private readonly arrivals = new ArrivalMeter()
  private readonly line: Line
  private readonly faults: Faults
  private readonly presence: Presence
  /** Whether the relay itself publishes anything for the room. */
  private readonly relayPresence: Presence
  private connection: RelayConnection | null = null
  private roster: ReadonlySet<string> = new Set()
  private bytesReported = 0
  private queueMs: number | null = null

  constructor(options: CallRoomOptions) {
    this.options = options
    const { clock, events } = options
    this.faults = new Faults(() => clock.now(), events.onBug)
    this.line = new Line(clock, (what, error) => this.faults.tell(what, error))
    this.group = this.openGroup()
    this.chat = this.openChat()
    const { line: session, name: room } = this
    this.speakers = new ActiveSpeakers({ session, room, clock, onChange: () => events.onChange() })
    this.reports = this.openReports()
    this.remotes = this.openRemotes()
    this.feedback = new FeedbackLink({
      session,
      room,
      participantId: this.self,
      clock,
      onFeedback: (feedback) => options.media.onFeedback(feedback),
    })
    // Nothing is asked in vain before the first connection is there.
    this.group.setOnline(false)
    this.presence = this.openPresence()
    this.relayPresence = new Presence({
      clock,
      mayReturn: () => false,
      onAnnounced: () => {},
      onWithdrawn: () => {},
      onCame: () => this.speakers.setRelayPresent(true),
      onGone: () => this.speakers.setRelayPresent(false),
    })
  }

  /** The connection that everything goes over, or last went. */
  get current(): RelayConnection | null {
    return this.connection
  }

  /** Subscriptions that a former connection still serves. */
  get moving(): boolean {
    return this.line.moving
  }

  /** A further connection; it is used once it is given to `adopt`. @param setup options of our SETUP */
  open({ session: transport, transport: way }: Connected, setup: Property[]): RelayConnection {
    const { clock, steps, events } = this.options
    const connection: RelayConnection = new RelayConnection({
      transport,
      way,
      setup,
      room: this.name,
      participantId: this.self,
      clock,
      requests: {
        onSubscribe: (request) => this.onSubscribe(request),
        onFetch: (request) => this.onFetch(request),
        onTrackStatus: (request) => {
          const state = this.statusOf(textOf(request.track.name))
          if (state) request.accept(state)
          else request.reject(RequestCode.DOES_NOT_EXIST, 'no such track')
        },
      },
      onReady: () => steps.reach('connected'),
      onNamespace: (namespace, present) => this.onNamespace(connection, namespace, present),
      onBug: events.onBug,
    })
    return connection
  }

  /** Everything goes on over this connection. */
  adopt(connection: RelayConnection): void {
    const isFirst = this.connection === null
    this.connection = connection
    this.bytesReported = connection.session.bytesReceived
    this.line.goTo(connection.session)
    // What was decided while nothing came is asked for, also where the connection only changed.
    if (!isFirst) this.group.setOnline(false)
    this.group.setOnline(true)
    if (!isFirst) this.settle()
  }

  /** There is no connection that works. */
  interrupt(): void {
    this.group.setOnline(false)
  }

  /** A connection is over; who is there is told by the next one. */
  release(connection: RelayConnection): void {
    this.presence.lose(connection)
    this.relayPresence.lose(connection)
    if (this.connection?.established) this.settle()
  }

  /** Receive keys of a new epoch are there. */
  keysChanged({ roster }: EpochKeys): void {
    const ids = roster.map(({ participantId }) => participantId)
    this.roster = new Set(ids)
    this.remotes.keysChanged()
    this.chat.keysChanged(ids)
    this.presence.review()
  }

  /** How the page shows a picture of somebody's. */
  setView(participantId: string, source: PictureSource, view: CompleteView): void {
    this.remotes.setView(participantId, source, view)
    this.reports.wishesChanged()
  }

  get path(): PathInfo {
    const ms = this.rttMs
    return { rttMs: Number.isFinite(ms) ? ms : null, queueMs: this.queueMs }
  }

  /** But for the connections and the group, which are left one way or another. */
  close(): void {
    this.presence.close()
    this.relayPresence.close()
    this.feedback.close()
    this.reports.close()
    this.speakers.close()
    this.remotes.close()
    this.chat.close()
    this.line.close()
  }

  /** Infinity while it is not known. */
  private get rttMs(): number {
    return this.connection?.roundTrip.ms ?? Number.POSITIVE_INFINITY
  }

  private get name(): string {
    return this.options.call.room
  }

  private get self(): string {
    return this.options.call.participantId
  }

  private openGroup(): VerifiedGroup {
    const { call, identity, authenticate, slot, keys, clock, wallClock, steps, events } =
      this.options
    return new VerifiedGroup({
      session: this.line,
      room: this.name,
      participantId: this.self,
      suite: call.suite ?? 'x-wing',
      clock,
      wallClock,
      random: Math.random,
      ...identity,
      ...(authenticate && { authenticate }),
      slot,
      settings: call.keySettings,
      onGroupInfo: () => steps.reach('groupInfo'),
      onEpoch: (epoch) => void keys.install(epoch).catch(events.onBug),
      onFailed: (error) => events.onKeysFailed(error),
      onChange: () => events.onChange(),
      onBug: events.onBug,
    })
  }

  private openChat(): ChatLink {
    const { call, keys, clock, wallClock, events } = this.options
    return new ChatLink({
      session: this.line,
      room: this.name,
      participantId: this.self,
      keys,
      clock,
      wallClock,
      maxDataBytes: call.chatSettings?.maxDataBytes,
      onText: (text) => events.onChat(text),
      onData: (data) => events.onData(data),
      onDelivered: (delivery) => events.onChatDelivered(delivery),
      onBug: events.onBug,
    })
  }

  private openReports(): ReceiverReports {
    const { clock, wallClock } = this.options
    return new ReceiverReports({
      trackAlias: TRACK_NUMBER.report,
      clock,
      wallClock,
      wishes: () => this.remotes.wishes(),
      arrivals: (intervalMs) => {
        const bytesReceived = this.connection?.session.bytesReceived ?? 0
        const bytes = bytesReceived - this.bytesReported
        this.bytesReported = bytesReceived
        const { received, lost, queueMs } = this.arrivals.take(this.remotes.arrivals())
        this.queueMs = queueMs
        return { intervalMs, bytes, received, lost, queueMs }
      },
      onDemand: (wanted) => {
        if (!wanted) this.queueMs = null
        this.remotes.setManaged(wanted)
      },
    })
  }

  private openRemotes(): RemoteParticipants {
    const { keys, clock, steps, events } = this.options
    return new RemoteParticipants({
      steps,
      session: this.line,
      room: this.name,
      group: this.group,
      chat: this.chat,
      keys,
      clock,
      rttMs: () => this.rttMs,
      onChange: () => {
        this.reports.wishesChanged()
        this.options.media.setReceivers(this.remotes.decodes())
        events.onChange()
      },
      onError: (error) => events.onMediaError(error),
      onFault: (id, error) => this.faults.tell(id, error),
      onPicture: (id, source, frame) => events.onPicture(id, source, frame),
      onSamples: (source, chunk) => events.onSamples(source, chunk),
      onSoundEnded: (source) => events.onSoundEnded(source),
    })
  }

  private onSubscribe(request: IncomingSubscribe): void {
    const name = textOf(request.track.name)
    if (this.group.accept(name, request)) return
    if (name === TrackName.CHAT) this.chat.accept(request)
    else if (name === REPORT_TRACK) this.reports.accept(request)
    else if (!this.options.media.accept(request)) {
      request.reject(RequestCode.DOES_NOT_EXIST, 'no such track')
    }
  }

  private onFetch(request: IncomingFetch): void {
    if (this.options.media.fetch(request)) return
    request.reject(RequestCode.DOES_NOT_EXIST, 'no such track')
  }

  private statusOf(name: string | null): TrackState | null {
    if (name === TrackName.CHAT) return this.chat.status
    if (name === REPORT_TRACK) return this.reports.status
    return this.group.status(name) ?? this.options.media.status(name)
  }

  private openPresence(): Presence {
    const { self } = this
    return new Presence({
      clock: this.options.clock,
      mayReturn: (id) => this.roster.has(id),
      onAnnounced: (id) => this.group.setPresent(id, true),
      onWithdrawn: (id) => this.group.setPresent(id, false),
      onCame: (id) => {
        if (id !== self) this.remotes.setPresent(id, true)
      },
      onGone: (id) => {
        if (id !== self) this.remotes.setPresent(id, false)
      },
    })
  }

  private settle(): void {
    this.presence.settle()
    this.relayPresence.settle()
  }

  private onNamespace(connection: RelayConnection, namespace: Namespace, present: boolean): void {
    const told = (presence: Presence, id: string) => {
      if (present) presence.announce(connection, id)
      else presence.withdraw(connection, id)
    }
    if (parseRelayNamespace(namespace) === this.name) told(this.relayPresence, this.name)
    const place = parseParticipantNamespace(namespace)
    if (place?.room === this.name) told(this.presence, place.participant)
  }
}
