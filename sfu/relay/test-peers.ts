/** For tests: a publisher whose every stream a test writes, and a subscriber that keeps all it sees. */

import type {
  AcceptOptions,
  IncomingSubscribe,
  Publication,
  PublicationHandler,
  Session,
  SubgroupWriter,
  Subscription,
  TracksSubscription,
} from '../../moq/session/index.ts'
import { DoneCode, RequestCode } from '../../moq/wire/codes.ts'
import { encodeDatagram } from '../../moq/wire/datagram.ts'
import type { Location } from '../../moq/wire/location.ts'
import { type FullTrackName, formatTrack, type Namespace, textOf } from '../../moq/wire/names.ts'
import type { Parameters } from '../../moq/wire/parameters.ts'
import { encodeProperties, type Property } from '../../moq/wire/properties.ts'
import {
  encodeStatusBody,
  encodeSubgroupBody,
  type SubgroupHeader,
} from '../../moq/wire/subgroup.ts'
import { type RelayWorld, refusesReports } from './test-world.ts'

const utf8 = new TextEncoder()

/** A track of a `ManualPublisher`'s: one subscription of the relay's, and what came on it. */
export class ManualTrack {
  publication: Publication | null = null
  readonly updates: Parameters[] = []
  /** Parameters of the SUBSCRIBE, or of the PUBLISH_OK. */
  answer: Parameters | null = null
  rejected: number | null = null
  cancelled = false
  /** For REQUEST_UPDATE_OK. */
  largest: Location | null

  constructor(largest: Location | null) {
    this.largest = largest
  }

  get handler(): PublicationHandler {
    return {
      onUpdate: (parameters) => {
        this.updates.push(parameters)
      },
      largest: () => this.largest,
      onCancelled: () => {
        this.cancelled = true
      },
    }
  }

  stream(group: number, subgroup: number, header: Partial<SubgroupHeader> = {}): ManualStream {
    const { trackAlias } = this.publication!
    const whole = {
      trackAlias,
      group,
      subgroup,
      priority: null,
      hasProperties: true,
      endOfGroup: false,
      firstObject: true,
      ...header,
    }
    return new ManualStream(this.publication!.openSubgroup(whole, 20)!, whole.hasProperties)
  }

  datagram(
    group: number,
    object: number,
    text: string,
    properties: readonly Property[] = [],
  ): void {
    const { trackAlias } = this.publication!
    const header = { trackAlias, group, object, priority: null, endOfGroup: false }
    const encoded = encodeProperties(properties)
    this.publication!.sendDatagram(encodeDatagram(header, encoded, utf8.encode(text)))
  }

  done(status: number = DoneCode.TRACK_ENDED): void {
    this.publication!.done(status, 'the test ends it')
  }
}

/** A subgroup stream that a test writes. */
export class ManualStream {
  readonly writer: SubgroupWriter
  private readonly hasProperties: boolean

  constructor(writer: SubgroupWriter, hasProperties: boolean) {
    this.writer = writer
    this.hasProperties = hasProperties
  }

  object(id: number, text = `object ${id}`, properties: readonly Property[] = []): this {
    const encoded = this.hasProperties ? encodeProperties(properties) : null
    this.writer.write(id, encodeSubgroupBody(encoded, utf8.encode(text)))
    return this
  }

  status(id: number, status: number): this {
    this.writer.write(id, encodeStatusBody(this.hasProperties, status))
    return this
  }

  fin(): void {
    this.writer.finish()
  }

  reset(code: number): void {
    this.writer.reset(code)
  }
}

/** Answers each SUBSCRIBE with what a test gave for the track, or refuses it. */
export class ManualPublisher {
  readonly session: Session
  /** SUBSCRIBEs that came, by track. */
  readonly asked: string[] = []
  readonly requests: IncomingSubscribe[] = []
  /** By formatted name; a SUBSCRIBE for another is refused. */
  private readonly offers = new Map<string, Partial<AcceptOptions>>()
  private readonly tracks = new Map<string, ManualTrack>()
  statusRequests = 0
  /** Keeps SUBSCRIBEs unanswered. */
  silent = false
  refusal: number = RequestCode.DOES_NOT_EXIST
  private alias = 100

  constructor(world: RelayWorld, namespace: Namespace | null = null) {
    this.session = world.client({
      onSubscribe: (request) => {
        if (!refusesReports(request)) this.onSubscribe(request)
      },
      onTrackStatus: (request) => {
        this.statusRequests++
        request.reject(RequestCode.DOES_NOT_EXIST, 'no such track')
      },
    })
    if (namespace) this.session.publishNamespace(namespace, {})
  }

  /** Will accept SUBSCRIBEs for it. */
  willServe(track: FullTrackName, options: Partial<AcceptOptions> = {}): void {
    this.offers.set(formatTrack(track), options)
  }

  /** The subscription of the relay's to a track. */
  track(track: FullTrackName): ManualTrack {
    return this.tracks.get(formatTrack(track))!
  }

  publish(
    track: FullTrackName,
    options: Partial<AcceptOptions> & { readonly forward?: boolean } = {},
  ): ManualTrack {
    const manual = new ManualTrack(options.largest ?? null)
    this.tracks.set(formatTrack(track), manual)
    manual.publication = this.session.publish(
      track,
      { trackAlias: this.alias++, largest: null, ...options },
      {
        ...manual.handler,
        onAccepted: (parameters) => {
          manual.answer = parameters
        },
        onRejected: (error) => {
          manual.rejected = error.code
        },
      },
    )
    return manual
  }

  private onSubscribe(request: IncomingSubscribe): void {
    const key = formatTrack(request.track)
    this.asked.push(key)
    this.requests.push(request)
    if (this.silent) return
    this.answer(request)
  }

  answer(request: IncomingSubscribe): void {
    const key = formatTrack(request.track)
    const options = this.offers.get(key)
    if (!options) {
      request.reject(this.refusal, 'the test refuses')
      return
    }
    const manual = new ManualTrack(options.largest ?? null)
    this.tracks.set(key, manual)
    manual.answer = request.parameters
    manual.publication = request.accept(
      { trackAlias: this.alias++, largest: null, ...options },
      manual.handler,
    )
  }
}

/** What one subgroup stream to a subscriber carried. */
export interface SeenStream {
  readonly header: SubgroupHeader
  readonly objects: number[]
  end: 'open' | 'fin' | number
}

/** A subscription as its subscriber sees it. */
export class SeenTrack {
  subscription: Subscription | null = null
  accepted: {
    largest: Location | null
    parameters: Parameters
    properties: readonly Property[]
  } | null = null
  rejected: number | null = null
  retryAfterMs: number | null = null
  done: number | null = null
  readonly objects: string[] = []
  readonly payloads: string[] = []
  readonly statuses: number[] = []
  readonly datagrams: string[] = []
  readonly streams: SeenStream[] = []
  readonly granted: Parameters[] = []
  readonly refused: number[] = []

  get handler() {
    const seen = new Map<unknown, SeenStream>()
    return {
      onAccepted: (accepted: NonNullable<SeenTrack['accepted']>) => {
        this.accepted = accepted
      },
      onRejected: (error: { code: number; retryAfterMs: number | null }) => {
        this.rejected = error.code
        this.retryAfterMs = error.retryAfterMs
      },
      onSubgroup: (subgroup: { header: SubgroupHeader }) => {
        const stream: SeenStream = { header: subgroup.header, objects: [], end: 'open' }
        this.streams.push(stream)
        seen.set(subgroup, stream)
      },
      onObject: (
        object: { group: number; object: number; status: number; payload: Uint8Array },
        subgroup: unknown,
      ) => {
        const at = `${object.group}/${object.object}`
        this.objects.push(at)
        this.payloads.push(textOf(object.payload) ?? '')
        this.statuses.push(object.status)
        if (subgroup) seen.get(subgroup)!.objects.push(object.object)
        else this.datagrams.push(at)
      },
      onSubgroupEnd: (subgroup: unknown) => {
        seen.get(subgroup)!.end = 'fin'
      },
      onSubgroupReset: (subgroup: unknown, code: number) => {
        seen.get(subgroup)!.end = code
      },
      onDone: (done: { status: number }) => {
        this.done = done.status
      },
    }
  }

  update(parameters: Parameters): void {
    this.subscription!.update(parameters, (error, answer) => {
      if (error) this.refused.push(error.code)
      else this.granted.push(answer)
    })
  }
}

/** A subscriber that accepts each PUBLISH, unless told otherwise. */
export class ManualSubscriber {
  readonly session: Session
  /** By formatted name: what it was offered by PUBLISH. */
  readonly offered = new Map<string, SeenTrack>()
  readonly offers: { track: string; forward: boolean; largest: Location | null }[] = []
  readonly blocked: string[] = []
  /** PUBLISH_OK; null: refuse. */
  answer: Parameters | null = {}

  constructor(world: RelayWorld) {
    this.session = world.client({
      onPublish: (request) => {
        const track = formatTrack(request.track)
        this.offers.push({ track, forward: request.forward, largest: request.largest })
        if (!this.answer) {
          request.reject(RequestCode.UNINTERESTED, 'not wanted')
          return
        }
        const seen = new SeenTrack()
        seen.subscription = request.accept(this.answer, seen.handler)
        this.offered.set(track, seen)
      },
    })
  }

  subscribe(track: FullTrackName, parameters: Parameters = {}): SeenTrack {
    const seen = new SeenTrack()
    seen.subscription = this.session.subscribe(track, parameters, seen.handler)
    return seen
  }

  watchTracks(
    prefix: Namespace,
    parameters: Parameters = {},
  ): TracksSubscription & { refused?: number } {
    const watch: TracksSubscription & { refused?: number } = this.session.subscribeTracks(
      prefix,
      {
        onBlocked: (track) => this.blocked.push(formatTrack(track)),
        onRejected: (error) => {
          watch.refused = error.code
        },
      },
      parameters,
    )
    return watch
  }
}
