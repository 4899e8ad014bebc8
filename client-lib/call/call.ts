/**
 * A call, as an application sees it. The work is done in a worker; here are the devices, the canvases,
 * the loudspeaker, and the state that the worker reports.
 */

import {
  type ChatData,
  ChatError,
  type ChatErrorCode,
  type ChatText,
  DEFAULT_DATA_BYTES,
} from '../chat/index.ts'
import { takeWorker } from './call-worker.ts'
import { Devices } from './devices.ts'
import { Emitter } from './emitter.ts'
import { missingFeature } from './missing-feature.ts'
import { checkOptions } from './options.ts'
import { completeView, type ParticipantView, type PictureSource } from './participant-view.ts'
import { Pictures } from './pictures.ts'
import { ScreenShare } from './screen-share.ts'
import { dropSeat, keepSeat, seatOf } from './seat-memory.ts'
import { Sounds } from './sounds.ts'
import { askForToken, type ReadToken, readToken } from './token.ts'
import { rememberedTransport, rememberTransport } from './transport-memory.ts'
import type {
  CallError,
  CallEvents,
  CallState,
  DeviceChoice,
  GroupMember,
  JoinOptions,
  Participant,
  Snapshot,
  TokenRequest,
} from './types.ts'
import type { CapturedVideo, FromWorker, ToWorker, WorkerStatus } from './worker-protocol.ts'

/**
 * Joins a call and returns at once, in state `joining`; follow `state` and `error`.
 * @throws CallOptionsError when the options cannot be used
 */
export function joinCall(options: JoinOptions): Call {
  return new Call(checkOptions(options))
}

type JoinMilestone = keyof Snapshot['joinMs']

/** A call that `joinCall` has begun: what is seen of it, and what can be done in it. */
export class Call {
  private id = ''
  private readonly emitter = new Emitter<CallEvents>()
  private readonly worker: Worker
  private readonly joinedAt = performance.now()
  private readonly joinMs: Record<JoinMilestone, number | null> = {
    connected: null,
    keys: null,
    firstPicture: null,
    firstSound: null,
  }
  private readonly sounds = new Sounds({
    onOpened: (source, port) => this.tell({ type: 'sound', source, port }, [port]),
    onError: (error) => this.onError(error),
  })
  private readonly pictures = new Pictures((id, source) => this.sounds.of(id, source))
  private readonly devices: Devices
  private readonly screen: ScreenShare
  private status: WorkerStatus
  private statusAt = performance.now()
  private lastError: CallError | null = null
  private ended = false
  private leaving: Promise<void> | null = null
  private toldOfNoToken = false
  /** The token that was given as it is; a function is asked once the key is there. */
  private readonly givenToken: ReadToken | null
  private request: TokenRequest = { thumbprint: '', participant: null }
  private suspended = false
  private readonly options: JoinOptions
  private onLeft: () => void = () => {}
  /** Texts and data that the worker was given and has not answered for. */
  private readonly texts = new Map<number, PromiseWithResolvers<ChatText>>()
  private readonly data = new Map<number, PromiseWithResolvers<ChatData>>()
  private nextRequest = 0

  /** Use `joinCall`, which checks the options. */
  constructor(options: JoinOptions) {
    this.options = options
    const { media, token } = options
    // Before the worker and the devices are started: a token that cannot be read starts neither.
    const given = typeof token === 'string' ? readToken(token) : null
    this.givenToken = given
    this.status = {
      state: 'joining',
      connected: false,
      transport: options.transport === 'websocket' ? 'websocket' : 'webtransport',
      connection: { reconnects: 0, lostMs: null, lastLostMs: null },
      path: { rttMs: null, queueMs: null },
      epoch: 0,
      suite: { mls: options.suite ?? 'x-wing', sframe: '' },
      verificationCode: '',
      verificationEmoji: [],
      roster: [],
      participants: [],
      activeSpeakers: [],
    }
    this.worker = takeWorker()
    this.worker.onmessage = ({ data }: MessageEvent<FromWorker>) => this.onMessage(data)
    this.worker.onerror = (event) => this.onWorkerFailed(event.message)
    this.askForSeat(seatOf(options.room))
    addEventListener('pagehide', this.onPageHide)
    addEventListener('pageshow', this.onPageShow)
    addEventListener('online', this.onNetworkChanged)
    addEventListener('offline', this.onNetworkChanged)
    document.addEventListener('visibilitychange', this.onAwake)
    this.devices = new Devices(
      {
        onOpened: (video, audio) => this.onCaptured(video, audio),
        onPicture: (frame) => this.pictures.showOwn(this.self, frame),
        onError: (error) => this.onError(error),
      },
      options.simulcast === false ? {} : SIMULCAST_SIZE,
      { audio: idOf(media?.audio), video: idOf(media?.video) },
    )
    this.screen = new ScreenShare({
      onStarted: (frames, sound) => {
        this.tell({ type: 'share', frames, sound }, sound ? [frames, sound] : [frames])
      },
      onEnded: () => this.tell({ type: 'unshare' }),
      onError: (error) => this.onError(error),
    })
    const missing = missingFeature(globalThis)
    // Once there are listeners.
    if (missing !== null) queueMicrotask(() => this.fail(tooOld(missing)))
    else void this.devices.open({ video: media?.video !== false, audio: media?.audio !== false })
  }

  /**
   * Participant id of this page: what the token says; else random, new for each call, but the same
   * again after a reload. Empty for a moment at the join, and while a `token` function is asked for the
   * first time.
   */
  get self(): string {
    return this.id
  }

  get state(): CallState {
    return this.status.state
  }

  get participants(): readonly Participant[] {
    return this.status.participants
  }

  /**
   * Ids of those who speak now and, behind them, of those who did before, the newest first; we are among
   * them. `Participant.speaking` says who speaks now.
   */
  get activeSpeakers(): readonly string[] {
    return this.status.activeSpeakers
  }

  get epoch(): number {
    return this.status.epoch
  }

  /** 30 digits, the same for all who are in the call's group; empty before we are. */
  get verificationCode(): string {
    return this.status.verificationCode
  }

  /**
   * Who is in the call's group in this epoch, and so has its keys: everybody who can decrypt what we send,
   * also who does not show. Empty before we are in it.
   */
  get roster(): readonly GroupMember[] {
    return this.status.roster
  }

  get transport(): 'webtransport' | 'websocket' {
    return this.status.transport
  }

  /** Calls `listener` at each event until the returned function is called. */
  on<E extends keyof CallEvents>(event: E, listener: (value: CallEvents[E]) => void): () => void {
    return this.emitter.on(event, listener)
  }

  /** Plain JSON of everything that can be seen of the call now. */
  snapshot(): Snapshot {
    const {
      state,
      transport,
      connection,
      path,
      epoch,
      suite,
      verificationCode,
      verificationEmoji,
    } = this.status
    return {
      state,
      transport,
      connection,
      path,
      epoch,
      suite,
      verificationCode,
      verificationEmoji,
      self: this.self,
      joinMs: { ...this.joinMs },
      participants: this.agedParticipants(),
      roster: this.status.roster,
      error: this.lastError,
    }
  }

  /** Mutes or unmutes; a microphone that was not opened at the join is opened. */
  setMicrophone(on: boolean): void {
    this.setDevice('audio', on)
  }

  /** Turns our picture off or on; a camera that was not opened at the join is opened. */
  setCamera(on: boolean): void {
    this.setDevice('video', on)
  }

  /**
   * Lets the person choose a screen, window or tab and sends its picture, and its sound where the browser
   * gives that, as tracks `screen` and `screen-audio`. To be called when the person has pressed something.
   * Ends with `stopScreen`, with the call, and when the person ends it in the browser.
   * @returns whether it is shared now: not when the person chose nothing, or when it cannot be done, of
   * which the `error` event tells
   */
  shareScreen(): Promise<boolean> {
    return this.ended ? Promise.resolve(false) : this.screen.start()
  }

  /** The others see our screen no more. */
  stopScreen(): void {
    this.screen.stop()
  }

  /**
   * Draws a participant's picture into a canvas until the returned function is called; of ourselves,
   * what the camera sees.
   * @param source a participant whose `tracks` have one of kind `screen` shares its screen
   */
  attachVideo(
    participantId: string,
    canvas: HTMLCanvasElement,
    source: PictureSource = 'camera',
  ): () => void {
    return this.pictures.attach(participantId, source, canvas)
  }

  /**
   * Says how large the page shows a participant's picture, and how much it matters, so that the relay
   * sends what is of use and no more. Holds until it is said otherwise, or the participant leaves; call
   * it whenever the layout changes or the page is hidden. Until then a picture comes as large as it can.
   */
  setView(participantId: string, view: ParticipantView, source: PictureSource = 'camera'): void {
    if (this.ended || participantId === this.self) return
    const complete = completeView(view)
    this.tell({ type: 'view', participant: participantId, source, view: complete })
  }

  /**
   * Sends a text to all who are in the call now, encrypted like sound and picture. Resolves once it is
   * on its way; `chatDelivered` tells to how many of them it has come. The others get it by `chat`, in
   * the order in which this page sent its texts. Who joins later gets nothing old.
   * @throws ChatError (rejects): `empty`, `too-long` (4000 bytes of UTF-8), `too-fast` (10 at once, 5 a
   * second) or `not-connected`
   */
  sendChat(text: string): Promise<ChatText> {
    return this.send(this.texts, (request) => ({ type: 'chat', request, text }))
  }

  /**
   * Sends data of the application to all who are in the call now, encrypted like sound and picture, in
   * order with our texts. Resolves once it is on its way; `chatDelivered` tells to how many of them it has
   * come, by its id. The others get it by `data`. Who joins later gets nothing old.
   * @param bytes copied before the call returns
   * @param about `topic` tells the data of an application's parts apart: 64 bytes of UTF-8 at most
   * @throws ChatError (rejects): `too-large` (16 KiB, see `chatSettings`), `bad-topic`, `too-fast` (like
   * texts, and 64 KiB a second) or `not-connected`
   */
  sendData(bytes: Uint8Array, { topic = '' }: { readonly topic?: string } = {}): Promise<ChatData> {
    // Before it is copied: it may be of any size.
    if (bytes.length > (this.options.chatSettings?.maxDataBytes ?? DEFAULT_DATA_BYTES)) {
      return Promise.reject(new ChatError('too-large'))
    }
    // Of its own: what a view shows is less than the buffer that would be copied.
    const own = bytes.slice()
    return this.send(this.data, (request) => ({ type: 'data', request, topic, bytes: own }))
  }

  /**
   * Says goodbye, closes the devices and ends the call. Not for when the page goes: it may be a reload,
   * and then `joinCall` for the same room comes back as the same member. Who does not is removed by the
   * others after ten seconds.
   */
  leave(): Promise<void> {
    this.leaving ??= this.sayGoodbye()
    return this.leaving
  }

  private async sayGoodbye(): Promise<void> {
    if (this.ended) return
    this.devices.close()
    this.screen.close()
    // Without an id nothing was joined yet, and there is nobody to say goodbye to.
    if (this.id !== '') {
      const left = new Promise<void>((resolve) => {
        const done = setTimeout(resolve, LEAVE_MS)
        this.onLeft = () => {
          clearTimeout(done)
          resolve()
        }
      })
      this.tell({ type: 'leave' })
      await left
    }
    this.end()
  }

  // ---- token

  private askForSeat(seat: string | null): void {
    const { room, suite = 'x-wing', token } = this.options
    const isBound = this.givenToken !== null && this.givenToken.thumbprint !== null
    const wantsKeys = typeof token === 'function' || isBound
    this.tell({ type: 'seat', wish: { room, seat, suite, wantsKeys } })
  }

  /** The worker has our place, from before a reload or a new one. */
  private onSeated({ seat, thumbprint, participant }: Seated): void {
    if (this.ended || this.leaving || this.suspended) return
    const { room, token: source } = this.options
    keepSeat(room, seat)
    this.request = { thumbprint: thumbprint ?? '', participant }
    if (typeof source === 'function') void this.joinWithFirstToken(source, seat)
    else this.join(this.givenToken, seat)
  }

  private join(token: ReadToken | null, seat: string): void {
    const { media: _, token: source, renewCertificateHashes, ...rest } = this.options
    if (rest.issuerKeys !== undefined && token !== null && token.thumbprint === null) {
      this.fail({ code: 'token-refused', message: UNBOUND_TOKEN })
      return
    }
    this.id = token?.participant ?? seat
    const own = { participantId: this.id, token, renewsToken: typeof source === 'function' }
    const renewsHashes = renewCertificateHashes !== undefined
    const usualTransport = rememberedTransport(rest.url, Date.now())
    this.tell({ type: 'join', options: { ...rest, ...own, renewsHashes, usualTransport } })
  }

  private async joinWithFirstToken(source: TokenSource, seat: string): Promise<void> {
    const answer = await askForToken(source, this.request, NO_TOKEN)
    if (this.leaving || this.suspended) return
    if ('code' in answer) {
      this.fail(answer)
      return
    }
    if (this.ended) return
    const { participant } = this.request
    // Our former self may be in the group still, and two leaves cannot have one key.
    const isAnother = participant !== null && participant !== answer.participant
    if (isAnother && answer.thumbprint !== null) this.askForSeat(null)
    else this.join(answer, seat)
  }

  /** The worker wants the next one. */
  private async renewToken(): Promise<void> {
    const { token: source } = this.options
    if (typeof source !== 'function') return
    const answer = await askForToken(source, this.request, NO_NEW_TOKEN)
    if (this.ended) return
    const none = 'code' in answer
    // It is asked for again every few seconds: once is enough to say.
    if (none && !this.toldOfNoToken) this.onError(answer)
    this.toldOfNoToken = none
    this.tell({ type: 'token', token: none ? null : answer })
  }

  private async renewHashes(): Promise<void> {
    const hashes = await this.options.renewCertificateHashes?.().catch(() => null)
    if (!this.ended) this.tell({ type: 'hashes', hashes: hashes ?? null })
  }

  // ---- what the machine does

  private readonly onNetworkChanged = (): void => {
    this.tell({ type: 'hint', hint: 'network-changed' })
  }

  private readonly onAwake = (): void => {
    if (document.visibilityState === 'visible') this.tell({ type: 'hint', hint: 'awake' })
  }

  // ---- the page goes

  private readonly onPageHide = (): void => {
    this.suspended = true
    this.tell({ type: 'suspend' })
  }

  /** Back without a reload, from where the browser had kept the page: without a connection. */
  private readonly onPageShow = (): void => {
    if (!this.suspended) return
    const message = 'The call ended while the page was away. Join it again.'
    this.fail({ code: 'disconnected', message })
  }

  // ---- worker

  private onMessage(message: FromWorker): void {
    switch (message.type) {
      case 'seated':
        this.onSeated(message)
        return
      case 'no-seat':
        this.fail(message.error)
        return
      case 'status':
        this.onStatus(message.status)
        return
      case 'error':
        this.onError(message.error)
        return
      case 'picture':
        this.reached('firstPicture')
        this.pictures.show(message.participant, message.source, message.frame)
        return
      case 'first-sound':
        this.reached('firstSound')
        return
      case 'sound-wanted':
        void this.sounds.open(message.source)
        return
      case 'sound-ended':
        this.sounds.end(message.source)
        return
      case 'token-wanted':
        void this.renewToken()
        return
      case 'hashes-wanted':
        void this.renewHashes()
        return
      case 'chat-sent':
        settle(this.texts, message.request, message.result)
        return
      case 'data-sent':
        settle(this.data, message.request, message.result)
        return
      case 'data':
        this.emitter.emit('data', message.data)
        return
      case 'chat':
        this.emitter.emit('chat', message.text)
        return
      case 'chat-delivered':
        this.emitter.emit('chatDelivered', message.delivery)
        return
      case 'left':
        this.onLeft()
    }
  }

  private onStatus(status: WorkerStatus): void {
    const before = this.status
    this.status = { ...status, participants: this.measured(status.participants) }
    this.statusAt = performance.now()
    if (status.connected) this.reached('connected')
    if (status.connected && !before.connected) this.keepTransport(status)
    if (status.verificationCode !== '') this.reached('keys')
    if (status.state !== before.state) this.emitter.emit('state', status.state)
    if (status.verificationCode !== before.verificationCode) {
      const { epoch, verificationCode } = status
      this.emitter.emit('epoch', { epoch, verificationCode })
    }
    this.emitter.emit('participants', this.status.participants)
    if (status.activeSpeakers.join() !== before.activeSpeakers.join()) {
      this.emitter.emit('activeSpeakers', status.activeSpeakers)
    }
    if (status.state === 'failed') this.end()
  }

  /** A choice of the application's says nothing of what the network lets through. */
  private keepTransport({ transport }: WorkerStatus): void {
    const { url, transport: wanted = 'auto' } = this.options
    if (wanted === 'auto') rememberTransport(url, transport, Date.now())
  }

  private send<Sent>(
    sending: Map<number, PromiseWithResolvers<Sent>>,
    message: (request: number) => ToWorker,
  ): Promise<Sent> {
    const answer = Promise.withResolvers<Sent>()
    if (this.ended || this.id === '') answer.reject(new ChatError('not-connected'))
    else {
      const request = this.nextRequest++
      sending.set(request, answer)
      this.tell(message(request))
    }
    return answer.promise
  }

  private onError(error: CallError): void {
    this.lastError = error
    this.emitter.emit('error', error)
  }

  /** The worker could not be loaded, or broke: there is no call without it. */
  private onWorkerFailed(detail: string): void {
    this.fail({ code: 'internal', message: 'The call broke. Join it again.', detail })
  }

  /** Ends a call that the worker cannot end, or does not know of. */
  private fail(error: CallError): void {
    if (this.ended) return
    this.onError(error)
    this.status = { ...this.status, state: 'failed' }
    this.emitter.emit('state', 'failed')
    this.end()
  }

  private reached(milestone: JoinMilestone): void {
    this.joinMs[milestone] ??= Math.round(performance.now() - this.joinedAt)
  }

  /** With what only the page knows of sound and pictures. */
  private measured(participants: readonly Participant[]): Participant[] {
    const { sounds, pictures } = this
    return participants.map((participant) => ({
      ...participant,
      tracks: participant.tracks.map((track) => ({
        ...track,
        ...sounds.measured(participant, track),
        ...pictures.measured(participant, track),
      })),
    }))
  }

  /** Ages of frames go on between two reports. */
  private agedParticipants(): Participant[] {
    const since = performance.now() - this.statusAt
    return this.status.participants.map((participant) => ({
      ...participant,
      tracks: participant.tracks.map((track) => ({
        ...track,
        lastFrameAgeMs:
          track.lastFrameAgeMs === null ? null : Math.round(track.lastFrameAgeMs + since),
      })),
    }))
  }

  private tell(message: ToWorker, transfer: Transferable[] = []): void {
    this.worker.postMessage(message, transfer)
  }

  // ---- devices

  private setDevice(kind: 'audio' | 'video', on: boolean): void {
    if (this.ended) return
    this.tell({ type: 'mute', kind, muted: !on })
    this.devices.enable(kind, on)
  }

  private onCaptured(video: CapturedVideo | null, audio: ReadableStream<AudioData> | null): void {
    const streams = [video?.frames ?? null, audio].filter((stream) => stream !== null)
    this.tell({ type: 'capture', video, audio }, streams)
  }

  private end(): void {
    if (this.ended) return
    this.ended = true
    removeEventListener('pagehide', this.onPageHide)
    removeEventListener('pageshow', this.onPageShow)
    removeEventListener('online', this.onNetworkChanged)
    removeEventListener('offline', this.onNetworkChanged)
    document.removeEventListener('visibilitychange', this.onAwake)
    // Coming back is for who did not leave.
    if (!this.suspended) dropSeat(this.options.room)
    this.devices.close()
    this.screen.close()
    this.pictures.close()
    this.sounds.close()
    for (const sending of [this.texts, this.data]) {
      for (const { reject } of sending.values()) reject(new ChatError('not-connected'))
      sending.clear()
    }
    this.worker.terminate()
    if (this.status.state === 'failed') return
    this.status = { ...this.status, state: 'left' }
    this.emitter.emit('state', 'left')
  }
}

/** The worker has answered. */
function settle<Sent extends object>(
  sending: Map<number, PromiseWithResolvers<Sent>>,
  request: number,
  result: Sent | ChatErrorCode,
): void {
  const answer = sending.get(request)
  sending.delete(request)
  if (typeof result === 'string') answer?.reject(new ChatError(result))
  else answer?.resolve(result)
}

function idOf(choice: boolean | DeviceChoice | undefined): string | undefined {
  return typeof choice === 'object' ? choice.deviceId : undefined
}

type Seated = Extract<FromWorker, { type: 'seated' }>
type TokenSource = Exclude<JoinOptions['token'], string | undefined>

function tooOld(missing: string): CallError {
  const message = `This browser is too old for calls: it has no ${missing}. Update it, or use another one.`
  return { code: 'browser-too-old', message }
}

const NO_TOKEN = 'There is no token to join with. Reload the page, then try again.'
const UNBOUND_TOKEN =
  'The token is bound to no key, and this call is for members who prove theirs. Ask for another token.'
const NO_NEW_TOKEN = 'There is no new token yet. Without one the call ends with the last one.'

/** The largest of the sizes that are sent. */
const SIMULCAST_SIZE = { width: 1280, height: 720 } as const

/** A goodbye that takes longer than this is not waited for, ms. */
const LEAVE_MS = 1500
