import { ResetCode, SessionCode } from '../wire/codes.ts'
import type { ReceivedDatagram } from '../wire/datagram.ts'
import { ProtocolError } from '../wire/errors.ts'
import { sameTrack } from '../wire/names.ts'
import type { AliasSink } from './alias-sink.ts'
import type { Clock } from './clock.ts'
import type { WaitingStream } from './data-stream-host.ts'
import type { SessionLimits } from './limits.ts'
import { SharedAlias } from './shared-alias.ts'
import { Subscription } from './subscription.ts'

/**
 * Track aliases of the peer's (draft-18 section 11.1): which subscription each names, what came
 * before its name was known, and which names are no longer wanted. All of it bounded.
 */
export class Aliases {
  private readonly clock: Clock
  private readonly limits: SessionLimits
  private readonly active = new Map<number, Subscription | SharedAlias>()
  /** Insertion order is age; the oldest is forgotten first. */
  private readonly retired = new Set<number>()
  private readonly streams = new Set<WaitingStream>()
  /** Subscriptions of ours that are not answered: any alias may turn out to be theirs. */
  private pending = 0
  /** Subscriptions that are over, for which late streams are still taken; oldest first. */
  private readonly draining = new Map<Subscription, () => void>()
  private datagrams: { readonly received: ReceivedDatagram; readonly until: number }[] = []

  constructor(clock: Clock, limits: SessionLimits) {
    this.clock = clock
    this.limits = limits
  }

  find(alias: number): AliasSink | 'unknown' | 'retired' {
    const subscription = this.active.get(alias)
    if (subscription) return subscription
    // A publisher may use a retired alias again, and its objects may overtake its SUBSCRIBE_OK.
    return this.retired.has(alias) && this.pending === 0 ? 'retired' : 'unknown'
  }

  /** A subscription was asked for; `answered` follows once. */
  asked(): void {
    this.pending++
  }

  answered(): void {
    this.pending--
  }

  /**
   * Names a subscription and delivers what waited for the name.
   * @throws ProtocolError (DUPLICATE_TRACK_ALIAS) when an established one of another track has it
   */
  register(alias: number, subscription: Subscription): void {
    const holder = this.active.get(alias)
    const same = holder !== undefined && sameTrack(holder.track, subscription.track)
    if (holder?.established && !same) {
      throw new ProtocolError(`track alias ${alias} is in use`, SessionCode.DUPLICATE_TRACK_ALIAS)
    }
    if (same && holder instanceof SharedAlias) holder.add(subscription)
    else if (holder instanceof Subscription && holder.established)
      this.active.set(alias, new SharedAlias(holder, subscription))
    else this.active.set(alias, subscription)
    this.retired.delete(alias)
    for (const stream of this.waitingFor(alias)) stream.resume()
    this.deliverDatagrams(alias, subscription)
  }

  private deliverDatagrams(alias: number, subscription: Subscription): void {
    const now = this.clock.now()
    const waiting = this.datagrams
    this.datagrams = waiting.filter((w) => w.received.trackAlias !== alias && w.until > now)
    for (const { received, until } of waiting) {
      if (received.trackAlias === alias && until > now) subscription.deliver(received.object, null)
    }
  }

  /**
   * Takes what comes late for a subscription that is over, for a while (section 10.11).
   * @param ms of the delivery timeouts that apply; bounded below and above
   */
  drain(alias: number, subscription: Subscription, ms: number): void {
    const holder = this.active.get(alias)
    if (holder !== subscription && !(holder instanceof SharedAlias && holder.has(subscription))) {
      subscription.expired()
      return
    }
    const time = Math.max(this.limits.earlyMs, Math.min(ms, MAX_DRAIN_MS))
    const stopTimer = this.clock.after(time, () => {
      this.retire(alias, subscription)
      subscription.expired()
    })
    this.draining.set(subscription, stopTimer)
    if (this.draining.size <= MAX_DRAINING) return
    for (const [oldest] of this.draining) {
      this.retire(oldest.trackAlias!, oldest)
      oldest.expired()
      return
    }
  }

  /**
   * Turns away what comes under an alias from now on, and what waits for it.
   * @param subscription whose alias it is; null when it never came to one
   */
  retire(alias: number, subscription: Subscription | null): void {
    if (subscription) {
      this.draining.get(subscription)?.()
      this.draining.delete(subscription)
    }
    const holder = this.active.get(alias)
    if (holder instanceof SharedAlias && (!subscription || holder.delete(subscription))) return
    if (holder && holder !== subscription && !(holder instanceof SharedAlias)) return
    this.active.delete(alias)
    // In the order of retirement.
    this.retired.delete(alias)
    this.retired.add(alias)
    if (this.retired.size > MAX_RETIRED) this.forgetOldest()
    for (const stream of this.waitingFor(alias)) stream.stop(ResetCode.CANCELLED)
    this.datagrams = this.datagrams.filter(({ received }) => received.trackAlias !== alias)
  }

  /** The streams that wait for an alias, which no longer wait. */
  private waitingFor(alias: number): WaitingStream[] {
    const waiting = [...this.streams].filter((stream) => stream.waitingAlias === alias)
    for (const stream of waiting) this.streams.delete(stream)
    return waiting
  }

  private forgetOldest(): void {
    for (const oldest of this.retired) {
      this.retired.delete(oldest)
      return
    }
  }

  /** Keeps a stream until its alias is known; false when too many wait already. */
  park(stream: WaitingStream): boolean {
    if (this.streams.size >= this.limits.earlyStreams) return false
    this.streams.add(stream)
    this.clock.after(this.limits.earlyMs, () => {
      if (this.streams.delete(stream)) stream.stop(ResetCode.CANCELLED)
    })
    return true
  }

  /** Keeps a datagram briefly. @returns false when there are too many, and the oldest went for it */
  keep(received: ReceivedDatagram): boolean {
    const room = this.datagrams.length < this.limits.earlyDatagrams
    if (!room) this.datagrams.shift()
    this.datagrams.push({ received, until: this.clock.now() + this.limits.earlyMs })
    return room
  }

  /** SETUP came: streams that waited for it go on. */
  ready(): void {
    for (const stream of [...this.streams]) {
      if (stream.waitingAlias !== null) continue
      this.streams.delete(stream)
      stream.resume()
    }
  }

  clear(): void {
    for (const stopTimer of this.draining.values()) stopTimer()
    this.draining.clear()
    this.active.clear()
    this.streams.clear()
    this.datagrams = []
  }
}

const MAX_RETIRED = 1024
const MAX_DRAINING = 1024
/** However long a track's delivery timeouts are. */
const MAX_DRAIN_MS = 30_000
