/**
 * FETCH in the relay (draft-18 sections 5.2, 9.4, 9.5, 10.12 and 10.13): finds the track and the range,
 * and keeps the responses and the fetches to publishers that fill them.
 */

import {
  type Clock,
  type IncomingFetch,
  IncomingSubscribe,
  type Publication,
} from '../../moq/session/index.ts'
import { RequestCode, ResetCode } from '../../moq/wire/codes.ts'
import { isAfter, type Location } from '../../moq/wire/location.ts'
import { type FullTrackName, formatTrack } from '../../moq/wire/names.ts'
import type { CacheBudget, FetchSpan } from '../cache/index.ts'
import { trafficOf } from '../forward/traffic.ts'
import { Fill } from './fetch-fill.ts'
import { earlier, type ObjectRange, RangeRefusal, rangeOf } from './fetch-range.ts'
import { FetchResponse, type ResponseHost } from './fetch-response.ts'
import type { FetchHost, FetchLimits, FetchTrack } from './fetch-track.ts'
import { FetchedTrack } from './fetched-track.ts'
import type { Peer } from './peer.ts'

export interface FetchOptions {
  readonly clock: Clock
  readonly limits: FetchLimits
  readonly host: FetchHost
  readonly budget: CacheBudget
  readonly onLimit?: (limit: 'fetches') => void
}

/** When a fetch that was refused for their number may be tried again, ms. */
const RETRY_AFTER_MS = 1000

export class FetchService implements ResponseHost {
  private readonly options: FetchOptions
  /** By track: a fetch looks at few others. */
  private readonly responses = new Map<FetchTrack, Set<FetchResponse>>()
  private readonly fills = new Map<FetchTrack, Set<Fill>>()
  /** Tracks that are known by fetches only. */
  private readonly fetched = new Map<string, FetchedTrack>()
  /** Joining fetches whose subscription is not established yet. */
  private readonly joining = new Map<IncomingSubscribe, Map<IncomingFetch, Peer>>()
  private readonly perPeer = new Map<Peer, number>()
  private count = 0

  constructor(options: FetchOptions) {
    this.options = options
  }

  /** Fetches that are not finished, those that wait for their subscription included. */
  get active(): number {
    return this.count
  }

  onFetch(peer: Peer, request: IncomingFetch): void {
    const held = this.perPeer.get(peer) ?? 0
    if (held >= this.options.limits.maxFetchesPerSession) {
      this.options.onLimit?.('fetches')
      const reason = 'too many fetches in this session'
      request.reject(RequestCode.EXCESSIVE_LOAD, reason, RETRY_AFTER_MS)
      return
    }
    if (request.range.kind === 'standalone') this.standalone(peer, request, request.range.track)
    else this.join(peer, request, request.joining)
  }

  /** A SUBSCRIBE was answered: fetches that join it go on. @param publication null: refused or gone */
  onAnswered(request: IncomingSubscribe, publication: Publication | null): void {
    const waiting = this.joining.get(request)
    if (!waiting) return
    this.joining.delete(request)
    const fetches = [...waiting]
    waiting.clear()
    for (const [fetch, peer] of fetches) {
      this.release(peer)
      if (!fetch.over) this.join(peer, fetch, publication)
    }
  }

  /** Every fetch of a malformed track ends (section 2.4.2). */
  onMalformed(track: FetchTrack): void {
    for (const response of [...(this.responses.get(track) ?? [])]) {
      response.fail(
        RequestCode.MALFORMED_TRACK,
        ResetCode.MALFORMED_TRACK,
        'the track is malformed',
      )
    }
  }

  /** What the peer may fetch was narrowed: fetches that it may not have any more end. */
  narrow(peer: Peer): void {
    for (const [track, responses] of [...this.responses]) {
      if (peer.maySubscribe(track.name)) continue
      for (const response of [...responses]) {
        if (response.peer !== peer) continue
        const reason = 'no longer allowed to fetch from this track'
        response.fail(RequestCode.UNAUTHORIZED, ResetCode.EXPIRED_AUTH_TOKEN, reason)
      }
    }
  }

  // ---- requests

  private standalone(peer: Peer, request: IncomingFetch, name: FullTrackName): void {
    const range = rangeOf(request.range, null)
    if (range instanceof RangeRefusal) request.reject(range.code, range.reason)
    else {
      const track = this.options.host.findTrack(name)
      if (track) this.serveKnown(peer, request, track, range)
      else this.serveFetched(peer, request, name, range)
    }
  }

  /** Section 10.12.2. */
  private join(
    peer: Peer,
    request: IncomingFetch,
    subscription: Publication | IncomingSubscribe | null,
  ): void {
    if (subscription instanceof IncomingSubscribe) {
      this.wait(peer, request, subscription)
      return
    }
    const track = subscription && this.options.host.trackOf(peer, subscription)
    if (!track || !subscription.established) {
      const reason = 'no subscription of this session has this request id'
      request.reject(RequestCode.INVALID_JOINING_REQUEST_ID, reason)
      return
    }
    if (!subscription.forward) {
      const reason = 'the subscription that it joins has Forward State 0'
      request.reject(RequestCode.INVALID_RANGE, reason)
      return
    }
    const range = rangeOf(request.range, subscription.joiningLocation)
    if (range instanceof RangeRefusal) request.reject(range.code, range.reason)
    else this.respond(peer, request, track, range, true)
  }

  private wait(peer: Peer, request: IncomingFetch, subscription: IncomingSubscribe): void {
    const waiting = this.joining.get(subscription) ?? new Map<IncomingFetch, Peer>()
    this.joining.set(subscription, waiting)
    waiting.set(request, peer)
    this.hold(peer)
    request.onCancelled = () => {
      if (!waiting.delete(request)) return
      this.release(peer)
      if (waiting.size === 0) this.joining.delete(subscription)
    }
  }

  /** From a track that the relay has. */
  private serveKnown(
    peer: Peer,
    request: IncomingFetch,
    track: FetchTrack,
    range: ObjectRange,
  ): void {
    const { largest } = track
    if (!track.receiving && (!largest || isAfter(range.last, largest))) {
      // Newer objects may be published: the publisher has to say.
      this.respond(peer, request, track, range, false)
      return
    }
    if (!largest) request.reject(RequestCode.INVALID_RANGE, 'nothing is published on this track')
    else if (isAfter(range.start, largest)) {
      request.reject(RequestCode.INVALID_RANGE, 'the range begins behind the largest object')
    } else {
      const last = earlier(range.last, largest)
      this.respond(peer, request, track, { start: range.start, last }, true)
    }
  }

  /** From a publisher of the namespace. */
  private serveFetched(
    peer: Peer,
    request: IncomingFetch,
    name: FullTrackName,
    range: ObjectRange,
  ): void {
    const key = formatTrack(name)
    let track = this.fetched.get(key)
    if (!track) {
      track = new FetchedTrack(name, this.options.budget, this.options.clock)
      this.fetched.set(key, track)
    }
    this.respond(peer, request, track, range, false)
  }

  private respond(
    peer: Peer,
    request: IncomingFetch,
    track: FetchTrack,
    range: ObjectRange,
    endKnown: boolean,
  ): void {
    const { maxFillMs } = this.options.limits
    const response = new FetchResponse({
      peer,
      request,
      track,
      range,
      endKnown,
      traffic: trafficOf(track.name).stream,
      clock: this.options.clock,
      fillMs: Math.min(request.parameters.fillTimeout ?? maxFillMs, maxFillMs),
      host: this,
    })
    this.hold(peer)
    const responses = this.responses.get(track) ?? new Set()
    this.responses.set(track, responses)
    responses.add(response)
    response.start()
  }

  // ---- ResponseHost

  bringing(track: FetchTrack, at: Location): Fill | null {
    for (const fill of this.fills.get(track) ?? []) if (fill.isBringing(at)) return fill
    return null
  }

  startFill(response: FetchResponse, span: FetchSpan, budgetMs: number): Fill | null {
    const { track } = response
    const publisher = this.options.host
      .publishers(track.name)
      .find((peer) => !response.failed.has(peer) && canBeAsked(peer))
    if (!publisher) return null
    const fill = new Fill({
      track,
      publisher,
      span,
      parameters: {
        fillTimeout: Math.ceil(budgetMs),
        subscriberPriority: response.subscriberPriority,
      },
      clock: this.options.clock,
      maxBytes: this.options.limits.maxFetchBytes,
      onAccepted: (accepted) => {
        if (track instanceof FetchedTrack) track.learn(accepted)
      },
      onNews: (news) => this.onNews(news),
      onMalformed: (malformed) => {
        // The relay ends what subscribes to the track; of one that is only fetched it knows nothing.
        if (!(malformed instanceof FetchedTrack)) this.options.host.onMalformed(malformed)
        this.onMalformed(malformed)
      },
    })
    const fills = this.fills.get(track) ?? new Set()
    this.fills.set(track, fills)
    fills.add(fill)
    return fill
  }

  onFillOver(fill: Fill): void {
    this.onNews(fill)
  }

  onOver(response: FetchResponse, fill: Fill | null): void {
    const { track, peer } = response
    this.release(peer)
    if (fill) this.onNews(fill)
    const responses = this.responses.get(track)
    responses?.delete(response)
    if (responses?.size !== 0) return
    this.responses.delete(track)
    if (!(track instanceof FetchedTrack)) return
    track.cache.close()
    this.fetched.delete(formatTrack(track.name))
  }

  // ----

  private onNews(fill: Fill): void {
    if (fill.over) {
      const fills = this.fills.get(fill.track)
      fills?.delete(fill)
      if (fills?.size === 0) this.fills.delete(fill.track)
    }
    for (const response of [...(this.responses.get(fill.track) ?? [])]) response.onNews(fill)
  }

  private hold(peer: Peer): void {
    this.count++
    this.perPeer.set(peer, (this.perPeer.get(peer) ?? 0) + 1)
  }

  private release(peer: Peer): void {
    this.count--
    const left = (this.perPeer.get(peer) ?? 1) - 1
    if (left > 0) this.perPeer.set(peer, left)
    else this.perPeer.delete(peer)
  }
}

/** After a GOAWAY nothing new should be asked of its sender (section 10.4). */
function canBeAsked({ session }: Peer): boolean {
  return !session.closed && !session.goawayReceived
}
