/** For tests (vitest): a track of a simulated participant, with the shapes of the browser library's objects. */

import type { ObjectPlan } from '../../client-lib/media/frames.ts'
import { AudioPacketizer, VideoPacketizer } from '../../client-lib/media/packetize.ts'
import { renditionProperty } from '../../moq/media/index.ts'
import { TrackPublisher } from '../../moq/session/index.ts'
import { ResetCode } from '../../moq/wire/codes.ts'
import { encodeHeader } from '../../sframe/header.ts'
import { EPOCH_BITS, LEAF_BITS } from '../forward/keys/kid.ts'
import { SimulatedEncoder } from './encoder.ts'
import { SentTrackLedger } from './ledger.ts'
import type { SentFrame } from './sent-frame.ts'

const DATAGRAM_BYTES = 1150
const AUDIO_PRIORITY = 32
const PICTURE_PRIORITY = 96
/** Of AES-GCM. */
const TAG_BYTES = 16
/** Bytes that wait for the uplink from which enhancement layers stop, and from which the group ends. */
const SKIP_ENHANCEMENT_BYTES = 24 * 1024
const GIVE_UP_BYTES = 192 * 1024
export const AUDIO_FRAME_MS = 20
const AUDIO_BITRATE = 32_000
const LOUD = 25

/** Ciphertext for all: every object is another part of it. */
const noise = new Uint8Array(1 << 18)
for (let at = 0, state = 1; at < noise.length; at++) {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
  noise[at] = state >>> 24
}

export interface SentTrackOptions {
  /** Unique among the participant's: the alias, and the SFrame context. */
  readonly number: number
  readonly leaf: number
  readonly epoch: number
  readonly now: () => number
  readonly random: () => number
}

/** What sound and pictures have in common: SFrame headers, the ledger, the publisher. */
abstract class SentTrack {
  abstract readonly publisher: TrackPublisher
  readonly ledger: SentTrackLedger
  protected readonly options: SentTrackOptions
  protected epoch: number
  private counter = 0
  private at = 0

  constructor(name: string, options: SentTrackOptions) {
    this.options = options
    this.epoch = options.epoch
    this.ledger = new SentTrackLedger(name)
  }

  abstract useEpoch(epoch: number): void

  /** Called each frame time. */
  abstract tick(): void

  protected send(plan: ObjectPlan, frame: SentFrame): void {
    const { group, object, properties } = plan
    const payload = this.seal(plan.payload.length)
    const outgoing = { group, object, properties, payload }
    const isStream = plan.delivery === 'stream'
    this.ledger.add(frame, group, object, payload, isStream)
    if (isStream) this.publisher.writeStream(plan.subgroup, outgoing)
    else this.publisher.writeDatagram(outgoing)
    if (plan.last) this.publisher.endGroupsBefore(group + 1)
  }

  /** A payload as a relay sees it: an SFrame header and what it cannot read. */
  private seal(size: number): Uint8Array {
    const { number, leaf } = this.options
    const kid = number * 2 ** (EPOCH_BITS + LEAF_BITS) + (leaf << EPOCH_BITS) + this.epoch
    const header = encodeHeader(kid, this.counter++)
    const payload = new Uint8Array(header.length + size + TAG_BYTES)
    payload.set(header)
    for (let at = header.length; at < payload.length; ) {
      this.at = (this.at + 7919) % (noise.length - 4096)
      const part = noise.subarray(this.at, this.at + Math.min(4096, payload.length - at))
      payload.set(part, at)
      at += part.length
    }
    return payload
  }
}

export class SentSound extends SentTrack {
  readonly publisher: TrackPublisher
  /** Speech, else silence. */
  speaks = true
  private readonly packetizer = new AudioPacketizer()

  constructor(options: SentTrackOptions) {
    super('audio', options)
    this.publisher = new TrackPublisher({ trackAlias: options.number, priority: AUDIO_PRIORITY })
  }

  useEpoch(epoch: number): void {
    this.epoch = epoch
  }

  tick(): void {
    if (!this.publisher.wanted) return
    const sentAt = this.options.now()
    const { epoch } = this
    const plan = this.packetizer.packetize({
      bytes: noise.subarray(0, (AUDIO_BITRATE / 8) * (AUDIO_FRAME_MS / 1000)),
      timestamp: Math.round(sentAt * 1000),
      level: this.speaks ? LOUD : 100,
      voice: this.speaks,
    })
    this.send(
      plan,
      this.ledger.begin({ sentAt, temporal: null, key: true, reference: null, epoch }),
    )
  }
}

export interface PictureSize {
  readonly width: number
  readonly height: number
  /** Bits a second. */
  readonly bitrate: number
}

export class SentPicture extends SentTrack {
  readonly publisher: TrackPublisher
  readonly encoder: SimulatedEncoder
  /** Sends on however much waits, as no honest publisher does. */
  floods = false
  private readonly packetizer = new VideoPacketizer({ temporalLayers: 3 })
  private nextEpoch: number
  private recent: SentFrame[] = []

  constructor(name: string, size: PictureSize, options: SentTrackOptions) {
    super(name, options)
    this.nextEpoch = options.epoch
    this.encoder = new SimulatedEncoder(size.bitrate, options.random)
    this.publisher = new TrackPublisher({
      trackAlias: options.number,
      priority: PICTURE_PRIORITY,
      properties: [renditionProperty({ ...size, framerate: 30, temporalLayers: 3 })],
      onGroupRequested: () => this.requestKeyFrame(),
      onDemand: (wanted) => {
        if (wanted) this.requestKeyFrame()
      },
    })
  }

  requestKeyFrame(): void {
    this.encoder.keyWanted = true
  }

  /** From the next key frame on, which is to come at once. */
  useEpoch(epoch: number): void {
    this.nextEpoch = epoch
    this.requestKeyFrame()
  }

  tick(): void {
    if (!this.publisher.wanted) {
      this.encoder.breakOff()
      return
    }
    const shape = this.encoder.next()
    if (!shape || !this.bears(shape.temporal)) return
    const { key, temporal } = shape
    if (key) this.epoch = this.nextEpoch
    const sentAt = this.options.now()
    const bytes = noise.subarray(0, shape.bytes)
    const plans = this.packetizer.packetize(
      { bytes, timestamp: Math.round(sentAt * 1000), key, temporalLayer: temporal },
      DATAGRAM_BYTES,
    )
    const reference = key ? null : this.referenceOf(temporal)
    const { epoch } = this
    const frame = this.ledger.begin({ sentAt, temporal, key, reference, epoch })
    this.recent = key ? [frame] : [...this.recent.slice(-3), frame]
    for (const plan of plans) this.send(plan, frame)
  }

  /** The newest frame of a layer below, or of the base for the base itself. */
  private referenceOf(temporal: number): SentFrame | null {
    return this.recent.findLast((frame) => frame.temporal! < Math.max(1, temporal)) ?? null
  }

  /** Whether the uplink bears this frame; the least needed goes first. */
  private bears(temporal: number): boolean {
    if (this.floods) return true
    const { buffered } = this.publisher
    if (buffered > GIVE_UP_BYTES) {
      this.publisher.abandon(0, ResetCode.DELIVERY_TIMEOUT)
      this.encoder.breakOff()
      return false
    }
    return temporal === 0 || buffered <= SKIP_ENHANCEMENT_BYTES
  }
}
