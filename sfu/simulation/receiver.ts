/** For tests (vitest): a participant that watches others, says what it shows, and keeps what comes. */

import {
  type Arrivals,
  encodeReceiverReport,
  participantNamespace,
  REPORT_TRACK,
  type Wish,
} from '../../moq/media/index.ts'
import { Session, TrackPublisher } from '../../moq/session/index.ts'
import { RequestCode, ResetCode } from '../../moq/wire/codes.ts'
import { textOf, trackOf } from '../../moq/wire/names.ts'
import type { SimulatedPublisher } from './publisher.ts'
import { ReceivedTrack } from './received-track.ts'
import { RelayTap } from './relay-tap.ts'
import { ShownPicture } from './shown-picture.ts'
import { type Access, type Connection, ROOM, type SimulatedWorld } from './world.ts'

const REPORT_MS = 200
/** Each so many reports the wishes are in it: two seconds. */
const WISHES_EACH = 10
const AUDIO_PRIORITY = 32
const PICTURE_PRIORITY = 96
const RENDEZVOUS_MS = 10_000
const LOOK_MS = 50

/** The relay's view and the link's, at one moment. */
export interface Look {
  readonly at: number
  /** Bits a second. */
  readonly budget: number
  /** What a byte waits for the bottleneck, ms. */
  readonly queueMs: number
}

export interface ReceiverOptions {
  readonly participant: string
  readonly watches: readonly SimulatedPublisher[]
  readonly access?: Access
}

export class SimulatedReceiver {
  readonly connection: Connection
  /** What the relay sends it. */
  readonly relayed: RelayTap
  readonly byAlias = new Map<number, ReceivedTrack>()
  readonly tracks: ReceivedTrack[] = []
  readonly sounds: ReceivedTrack[] = []
  /** By publisher. */
  readonly pictures = new Map<string, ShownPicture>()
  readonly looks: Look[] = []
  /** Sessions and subscriptions that ended though they should not. */
  readonly faults: string[] = []
  private readonly world: SimulatedWorld
  private readonly session: Session
  private readonly watches: readonly SimulatedPublisher[]
  private readonly reports = new TrackPublisher({ trackAlias: 0, priority: 0 })
  private group = 0
  private received = { objects: 0, bytes: 0 }
  private reportedAt: number

  constructor(world: SimulatedWorld, { participant, watches, access = {} }: ReceiverOptions) {
    this.world = world
    this.watches = watches
    this.reportedAt = world.now
    this.relayed = new RelayTap(() => world.now)
    this.connection = world.connect(access, this.relayed)
    this.session = new Session(this.connection.path.client, {
      role: 'client',
      clock: world.clock,
      handler: {
        onSubscribe: (request) => {
          if (textOf(request.track.name) === REPORT_TRACK) this.reports.accept(request)
          else request.reject(RequestCode.DOES_NOT_EXIST, 'no such track')
        },
        onClosed: ({ reason }) => this.faults.push(`session: ${reason}`),
      },
    })
    this.session.publishNamespace(participantNamespace(ROOM, participant), {})
    for (const publisher of watches) this.watch(publisher)
    world.every(REPORT_MS, () => this.report())
    world.every(LOOK_MS, () => this.look())
  }

  /** The camera of the first that it watches. */
  get picture(): ShownPicture {
    return this.pictures.get(this.watches[0]!.participant)!
  }

  private watch(publisher: SimulatedPublisher): void {
    const { participant, sound, pictures } = publisher
    const shown = new ShownPicture()
    this.pictures.set(participant, shown)
    const heard = new ReceivedTrack(participant, sound.ledger)
    this.sounds.push(heard)
    this.subscribe(heard, AUDIO_PRIORITY)
    for (const [rendition, { ledger }] of pictures.entries()) {
      const track = new ReceivedTrack(participant, ledger, (frame) =>
        shown.show(frame, rendition, this.world.now),
      )
      this.subscribe(track, PICTURE_PRIORITY)
    }
  }

  private subscribe(track: ReceivedTrack, subscriberPriority: number): void {
    this.tracks.push(track)
    const { publisher, ledger } = track
    const subscription = this.session.subscribe(
      trackOf(participantNamespace(ROOM, publisher), ledger.name),
      { subscriberPriority, rendezvousTimeout: RENDEZVOUS_MS },
      {
        onAccepted: () => this.byAlias.set(subscription.trackAlias ?? -1, track),
        onRejected: ({ reason }) => this.faults.push(`${ledger.name}: ${reason}`),
        onDone: ({ reason }) => this.faults.push(`${ledger.name} ended: ${reason}`),
        onObject: ({ group, object, payload }) => {
          this.received.objects++
          this.received.bytes += payload.length
          track.onObject(group, object, payload, this.world.now)
        },
      },
    )
  }

  private report(): void {
    if (!this.reports.wanted) return
    if (this.reports.buffered > 4096) this.reports.abandon(0, ResetCode.CANCELLED)
    const wishes = this.group % WISHES_EACH === 0 ? this.watches.map(wishOf) : null
    const report = encodeReceiverReport({ wishes, arrivals: this.arrivals() })
    this.reports.writeSnapshot(this.group++, new Uint8Array(0), report)
  }

  private arrivals(): Arrivals {
    const { objects: received, bytes } = this.received
    const intervalMs = Math.max(1, Math.round(this.world.now - this.reportedAt))
    this.received = { objects: 0, bytes: 0 }
    this.reportedAt = this.world.now
    return { intervalMs, bytes, received, lost: 0, queueMs: 0 }
  }

  private look(): void {
    const { path, peer } = this.connection
    const { budget } = peer.path!
    this.looks.push({
      at: this.world.now,
      budget: budget.bitsPerSecond,
      queueMs: path.down.queueMs,
    })
  }
}

/** Each as large as it comes. */
function wishOf({ participant }: SimulatedPublisher): Wish {
  return {
    participant,
    source: 'camera',
    width: 1280,
    height: 768,
    framerate: 0,
    priority: 128,
    pinned: false,
    hidden: false,
  }
}
