import { RequestCode } from '../../moq/wire/codes.ts'
import { RETRY_AFTER_MS, type RelayLimitName, type RelayLimits } from './limits.ts'
import type { Peer } from './peer.ts'

interface PeerShare {
  subscriptions: number
  published: number
  readonly limited: boolean
}

/** What may be refused for a limit. */
interface Rejectable {
  reject(code: number, reason: string, retryAfterMs: number): void
}

/** How much of the relay each session takes up, and what it may not exceed (draft-18 section 13.5). */
export class PeerShares {
  private readonly limits: RelayLimits
  private readonly onLimit: (limit: RelayLimitName) => void
  private readonly shares = new Map<Peer, PeerShare>()

  constructor(limits: RelayLimits, onLimit: (limit: RelayLimitName) => void) {
    this.limits = limits
    this.onLimit = onLimit
  }

  /** @param limited false for a service of our own, which speaks for all rooms */
  add(peer: Peer, limited: boolean): void {
    this.shares.set(peer, { subscriptions: 0, published: 0, limited })
  }

  delete(peer: Peer): void {
    this.shares.delete(peer)
  }

  countSubscription(peer: Peer, change: number): void {
    const share = this.shares.get(peer)
    if (share) share.subscriptions += change
  }

  countPublished(peer: Peer, change: number): void {
    const share = this.shares.get(peer)
    if (share) share.published += change
  }

  mayTakeSubscription(peer: Peer): boolean {
    const used = this.shares.get(peer)?.subscriptions ?? 0
    return this.within(peer, used, this.limits.maxSubscriptions, 'subscriptions')
  }

  mayTakePublished(peer: Peer): boolean {
    const used = this.shares.get(peer)?.published ?? 0
    return this.within(peer, used, this.limits.maxPublishedTracks, 'published-tracks')
  }

  mayTakeNamespace(peer: Peer): boolean {
    return this.within(peer, peer.namespaces.size, this.limits.maxNamespaces, 'namespaces')
  }

  /** @param used SUBSCRIBE_NAMESPACE or SUBSCRIBE_TRACKS that it has */
  mayTakeWatch(peer: Peer, used: number): boolean {
    return this.within(peer, used, this.limits.maxWatches, 'watches')
  }

  /** A session did not take what one of them is answered. */
  watchStalled(): void {
    this.onLimit('watches')
  }

  private within(peer: Peer, used: number, most: number, limit: RelayLimitName): boolean {
    if (used < most || !this.shares.get(peer)?.limited) return true
    this.onLimit(limit)
    return false
  }
}

/** EXCESSIVE_LOAD, with the time after which it may be tried again (section 10.6). */
export function refuseForLoad(request: Rejectable, what: string): void {
  request.reject(RequestCode.EXCESSIVE_LOAD, `too many ${what} in this session`, RETRY_AFTER_MS)
}
