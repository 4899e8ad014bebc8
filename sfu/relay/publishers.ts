import type { IncomingPublish } from '../../moq/session/index.ts'
import { RequestCode } from '../../moq/wire/codes.ts'
import type { RequestError } from '../../moq/wire/messages.ts'
import type { FullTrackName } from '../../moq/wire/names.ts'
import type { Peer } from './peer.ts'
import { Upstream, type UpstreamOptions, type UpstreamOwner } from './upstream.ts'

/** The publishers of one track, as the relay's upstreams: one a session (draft-18 section 9.3). */
export class Publishers {
  private readonly track: FullTrackName
  private readonly owner: UpstreamOwner
  private readonly options: UpstreamOptions
  private readonly upstreams = new Map<Peer, Upstream>()
  /** Those that refused or ended it: not asked again while there are others. */
  private declined = new WeakSet<Peer>()
  /** Why the last ones refused it; what says more than DOES_NOT_EXIST is kept. */
  private refusal: RequestError | null = null
  /** NEW_GROUP_REQUEST that is outstanding upstream, or null (section 10.2.13). */
  private requestedGroup: number | null = null

  constructor(track: FullTrackName, owner: UpstreamOwner, options: UpstreamOptions) {
    this.track = track
    this.owner = owner
    this.options = options
  }

  /** Those that are asked, established or ending. */
  get size(): number {
    return this.upstreams.size
  }

  /** A copy, of those whose subscription is established. */
  get established(): Upstream[] {
    return [...this.upstreams.values()].filter((upstream) => upstream.established)
  }

  get anyEstablished(): boolean {
    for (const upstream of this.upstreams.values()) if (upstream.established) return true
    return false
  }

  /** Whether an answer to a SUBSCRIBE of ours may still come. */
  get anyPending(): boolean {
    for (const upstream of this.upstreams.values()) if (upstream.state === 'pending') return true
    return false
  }

  /** Whether one sends every object from here on, so that its largest object is the track's. */
  get anyCurrent(): boolean {
    for (const upstream of this.upstreams.values()) if (upstream.isCurrent) return true
    return false
  }

  /** Whether no other was established. */
  isAlone(upstream: Upstream): boolean {
    for (const other of this.upstreams.values()) {
      if (other !== upstream && other.state !== 'pending') return false
    }
    return true
  }

  get lastRefusal(): RequestError | null {
    return this.refusal
  }

  get state(): string {
    for (const upstream of this.upstreams.values()) if (upstream.established) return 'established'
    for (const upstream of this.upstreams.values()) return upstream.state
    return 'idle'
  }

  get(peer: Peer): Upstream | undefined {
    return this.upstreams.get(peer)
  }

  /** Whether it is still one of them: a callback may have ended it. */
  has(upstream: Upstream): boolean {
    return this.upstreams.get(upstream.peer) === upstream
  }

  /** Sends SUBSCRIBE, unless the peer has the track or refused it. */
  ask(peer: Peer, newGroupRequest: number | null): void {
    const { session } = peer
    // After a GOAWAY nothing new should be asked of its sender (section 10.4).
    if (session.closed || session.goawayReceived) return
    if (this.upstreams.size === 0) this.declined = new WeakSet()
    if (this.upstreams.has(peer) || this.declined.has(peer)) return
    this.requestedGroup ??= newGroupRequest
    this.upstreams.set(
      peer,
      Upstream.subscribe(peer, this.track, this.requestedGroup, this.owner, this.options),
    )
  }

  /** A PUBLISH of a peer that has no subscription here, to be accepted. */
  offered(peer: Peer, request: IncomingPublish): Upstream {
    this.declined.delete(peer)
    const upstream = Upstream.published(peer, request, this.owner, this.options)
    this.upstreams.set(peer, upstream)
    return upstream
  }

  accept(upstream: Upstream, request: IncomingPublish, forward: boolean, dynamic: boolean): void {
    upstream.accept(request, forward, dynamic ? this.requestedGroup : null)
  }

  /** It publishes the namespace anew, and may be asked anew. */
  forgive(peer: Peer): void {
    this.declined.delete(peer)
  }

  answered(): void {
    this.refusal = null
  }

  refused(upstream: Upstream, error: RequestError): void {
    this.remove(upstream)
    if (!this.refusal || this.refusal.code === RequestCode.DOES_NOT_EXIST) this.refusal = error
  }

  /** It is over; it is not asked again while there are others. */
  remove(upstream: Upstream): boolean {
    if (!this.has(upstream)) return false
    this.upstreams.delete(upstream.peer)
    this.declined.add(upstream.peer)
    return true
  }

  /**
   * Nobody subscribes: our SUBSCRIBEs end. A publisher's own PUBLISH stays.
   * @returns those that were ended
   */
  release(): Upstream[] {
    const ended = [...this.upstreams.values()].filter((upstream) => upstream.origin !== 'publish')
    for (const upstream of ended) {
      upstream.cancel()
      this.upstreams.delete(upstream.peer)
    }
    return ended
  }

  /** Section 9.5: all are told when somebody wants objects, and when nobody does any more. */
  setForward(wanted: boolean): void {
    // A group that begins while nothing is sent serves nobody: another may be asked for.
    if (!wanted) this.requestedGroup = null
    for (const upstream of [...this.upstreams.values()]) upstream.setForward(wanted)
  }

  /**
   * Section 10.2.13, relay handling: asks all of them for a new group, unless the same or a later
   * one was asked for since the largest group increased.
   * @returns whether they were asked
   */
  requestGroup(group: number): boolean {
    if (this.requestedGroup !== null && this.requestedGroup >= group) return false
    this.requestedGroup = group
    for (const upstream of this.established) upstream.requestGroup(group)
    return true
  }

  /** Whether a new group was asked for since the largest group increased. */
  get groupRequested(): boolean {
    return this.requestedGroup !== null
  }

  /** The largest group increased: what was asked for is there. */
  groupStarted(): void {
    this.requestedGroup = null
  }

  /** ms after which the last of them will end it; null where one does not say (section 10.2.10). */
  expiresIn(now: number): number | null {
    let latest = 0
    for (const { expiresAt } of this.established) {
      if (expiresAt === null) return null
      latest = Math.max(latest, expiresAt)
    }
    if (latest === 0) return null
    // Whole ms, as a message has them; zero would say that it does not expire.
    return Math.min(Math.max(1, Math.ceil(latest - now)), Number.MAX_SAFE_INTEGER)
  }
}
