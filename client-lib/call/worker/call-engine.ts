/**
 * A call, in its worker: connects to the relay, joins the room's group, publishes what is captured and
 * receives what the others publish. Everything between the device streams and the pictures and samples
 * happens here, off the page's main thread.
 */

import { type PictureSource, participantNamespace } from '../../../moq/media/index.ts'
import { systemClock } from '../../../moq/session/index.ts'
import type { CloseInfo } from '../../../moq/transport/transport.ts'
import type { RequestError } from '../../../moq/wire/messages.ts'
import { VERSIONS } from '../../../moq/wire/versions.ts'
import type { ChatData, ChatText } from '../../chat/index.ts'
import { ChatError } from '../../chat/index.ts'
import { type EpochKeys, leaveSeat, type Seat } from '../../keys/index.ts'
import { probeCodecs } from '../../media/codec-support.ts'
import { type Connected, connect } from '../../transport/connect.ts'
import type { CompleteView } from '../participant-view.ts'
import type { ReadToken } from '../token.ts'
import type { CallError, CallState, Participant, SuiteName } from '../types.ts'
import type { CapturedVideo, WorkerOptions, WorkerStatus } from '../worker-protocol.ts'
import { Admission, type Entry } from './admission.ts'
import * as errors from './call-errors.ts'
import { CallRoom, type CallRoomEvents } from './call-room.ts'
import { groupRoster } from './group-roster.ts'
import { LocalMedia } from './local-media.ts'
import { MediaKeys, SFRAME_SUITE } from './media-keys.ts'

type FromRoom = 'onChat' | 'onData' | 'onChatDelivered' | 'onPicture' | 'onSamples' | 'onSoundEnded'

export interface CallEngineEvents extends Pick<CallRoomEvents, FromRoom> {
  onStatus(status: WorkerStatus): void
  onError(error: CallError): void
  /** The token in use ends soon; the answer is `renewToken`. */
  onTokenWanted(): void
}

interface EarlyView {
  readonly participant: string
  readonly source: PictureSource
  readonly view: CompleteView
}

const STATUS_MS = 200
const POLL_MS = 10

export class CallEngine {
  private readonly options: WorkerOptions
  private readonly events: CallEngineEvents
  private readonly clock = systemClock
  private readonly seat: Seat
  private readonly admission: Admission
  private readonly keys: MediaKeys
  private readonly media: LocalMedia
  private readonly abort = new AbortController()
  private state: CallState = 'joining'
  private connection: Connected | null = null
  private room: CallRoom | null = null
  private epoch: EpochKeys | null = null
  /** What was said before there was a room. */
  private readonly earlyViews = new Map<string, EarlyView>()
  private timers: (() => void)[] = []

  /** @param seat where our state is kept; the engine closes its slot */
  constructor(options: WorkerOptions, seat: Seat, events: CallEngineEvents) {
    this.options = options
    this.seat = seat
    this.events = events
    this.admission = new Admission(options, seat, this.clock, {
      onTokenWanted: () => events.onTokenWanted(),
      onTaken: (token) => this.room?.group.setToken(token),
      onRefused: (error) => events.onError(error),
      onBug: this.onBug,
    })
    this.keys = new MediaKeys(this.clock, {
      onInstalled: (keys) => this.onInstalled(keys),
      onRevoked: () => {
        this.media.revokeKeys()
        this.room?.chat.revokeKey()
      },
      onSwitch: () => {
        void this.media.renewKeys().catch(this.onBug)
        void this.room?.chat.renewKey().catch(this.onBug)
      },
    })
    this.media = new LocalMedia({
      namespace: participantNamespace(options.room, options.participantId),
      displayName: options.name,
      keys: this.keys,
      ...(options.videoCodecs !== undefined && { videoCodecs: options.videoCodecs }),
      renditions: {
        ...(options.simulcast !== undefined && { simulcast: options.simulcast }),
        ...(options.maxVideoBitrate !== undefined && { maxBitrate: options.maxVideoBitrate }),
      },
      clock: this.clock,
      wallClock: Date.now,
      maxDatagramSize: () => this.connection?.session.maxDatagramSize ?? 0,
      onMediaError: (error) => events.onError(errors.codecFailed(error)),
      onWithdrawn: (track, error) => events.onError(errors.renditionWithdrawn(track, error)),
      onCaptureFailed: (device, error) => events.onError(errors.captureFailed(device, error)),
      onBug: this.onBug,
    })
  }

  async start(): Promise<void> {
    const { url, transport, certificateHashes } = this.options
    this.every(STATUS_MS, () => this.report())
    void probeCodecs().then((support) => this.media.setCodecSupport(support), this.onBug)
    this.every(POLL_MS, () => this.room?.remotes.poll())
    const { fault } = this.seat
    if (fault !== null) this.events.onError(errors.stateNotKept(fault))
    const entry = await this.admission.prepare()
    if (this.isOver()) return
    if ('code' in entry) return this.fail(entry)
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
      return this.fail(errors.connectFailed(error))
    }
    if (this.isOver()) this.connection.session.close(0, 'left the call')
    else this.open(this.connection, entry)
    this.report()
  }

  /** Devices are open. */
  capture(video: CapturedVideo | null, audio: ReadableStream<AudioData> | null): void {
    void this.media.capture(video, audio).catch(this.onBug)
  }

  /** A screen is shared, perhaps with sound. */
  share(frames: ReadableStream<VideoFrame>, sound: ReadableStream<AudioData> | null): void {
    void this.media.share(frames, sound).catch(this.onBug)
    this.report()
  }

  unshare(): void {
    this.media.unshare()
    this.report()
  }

  /** Holds for a device that is opened later, too. */
  setMuted(kind: 'audio' | 'video', muted: boolean): void {
    this.media.setMuted(kind, muted)
  }

  /** How the page shows a picture of somebody's. */
  setView(participant: string, source: PictureSource, view: CompleteView): void {
    if (this.room) this.room.setView(participant, source, view)
    else if (this.state === 'joining') {
      this.earlyViews.set(`${source} ${participant}`, { participant, source, view })
    }
  }

  /** The application's next token; null: it has none now. */
  renewToken(token: ReadToken | null): void {
    this.admission.offer(token)
  }

  /** @throws ChatError */
  sendChat(text: string): ChatText {
    if (!this.room || this.isOver()) throw new ChatError('not-connected')
    return this.room.chat.send(text)
  }

  /** @throws ChatError */
  sendData(bytes: Uint8Array, topic: string): ChatData {
    if (!this.room || this.isOver()) throw new ChatError('not-connected')
    return this.room.chat.sendData(bytes, topic)
  }

  async leave(): Promise<void> {
    if (this.isOver()) return
    this.setState('left')
    this.abort.abort()
    if (this.room) await this.room.group.leave()
    else await leaveSeat(this.seat).catch(this.onBug)
    this.stop('left the call')
  }

  /** The page goes, and may be back in a moment as the same member. Nothing is told any more. */
  suspend(): void {
    if (this.isOver()) return
    this.state = 'left'
    this.abort.abort()
    if (this.room) this.room.group.suspend()
    else this.seat.slot?.close()
    this.stop('the page goes')
  }

  private open({ session }: Connected, { setup, authenticate }: Entry): void {
    const { events } = this
    this.room = new CallRoom({
      transport: session,
      setup,
      call: this.options,
      identity: this.admission.identity,
      authenticate,
      slot: this.seat.slot,
      keys: this.keys,
      media: this.media,
      clock: this.clock,
      wallClock: Date.now,
      events: {
        ...events,
        onChange: () => this.report(),
        onRefused: (error) => this.onRefused(error),
        onClosed: (info) => this.onClosed(info),
        onKeysFailed: (error) => this.fail(errors.keysFailed(error)),
        onMediaError: (error) => events.onError(errors.codecFailed(error)),
        onBug: this.onBug,
      },
    })
    for (const { participant, source, view } of this.earlyViews.values()) {
      this.room.setView(participant, source, view)
    }
    this.earlyViews.clear()
    this.admission.keep(this.room.session)
  }

  private onRefused(error: RequestError): void {
    this.fail(errors.relayRefused(error, this.options.token !== null))
  }

  private onClosed(info: CloseInfo): void {
    this.fail(errors.connectionLost(info, this.options.token !== null))
  }

  private onInstalled(keys: EpochKeys): void {
    this.epoch = keys
    if (this.state === 'joining') this.setState('connected')
    this.room?.keysChanged(keys)
    this.report()
  }

  private report(): void {
    const suite = { mls: this.mlsSuite(), sframe: SFRAME_SUITE.name }
    const { room } = this
    const others = room ? [...room.remotes.infos(), ...room.group.ghosts] : []
    const everybody = [this.localInfo(), ...others]
    const speakers = room?.speakers.among(everybody) ?? []
    const speaking = new Set(speakers.filter((one) => one.speaking).map(({ id }) => id))
    this.events.onStatus({
      state: this.state,
      connected: room?.session.ready ?? false,
      transport: this.connection?.transport ?? 'webtransport',
      path: room?.path ?? { rttMs: null, queueMs: null },
      epoch: this.epoch?.epoch ?? 0,
      suite,
      verificationCode: this.epoch?.verificationCode ?? '',
      verificationEmoji: room?.group.emoji ?? [],
      roster: this.epoch ? groupRoster(this.epoch, everybody) : [],
      participants: everybody.map((one) => ({ ...one, speaking: speaking.has(one.id) })),
      activeSpeakers: speakers.map(({ id }) => id),
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
      alarms: this.room?.group.alarms ?? [],
      alarmNames: [],
      safetyNumber: '',
      speaking: false,
      tracks: this.media.infos(),
    }
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
    if (this.room) this.room.group.close()
    else void leaveSeat(this.seat).catch(this.onBug)
    this.stop('the call failed')
  }

  private stop(reason: string): void {
    for (const cancel of this.timers) cancel()
    this.timers = []
    this.admission.close()
    this.room?.close()
    this.media.close()
    this.keys.close()
    this.room?.session.close(0, reason)
  }

  /** A bug of ours: told, never swallowed, and the call goes on as far as it can. */
  private readonly onBug = (error: unknown): void => {
    this.events.onError(errors.wentWrong(error))
  }

  private every(ms: number, task: () => void): void {
    const timer = setInterval(task, ms)
    this.timers.push(() => clearInterval(timer))
  }
}
