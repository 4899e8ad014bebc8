import { crc32 } from 'node:zlib'
import { firstGroupAt } from '../../../client-lib/media/first-group.ts'
import type { ObjectPlan } from '../../../client-lib/media/frames.ts'
import { AudioPacketizer, DATAGRAM_CEILING } from '../../../client-lib/media/packetize.ts'
import type { RenditionPlan } from '../../../client-lib/media/uplink-controller.ts'
import { ObjectMetadata, renditionProperty } from '../../../moq/media/index.ts'
import { type IncomingSubscribe, TrackPublisher } from '../../../moq/session/index.ts'
import { ResetCode } from '../../../moq/wire/codes.ts'
import { type FullTrackName, textOf } from '../../../moq/wire/names.ts'
import type { Property } from '../../../moq/wire/properties.ts'
import { SenderContext } from '../../../sframe/index.ts'
import { SentLedger, type SentTrackData } from '../figures/sent-ledger.ts'
import type { SendKey } from '../keys/participant-keys.ts'
import { filler } from '../media/filler.ts'
import { objectClassOf } from '../media/object-class.ts'
import type { PictureSpec, TrackSpec } from '../media/profile.ts'
import { writeStamp } from '../media/stamp.ts'
import { PictureSource } from './picture-source.ts'
import { startTicker } from './ticker.ts'
import type { World } from './world.ts'

export interface SentTrackOptions {
  readonly participant: string
  readonly room: string
  readonly track: FullTrackName
  readonly spec: TrackSpec
  /** Unique among the participant's tracks: the MoQT track alias and the SFrame context. */
  readonly number: number
  readonly world: World
  /** A watcher asks for a new group. */
  readonly onGroupRequested?: () => void
}

/** Objects held at most while there is no key; beyond, the newest are not sent. */
const MAX_HELD = 256
/** Bytes that wait for the uplink from which enhancement layers stop, and from which the group ends. */
const SKIP_ENHANCEMENT_BYTES = 24 * 1024
const GIVE_UP_BYTES = 192 * 1024

const MOST_LAYERS = 3

/** Speech, as a relay sees it: the level that names who speaks. */
const LEVEL = 30

/** What it says of itself to the relay. */
function statement(spec: PictureSpec): Property {
  return renditionProperty({ ...spec, bitrate: spec.statedBitrate ?? spec.bitrate })
}

/**
 * A track of a synthetic participant: frames of the right sizes at the right times, cut into objects by
 * the browser library's packetizer, each encrypted once and written to the relay as a browser does.
 */
export class SentTrack {
  readonly spec: TrackSpec
  private readonly options: SentTrackOptions
  private readonly publisher: TrackPublisher
  private readonly metadata: ObjectMetadata
  private readonly ledger = new SentLedger()
  private readonly picture: PictureSource | null
  private readonly audio: AudioPacketizer | null
  private sender: SenderContext | null = null
  private next: SenderContext | null = null
  /** Number of the key that was given last: keys are derived one beside the other. */
  private newestKey = 0
  /** Since the key was revoked; null while there is one, and before the first. */
  private held: { readonly plan: ObjectPlan; readonly madeAt: number }[] | null = null
  /** By the relay's feedback; null where that is not followed. */
  private plan: RenditionPlan | null = null
  private stopTicks = () => {}

  constructor(options: SentTrackOptions) {
    const { spec, track, number, world } = options
    this.options = options
    this.spec = spec
    this.metadata = new ObjectMetadata(track)
    const firstGroup = firstGroupAt(world.wallClock())
    this.picture = spec.kind === 'audio' ? null : new PictureSource(spec, world.random, firstGroup)
    this.audio =
      spec.kind === 'audio'
        ? new AudioPacketizer({ framesPerGroup: spec.framesPerGroup, firstGroup })
        : null
    const { picture } = this
    this.publisher = new TrackPublisher({
      trackAlias: number,
      priority: spec.priority,
      ...(spec.kind !== 'audio' && { properties: [statement(spec)] }),
      onGroupRequested: () => {
        options.onGroupRequested?.()
        picture?.requestKeyFrame()
      },
      onDemand: (wanted) => {
        if (wanted) picture?.requestKeyFrame()
      },
    })
  }

  /** Takes the key of an epoch: at once for sound, at the next key frame for a picture. */
  async useKey({ secret, leaf }: SendKey): Promise<void> {
    const turn = ++this.newestKey
    let made: SenderContext
    try {
      made = await SenderContext.forEpoch(secret, { context: this.options.number, leaf })
    } catch (error) {
      // The secret of an epoch that is over is wiped, also while keys are made of it.
      if (turn !== this.newestKey) return
      throw error
    }
    if (turn !== this.newestKey) {
      made.destroy()
      return
    }
    this.next?.destroy()
    this.next = made
    if (this.sender === null || this.picture === null) this.switchKey()
    else this.picture.requestKeyFrame()
  }

  /** Nothing more is encrypted under the keys taken so far: what is made waits for another. */
  revokeKey(): void {
    this.newestKey++
    if (!this.sender) return
    this.forgetKeys()
    this.held = []
    this.picture?.breakOff()
  }

  accept(request: IncomingSubscribe): void {
    this.publisher.accept(request)
  }

  /** What the relay's feedback makes of a camera's rendition. */
  follow(plan: RenditionPlan): void {
    this.plan = plan
    this.picture?.setBitrate(plan.bitrate)
  }

  requestKeyFrame(): void {
    this.picture?.requestKeyFrame()
  }

  /** So far. */
  get objectsSent(): number {
    return this.ledger.length
  }

  /** Begins to send. */
  start(): void {
    const { world } = this.options
    const { spec } = this
    const periodMs = spec.kind === 'audio' ? spec.frameMs : 1000 / spec.framerate
    // Not all at the same moment, as people do not begin a call together either.
    const firstAt = world.clock.now() + world.random() * periodMs
    this.stopTicks = startTicker(world.clock, firstAt, periodMs, (lateMs) => {
      world.lateness.note(lateMs)
      if (this.picture) this.sendPicture(this.picture)
      else this.sendSound()
    })
  }

  stop(): void {
    this.newestKey++
    this.stopTicks()
    this.forgetKeys()
    this.held = null
  }

  sent(): SentTrackData {
    const { participant, room, track } = this.options
    return this.ledger.toData({ participant, room, track: textOf(track.name) ?? '' })
  }

  private sendSound(): void {
    const { spec } = this
    if (spec.kind !== 'audio' || !this.audio || !this.publisher.wanted) return
    const size = Math.round((spec.bitrate / 8) * (spec.frameMs / 1000))
    const plan = this.audio.packetize({
      bytes: filler(size),
      timestamp: this.options.world.wallClock() * 1000,
      level: LEVEL,
      voice: true,
    })
    this.send(plan)
  }

  private sendPicture(picture: PictureSource): void {
    if (!this.publisher.wanted || this.plan?.active === false) {
      picture.breakOff()
      return
    }
    const shape = picture.next()
    if (shape?.key) this.switchKey()
    if (!shape) return
    if (!this.bears(picture, shape.temporalLayer)) {
      this.ledger.refused++
      return
    }
    const frame = {
      bytes: filler(shape.bytes),
      timestamp: this.options.world.wallClock() * 1000,
      key: shape.key,
      temporalLayer: shape.temporalLayer,
    }
    if (
      !frame.key &&
      frame.temporalLayer >= Math.max(1, this.plan?.temporalLayers ?? MOST_LAYERS)
    ) {
      picture.packetizer.leaveOut(frame)
      return
    }
    for (const plan of picture.packetizer.packetize(frame, DATAGRAM_CEILING)) this.send(plan)
  }

  private switchKey(): void {
    if (!this.next) return
    this.sender?.destroy()
    this.sender = this.next
    this.next = null
    const held = this.held ?? []
    this.held = null
    for (const { plan, madeAt } of held) this.send(plan, madeAt)
  }

  private forgetKeys(): void {
    this.sender?.destroy()
    this.next?.destroy()
    this.sender = null
    this.next = null
  }

  /** Whether the uplink bears this frame; the least needed goes first, as in the browser library. */
  private bears(picture: PictureSource, temporalLayer: number): boolean {
    if (picture.spec.floods) return true
    const { buffered } = this.publisher
    if (buffered > GIVE_UP_BYTES) {
      this.publisher.abandon(0, ResetCode.DELIVERY_TIMEOUT)
      picture.breakOff()
      return false
    }
    return temporalLayer === 0 || buffered <= SKIP_ENHANCEMENT_BYTES
  }

  private send(plan: ObjectPlan, sentAt = this.options.world.clock.now()): void {
    const { sender, publisher, ledger } = this
    if (!sender) {
      if (this.held === null) return
      if (this.held.length < MAX_HELD) this.held.push({ plan, madeAt: sentAt })
      else ledger.refused++
      return
    }
    const { world } = this.options
    const { group, object, properties } = plan
    writeStamp(plan.payload, sentAt)
    const payload = sender.encrypt(plan.payload, this.metadata.of(group, object, plan.immutable))
    if (payload instanceof Promise) throw new Error('the provider of node:crypto is synchronous')
    const outgoing = { group, object, properties, payload }
    const taken =
      plan.delivery === 'stream'
        ? publisher.writeStream(plan.subgroup, outgoing)
        : publisher.writeDatagram(outgoing)
    if (plan.last) publisher.endGroupsBefore(group + 1)
    if (!taken) ledger.refused++
    const of = objectClassOf(this.spec.kind, plan.temporalLayer)
    ledger.add(
      group,
      object,
      sentAt,
      of,
      payload.length,
      world.compareBytes ? crc32(payload) : null,
    )
  }
}
