/** For tests of FETCH: a publisher that serves what it has, and a subscriber that keeps what it gets. */

import {
  type AcceptedFetch,
  type FetchRequest,
  type FetchWriter,
  type IncomingFetch,
  type Session,
  type Subscription,
  TrackPublisher,
} from '../../moq/session/index.ts'
import { RequestCode } from '../../moq/wire/codes.ts'
import type { FetchObject } from '../../moq/wire/fetch.ts'
import { isAfter, type Location } from '../../moq/wire/location.ts'
import type { FetchRange } from '../../moq/wire/messages.ts'
import { type FullTrackName, type Namespace, sameTrack, textOf } from '../../moq/wire/names.ts'
import type { Parameters } from '../../moq/wire/parameters.ts'
import type { Property } from '../../moq/wire/properties.ts'
import { endOf, lastOf, rangeOf } from './fetch-range.ts'
import type { RelayWorld } from './test-world.ts'

const utf8 = new TextEncoder()
const NONE = new Uint8Array(0)
const PRIORITY = 40

/** What an `Origin` does with a FETCH. */
export type FetchAnswering = 'serve' | 'hold' | 'refuse'

/** A publisher of one track with a history. */
export class Origin {
  readonly session: Session
  readonly objects = new Map<string, FetchObject>()
  readonly fetches: IncomingFetch[] = []
  cancelled = 0
  answering: FetchAnswering = 'serve'
  refusal: number = RequestCode.NOT_SUPPORTED
  properties: readonly Property[] = []
  endOfTrack = false
  private readonly live = new TrackPublisher({ trackAlias: 1, priority: PRIORITY })

  constructor(world: RelayWorld, name: FullTrackName, namespace: Namespace = name.namespace) {
    this.session = world.client({
      onSubscribe: (request) => {
        if (sameTrack(request.track, name)) this.live.accept(request)
        else request.reject(RequestCode.DOES_NOT_EXIST, 'no such track')
      },
      onFetch: (request) => this.onFetch(request),
    })
    this.session.publishNamespace(namespace, {})
  }

  /** What was asked of it, as `start-last`. */
  get asked(): string[] {
    return this.fetches.map(({ range }) => {
      const asked = rangeOf(range, null)
      return 'start' in asked ? `${told(asked.start)}-${told(asked.last)}` : asked.reason
    })
  }

  get largest(): Location | null {
    let largest: Location | null = null
    for (const object of this.objects.values()) {
      if (!largest || isAfter(object, largest)) largest = object
    }
    return largest
  }

  /** Publishes it now: subscribers get it too. */
  publish(group: number, object: number, text = `${group}/${object}`): void {
    this.has(group, object, text, 0)
    const payload = utf8.encode(text)
    this.live.writeStream(0, { group, object, properties: NONE, payload })
  }

  /** Published before anybody subscribed, in a subgroup of its own. */
  has(group: number, object: number, text = `${group}/${object}`, subgroup = 1): void {
    const payload = utf8.encode(text)
    const it = { group, object, subgroup, priority: PRIORITY, properties: NONE, payload }
    this.objects.set(`${group}/${object}`, it)
  }

  /** Answers with what it has in the range. */
  serve(request: IncomingFetch): FetchWriter | null {
    const asked = rangeOf(request.range, null)
    const { largest } = this
    if (!('start' in asked) || !largest || isAfter(asked.start, largest)) {
      request.reject(RequestCode.INVALID_RANGE, 'nothing there')
      return null
    }
    const last = isAfter(asked.last, largest) ? largest : asked.last
    const { endOfTrack, properties } = this
    request.accept({ endOfTrack, end: endOf(last), properties })
    const writer = request.openStream(20, 128, request.groupOrder)!
    const sign = request.groupOrder === 'ascending' ? 1 : -1
    const wanted = [...this.objects.values()]
      .filter((object) => !isAfter(asked.start, object) && !isAfter(object, last))
      .sort((a, b) => sign * (a.group - b.group) || a.object - b.object)
    for (const object of wanted) writer.object(object)
    writer.finish()
    return writer
  }

  private onFetch(request: IncomingFetch): void {
    this.fetches.push(request)
    request.onCancelled = () => this.cancelled++
    if (this.answering === 'refuse') request.reject(this.refusal, 'it does not')
    else if (this.answering === 'serve') this.serve(request)
  }
}

function told({ group, object }: Location): string {
  return `${group}/${Number.isFinite(object) ? object : '*'}`
}

/** What one FETCH brought. */
export class Fetched {
  request!: FetchRequest
  /** In order: `group/object text`, or `unknown group/object` for an end of range. */
  readonly got: string[] = []
  readonly objects: FetchObject[] = []
  ok: AcceptedFetch | null = null
  code: number | null = null
  reset: number | null = null
  done = false

  /** Last location of the answer. */
  get last(): Location | null {
    return this.ok && lastOf(this.ok.end)
  }
}

export class Fetcher {
  readonly session: Session
  readonly received: string[] = []
  doneCode: number | null = null

  constructor(world: RelayWorld) {
    this.session = world.client({})
  }

  subscribe(track: FullTrackName, parameters: Parameters = {}): Subscription {
    return this.session.subscribe(track, parameters, {
      onObject: ({ group, object }) => this.received.push(`${group}/${object}`),
      onDone: ({ status }) => {
        this.doneCode = status
      },
    })
  }

  /** @param end as FETCH tells it: the last plus 1, or object 0 for the whole group */
  standalone(
    track: FullTrackName,
    start: readonly [number, number],
    end: readonly [number, number],
    parameters: Parameters = {},
  ): Fetched {
    return this.fetch(
      {
        kind: 'standalone',
        track,
        start: { group: start[0], object: start[1] },
        end: { group: end[0], object: end[1] },
      },
      parameters,
    )
  }

  fetch(range: FetchRange, parameters: Parameters = {}): Fetched {
    const fetched = new Fetched()
    fetched.request = this.session.fetch(
      range,
      {
        onAccepted: (ok) => {
          fetched.ok = ok
        },
        onRejected: ({ code }) => {
          fetched.code = code
        },
        onObject: (object) => {
          fetched.objects.push(object)
          fetched.got.push(textOf(object.payload) ?? '')
        },
        onRangeEnd: (end) => fetched.got.push(`${end.kind} ${told(finite(end))}`),
        onEnd: () => {
          fetched.done = true
        },
        onReset: (code) => {
          fetched.reset = code
        },
      },
      parameters,
    )
    return fetched
  }
}

/** The largest id stands for the rest of a group. */
function finite({ group, object }: Location): Location {
  return { group, object: object === Number.MAX_SAFE_INTEGER ? Number.POSITIVE_INFINITY : object }
}
