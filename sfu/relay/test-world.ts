/** For tests: a relay on in-memory transports and a clock that only a test moves. */

import { REPORT_TRACK } from '../../moq/media/receiver-report.ts'
import {
  type IncomingSubscribe,
  Session,
  type SessionHandler,
  type SessionLimits,
  type Subscription,
  TrackPublisher,
  type TrackState,
} from '../../moq/session/index.ts'
import { ManualClock } from '../../moq/session/manual-clock.ts'
import { createTransportPair, type TransportPair } from '../../moq/transport/memory.ts'
import type { Congestion, TransportSession } from '../../moq/transport/transport.ts'
import { RequestCode } from '../../moq/wire/codes.ts'
import {
  type FullTrackName,
  formatNamespace,
  type Namespace,
  textOf,
} from '../../moq/wire/names.ts'
import type { Parameters } from '../../moq/wire/parameters.ts'
import { encodeProperties, type Property } from '../../moq/wire/properties.ts'
import { encodeHeader } from '../../sframe/header.ts'
import { type ForwardCounters, makeForwardCounters } from '../forward/counters.ts'
import type { PoliceSettings } from '../forward/police/index.ts'
import { DEFAULT_RELAY_LIMITS, type RelayLimitName, type RelayLimits } from './limits.ts'
import type { Peer } from './peer.ts'
import type { Placement } from './placed-host.ts'
import { Relay } from './relay.ts'

/** What worlds speak, unless they say otherwise: see `moqt-19.test.ts`. */
export const spoken = { version: 'moqt-18' }

export interface RelayWorldOptions {
  /** Bytes that every path has room for now. */
  readonly room?: () => number
  readonly limits?: Partial<RelayLimits>
  readonly sessionLimits?: Partial<SessionLimits>
  /** What the relay's transports tell of their paths; null where they tell nothing. */
  readonly congestion?: () => Congestion | null
  /** Request streams that either side may have open. */
  readonly bidiCredit?: number
  /** See `RelayOptions`; none by default. */
  readonly police?: PoliceSettings
  /** See `RelayOptions`. */
  readonly foreignServices?: readonly string[]
  /** See `RelayOptions`. */
  readonly placement?: Placement
  /** Where it counts; its own by default. */
  readonly counters?: ForwardCounters
  /** What sessions speak; `RelayWorld.protocol` changes it for those that come. */
  readonly protocol?: string
}

export class RelayWorld {
  readonly clock = new ManualClock()
  readonly counters: ForwardCounters
  readonly relay: Relay
  /** What sessions speak that connect from now on. */
  protocol: string
  /** For a world made with a `room` function. */
  room = 65_536
  /** The relay's side of each session, in the order of `connect`. */
  readonly peers: Peer[] = []
  /** Limits that were hit, by name. */
  readonly hits: RelayLimitName[] = []
  /** What was told of policing: the place of the session among `peers`, and objects. */
  readonly policed: [peer: number, dropped: number][] = []
  private readonly pairs: TransportPair[] = []
  private tasks: (() => void)[] = []
  private readonly options: RelayWorldOptions

  constructor(options: RelayWorldOptions = {}) {
    this.options = options
    this.counters = options.counters ?? makeForwardCounters()
    this.protocol = options.protocol ?? spoken.version
    this.relay = new Relay({
      clock: this.clock,
      counters: this.counters,
      limits: { ...DEFAULT_RELAY_LIMITS, ...options.limits },
      ...(options.sessionLimits && { sessionLimits: options.sessionLimits }),
      ...(options.foreignServices && { foreignServices: options.foreignServices }),
      ...(options.placement && { placement: options.placement }),
      ...(options.police && { police: options.police }),
      onPoliced: (peer, dropped) => this.policed.push([this.peers.indexOf(peer), dropped]),
      onLimit: (limit) => this.hits.push(limit),
      onInternalError: (error) => {
        throw error
      },
    })
  }

  /** A client's transport session to the relay. @param service see `Relay.addSession` */
  connect(service = false): TransportSession {
    const pair = createTransportPair({
      schedule: (task) => this.tasks.push(task),
      protocol: this.protocol,
      ...(this.options.room && { room: this.options.room }),
      ...(this.options.congestion && { congestion: this.options.congestion }),
      ...(this.options.bidiCredit && { streamCredit: { bidi: this.options.bidiCredit } }),
    })
    this.pairs.push(pair)
    this.peers.push(this.relay.addSession(pair.server, service))
    return pair.client
  }

  client(handler: SessionHandler, service = false): Session {
    return new Session(this.connect(service), { role: 'client', handler, clock: this.clock })
  }

  offerRoom(): void {
    for (const pair of this.pairs) pair.offerRoom()
  }

  /** Runs everything that is under way. */
  async settle(): Promise<void> {
    while (this.tasks.length > 0) {
      const tasks = this.tasks
      this.tasks = []
      for (const task of tasks) task()
      await Promise.resolve()
    }
  }
}

const utf8 = new TextEncoder()
const TIMESTAMP = encodeProperties([{ type: 0x10, value: 1 }])

/**
 * A payload as a relay knows it: behind an SFrame header, of which every byte is ASCII.
 * @param counter CTR, below 128
 * @param epoch KID of the first member's first stream, below 8
 */
export function sealed(counter: number, text: string, epoch = 1): string {
  return textOf(encodeHeader(epoch, counter)) + text
}

/** As a client answers that reports nothing (`moq/media/receiver-report.ts`). */
export function refusesReports(request: IncomingSubscribe): boolean {
  if (textOf(request.track.name) !== REPORT_TRACK) return false
  request.reject(RequestCode.DOES_NOT_EXIST, 'no reports')
  return true
}

export class Publisher {
  readonly session: Session
  readonly tracks = new Map<string, TrackPublisher>()
  requests = 0
  groupRequests = 0
  statusRequests = 0
  private readonly publication

  constructor(world: RelayWorld, namespace: Namespace) {
    this.session = world.client({
      onSubscribe: (request) => {
        if (refusesReports(request)) return
        this.requests++
        const track = this.tracks.get(textOf(request.track.name) ?? '')
        if (track) track.accept(request)
        else request.reject(RequestCode.DOES_NOT_EXIST, 'no such track')
      },
      onTrackStatus: (request) => {
        this.statusRequests++
        const track = this.tracks.get(textOf(request.track.name) ?? '')
        if (track) request.accept(track.status)
        else request.reject(RequestCode.DOES_NOT_EXIST, 'no such track')
      },
    })
    this.publication = this.session.publishNamespace(namespace, {})
  }

  track(name: string): void {
    const publisher = new TrackPublisher({
      trackAlias: this.tracks.size,
      priority: 40,
      onGroupRequested: () => {
        this.groupRequests++
      },
    })
    this.tracks.set(name, publisher)
  }

  wanted(name: string): boolean {
    return this.tracks.get(name)!.wanted
  }

  stream(name: string, group: number, object: number, text: string): void {
    const payload = utf8.encode(text)
    this.tracks.get(name)!.writeStream(0, { group, object, properties: TIMESTAMP, payload })
  }

  datagram(name: string, group: number, object: number, text: string): void {
    const payload = utf8.encode(text)
    this.tracks.get(name)!.writeDatagram({ group, object, properties: TIMESTAMP, payload })
  }

  withdraw(): void {
    this.publication.withdraw()
  }
}

export class Subscriber {
  readonly session: Session
  readonly received: [at: string, by: string, text: string][] = []
  readonly ended: number[] = []
  readonly resets: number[] = []
  readonly rejected: number[] = []
  namespaces: string[] = []
  properties: readonly Property[] = []
  readonly states: TrackState[] = []
  accepted = 0
  done = 0

  constructor(world: RelayWorld) {
    this.session = world.client({})
  }

  subscribe(track: FullTrackName, parameters: Parameters = {}): Subscription {
    return this.session.subscribe(track, parameters, {
      onAccepted: (accepted) => {
        this.accepted++
        this.properties = accepted.properties
      },
      onRejected: (error) => this.rejected.push(error.code),
      onObject: (object, subgroup) =>
        this.received.push([
          `${object.group}/${object.object}`,
          subgroup ? 'stream' : 'datagram',
          textOf(object.payload) ?? '',
        ]),
      onSubgroupEnd: (subgroup) => this.ended.push(subgroup.header.group),
      onSubgroupReset: (_, code) => this.resets.push(code),
      onDone: () => this.done++,
    })
  }

  /** Keeps what a TRACK_STATUS is answered with. */
  askStatus(track: FullTrackName): void {
    this.session.trackStatus(track, {
      onStatus: (state) => this.states.push(state),
      onRejected: (error) => this.rejected.push(error?.code ?? -1),
    })
  }

  watch(prefix: Namespace): void {
    this.session.subscribeNamespace(prefix, {
      onRejected: (error) => this.rejected.push(error.code),
      onNamespace: (namespace) => this.namespaces.push(formatNamespace(namespace)),
      onNamespaceDone: (namespace) => {
        this.namespaces = this.namespaces.filter((known) => known !== formatNamespace(namespace))
      },
    })
  }
}
