/** For tests (vitest): a camera of several renditions, and a client that reports what it shows. */

import {
  encodeMediaProperties,
  participantNamespace,
  renditionProperty,
  videoTrackName,
} from '../../moq/media/index.ts'
import {
  type Arrivals,
  encodeReceiverReport,
  REPORT_TRACK,
  type Wish,
} from '../../moq/media/receiver-report.ts'
import { type Session, type Subscription, TrackPublisher } from '../../moq/session/index.ts'
import { RequestCode } from '../../moq/wire/codes.ts'
import { type FullTrackName, textOf, trackOf } from '../../moq/wire/names.ts'
import type { Parameters } from '../../moq/wire/parameters.ts'
import { encodeHeader } from '../../sframe/header.ts'
import { EPOCH_BITS } from '../forward/keys/kid.ts'
import type { Peer } from './peer.ts'
import type { PathBudget } from './receivers/index.ts'
import { type RelayWorld, refusesReports } from './test-world.ts'

export const ROOM = 'demo'
export const FRAME_MS = 33
/** Bits a second of each rendition: small, so that a frame fits into a datagram. */
export const BITRATES = [15_000, 50_000, 180_000] as const
const SIZES = [180, 360, 720] as const
/** Temporal layers of a period, and the share of the bits that each of the layers takes. */
const PATTERN = [0, 2, 1, 2] as const
const SHARES = [0.4, 0.2, 0.4] as const
const FRAMES_A_SECOND = [7.5, 7.5, 15] as const

/** One frame that was published, and the frames that it is decoded from. */
export interface PublishedFrame {
  readonly place: string
  readonly temporal: number
  readonly references: readonly PublishedFrame[]
}

/** What one rendition has published. */
class Rendition {
  readonly track: TrackPublisher
  /** By group/object. */
  readonly frames = new Map<string, PublishedFrame>()
  requests = 0
  keyWanted = false
  private readonly index: number
  /** Of its participant in the group. */
  private readonly leaf: number
  private group = -1
  private object = 0
  private counter = 0
  private number = 0
  private baseIndex = 250
  private base: PublishedFrame | null = null
  private middle: PublishedFrame | null = null

  constructor(index: number, leaf: number) {
    this.index = index
    this.leaf = leaf
    this.track = new TrackPublisher({
      trackAlias: index,
      priority: 40,
      properties: [
        renditionProperty({
          width: (SIZES[index]! * 16) / 9,
          height: SIZES[index]!,
          framerate: 30,
          bitrate: BITRATES[index]!,
          temporalLayers: 3,
        }),
      ],
      onGroupRequested: () => {
        this.requests++
        this.keyWanted = true
      },
    })
  }

  /** Sends the next frame. @param sent false: it is lost on its way to the relay */
  frame(key: boolean, sent = true): void {
    if (key) {
      this.group++
      this.object = 0
      this.number = 0
      this.keyWanted = false
    }
    if (this.group < 0) return
    const place = this.number % PATTERN.length
    const temporal = PATTERN[place]!
    this.number++
    if (temporal === 0) this.baseIndex = (this.baseIndex + 1) & 0xff
    const references = key ? [] : [place === 3 ? this.middle! : this.base!]
    const frame = { place: `${this.group}/${this.object}`, temporal, references }
    if (temporal === 0) this.base = frame
    if (temporal === 1) this.middle = frame
    this.frames.set(frame.place, frame)
    const object = this.next(temporal, key, place === 1 || place === 2)
    if (!sent) return
    if (temporal === 0) this.track.writeStream(0, object)
    else this.track.writeDatagram(object)
  }

  private next(temporal: number, independent: boolean, baseSync: boolean) {
    const { properties } = encodeMediaProperties({
      frameMarking: {
        start: true,
        end: true,
        independent,
        discardable: temporal === 2,
        layer: { temporal, spatial: 0, baseIndex: this.baseIndex, baseSync },
      },
    })
    const bytes = (BITRATES[this.index]! * SHARES[temporal]!) / FRAMES_A_SECOND[temporal]! / 8
    const header = encodeHeader((this.leaf << EPOCH_BITS) | 1, this.counter++)
    const payload = new Uint8Array(header.length + Math.round(bytes))
    payload.set(header)
    return { group: this.group, object: this.object++, properties, payload }
  }
}

/** A participant with a camera of three renditions, three temporal layers each. */
export class SimulcastCamera {
  readonly session: Session
  readonly participant: string
  readonly renditions: readonly Rendition[]
  /** Those whose encoder runs. */
  readonly running = new Set([0, 1, 2])

  /** @param leaf of the participant in the group */
  constructor(world: RelayWorld, participant = 'alice', leaf = 0) {
    this.participant = participant
    this.renditions = [0, 1, 2].map((index) => new Rendition(index, leaf))
    this.session = world.client({
      onSubscribe: (request) => {
        if (refusesReports(request)) return
        const index = Number((textOf(request.track.name) ?? '').slice('video/'.length))
        const rendition = this.renditions[index]
        if (rendition) rendition.track.accept(request)
        else request.reject(RequestCode.DOES_NOT_EXIST, 'no such track')
      },
    })
    this.session.publishNamespace(participantNamespace(ROOM, participant), {})
  }

  /** A frame of each rendition; a key frame where one was asked for. */
  frames(key = false): void {
    for (const index of this.running) {
      const rendition = this.renditions[index]!
      rendition.frame(key || rendition.keyWanted)
    }
  }
}

/** A participant who shows a screen, with the temporal layers and bits of the largest rendition. */
export class Screen {
  readonly name: FullTrackName
  private readonly picture = new Rendition(2, 0)

  constructor(world: RelayWorld, participant: string) {
    const namespace = participantNamespace(ROOM, participant)
    this.name = trackOf(namespace, 'screen')
    const session = world.client({
      onSubscribe: (request) => {
        if (!refusesReports(request)) this.picture.track.accept(request)
      },
    })
    session.publishNamespace(namespace, {})
  }

  get frames() {
    return this.picture.frames
  }

  frame(key: boolean): void {
    this.picture.frame(key)
  }
}

export const wish = (changes: Partial<Wish> = {}): Wish => ({
  participant: 'alice',
  source: 'camera',
  width: 0,
  height: 0,
  framerate: 0,
  priority: 128,
  pinned: false,
  hidden: false,
  ...changes,
})

/** A budget that a test sets, bits a second. */
export class TestBudget implements PathBudget {
  bitsPerSecond = 10e6
  provenBitsPerSecond = 10e6
  wanted = 0
  readonly reports: number[] = []

  want(bits: number): void {
    this.wanted = bits
  }

  onReport(_now: number, { bytes }: { readonly bytes: number }): void {
    this.reports.push(bytes)
  }
}

/** An object as it came. */
export interface SeenObject {
  readonly rendition: number
  readonly place: string
  readonly payload: Uint8Array
}

/** A participant who watches, and says what it shows. */
export class Viewer {
  readonly session: Session
  /** The relay's side. */
  readonly peer: Peer
  readonly budget = new TestBudget()
  readonly seen: SeenObject[] = []
  readonly subscriptions: Subscription[] = []
  /** SUBSCRIBEs for `report`. */
  asked = 0
  private readonly reports = new TrackPublisher({ trackAlias: 77, priority: 0 })
  private group = 0

  constructor(world: RelayWorld, participant = 'bob') {
    this.session = world.client({
      onSubscribe: (request) => {
        if (textOf(request.track.name) !== REPORT_TRACK) {
          request.reject(RequestCode.DOES_NOT_EXIST, 'no such track')
          return
        }
        this.asked++
        this.reports.accept(request)
      },
    })
    this.peer = world.peers.at(-1)!
    const path = { budget: this.budget, isIdle: true, isProbing: false, sample() {}, dump() {} }
    Object.assign(this.peer, { path })
    this.session.publishNamespace(participantNamespace(ROOM, participant), {})
  }

  report(wishes: readonly Wish[] | null, arrivals: Arrivals | null = null): void {
    this.say(encodeReceiverReport({ wishes, arrivals }))
  }

  /** Says anything on the track of reports. */
  say(payload: Uint8Array, group = this.group++): void {
    this.reports.writeStream(0, { group, object: 0, properties: new Uint8Array(), payload })
  }

  watch(participant = 'alice', renditions: readonly number[] = [0, 1, 2]): Subscription[] {
    return renditions.map((rendition) => this.subscribe(participant, rendition))
  }

  subscribe(participant: string, rendition: number, parameters: Parameters = {}): Subscription {
    return this.subscribeTo(rendered(participant, rendition), rendition, parameters)
  }

  subscribeTo(track: FullTrackName, rendition = 0, parameters: Parameters = {}): Subscription {
    const subscription = this.session.subscribe(track, parameters, {
      onObject: ({ group, object, payload }) => {
        const place = `${group}/${object}`
        this.seen.push({ rendition, place, payload: payload.slice() })
      },
    })
    this.subscriptions.push(subscription)
    return subscription
  }

  /** The renditions of what came since the last call, each change. */
  take(): number[] {
    const taken = this.seen.splice(0).map(({ rendition }) => rendition)
    return taken.filter((rendition, at) => rendition !== taken[at - 1])
  }
}

export function rendered(participant: string, rendition: number): FullTrackName {
  return trackOf(participantNamespace(ROOM, participant), videoTrackName(rendition))
}
