import type { CatalogTrack } from '../../../moq/media/index.ts'
import type { Clock } from '../../../moq/session/index.ts'
import { DoneCode, ResetCode } from '../../../moq/wire/codes.ts'
import { videoCodecString } from '../../media/codecs.ts'
import { firstGroupAt } from '../../media/first-group.ts'
import type { EncodedVideo, ObjectPlan } from '../../media/frames.ts'
import type { MediaError } from '../../media/media-error.ts'
import { VideoPacketizer } from '../../media/packetize.ts'
import type { RenditionPlan } from '../../media/uplink-controller.ts'
import { VideoTrackEncoder } from '../../media/video-encoder.ts'
import type { VideoSettings } from '../../media/video-settings.ts'
import type { TrackInfo } from '../types.ts'
import type { EncryptedTrack } from './encrypted-track.ts'

export interface LocalRenditionOptions {
  readonly name: string
  readonly kind: 'video' | 'screen'
  /** 0 is the smallest; a screen has no other. */
  readonly rendition: number
  readonly settings: VideoSettings
  readonly track: EncryptedTrack
  readonly clock: Clock
  readonly wallClock: () => number
  /** Largest datagram that the transport takes now, bytes. */
  readonly maxDatagramSize: () => number
  /** The encoder failed; it is made anew. @param failures since it last gave a frame */
  readonly onError: (error: MediaError, failures: number) => void
}

/** What happened since the last reading. */
export interface RenditionReading {
  /** Frames that the encoder was given, and those that it had no time for. */
  readonly input: number
  readonly missed: number
  /** Objects that the transport did not take. */
  readonly refused: number
  /** Payload bytes that went out. */
  readonly bytes: number
}

/** Bytes waiting for the uplink from which enhancement layers stop, and from which the group ends. */
const SKIP_ENHANCEMENT_BYTES = 24 * 1024
const GIVE_UP_BYTES = 192 * 1024
const RATE_WINDOW_MS = 1000
/** Who comes takes less than this to join the group and ask for pictures, ms. */
const EXPECT_MS = 2000

/**
 * One rendition of our camera, or our screen: frames → layered video → the base layer on a stream, the rest as
 * datagrams. It encodes only while the plan says so and somebody wants its objects, and has no encoder
 * at other times.
 */
export class LocalRendition {
  readonly name: string
  readonly track: EncryptedTrack
  private encoded: VideoSettings
  private readonly options: LocalRenditionOptions
  private readonly encoder: VideoTrackEncoder
  private readonly packetizer: VideoPacketizer
  private plan: RenditionPlan | null = null
  private muted = false
  private encoding = false
  /** Encoder failures since it last gave a frame. */
  private failures = 0
  private lastFrameAt: number | null = null
  /** When the frames of the last second were encoded. */
  private readonly encodedAt: number[] = []
  private readonly read = { input: 0, missed: 0, refused: 0, bytes: 0 }
  private dropped = 0
  /** Nothing may be sent before the next key frame. */
  private needKey = true
  /** Objects are wanted. */
  private watched = false
  private expected = false
  private cancelExpected: () => void = () => {}

  constructor(options: LocalRenditionOptions) {
    this.options = options
    this.name = options.name
    this.track = options.track
    this.encoded = options.settings
    this.packetizer = new VideoPacketizer({
      temporalLayers: options.settings.temporalLayers,
      firstGroup: firstGroupAt(options.wallClock()),
    })
    this.encoder = new VideoTrackEncoder({
      settings: options.settings,
      now: () => options.clock.now(),
      wallClock: options.wallClock,
      onError: (error) => options.onError(error, ++this.failures),
      onFrame: (frame) => this.onFrame(frame),
    })
    this.encoder.stop()
  }

  /** How it is encoded now. */
  get settings(): VideoSettings {
    return this.encoded
  }

  /** Another codec, from the next frame on. @param mostLayers that it can have */
  setCodec(codec: VideoSettings['codec'], mostLayers: VideoSettings['temporalLayers']): void {
    const { settings } = this.options
    const temporalLayers =
      mostLayers < settings.temporalLayers ? mostLayers : settings.temporalLayers
    const { codec: before, temporalLayers: layersBefore } = this.encoded
    if (codec === before && temporalLayers === layersBefore) return
    this.encoded = { ...this.encoded, codec, temporalLayers }
    this.encoder.setCodec(codec, temporalLayers)
    this.needKey = true
  }

  /** Frames handed in now are encoded. */
  get active(): boolean {
    return this.encoding
  }

  /** Bits a second; 0 while nothing is encoded. */
  get plannedBitrate(): number {
    return this.encoding ? (this.plan?.bitrate ?? 0) : 0
  }

  /** For the catalog. */
  get entry(): CatalogTrack {
    const { name, muted, codec } = this
    const { width, height, framerate, bitrate, temporalLayers } = this.settings
    const format = { codec, width, height, framerate, bitrate, temporalLayers }
    const alternatives = this.options.kind === 'video' && { altGroup: 1 }
    return { name, role: 'video', live: true, ...alternatives, muted, ...format }
  }

  /** What comes now is of another device: its picture begins with a key frame. */
  startSource(): void {
    this.encoder.startSource()
  }

  /** Takes the frame over. */
  encode(frame: VideoFrame): void {
    this.encoder.encode(frame)
  }

  /** What this rendition is worth now. */
  follow(plan: RenditionPlan): void {
    this.plan = plan
    if (plan.active) this.encoder.setRate(plan.bitrate, plan.framerate)
    this.update()
  }

  setMuted(muted: boolean): void {
    this.muted = muted
    this.update()
  }

  /** Somebody began or ceased to want objects. */
  onDemand(): void {
    const { wanted } = this.track
    // Key frames that nobody got are no reason to wait for one.
    const isFirst = wanted && !this.watched
    this.watched = wanted
    this.update()
    this.encoder.requestKeyFrame(isFirst)
  }

  /**
   * Somebody is likely to want objects in a moment: encodes for nobody until then, but not for long, as an
   * encoder takes several frames' time to start.
   */
  expectViewer(): void {
    this.cancelExpected()
    this.expected = true
    this.update()
    this.cancelExpected = this.options.clock.after(EXPECT_MS, () => {
      this.expected = false
      this.update()
    })
  }

  requestKeyFrame(): void {
    this.encoder.requestKeyFrame()
  }

  /** Nothing more may go out under the old key: what can be read under the next begins at a key frame. */
  revokeKey(): void {
    this.track.revokeKey()
    this.needKey = true
    this.encoder.requestKeyFrame()
  }

  async renewKey(): Promise<void> {
    await this.track.renewKey()
    // Who is expected can read nothing before it.
    this.encoder.requestKeyFrame(this.expected)
  }

  /** The transport did not take an object: with a base frame goes what its group refers to. */
  onRefused({ temporalLayer }: ObjectPlan): void {
    if (temporalLayer > 0) return
    this.needKey = true
    this.encoder.requestKeyFrame()
  }

  /** Since the last call. */
  takeReading(): RenditionReading {
    const { input, dropped: missed } = this.encoder.counters
    const { refused, bytes } = this.track.counters
    const before = { ...this.read }
    Object.assign(this.read, { input, missed, refused, bytes })
    return {
      input: input - before.input,
      missed: missed - before.missed,
      refused: refused - before.refused,
      bytes: bytes - before.bytes,
    }
  }

  info(): TrackInfo {
    const { objects, bytes } = this.track.counters
    const { clock, kind, rendition } = this.options
    const { width, height } = this.settings
    return {
      name: this.name,
      kind,
      direction: 'send',
      codec: this.codec,
      rendition: kind === 'video' ? rendition : null,
      temporalLayers: this.plan?.temporalLayers ?? this.settings.temporalLayers,
      muted: this.muted,
      objects,
      bytes,
      framesDecoded: 0,
      framesDropped: this.dropped + this.encoder.counters.dropped,
      decryptFailures: 0,
      lastFrameAgeMs: this.lastFrameAt === null ? null : clock.now() - this.lastFrameAt,
      audioLevel: null,
      epoch: this.track.epoch,
      encoding: {
        active: this.encoding,
        width,
        height,
        framesPerSecond: this.framesPerSecond(),
        targetBitrate: this.plannedBitrate,
        targetFramerate: this.plan?.framerate ?? this.settings.framerate,
      },
    }
  }

  /** It cannot be encoded here: whoever subscribed is told, and no more is sent. */
  withdraw(reason: string): void {
    this.cancelExpected()
    this.encoder.close()
    this.encoding = false
    this.track.done(DoneCode.INTERNAL_ERROR, reason)
    this.track.close()
  }

  close(): void {
    this.cancelExpected()
    this.encoder.close()
    this.encoding = false
    this.track.close()
  }

  private get codec(): string {
    const { codec, width, height } = this.settings
    return videoCodecString(codec, width, height)
  }

  private update(): void {
    const isPlanned = this.track.wanted && this.plan?.active === true
    const encoding = !this.muted && (isPlanned || this.expected)
    if (encoding === this.encoding) return
    this.encoding = encoding
    if (encoding) this.encoder.setMuted(false)
    else this.encoder.stop()
    // What was encoded before the pause is no reference for what comes after it.
    this.needKey = true
  }

  private onFrame(frame: EncodedVideo): void {
    const now = this.options.clock.now()
    this.failures = 0
    this.lastFrameAt = now
    this.encodedAt.push(now)
    this.forgetFrames(now)
    if (frame.key) {
      this.track.switchKey()
      this.needKey = false
    }
    if (this.needKey || !this.bears(frame)) {
      this.dropped++
      this.packetizer.leaveOut(frame)
      return
    }
    if (!this.isTaken(frame)) {
      this.packetizer.leaveOut(frame)
      return
    }
    const size = this.options.maxDatagramSize()
    for (const plan of this.packetizer.packetize(frame, size)) this.track.send(plan)
  }

  /** Whether anybody takes this frame's layer. */
  private isTaken({ key, temporalLayer }: EncodedVideo): boolean {
    return key || this.plan === null || temporalLayer < Math.max(1, this.plan.temporalLayers)
  }

  /** Whether the uplink bears this frame; the least needed goes first. */
  private bears(frame: EncodedVideo): boolean {
    const { buffered } = this.track
    if (buffered > GIVE_UP_BYTES) {
      this.track.abandon(0, ResetCode.DELIVERY_TIMEOUT)
      this.needKey = true
      this.encoder.requestKeyFrame()
      return false
    }
    return frame.temporalLayer === 0 || buffered <= SKIP_ENHANCEMENT_BYTES
  }

  private framesPerSecond(): number {
    this.forgetFrames(this.options.clock.now())
    return this.encodedAt.length
  }

  private forgetFrames(now: number): void {
    while (this.encodedAt.length > 0 && this.encodedAt[0]! <= now - RATE_WINDOW_MS) {
      this.encodedAt.shift()
    }
  }
}
