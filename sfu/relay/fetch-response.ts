import type { Clock, FetchWriter, IncomingFetch } from '../../moq/session/index.ts'
import { RequestCode, ResetCode } from '../../moq/wire/codes.ts'
import { isAfter, type Location } from '../../moq/wire/location.ts'
import { DEFAULT_PRIORITY } from '../../moq/wire/priority.ts'
import { type FetchSpan, nextSegment, type Segment } from '../cache/index.ts'
import type { PullSource } from '../forward/pull-source.ts'
import { sendOrderOf, type TrafficClass } from '../forward/traffic.ts'
import { FetchCursor } from './fetch-cursor.ts'
import type { Fill, FillFailure } from './fetch-fill.ts'
import { Patience } from './fetch-patience.ts'
import { before, contains, earlier, endOf, lastOf, type ObjectRange } from './fetch-range.ts'
import type { FetchTrack } from './fetch-track.ts'
import type { Peer } from './peer.ts'
import { toldRejection } from './rejections.ts'

/** What a response asks of the service that made it. */
export interface ResponseHost {
  /** A fill of another response that brings this location to the cache. */
  bringing(track: FetchTrack, at: Location): Fill | null
  /**
   * Asks a publisher that has not failed this response for what is unknown.
   * @param budgetMs what is left of the FILL_TIMEOUT
   * @returns null when nobody is left to ask
   */
  startFill(response: FetchResponse, span: FetchSpan, budgetMs: number): Fill | null
  /** A response gave up its fill: others may have waited for it. */
  onFillOver(fill: Fill): void
  /** @param fill what it had of its own */
  onOver(response: FetchResponse, fill: Fill | null): void
}

export interface ResponseOptions {
  readonly peer: Peer
  readonly request: IncomingFetch
  readonly track: FetchTrack
  readonly range: ObjectRange
  /** Whether the range ends with published objects, so that FETCH_OK can be sent at once. */
  readonly endKnown: boolean
  readonly traffic: TrafficClass
  readonly clock: Clock
  /** FILL_TIMEOUT, ms (section 10.2.5). */
  readonly fillMs: number
  readonly host: ResponseHost
}

/**
 * The answer to one FETCH of a subscriber's (draft-18 section 10.12.3): goes along its range, takes
 * what is cached, has unknown parts filled from a publisher, and tells of those that stay unknown. It
 * makes each object's bytes when the subscriber's session has room for them, and holds one object.
 */
export class FetchResponse implements PullSource {
  readonly track: FetchTrack
  readonly traffic: TrafficClass
  /** Publishers that did not bring what they were asked for; they are not asked again. */
  readonly failed = new Set<Peer>()
  private readonly options: ResponseOptions
  private readonly request: IncomingFetch
  private readonly cursor: FetchCursor
  private writer: FetchWriter | null = null
  /** Its own fill, and the segment that it is for. */
  private own: { readonly fill: Fill; readonly segment: Segment } | null = null
  /** Another response's fill, which brings to the cache what this one waits for. */
  private watched: Fill | null = null
  private accepted = false
  private mayFill: boolean
  /** Of the publisher that was asked last. */
  private failure: FillFailure | null = null
  private readonly patience: Patience
  private ended = false

  constructor(options: ResponseOptions) {
    this.options = options
    this.request = options.request
    this.track = options.track
    this.traffic = options.traffic
    this.cursor = new FetchCursor({ ...options.range, order: options.request.groupOrder })
    this.patience = new Patience(options.clock, options.fillMs, () => this.onImpatient())
    this.mayFill = options.fillMs > 0
  }

  get subscriberPriority(): number {
    return this.request.parameters.subscriberPriority ?? DEFAULT_PRIORITY
  }

  get publisherPriority(): number {
    const { next } = this.cursor
    return next?.kind === 'object' ? (next.object.priority ?? DEFAULT_PRIORITY) : DEFAULT_PRIORITY
  }

  get peer(): Peer {
    return this.options.peer
  }

  start(): void {
    this.request.onCancelled = () => this.close()
    this.request.onUpdate = () => {
      this.writer?.setOrder(sendOrderOf(this.traffic, this.subscriberPriority))
      if (this.cursor.next) this.options.peer.egress.wake(this)
      return null
    }
    if (this.options.endKnown) this.accept()
    this.advance()
  }

  /** A fill of this track has news. */
  onNews(fill: Fill): void {
    if (this.ended) return
    if (fill === this.own?.fill) {
      if (fill.accepted) this.learnEnd(fill)
      if (this.own.fill.isTerminal) {
        this.giveUp(this.own.fill.failure!)
        return
      }
    } else if (fill !== this.watched) return
    this.advance()
  }

  /**
   * It cannot be served any more: REQUEST_ERROR before FETCH_OK, else the stream is reset.
   * @param resetCode of the stream
   */
  fail(requestCode: number, resetCode: number, reason: string, retryAfterMs?: number | null): void {
    if (this.ended) return
    // After FETCH_OK only a stream can tell why.
    if (this.accepted) this.open()
    this.close()
    this.writer?.reset(resetCode)
    this.request.reject(requestCode, reason, retryAfterMs)
  }

  pull(bytes: number): number {
    let written = 0
    while (written < bytes && this.prepare()) {
      if (!this.open()) return written > 0 || this.ended ? written : NO_CREDIT
      written += this.write()
    }
    return written
  }

  // ---- what comes next

  /** Wakes the scheduler when there is something to write. */
  private advance(): void {
    this.patience.stop()
    if (this.prepare()) this.options.peer.egress.wake(this)
  }

  /** Finds what is to be written next; false while there is nothing. */
  private prepare(): boolean {
    while (!this.ended && !this.cursor.next) {
      if (this.own) {
        if (!this.readFill(this.own.fill, this.own.segment)) return false
      } else if (!this.cursor.at) {
        this.accept()
        this.cursor.finish()
      } else if (!this.readCache(this.cursor.at)) return false
    }
    return !this.ended
  }

  /** @returns false when it has to wait */
  private readCache(at: Location): boolean {
    const { track, cursor } = this
    const segment = nextSegment(track.cache, cursor.span, at)
    if (segment.kind === 'cached') {
      const object = track.cache.find(at.group, at.object)
      // It may expire between the two looks.
      if (object) cursor.give(object)
      return true
    }
    if (segment.kind === 'absent') {
      cursor.skip(segment)
      return true
    }
    if (this.mayFill && this.isFilled(at, segment)) {
      this.patience.start()
      return false
    }
    if (!this.accepted && !this.acceptKnown()) this.refuse()
    // The end that is told now may be before it.
    else if (cursor.at === at) cursor.tellUnknown(segment)
    return true
  }

  /** Whether somebody brings what is unknown. */
  private isFilled(at: Location, segment: Segment): boolean {
    const { host } = this.options
    this.watched = host.bringing(this.track, at)
    if (this.watched) return true
    const { order } = this.cursor.span
    const span: FetchSpan = { start: segment.low, last: segment.high, order }
    const fill = host.startFill(this, span, this.patience.leftMs)
    if (fill) this.own = { fill, segment }
    return fill !== null
  }

  /** @returns false when it has to wait */
  private readFill(fill: Fill, segment: Segment): boolean {
    const item = fill.take()
    if (item?.kind === 'object') this.cursor.give(item.object)
    else if (item) this.cursor.tellRangeEnd(item.end)
    else if (fill.over) this.endFill(fill, segment)
    else {
      this.patience.start()
      return false
    }
    return true
  }

  private endFill(fill: Fill, segment: Segment): void {
    this.own = null
    if (isBehindLargest(fill) && this.cutOff(segment.low)) return
    const end = earlier(segment.high, this.cursor.span.last)
    if (fill.failure || !fill.accepted || isAfter(end, lastOf(fill.accepted.end))) {
      // What it did not bring is still unknown.
      this.failure = fill.failure
      this.failed.add(fill.publisher)
      return
    }
    const { at } = this.cursor
    if (at && contains({ start: segment.low, last: segment.high }, at)) this.cursor.skip(segment)
  }

  // ---- the answer

  /** FETCH_OK, once the end is known. */
  private accept(trackEnded = false): void {
    if (this.accepted) return
    this.accepted = true
    const end = endOf(this.cursor.span.last)
    const { cache, properties } = this.track
    const ended = cache.end !== null && end.object > 0 && !isAfter(cache.end, end)
    this.request.accept({ endOfTrack: trackEnded || ended, end, properties })
  }

  /** The publisher's FETCH_OK says whether the range goes beyond what is published. */
  private learnEnd(fill: Fill): void {
    if (this.accepted) return
    const { end, endOfTrack } = fill.accepted!
    const told = lastOf(end)
    if (isAfter(fill.span.last, told)) this.cursor.endWith(told)
    else if (isAfter(this.cursor.span.last, fill.span.last)) return
    this.accept(endOfTrack)
  }

  /** Nobody can say where the range ends: it ends with what was seen. @returns false: nothing was */
  private acceptKnown(): boolean {
    const seen = largestSeen(this.track)
    if (!seen || isAfter(this.cursor.span.start, seen)) return false
    this.cursor.endWith(earlier(this.cursor.span.last, seen))
    this.accept()
    return true
  }

  /**
   * The publisher says that nothing is published from a location on.
   * @returns false when that cannot be, or is the case of the whole range
   */
  private cutOff(from: Location): boolean {
    const seen = largestSeen(this.track)
    if (this.accepted || (seen && !isAfter(from, seen))) return false
    if (this.acceptKnown()) return true
    const last = before(from)
    if (!last || isAfter(this.cursor.span.start, last)) return false
    this.cursor.endWith(last)
    return true
  }

  /** The publisher's answer is the answer for the whole fetch. */
  private giveUp(failure: FillFailure): void {
    const malformed = failure.kind === 'reset'
    const code = malformed ? RequestCode.MALFORMED_TRACK : RequestCode.UNSUPPORTED_EXTENSION
    const reset = malformed ? ResetCode.MALFORMED_TRACK : ResetCode.INTERNAL_ERROR
    const reason = malformed
      ? 'the track is malformed'
      : 'the track needs a property not known here'
    this.fail(code, reset, reason)
  }

  /** Neither the cache nor a publisher can say anything of it. */
  private refuse(): void {
    const { failure } = this
    if (failure?.kind === 'rejected') {
      const { code, reason, retryAfterMs } = failure.error
      const told = code === RequestCode.INVALID_RANGE ? code : toldRejection(failure.error)
      this.fail(told, ResetCode.UNKNOWN_OBJECT_STATUS, reason, retryAfterMs)
    } else if (failure) {
      const reason = 'the publisher gave the fetch up'
      this.fail(RequestCode.INTERNAL_ERROR, ResetCode.UNKNOWN_OBJECT_STATUS, reason)
    } else if (!this.mayFill) {
      const reason = 'no publisher brought it in the time of the FILL_TIMEOUT'
      this.fail(RequestCode.TIMEOUT, ResetCode.UNKNOWN_OBJECT_STATUS, reason)
    } else {
      const reason = 'nobody publishes this track'
      this.fail(RequestCode.DOES_NOT_EXIST, ResetCode.UNKNOWN_OBJECT_STATUS, reason)
    }
  }

  // ---- its stream

  /** @returns false without stream credit, and when it is over */
  private open(): boolean {
    if (this.writer || this.ended) return !this.ended
    const order = sendOrderOf(this.traffic, this.subscriberPriority)
    const { defaultPriority } = this.track.cache
    this.writer = this.request.openStream(order, defaultPriority, this.cursor.span.order)
    return this.writer !== null
  }

  private write(): number {
    const next = this.cursor.take()
    const writer = this.writer!
    if (next?.kind === 'object') return writer.object(next.object)
    if (next?.kind === 'range-end') return writer.rangeEnd(next.end)
    this.close()
    writer.finish()
    return 0
  }

  private close(): void {
    if (this.ended) return
    this.ended = true
    this.cursor.clear()
    this.patience.stop()
    const fill = this.own?.fill ?? null
    this.own = null
    this.watched = null
    fill?.cancel()
    this.options.peer.egress.remove(this)
    this.options.host.onOver(this, fill)
  }

  /** The FILL_TIMEOUT has passed: what is not there stays unknown. */
  private onImpatient(): void {
    this.mayFill = false
    const fill = this.own?.fill ?? null
    this.own = null
    this.watched = null
    fill?.cancel()
    if (fill) this.options.host.onFillOver(fill)
    this.advance()
  }
}

/** The largest object that is known of. */
function largestSeen({ largest, cache }: FetchTrack): Location | null {
  if (!largest || !cache.largest) return largest ?? cache.largest
  return isAfter(largest, cache.largest) ? largest : cache.largest
}

function isBehindLargest({ failure }: Fill): boolean {
  return failure?.kind === 'rejected' && failure.error.code === RequestCode.INVALID_RANGE
}

/** `PullSource.pull` without stream credit. */
const NO_CREDIT = -1
