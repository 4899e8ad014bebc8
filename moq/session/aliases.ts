import { ResetCode, SessionCode } from '../wire/codes.ts'
import type { ReceivedDatagram } from '../wire/datagram.ts'
import { ProtocolError } from '../wire/errors.ts'
import type { Clock } from './clock.ts'
import type { DataStream } from './data-stream.ts'
import type { SessionLimits } from './limits.ts'
import type { Subscription } from './subscription.ts'

/**
 * Track aliases of the peer's (draft-18 section 11.1): which subscription each names, what came
 * before its name was known, and which names are no longer wanted. All of it bounded.
 */
export class Aliases {
  private readonly clock: Clock
  private readonly limits: SessionLimits
  private readonly active = new Map<number, Subscription>()
  /** Insertion order is age; the oldest is forgotten first. */
  private readonly retired = new Set<number>()
  private readonly streams = new Set<DataStream>()
  /** Subscriptions of ours that are not answered: any alias may turn out to be theirs. */
  private pending = 0
  private datagrams: { readonly received: ReceivedDatagram; readonly until: number }[] = []

  constructor(clock: Clock, limits: SessionLimits) {
    this.clock = clock
    this.limits = limits
  }

  find(alias: number): Subscription | 'unknown' | 'retired' {
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

  /** Names a subscription and delivers what waited for the name. */
  register(alias: number, subscription: Subscription): void {
    const holder = this.active.get(alias)
    if (holder?.established) {
      throw new ProtocolError(`track alias ${alias} is in use`, SessionCode.DUPLICATE_TRACK_ALIAS)
    }
    this.active.set(alias, subscription)
    this.retired.delete(alias)
    for (const stream of [...this.streams]) {
      if (stream.waitingAlias !== alias) continue
      this.streams.delete(stream)
      stream.resume()
    }
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

  release(alias: number, subscription: Subscription, late: boolean): void {
    const retire = () => {
      if (this.active.get(alias) !== subscription) return
      this.active.delete(alias)
      this.retired.add(alias)
      if (this.retired.size > MAX_RETIRED) this.forgetOldest()
    }
    if (late) this.clock.after(this.limits.earlyMs, retire)
    else retire()
  }

  private forgetOldest(): void {
    for (const oldest of this.retired) {
      this.retired.delete(oldest)
      return
    }
  }

  /** Keeps a stream until its alias is known; false when too many wait already. */
  park(stream: DataStream): boolean {
    if (this.streams.size >= this.limits.earlyStreams) return false
    this.streams.add(stream)
    this.clock.after(this.limits.earlyMs, () => {
      if (this.streams.delete(stream)) stream.stop(ResetCode.CANCELLED)
    })
    return true
  }

  /** Keeps a datagram briefly; the oldest goes when there are too many. */
  keep(received: ReceivedDatagram): void {
    if (this.datagrams.length >= this.limits.earlyDatagrams) this.datagrams.shift()
    this.datagrams.push({ received, until: this.clock.now() + this.limits.earlyMs })
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
    this.active.clear()
    this.streams.clear()
    this.datagrams = []
  }
}

const MAX_RETIRED = 1024
