/**
 * A call, in its worker: connects to the relay, joins the room's group, publishes what is captured and
 * receives what the others publish. Everything between the device streams and the pictures and samples
 * happens here, off the page's main thread.
 */

import { type PictureSource, participantNamespace } from '../../../moq/media/index.ts'
import { systemClock } from '../../../moq/session/index.ts'
import type { ChatData, ChatText } from '../../chat/index.ts'
import { ChatError } from '../../chat/index.ts'
import { type EpochKeys, leaveSeat, type Seat } from '../../keys/index.ts'
import type { VerificationEvent } from '../../verification/index.ts'
import type { JoinStep } from '../join-times.ts'
import type { CompleteView } from '../participant-view.ts'
import type { ReadToken } from '../token.ts'
import type { CallError, CallState } from '../types.ts'
import type { WorkerOptions, WorkerStatus } from '../worker-protocol.ts'
import { Admission, type Entry } from './admission.ts'
import * as errors from './call-errors.ts'
import { CallRoom, type CallRoomEvents } from './call-room.ts'
import { callStatus, everybodyIn } from './call-status.ts'
import { Dialer, type OpenConnection } from './dialer.ts'
import { JoinSteps } from './join-steps.ts'
import { LocalMedia, type OpenCamera } from './local-media.ts'
import { MediaKeys } from './media-keys.ts'
import { Outages } from './outages.ts'
import type { Preparation } from './preparation.ts'
import { Reconnector, type Verdict } from './reconnector.ts'
import type { RelayConnection } from './relay-connection.ts'

type FromRoom = 'onChat' | 'onData' | 'onChatDelivered' | 'onPicture' | 'onSamples' | 'onSoundEnded'

export interface CallEngineEvents extends Pick<CallRoomEvents, FromRoom> {
  onStatus(status: WorkerStatus): void
  /** What changed in the group, the newest first. */
  onHistory(history: readonly VerificationEvent[]): void
  onError(error: CallError): void
  /** A step of the join; each is told once. */
  onReached(step: JoinStep): void
  /** The token in use ends soon; the answer is `renewToken`. */
  onTokenWanted(): void
  /** The relay may have another certificate; the answer is `renewHashes`. */
  onHashesWanted(): void
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
  private readonly reconnector: Reconnector<RelayConnection>
  private readonly outages: Outages
  private readonly steps: JoinSteps
  private readonly dialer: Dialer
  private readonly prepared: Preparation
  private room: CallRoom | null = null
  private epoch: EpochKeys | null = null
  /** What was said before there was a room. */
  private readonly earlyViews = new Map<string, EarlyView>()
  private timers: (() => void)[] = []

  /**
   * @param seat where our state is kept; the engine closes its slot
   * @param prepared what was made ready before
   */
  constructor(options: WorkerOptions, seat: Seat, prepared: Preparation, events: CallEngineEvents) {
    this.prepared = prepared
    this.options = options
    this.seat = seat
    this.events = events
    this.steps = new JoinSteps((step) => events.onReached(step))
    this.outages = new Outages(() => this.clock.now())
    const { clock } = this
    const entering = { call: options, seat, clock, wallClock: Date.now, random: Math.random }
    this.admission = new Admission(entering, {
      onTokenWanted: () => events.onTokenWanted(),
      onTaken: (token) => this.room?.group.setToken(token),
      onRefused: (error) => events.onError(error),
      onBug: this.onBug,
    })
    this.dialer = new Dialer({
      call: options,
      admission: this.admission,
      clock: this.clock,
      early: prepared.early,
      onHashesWanted: () => events.onHashesWanted(),
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
      maxDatagramSize: () => this.room?.current?.session.transport.maxDatagramSize ?? 0,
      onMediaError: (error) => events.onError(errors.codecFailed(error)),
      onWithdrawn: (track, error) => events.onError(errors.renditionWithdrawn(track, error)),
      onCaptureFailed: (device, error) => events.onError(errors.captureFailed(device, error)),
      onBug: this.onBug,
    })
    this.reconnector = this.makeReconnector()
  }

  async start(): Promise<void> {
    this.every(STATUS_MS, () => this.report())
    void this.prepared.codecs().then((support) => this.media.setCodecSupport(support), this.onBug)
    this.every(POLL_MS, () => this.room?.remotes.poll())
    const { fault } = this.seat
    if (fault !== null) this.events.onError(errors.stateNotKept(fault))
    const entry = await this.admission.prepare()
    if (this.isOver()) return
    if ('code' in entry) return this.fail(entry)
    const room = this.openRoom(entry)
    let connection: RelayConnection
    try {
      connection = await this.dialer.first(this.openerOf(room), this.abort.signal)
    } catch (error) {
      return this.fail(errors.connectFailed(error))
    }
    if (this.isOver()) connection.close('left the call')
    else this.reconnector.begin(connection)
    this.report()
  }

  /** What the page sees of the machine. */
  takeHint(hint: 'network-changed' | 'awake'): void {
    this.dialer.takeHint(hint)
    this.reconnector.hurry()
  }

  /** The answer to `onHashesWanted`; null: they could not be had. */
  renewHashes(hashes: readonly string[] | null): void {
    this.dialer.renewHashes(hashes)
  }

  /** A camera is open, or another one. */
  captureVideo(camera: OpenCamera): void {
    void this.media.captureVideo(camera).catch(this.onBug)
  }

  /** A microphone is open, or another one. */
  captureAudio(samples: ReadableStream<AudioData>): void {
    void this.media.captureAudio(samples).catch(this.onBug)
  }

  /** Nothing more is read of a device. */
  release(kind: 'audio' | 'video'): void {
    this.media.release(kind)
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

  private openRoom({ authenticate }: Entry): CallRoom {
    const { events } = this
    const room = new CallRoom({
      call: this.options,
      identity: this.admission.identity,
      authenticate,
      slot: this.seat.slot,
      keys: this.keys,
      media: this.media,
      clock: this.clock,
      wallClock: Date.now,
      steps: this.steps,
      events: {
        ...events,
        onSamples: (source, chunk) => {
          this.steps.reach('firstSound')
          events.onSamples(source, chunk)
        },
        onChange: () => this.report(),
        onKeysFailed: (error) => this.fail(errors.keysFailed(error)),
        onMediaError: (error) => events.onError(errors.codecFailed(error)),
        onBug: this.onBug,
      },
    })
    this.room = room
    for (const { participant, source, view } of this.earlyViews.values()) {
      room.setView(participant, source, view)
    }
    this.earlyViews.clear()
    return room
  }

  private makeReconnector(): Reconnector<RelayConnection> {
    const { reconnectMs, token } = this.options
    const hasToken = token !== null
    return new Reconnector<RelayConnection>({
      clock: this.clock,
      random: Math.random,
      ...(reconnectMs !== undefined && { settings: { giveUpMs: reconnectMs } }),
      dial: (attempt) => this.dialer.again(attempt, this.openerOf(this.room!)),
      judgeDial: (error) => this.judge(errors.connectFailed(error)),
      judgeClose: (info) => this.judge(errors.connectionLost(info, hasToken)),
      judgeRefusal: (error) => this.judge(errors.relayRefused(error, hasToken)),
      onAdopted: (connection) => {
        this.outages.adopted()
        this.dialer.adopted(connection.way)
        this.room?.adopt(connection)
        this.admission.keep(connection.session)
        this.report()
      },
      onOver: (connection) => this.room?.release(connection),
      onLost: (lost) => this.onLost(lost),
      isMoving: () => this.room?.moving ?? false,
      onFailed: (error) => this.fail(error),
    })
  }

  /** Another try helps against what is none of these. */
  private judge(error: CallError): Verdict {
    const { code } = error
    const mayRenew = code === 'token-expired' && this.admission.expire()
    return { error, final: FINAL.has(code) && !mayRenew }
  }

  private openerOf(room: CallRoom): OpenConnection {
    return (connected, setup) => {
      this.steps.reach('transport')
      return room.open(connected, setup)
    }
  }

  private onLost(lost: boolean): void {
    if (this.isOver()) return
    this.outages.setLost(lost)
    if (lost) this.room?.interrupt()
    this.setState(lost ? 'reconnecting' : this.epoch ? 'connected' : 'joining')
  }

  private onInstalled(keys: EpochKeys): void {
    this.epoch = keys
    this.steps.reach('keys')
    if (this.state === 'joining') this.setState('connected')
    this.room?.keysChanged(keys)
    this.report()
  }

  private report(): void {
    const { options, state, media, room, epoch, outages } = this
    const sources = { options, state, media, room, epoch, connection: outages.info }
    const everybody = everybodyIn(sources)
    if (room?.group.note(everybody)) this.events.onHistory(room.group.history)
    this.events.onStatus(callStatus(sources, everybody))
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
    this.reconnector.close(reason)
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

/** Of which no further try is made. */
const FINAL: ReadonlySet<CallError['code']> = new Set([
  'token-required',
  'token-refused',
  'token-expired',
  'version-unsupported',
  'invalid-options',
])
