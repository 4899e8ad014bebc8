/**
 * A call, as an application sees it. The work is done in a worker; here are the devices, the canvases,
 * the loudspeaker, and the state that the worker reports.
 */

import { type ChatData, ChatError, type ChatText, DEFAULT_DATA_BYTES } from '../chat/index.ts'
import { canChooseSpeaker } from '../media/audio-output.ts'
import type { VerificationEvent } from '../verification/index.ts'
import { Emitter } from './emitter.ts'
import { Entrance } from './entrance.ts'
import { LiveStatus } from './live-status.ts'
import { Machine } from './machine.ts'
import { pageUnfit } from './missing-feature.ts'
import { checkOptions } from './options.ts'
import { OwnMedia } from './own-media.ts'
import { pagePainter } from './page-painter.ts'
import { completeView, type ParticipantView, type PictureSource } from './participant-view.ts'
import { Pictures } from './pictures.ts'
import { Requests } from './requests.ts'
import { Sounds } from './sounds.ts'
import { Speaker } from './speaker.ts'
import { rememberTransport } from './transport-memory.ts'
import type {
  CallError,
  CallEvents,
  CallState,
  DeviceChange,
  DeviceKind,
  DevicesInUse,
  GroupMember,
  JoinOptions,
  Participant,
  Snapshot,
} from './types.ts'
import { type WorkerHandlers, WorkerLink } from './worker-link.ts'
import type { ToWorker, WorkerStatus } from './worker-protocol.ts'

/**
 * Joins a call and returns at once, in state `joining`; follow `state` and `error`.
 * @throws CallOptionsError when the options cannot be used
 */
export function joinCall(options: JoinOptions): Call {
  return new Call(checkOptions(options))
}

/** A call that `joinCall` has begun: what is seen of it, and what can be done in it. */
export class Call {
  private readonly options: JoinOptions
  private readonly emitter = new Emitter<CallEvents>()
  private readonly live: LiveStatus
  private readonly entrance: Entrance
  private readonly worker: WorkerLink
  private readonly machine: Machine
  private readonly sounds = new Sounds({
    onOpened: (source, port) => this.worker.tell({ type: 'sound', source, port }, [port]),
    onHeard: () => this.live.reached('firstHeard'),
    onDelay: (source, ms) => this.pictures.setSoundDelay(source, ms),
    onError: (error) => this.onError(error),
  })
  private readonly pictures: Pictures
  private readonly media: OwnMedia
  private readonly speaker: Speaker
  private readonly texts = new Requests<ChatText>()
  private readonly data = new Requests<ChatData>()
  private ended = false
  private leaving: Promise<void> | null = null
  private onLeft: () => void = () => {}

  /** Use `joinCall`, which checks the options. */
  constructor(options: JoinOptions) {
    this.options = options
    const { sounds } = this
    const onError = (error: CallError) => this.onError(error)
    const tell = (message: ToWorker, transfer?: Transferable[]) =>
      this.worker.tell(message, transfer)
    // Before the worker and the devices are started: a token that cannot be read starts neither.
    this.entrance = new Entrance(options, { tell, onError, onFailed: (error) => this.fail(error) })
    this.live = new LiveStatus(options, this.emitter, (participant, track) => ({
      ...sounds.measured(participant, track),
      ...this.pictures.measured(participant, track),
    }))
    // It cannot be loaded, or breaks: there is no call without it.
    this.worker = new WorkerLink(this.handlers(), (detail) => this.fail({ ...BROKEN, detail }))
    this.pictures = new Pictures(pagePainter(), {
      tell,
      soundOf: (id, source) => sounds.of(id, source),
      onFirst: (at) => this.live.reached('firstPicture', at),
    })
    this.entrance.begin()
    this.machine = new Machine({
      onHint: (hint) => this.worker.tell({ type: 'hint', hint }),
      onHide: () => this.suspend(),
      onBack: () => this.fail({ code: 'disconnected', message: WAS_AWAY }),
    })
    const onCamera = (camera: MediaStreamTrack | null) => this.pictures.setCamera(camera)
    const onChanged = (change: DeviceChange) => this.emitter.emit('device', change)
    this.media = new OwnMedia(options, { tell, onCamera, onChanged, onError })
    this.speaker = new Speaker({
      id: options.media?.speaker?.deviceId,
      canChoose: canChooseSpeaker(),
      playAt: (id) => sounds.playAt(id),
      devices: navigator.mediaDevices,
      onChanged,
      onError,
    })
    const unfit = pageUnfit(globalThis)
    // Once there are listeners.
    if (unfit !== null) queueMicrotask(() => this.fail(unfit))
    else {
      sounds.prepare()
      this.media.begin()
    }
  }

  /**
   * Participant id of this page: what the token says; else random, new for each call, but the same
   * again after a reload. Empty for a moment at the join, and while a `token` function is asked for the
   * first time.
   */
  get self(): string {
    return this.entrance.self
  }

  get state(): CallState {
    return this.live.now.state
  }

  get participants(): readonly Participant[] {
    return this.live.now.participants
  }

  /**
   * Ids of those who speak now and, behind them, of those who did before, the newest first; we are among
   * them. `Participant.speaking` says who speaks now.
   */
  get activeSpeakers(): readonly string[] {
    return this.live.now.activeSpeakers
  }

  get epoch(): number {
    return this.live.now.epoch
  }

  /** 30 digits, the same for all who are in the call's group; empty before we are. */
  get verificationCode(): string {
    return this.live.now.verificationCode
  }

  /**
   * Who is in the call's group in this epoch, and so has its keys: everybody who can decrypt what we send,
   * also who does not show. Empty before we are in it.
   */
  get roster(): readonly GroupMember[] {
    return this.live.now.roster
  }

  /**
   * What changed in the call's group, and when, the newest first: who joined, left or came back with
   * another key, renewed keys, a group that was made anew, alarms. 200 at most; when there are more, what
   * was as it should be goes first. Each has a sentence for a person.
   */
  get verificationHistory(): readonly VerificationEvent[] {
    return this.live.history
  }

  get transport(): 'webtransport' | 'websocket' {
    return this.live.now.transport
  }

  /** Calls `listener` at each event until the returned function is called. */
  on<E extends keyof CallEvents>(event: E, listener: (value: CallEvents[E]) => void): () => void {
    return this.emitter.on(event, listener)
  }

  /** Plain JSON of everything that can be seen of the call now. */
  snapshot(): Snapshot {
    return this.live.snapshot(this.self)
  }

  /** Mutes or unmutes; a microphone that is not open is opened. Muted, it stays open and gives silence. */
  setMicrophone(on: boolean): void {
    this.media.enable('microphone', on)
  }

  /** Turns our camera off, which lets go of it, so that its lamp goes out, or on, which opens it. */
  setCamera(on: boolean): void {
    this.media.enable('camera', on)
  }

  /** Which devices are used, or will be when they are turned on. */
  get devices(): DevicesInUse {
    const { media, speaker } = this
    return {
      camera: media.deviceId('camera'),
      microphone: media.deviceId('microphone'),
      speaker: speaker.deviceId,
    }
  }

  /**
   * Takes another device, of those that `navigator.mediaDevices.enumerateDevices()` tells. What is on is
   * changed at once, and the others miss nothing: the new one goes on in the tracks of the one before.
   * What is off stays off, and closed; it is that device when it is turned on. A speaker can be chosen
   * where `canChooseSpeaker`. When a device is unplugged, another takes its place, as the `device` event
   * tells.
   * @returns whether it is that device now, or will be; if not, the one before goes on, and the `error`
   * event tells why
   */
  useDevice(kind: DeviceKind, deviceId: string): Promise<boolean> {
    if (this.ended) return Promise.resolve(false)
    return kind === 'speaker' ? this.speaker.choose(deviceId) : this.media.choose(kind, deviceId)
  }

  /**
   * Lets the person choose a screen, window or tab and sends its picture, and its sound where the browser
   * gives that, as tracks `screen` and `screen-audio`. To be called when the person has pressed something.
   * Ends with `stopScreen`, with the call, and when the person ends it in the browser.
   * @returns whether it is shared now: not when the person chose nothing, or when it cannot be done, of
   * which the `error` event tells
   */
  shareScreen(): Promise<boolean> {
    return this.ended ? Promise.resolve(false) : this.media.share()
  }

  /** The others see our screen no more. */
  stopScreen(): void {
    this.media.unshare()
  }

  /**
   * Draws a participant's picture into a canvas until the returned function is called; of ourselves,
   * what the camera sees. A worker draws, to which the canvas is handed over for good, where the browser
   * can do that and the canvas has no context yet; else the page's own thread does. The canvas may show
   * somebody else later, in another call too.
   * @param source a participant whose `tracks` have one of kind `screen` shares its screen
   * @throws TypeError when the canvas has another kind of context, or was handed over by somebody else
   */
  attachVideo(
    participantId: string,
    canvas: HTMLCanvasElement,
    source: PictureSource = 'camera',
  ): () => void {
    const own = participantId === this.self
    return this.pictures.attach(participantId, source, canvas, own)
  }

  /**
   * Says how large the page shows a participant's picture, and how much it matters, so that the relay
   * sends what is of use and no more. Holds until it is said otherwise, or the participant leaves; call
   * it whenever the layout changes or the page is hidden. Until then a picture comes as large as it can.
   */
  setView(participantId: string, view: ParticipantView, source: PictureSource = 'camera'): void {
    if (this.ended || participantId === this.self) return
    const complete = completeView(view)
    this.worker.tell({ type: 'view', participant: participantId, source, view: complete })
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
    this.entrance.close()
    this.media.close()
    // Without an id nothing was joined yet, and there is nobody to say goodbye to.
    if (this.self !== '') {
      const left = new Promise<void>((resolve) => {
        const done = setTimeout(resolve, LEAVE_MS)
        this.onLeft = () => {
          clearTimeout(done)
          resolve()
        }
      })
      this.worker.tell({ type: 'leave' })
      await left
    }
    this.end()
  }

  /** The page goes, and may be back in a moment. */
  private suspend(): void {
    this.entrance.close()
    this.worker.tell({ type: 'suspend' })
  }

  private handlers(): WorkerHandlers {
    const { emitter, entrance, live, sounds, texts, data } = this
    return {
      abilities: ({ readsTracks }) => this.media.setWorkerReadsTracks(readsTracks),
      seated: (message) => entrance.onSeated(message),
      'no-seat': ({ error }) => this.fail(error),
      status: ({ status }) => this.onStatus(status),
      error: ({ error }) => this.onError(error),
      picture: ({ participant, source, frame }) => this.pictures.show(participant, source, frame),
      reached: ({ step, at }) => live.reached(step, at - performance.timeOrigin),
      'sound-wanted': ({ source }) => void sounds.open(source),
      'sound-ended': ({ source }) => sounds.end(source),
      'token-wanted': () => void entrance.renewToken(),
      'hashes-wanted': () => void entrance.renewHashes(),
      'chat-sent': ({ request, result }) => texts.settle(request, result),
      'data-sent': ({ request, result }) => data.settle(request, result),
      data: (message) => emitter.emit('data', message.data),
      chat: ({ text }) => emitter.emit('chat', text),
      'chat-delivered': ({ delivery }) => emitter.emit('chatDelivered', delivery),
      history: ({ events }) => live.takeHistory(events),
      left: () => this.onLeft(),
    }
  }

  private onStatus(status: WorkerStatus): void {
    if (status.connected && !this.live.now.connected) this.keepTransport(status)
    this.live.take(status)
    if (status.state === 'failed') this.end()
  }

  /** A choice of the application's says nothing of what the network lets through. */
  private keepTransport({ transport }: WorkerStatus): void {
    const { url, transport: wanted = 'auto' } = this.options
    if (wanted === 'auto') rememberTransport(url, transport, Date.now())
  }

  private send<Sent extends object>(
    requests: Requests<Sent>,
    message: (request: number) => ToWorker,
  ): Promise<Sent> {
    if (this.ended || this.self === '') return Promise.reject(new ChatError('not-connected'))
    return requests.begin((request) => this.worker.tell(message(request)))
  }

  private onError(error: CallError): void {
    this.live.tell(error)
  }

  /** Ends a call that the worker cannot end, or does not know of. */
  private fail(error: CallError): void {
    if (this.ended) return
    this.onError(error)
    this.live.finish('failed')
    this.end()
  }

  private end(): void {
    if (this.ended) return
    this.ended = true
    this.entrance.close()
    this.machine.close()
    if (!this.machine.away) this.entrance.forget()
    this.media.close()
    this.speaker.close()
    this.pictures.close()
    this.sounds.close()
    this.texts.close()
    this.data.close()
    this.worker.close()
    this.live.finish('left')
  }
}

const BROKEN = { code: 'internal', message: 'The call broke. Join it again.' } as const
const WAS_AWAY = 'The call ended while the page was away. Join it again.'
/** A goodbye that takes longer than this is not waited for, ms. */
const LEAVE_MS = 1500
