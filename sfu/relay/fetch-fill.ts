import type { AcceptedFetch, Clock, FetchHandler, FetchRequest } from '../../moq/session/index.ts'
import { RequestCode, ResetCode } from '../../moq/wire/codes.ts'
import type { FetchRangeEnd } from '../../moq/wire/fetch.ts'
import { isAfter, type Location } from '../../moq/wire/location.ts'
import type { RequestError } from '../../moq/wire/messages.ts'
import type { MoqObject } from '../../moq/wire/object.ts'
import type { Parameters } from '../../moq/wire/parameters.ts'
import { type FetchSpan, firstOf, locationAfter } from '../cache/index.ts'
import { rememberGap } from './fetch-gap.ts'
import { contains, earlier, endOf, lastOf, precedes } from './fetch-range.ts'
import type { FetchTrack } from './fetch-track.ts'
import type { Peer } from './peer.ts'

export type FillItem =
  | { readonly kind: 'object'; readonly object: MoqObject }
  | { readonly kind: 'range-end'; readonly end: FetchRangeEnd }

/** How a fill ended, when it did not bring everything. */
export type FillFailure =
  | { readonly kind: 'rejected'; readonly error: RequestError }
  | { readonly kind: 'reset'; readonly code: number }

export interface FillOptions {
  readonly track: FetchTrack
  readonly publisher: Peer
  /** One segment that is unknown. */
  readonly span: FetchSpan
  readonly parameters: Parameters
  readonly clock: Pick<Clock, 'now'>
  /** Bytes that may wait for the reader. */
  readonly maxBytes: number
  /** FETCH_OK came; `onNews` follows. */
  readonly onAccepted: (accepted: AcceptedFetch) => void
  /** Something came, or it is over. */
  readonly onNews: (fill: Fill) => void
  readonly onMalformed: (track: FetchTrack) => void
}

/** What an object that waits costs beside its bytes. */
const ITEM_BYTES = 64

/**
 * A FETCH to a publisher for what the cache does not have (draft-18 sections 9.5 and 10.12.3). What it
 * brings goes into the cache and to the one response that reads it; the publisher waits, by flow
 * control, while the reader is behind. Other responses may look on: they read the cache.
 */
export class Fill implements FetchHandler {
  readonly span: FetchSpan
  accepted: AcceptedFetch | null = null
  failure: FillFailure | null = null
  private readonly options: FillOptions
  private readonly request: FetchRequest
  private items: FillItem[] = []
  private taken = 0
  private bytes = 0
  private paused = false
  private ended = false
  /** The next location that can come; null: none. */
  private at: Location | null

  constructor(options: FillOptions) {
    this.options = options
    this.span = options.span
    this.at = firstOf(options.span)
    const { start, last, order } = options.span
    this.request = options.publisher.session.fetch(
      { kind: 'standalone', track: options.track.name, start, end: endOf(last) },
      this,
      { ...options.parameters, groupOrder: order },
    )
  }

  get track(): FetchTrack {
    return this.options.track
  }

  get publisher(): Peer {
    return this.options.publisher
  }

  /** No other publisher is worth asking: the track is malformed, or needs what is not known here. */
  get isTerminal(): boolean {
    const { failure } = this
    if (failure?.kind === 'reset') return failure.code === ResetCode.MALFORMED_TRACK
    return failure?.error.code === RequestCode.UNSUPPORTED_EXTENSION
  }

  /** Nothing more comes; what came may still be taken. */
  get over(): boolean {
    return this.ended
  }

  /** Whether it will bring this location to the cache without waiting for its reader. */
  isBringing(at: Location): boolean {
    if (this.ended || this.paused || !this.at || !contains(this.span, at)) return false
    return !precedes(this.span, at, this.at)
  }

  /** The next of what came, or null. */
  take(): FillItem | null {
    const item = this.items[this.taken]
    if (!item) return null
    this.taken++
    this.bytes -= sizeOf(item)
    if (this.taken === this.items.length) {
      this.items = []
      this.taken = 0
    }
    if (this.paused && this.bytes < this.options.maxBytes / 2) {
      this.paused = false
      this.request.resume()
    }
    return item
  }

  cancel(): void {
    this.items = []
    this.taken = 0
    if (this.ended) return
    this.ended = true
    this.request.cancel()
  }

  // ---- what the publisher sends

  onAccepted(accepted: AcceptedFetch): void {
    this.accepted = accepted
    this.options.onAccepted(accepted)
    this.options.onNews(this)
  }

  onRejected(error: RequestError): void {
    this.fail({ kind: 'rejected', error })
  }

  onReset(code: number): void {
    this.fail({ kind: 'reset', code })
  }

  onObject(object: MoqObject): void {
    if (this.ended || !this.reach(object)) return
    const { track, clock } = this.options
    const verdict = track.cache.addFetched(object, clock.now())
    if (verdict === 'malformed') {
      this.cancel()
      this.options.onMalformed(track)
      return
    }
    if (verdict !== 'withdrawn') this.push({ kind: 'object', object })
    this.options.onNews(this)
  }

  onRangeEnd(end: FetchRangeEnd): void {
    if (this.ended) return
    const { group, object } = earlier(end, this.span.last)
    const tip = { group, object }
    if (end.kind === 'non-existent') {
      if (!this.reach(tip)) return
      this.options.track.cache.absent(tip, tip)
    } else if (!this.follows(tip)) return
    this.at = locationAfter(this.span, tip)
    this.push({ kind: 'range-end', end: { ...tip, kind: end.kind } })
    this.options.onNews(this)
  }

  onEnd(): void {
    if (this.ended) return
    this.ended = true
    const { cache } = this.options.track
    const { accepted } = this
    if (this.at) rememberGap(cache, this.span, this.at, null, this.bound())
    if (accepted?.endOfTrack && accepted.end.object > 0 && !cache.endsWith(lastOf(accepted.end))) {
      this.items = []
      this.options.onMalformed(this.options.track)
      return
    }
    this.options.onNews(this)
  }

  /** What lies between the last location and this one does not exist. False: the publisher is wrong. */
  private reach(to: Location): boolean {
    if (!this.follows(to)) return false
    if (this.at) rememberGap(this.options.track.cache, this.span, this.at, to, this.bound())
    this.at = locationAfter(this.span, to)
    return true
  }

  private follows(to: Location): boolean {
    if (this.at && contains(this.span, to) && !precedes(this.span, to, this.at)) return true
    this.request.cancel()
    this.fail({ kind: 'reset', code: ResetCode.INTERNAL_ERROR })
    return false
  }

  /** Behind the largest object nothing is known, because a fetch does not retrieve it. */
  private bound(): Location {
    let bound = this.span.last
    if (this.accepted) bound = earlier(bound, lastOf(this.accepted.end))
    const { largest } = this.options.track
    return largest && isAfter(bound, largest) ? largest : bound
  }

  private push(item: FillItem): void {
    this.items.push(item)
    this.bytes += sizeOf(item)
    if (this.paused || this.bytes < this.options.maxBytes) return
    this.paused = true
    this.request.pause()
  }

  private fail(failure: FillFailure): void {
    if (this.ended) return
    this.ended = true
    this.failure = failure
    this.options.onNews(this)
  }
}

function sizeOf(item: FillItem): number {
  return item.kind === 'object' ? item.object.body.length + ITEM_BYTES : ITEM_BYTES
}
