import {
  type PictureSource,
  parseParticipantNamespace,
  parseRelayNamespace,
  participantNamespace,
  REPORT_TRACK,
  roomNamespace,
  speakersTrack,
  TrackName,
} from '../../../moq/media/index.ts'
import {
  type Clock,
  type IncomingFetch,
  type IncomingSubscribe,
  Session,
  type TrackState,
} from '../../../moq/session/index.ts'
import type { CloseInfo, TransportSession } from '../../../moq/transport/transport.ts'
import { RequestCode } from '../../../moq/wire/codes.ts'
import type { RequestError } from '../../../moq/wire/messages.ts'
import { type Namespace, textOf } from '../../../moq/wire/names.ts'
import type { Property } from '../../../moq/wire/properties.ts'
import type { ChatDelivery, ReceivedData, ReceivedText } from '../../chat/index.ts'
import type { Authenticate, EpochKeys, KeysError, StateSlot } from '../../keys/index.ts'
import { ArrivalMeter } from '../../media/arrival-meter.ts'
import type { MediaError } from '../../media/media-error.ts'
import type { PcmChunk } from '../../media/pcm.ts'
import type { CompleteView } from '../participant-view.ts'
import type { PathInfo } from '../types.ts'
import type { WorkerOptions } from '../worker-protocol.ts'
import { ActiveSpeakers } from './active-speakers.ts'
import { ChatLink } from './chat-link.ts'
import type { GroupIdentity } from './credentials.ts'
import { FeedbackLink } from './feedback-link.ts'
import { type LocalMedia, TRACK_NUMBER } from './local-media.ts'
import type { MediaKeys } from './media-keys.ts'
import { ReceiverReports } from './receiver-reports.ts'
import { RemoteParticipants } from './remote-participants.ts'
import { RoundTrip } from './round-trip.ts'
import { VerifiedGroup } from './verified-group.ts'

export interface CallRoomOptions {
  readonly transport: TransportSession
  /** Options of our SETUP. */
  readonly setup: Property[]
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
  readonly events: CallRoomEvents
}

export interface CallRoomEvents {
  /** Who is there, or what is known of somebody, is other than before. */
  onChange(): void
  /** The relay refused what a call cannot do without. */
  onRefused(error: RequestError): void
  onClosed(info: CloseInfo): void
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

/** What a session with the relay is for: the room's group, its chat, and the others in it. */
export class CallRoom {
  readonly session: Session
  readonly group: VerifiedGroup
  readonly chat: ChatLink
  readonly remotes: RemoteParticipants
  readonly speakers: ActiveSpeakers
  private readonly options: CallRoomOptions
  private readonly feedback: FeedbackLink
  private readonly roundTrip: RoundTrip
  private readonly reports: ReceiverReports
  private readonly arrivals = new ArrivalMeter()
  private bytesReported = 0
  private queueMs: number | null = null

  constructor(options: CallRoomOptions) {
    this.options = options
    this.session = this.openSession()
    this.session.publishNamespace(participantNamespace(this.name, this.self), {
      onRejected: (error) => options.events.onRefused(error),
    })
    this.group = this.openGroup()
    this.chat = this.openChat()
    const { clock, events } = options
    const { session, name: room } = this
    this.roundTrip = new RoundTrip({ session, clock, track: speakersTrack(room) })
    this.speakers = new ActiveSpeakers({ session, room, clock, onChange: () => events.onChange() })
    this.reports = this.openReports()
    this.remotes = this.openRemotes()
    this.feedback = new FeedbackLink({
      session: this.session,
      room: this.name,
      participantId: this.self,
      clock: options.clock,
      onFeedback: (feedback) => options.media.onFeedback(feedback),
    })
    this.session.subscribeNamespace(roomNamespace(this.name), {
      onRejected: (error) => options.events.onRefused(error),
      onNamespace: (namespace) => this.onNamespace(namespace, true),
      onNamespaceDone: (namespace) => this.onNamespace(namespace, false),
    })
  }

  /** Receive keys of a new epoch are there. */
  keysChanged({ roster }: EpochKeys): void {
    this.remotes.keysChanged()
    this.chat.keysChanged(roster.map(({ participantId }) => participantId))
  }

  /** How the page shows a picture of somebody's. */
  setView(participantId: string, source: PictureSource, view: CompleteView): void {
    this.remotes.setView(participantId, source, view)
    this.reports.wishesChanged()
  }

  get path(): PathInfo {
    const { ms } = this.roundTrip
    return { rttMs: Number.isFinite(ms) ? ms : null, queueMs: this.queueMs }
  }

  /** But for the session and the group, which are left one way or another. */
  close(): void {
    this.feedback.close()
    this.reports.close()
    this.speakers.close()
    this.roundTrip.close()
    this.remotes.close()
    this.chat.close()
  }

  private get name(): string {
    return this.options.call.room
  }

  private get self(): string {
    return this.options.call.participantId
  }

  private openSession(): Session {
    const { transport, setup, clock, events } = this.options
    return new Session(transport, {
      role: 'client',
      implementation: 'sotto/0',
      setup,
      clock,
      handler: {
        onSubscribe: (request) => this.onSubscribe(request),
        onFetch: (request) => this.onFetch(request),
        onTrackStatus: (request) => {
          const state = this.statusOf(textOf(request.track.name))
          if (state) request.accept(state)
          else request.reject(RequestCode.DOES_NOT_EXIST, 'no such track')
        },
        onClosed: (info) => events.onClosed(info),
        onInternalError: events.onBug,
      },
    })
  }

  private openGroup(): VerifiedGroup {
    const { call, identity, authenticate, slot, keys, clock, wallClock, events } = this.options
    return new VerifiedGroup({
      session: this.session,
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
      onEpoch: (epoch) => void keys.install(epoch).catch(events.onBug),
      onFailed: (error) => events.onKeysFailed(error),
      onChange: () => events.onChange(),
      onBug: events.onBug,
    })
  }

  private openChat(): ChatLink {
    const { call, keys, clock, wallClock, events } = this.options
    return new ChatLink({
      session: this.session,
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
        const { bytesReceived } = this.session
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
    const { keys, clock, events } = this.options
    return new RemoteParticipants({
      session: this.session,
      room: this.name,
      group: this.group,
      chat: this.chat,
      keys,
      clock,
      rttMs: () => this.roundTrip.ms,
      onChange: () => {
        this.reports.wishesChanged()
        this.options.media.setReceivers(this.remotes.decodes())
        events.onChange()
      },
      onError: (error) => events.onMediaError(error),
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

  private onNamespace(namespace: Namespace, present: boolean): void {
    if (parseRelayNamespace(namespace) === this.name) this.speakers.setRelayPresent(present)
    const place = parseParticipantNamespace(namespace)
    if (!place || place.room !== this.name) return
    const { participant } = place
    this.group.setPresent(participant, present)
    if (participant !== this.self) this.remotes.setPresent(participant, present)
  }
}
