/**
 * A call, in its worker: connects to the relay, joins the room's group, publishes what is captured and
 * receives what the others publish. Everything between the device streams and the pictures and samples
 * happens here, off the page's main thread.
 */

import {
  parseParticipantNamespace,
  participantNamespace,
  roomNamespace,
  TrackName,
} from '../../../moq/media/index.ts'
import {
  type IncomingSubscribe,
  Session,
  systemClock,
  type TrackState,
} from '../../../moq/session/index.ts'
import type { CloseInfo } from '../../../moq/transport/transport.ts'
import { RequestCode } from '../../../moq/wire/codes.ts'
import type { RequestError } from '../../../moq/wire/messages.ts'
import { type Namespace, textOf } from '../../../moq/wire/names.ts'
import { VERSIONS } from '../../../moq/wire/versions.ts'
import type { ChatDelivery, ChatText, ReceivedText } from '../../chat/index.ts'
import { ChatError } from '../../chat/index.ts'
import type { EpochKeys, KeysAlarm, KeysError } from '../../keys/index.ts'
import type { MediaError } from '../../media/media-error.ts'
import type { PcmChunk } from '../../media/pcm.ts'
import { ConnectError, type Connected, connect } from '../../transport/connect.ts'
import type { ReadToken } from '../token.ts'
import type { CallError, CallState, Participant, SuiteName } from '../types.ts'
import type { WorkerOptions, WorkerStatus } from '../worker-protocol.ts'
import { ChatLink } from './chat-link.ts'
import { GroupLink } from './group-link.ts'
import { LocalMedia, TRACK_NUMBER } from './local-media.ts'
import { MediaKeys, SFRAME_SUITE } from './media-keys.ts'
import { RemoteParticipant } from './remote-participant.ts'
import { tokenErrorOfRequest, tokenErrorOfSession } from './token-errors.ts'
import { sendToken, TokenRenewal, tokenSetup } from './token-renewal.ts'
import { type Security, VerificationLink } from './verification-link.ts'

export interface CallEngineEvents {
  onStatus(status: WorkerStatus): void
  onError(error: CallError): void
  /** The token in use ends soon; the answer is `renewToken`. */
  onTokenWanted(): void
  onChat(text: ReceivedText): void
  onChatDelivered(delivery: ChatDelivery): void
  /** The receiver closes the picture. */
  onPicture(participantId: string, frame: VideoFrame): void
  onSamples(source: string, chunk: PcmChunk): void
  onSoundEnded(source: string): void
}

const STATUS_MS = 200
const POLL_MS = 10

export class CallEngine {
  private readonly options: WorkerOptions
  private readonly events: CallEngineEvents
  private readonly clock = systemClock
  private readonly namespace: Namespace
  private readonly keys: MediaKeys
  private readonly media: LocalMedia
  private readonly remotes = new Map<string, RemoteParticipant>()
  /** Participants that are there before our first epoch is. */
  private readonly awaited = new Set<string>()
  private readonly alarms = new Map<string, string[]>()
  /** Media objects that came of each participant, as of the last report. */
  private readonly heard = new Map<string, number>()
  private readonly abort = new AbortController()
  private state: CallState = 'joining'
  private connection: Connected | null = null
  private session: Session | null = null
  private group: GroupLink | null = null
  private chat: ChatLink | null = null
  private verification: VerificationLink | null = null
  private renewal: TokenRenewal | null = null
  private epoch: EpochKeys | null = null
  private timers: (() => void)[] = []

  constructor(options: WorkerOptions, events: CallEngineEvents) {
    this.options = options
    this.events = events
    this.namespace = participantNamespace(options.room, options.participantId)
    this.keys = new MediaKeys(this.clock, {
      onInstalled: (keys) => this.onInstalled(keys),
      onSwitch: (atOnce) => {
        void this.media.renewKeys(atOnce).catch(this.onBug)
        void this.chat?.renewKey().catch(this.onBug)
      },
    })
    this.media = new LocalMedia({
      namespace: this.namespace,
      displayName: options.name,
      keys: this.keys,
      clock: this.clock,
      wallClock: Date.now,
      maxDatagramSize: () => this.connection?.session.maxDatagramSize ?? 0,
      onMediaError: (error) => this.onMediaError(error),
      onCaptureFailed: (device, error) => this.onCaptureFailed(device, error),
      onBug: this.onBug,
    })
  }

  async start(): Promise<void> {
    const { url, transport, certificateHashes } = this.options
    this.every(STATUS_MS, () => this.report())
    this.every(POLL_MS, () => {
      for (const remote of this.remotes.values()) remote.poll()
    })
    try {
      this.connection = await connect({
        url,
        protocols: VERSIONS,
        prefer: transport ?? 'auto',
        certificateHashes,
        onFault: this.onBug,
        signal: this.abort.signal,
      })
    } catch (error) {
      if (this.isOver()) return
      this.fail(connectFailure(error))
      return
    }
    if (this.isOver()) this.connection.session.close(0, 'left the call')
    else this.open(this.connection)
    this.report()
  }

  /** Devices are open. */
  capture(video: ReadableStream<VideoFrame> | null, audio: ReadableStream<AudioData> | null): void {
    void this.media.capture(video, audio).catch(this.onBug)
  }

  /** Holds for a device that is opened later, too. */
  setMuted(kind: 'audio' | 'video', muted: boolean): void {
    this.media.setMuted(kind, muted)
  }

  /** The application's next token; null: it has none now. */
  renewToken(token: ReadToken | null): void {
    if (token === null) this.renewal?.failed()
    else this.renewal?.offer(token)
  }

  /** @throws ChatError */
  sendChat(text: string): ChatText {
    if (!this.chat || this.isOver()) throw new ChatError('not-connected')
    return this.chat.send(text)
  }

  async leave(): Promise<void> {
    if (this.isOver()) return
    this.setState('left')
    this.abort.abort()
    await this.group?.leave()
    this.stop()
    this.session?.close(0, 'left the call')
  }

  // ---- connection

  private open(connection: Connected): void {
    const session = new Session(connection.session, {
      role: 'client',
      implementation: 'sotto/0',
      setup: tokenSetup(this.options.token),
      clock: this.clock,
      handler: {
        onSubscribe: (request) => this.onSubscribe(request),
        onTrackStatus: (request) => {
          const state = this.statusOf(textOf(request.track.name))
          if (state) request.accept(state)
          else request.reject(RequestCode.DOES_NOT_EXIST, 'no such track')
        },
        onClosed: (info) => this.onClosed(info),
        onInternalError: this.onBug,
      },
    })
    this.session = session
    this.keepAdmitted(session)
    session.publishNamespace(this.namespace, { onRejected: (error) => this.onRefused(error) })
    this.group = new GroupLink({
      session,
      room: this.options.room,
      participantId: this.options.participantId,
      suite: this.options.suite ?? 'x-wing',
      clock: this.clock,
      random: Math.random,
      trackAlias: TRACK_NUMBER.mls,
      onEpoch: (keys) => {
        this.verification?.enter(keys)
        void this.keys.install(keys).catch(this.onBug)
      },
      onAlarm: (alarm) => this.onAlarm(alarm),
      onFailed: (error) => this.onKeysFailed(error),
    })
    this.verification = new VerificationLink({
      session,
      room: this.options.room,
      participantId: this.options.participantId,
      clock: this.clock,
      wallClock: Date.now,
      signatures: this.group.member,
      onChange: () => this.report(),
      onBug: this.onBug,
    })
    this.openChat(session)
    session.subscribeNamespace(roomNamespace(this.options.room), {
      onRejected: (error) => this.onRefused(error),
      onNamespace: (namespace) => this.onNamespace(namespace, true),
      onNamespaceDone: (namespace) => this.onNamespace(namespace, false),
    })
  }

  private onSubscribe(request: IncomingSubscribe): void {
    const name = textOf(request.track.name)
    if (name === TrackName.MLS) this.group?.accept(request)
    else if (name === TrackName.CHAT) this.chat?.accept(request)
    else if (name === TrackName.VERIFY) this.verification?.accept(request)
    else if (!this.media.accept(request)) {
      request.reject(RequestCode.DOES_NOT_EXIST, 'no such track')
    }
  }

  private statusOf(name: string | null): TrackState | null {
    if (name === TrackName.CHAT) return this.chat?.status ?? null
    if (name === TrackName.VERIFY) return this.verification?.status ?? null
    return this.media.status(name)
  }

  private openChat(session: Session): void {
    const { room, participantId } = this.options
    this.chat = new ChatLink({
      session,
      room,
      participantId,
      keys: this.keys,
      clock: this.clock,
      wallClock: Date.now,
      onText: (text) => this.events.onChat(text),
      onDelivered: (delivery) => this.events.onChatDelivered(delivery),
      onBug: this.onBug,
    })
  }

  private onRefused({ code, reason }: RequestError): void {
    const ofToken = tokenErrorOfRequest(code, reason, this.options.token !== null)
    this.fail(ofToken ?? { code: 'relay-refused', message: refused(reason) })
  }

  private onClosed({ by, code, reason }: CloseInfo): void {
    if (this.isOver()) return
    const hasToken = this.options.token !== null
    const ofToken = by === 'peer' ? tokenErrorOfSession(code, reason, hasToken) : null
    const lost: CallError = {
      code: 'disconnected',
      message: 'The connection to the relay was lost.',
      detail: `closed by ${by}: ${reason} (${code})`,
    }
    this.fail(ofToken ?? lost)
  }

  private keepAdmitted(session: Session): void {
    const { token, renewsToken, room } = this.options
    if (token === null || !renewsToken) return
    this.renewal = new TokenRenewal(token.expires, {
      clock: this.clock,
      wallClock: Date.now,
      random: Math.random,
      ask: () => this.events.onTokenWanted(),
      send: (next, onAnswer) => sendToken(session, room, next, onAnswer),
      onRefused: ({ code, reason }) => {
        const error = tokenErrorOfRequest(code, reason, true)
        if (error) this.events.onError(error)
      },
    })
    this.timers.push(() => this.renewal?.close())
  }

  // ---- participants

  private onNamespace(namespace: Namespace, present: boolean): void {
    const place = parseParticipantNamespace(namespace)
    if (!place || place.room !== this.options.room) return
    const { participant } = place
    this.group?.setPresent(participant, present)
    if (participant === this.options.participantId) return
    this.verification?.setAnnounced(participant, present)
    if (present) this.addRemote(participant)
    else this.removeRemote(participant)
  }

  /** Media is subscribed to once there are keys: before, nothing could be decrypted. */
  private addRemote(id: string): void {
    if (!this.session || !this.epoch) {
      this.awaited.add(id)
      return
    }
    if (this.remotes.has(id)) return
    const remote = new RemoteParticipant({
      id,
      room: this.options.room,
      session: this.session,
      keys: this.keys,
      clock: this.clock,
      onChange: () => this.report(),
      onError: (error) => this.onMediaError(error),
      onPicture: (_, frame) => this.events.onPicture(id, frame),
      onSamples: (_, track, chunk) => this.events.onSamples(soundSource(id, track), chunk),
      onTrackEnded: (_, track) => this.events.onSoundEnded(soundSource(id, track)),
    })
    this.remotes.set(id, remote)
    this.chat?.setPresent(id, true)
    this.report()
  }

  private removeRemote(id: string): void {
    this.awaited.delete(id)
    this.remotes.get(id)?.close()
    this.chat?.setPresent(id, false)
    this.heard.delete(id)
    if (this.remotes.delete(id)) this.report()
  }

  // ---- keys

  private onInstalled(keys: EpochKeys): void {
    this.epoch = keys
    if (this.state === 'joining') this.setState('connected')
    for (const id of this.awaited) this.addRemote(id)
    this.awaited.clear()
    for (const remote of this.remotes.values()) remote.keysChanged()
    this.chat?.keysChanged(keys.roster.map(({ participantId }) => participantId))
    this.report()
  }

  private onAlarm(alarm: KeysAlarm): void {
    const own = this.alarms.get(this.options.participantId) ?? []
    this.alarms.set(this.options.participantId, [...own.slice(-MAX_ALARMS), alarm.message])
    this.report()
  }

  private onKeysFailed(error: KeysError): void {
    this.fail({
      code: 'keys-failed',
      message: 'The encryption keys of this room could not be agreed on.',
      detail: `${error.code}: ${error.message}`,
    })
  }

  // ---- state

  private report(): void {
    const suite = { mls: this.mlsSuite(), sframe: SFRAME_SUITE.name }
    const ghosts = this.verification?.ghosts() ?? []
    this.events.onStatus({
      state: this.state,
      connected: this.session?.ready ?? false,
      transport: this.connection?.transport ?? 'webtransport',
      epoch: this.epoch?.epoch ?? 0,
      suite,
      verificationCode: this.epoch?.verificationCode ?? '',
      verificationEmoji: this.verification?.emoji ?? [],
      participants: [this.localInfo(), ...this.remoteInfos(), ...ghosts],
    })
  }

  private mlsSuite(): SuiteName {
    return this.epoch?.suite ?? this.options.suite ?? 'x-wing'
  }

  private localInfo(): Participant {
    return {
      id: this.options.participantId,
      name: this.options.name,
      local: true,
      alarms: this.alarms.get(this.options.participantId) ?? [],
      alarmNames: [],
      safetyNumber: '',
      tracks: this.media.infos(),
    }
  }

  private remoteInfos(): Participant[] {
    return [...this.remotes.values()].map((remote) => {
      const info = remote.info(this.securityOf(remote.id))
      const objects = info.tracks.reduce((sum, track) => sum + track.objects, 0)
      if (objects !== this.heard.get(info.id)) this.verification?.noteTraffic(info.id)
      this.heard.set(info.id, objects)
      return info
    })
  }

  private securityOf(id: string): Security {
    const others = this.alarms.get(id) ?? []
    const known = this.verification?.securityOf(id, others)
    return known ?? { alarms: others, alarmNames: [], safetyNumber: '' }
  }

  private setState(state: CallState): void {
    this.state = state
    this.report()
  }

  private isOver(): boolean {
    return this.state === 'left' || this.state === 'failed'
  }

  private fail(error: CallError): void {
    if (this.isOver()) return
    this.events.onError(error)
    this.setState('failed')
    this.group?.close()
    this.stop()
    this.session?.close(0, 'the call failed')
  }

  private stop(): void {
    for (const cancel of this.timers) cancel()
    this.timers = []
    for (const id of [...this.remotes.keys()]) this.removeRemote(id)
    this.media.close()
    this.chat?.close()
    this.verification?.close()
    this.keys.close()
  }

  private onMediaError(error: MediaError): void {
    this.events.onError({
      code: 'internal',
      message: 'A codec failed and was started again.',
      detail: error.message,
    })
  }

  private onCaptureFailed(device: 'microphone' | 'camera', error: unknown): void {
    this.events.onError({
      code: 'no-device',
      message: `The ${device} stopped working. Check that it is connected, then join again.`,
      detail: String(error),
    })
  }

  /** A bug of ours: told, never swallowed, and the call goes on as far as it can. */
  private readonly onBug = (error: unknown): void => {
    const detail = error instanceof Error ? `${error.message}\n${error.stack}` : String(error)
    this.events.onError({ code: 'internal', message: 'Something went wrong in the call.', detail })
  }

  private every(ms: number, task: () => void): void {
    const timer = setInterval(task, ms)
    this.timers.push(() => clearInterval(timer))
  }
}

const MAX_ALARMS = 16

function soundSource(participantId: string, track: string): string {
  return `${participantId}/${track}`
}

function refused(reason: string): string {
  return `The relay refused the call: ${reason}.`
}

function connectFailure(error: unknown): CallError {
  if (error instanceof ConnectError) {
    const code = error.code === 'version' ? 'version-unsupported' : 'relay-unreachable'
    return { code, message: error.message }
  }
  return { code: 'internal', message: 'The connection failed.', detail: String(error) }
}
