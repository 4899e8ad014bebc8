/**
 * The relay: connects publishers and subscribers by the names of their tracks (draft-18 section 9).
 * It sees names, headers and ciphertext, never a key. Sessions come in by `addSession`, from an engine
 * or from an endpoint in the same process.
 */

import type {
  Clock,
  IncomingNamespacePublication,
  IncomingNamespaceSubscription,
  IncomingSubscribe,
  IncomingTrackStatus,
  SessionLimits,
} from '../../moq/session/index.ts'
import type { CloseInfo, TransportKind, TransportSession } from '../../moq/transport/transport.ts'
import { RequestCode } from '../../moq/wire/codes.ts'
import { formatTrack, hasPrefix, type Namespace, textOf } from '../../moq/wire/names.ts'
import type { ForwardCounters } from '../forward/counters.ts'
import { NamespaceRegistry } from './namespaces.ts'
import { Peer, type PeerHost } from './peer.ts'
import { RelayTrack } from './track.ts'

export interface RelayOptions {
  readonly clock: Clock
  readonly counters: ForwardCounters
  readonly limits: RelayLimits
  readonly sessionLimits?: Partial<SessionLimits>
  onSessionClosed?(peer: Peer, info: CloseInfo): void
  onInternalError(error: unknown): void
}

export interface RelayLimits {
  /** Bytes that may wait for one session. */
  readonly maxEgressBytes: number
  /** Longest time for which a subscription waits for a publisher, ms. */
  readonly maxRendezvousMs: number
  /** Namespaces that one session may publish. */
  readonly maxNamespaces: number
}

export const DEFAULT_RELAY_LIMITS: RelayLimits = {
  maxEgressBytes: 16 * 1024 * 1024,
  maxRendezvousMs: 30_000,
  maxNamespaces: 100,
}

export class Relay implements PeerHost {
  private readonly options: RelayOptions
  private readonly peers = new Set<Peer>()
  private readonly namespaces = new NamespaceRegistry<Peer>()
  private readonly tracks = new Map<string, RelayTrack>()
  private nextAlias = 1

  constructor(options: RelayOptions) {
    this.options = options
  }

  /**
   * Serves a transport session whose peer is a client.
   * @param service the peer is a service of our own, which speaks for all rooms: its numbers of
   * requests and namespaces are theirs together, and each of theirs is limited already
   */
  addSession(transport: TransportSession, service = false): Peer {
    const { clock, counters, sessionLimits, limits, onInternalError } = this.options
    const peer = new Peer(transport, this, {
      clock,
      counters,
      sessionLimits: {
        ...sessionLimits,
        ...(service && { maxRequests: Number.POSITIVE_INFINITY }),
      },
      maxEgressBytes: limits.maxEgressBytes,
      maxNamespaces: service ? Number.POSITIVE_INFINITY : limits.maxNamespaces,
      onInternalError,
    })
    this.peers.add(peer)
    return peer
  }

  /** GOAWAY to every session: come back elsewhere, or here after a while. */
  goaway(timeoutMs: number): void {
    for (const peer of this.peers) peer.session.goaway('', timeoutMs)
  }

  closeAll(code: number, reason: string): void {
    for (const peer of [...this.peers]) peer.session.close(code, reason)
  }

  get sessionCount(): number {
    return this.peers.size
  }

  sessionsByTransport(): Record<TransportKind, number> {
    const count = { webtransport: 0, websocket: 0, quic: 0, memory: 0 }
    for (const peer of this.peers) count[peer.session.transport.kind]++
    return count
  }

  get trackCount(): number {
    return this.tracks.size
  }

  get subscriptionCount(): number {
    let count = 0
    for (const track of this.tracks.values()) count += track.subscriberCount
    return count
  }

  get waitingBytes(): number {
    let bytes = 0
    for (const peer of this.peers) bytes += peer.egress.waitingBytes
    return bytes
  }

  /** Namespaces that are published now. */
  publishedNamespaces(): Namespace[] {
    return this.namespaces.list()
  }

  /** Tracks under a prefix, for a look inside a room. */
  dumpTracks(prefix: Namespace) {
    return [...this.tracks.values()]
      .filter((track) => hasPrefix(track.name.namespace, prefix))
      .map((track) => ({ name: formatTrack(track.name), ...track.dump() }))
  }

  // ---- what peers ask

  onSubscribe(peer: Peer, request: IncomingSubscribe): void {
    if (isReserved(request.track.namespace)) {
      request.reject(RequestCode.DOES_NOT_EXIST, 'reserved namespace')
      return
    }
    const key = formatTrack(request.track)
    const track = this.tracks.get(key)
    if (track && !track.idle) {
      track.subscribe(peer, request, 0)
      return
    }
    const publisher = this.namespaces.find(request.track.namespace)
    const patience = request.parameters.rendezvousTimeout ?? 0
    if (!publisher && patience === 0) {
      request.reject(RequestCode.DOES_NOT_EXIST, 'nobody publishes this track')
      return
    }
    const wanted = track ?? this.addTrack(key, request)
    wanted.subscribe(peer, request, Math.min(patience, this.options.limits.maxRendezvousMs))
    if (publisher) wanted.subscribeUpstream(publisher)
  }

  /** Section 10.14: from an established subscription, else forwarded to a publisher. */
  onTrackStatus(_peer: Peer, request: IncomingTrackStatus): void {
    const state = this.tracks.get(formatTrack(request.track))?.status
    if (state) {
      request.accept(state)
      return
    }
    const { namespace } = request.track
    const publisher = isReserved(namespace) ? null : this.namespaces.find(namespace)
    if (!publisher) {
      request.reject(RequestCode.DOES_NOT_EXIST, 'nobody publishes this track')
      return
    }
    const upstream = publisher.session.trackStatus(request.track, {
      onStatus: (told) => request.accept(told),
      onRejected: (error) => {
        const code = error?.code ?? RequestCode.INTERNAL_ERROR
        // A redirect is not followed and not forwarded: its URI is the upstream's matter.
        const told = code === RequestCode.REDIRECT ? RequestCode.DOES_NOT_EXIST : code
        request.reject(told, error?.reason ?? 'the publisher did not answer', error?.retryAfterMs)
      },
    })
    request.onCancelled = () => upstream.cancel()
  }

  onPublishNamespace(peer: Peer, request: IncomingNamespacePublication): void {
    if (isReserved(request.namespace)) {
      request.reject(RequestCode.DOES_NOT_EXIST, 'reserved namespace')
      return
    }
    if (peer.namespaces.size >= peer.maxNamespaces) {
      request.reject(RequestCode.EXCESSIVE_LOAD, 'too many namespaces in this session', 10_000)
      return
    }
    peer.namespaces.add(request)
    request.onWithdrawn = () => {
      peer.namespaces.delete(request)
      this.namespaces.withdraw(request.namespace, peer)
    }
    request.accept()
    this.namespaces.publish(request.namespace, peer)
    // Subscriptions that wait for a publisher of this namespace.
    for (const track of this.tracks.values()) {
      if (track.idle && hasPrefix(track.name.namespace, request.namespace)) {
        track.subscribeUpstream(peer)
      }
    }
  }

  onSubscribeNamespace(peer: Peer, request: IncomingNamespaceSubscription): void {
    for (const other of peer.watches) {
      if (hasPrefix(other.prefix, request.prefix) || hasPrefix(request.prefix, other.prefix)) {
        request.reject(RequestCode.PREFIX_OVERLAP, 'overlaps another namespace subscription')
        return
      }
    }
    peer.watches.add(request)
    request.onCancelled = () => {
      peer.watches.delete(request)
      this.namespaces.unwatch(request)
    }
    request.accept()
    this.namespaces.watch(request)
  }

  onClosed(peer: Peer, info: CloseInfo): void {
    this.peers.delete(peer)
    this.options.onSessionClosed?.(peer, info)
  }

  private addTrack(key: string, request: IncomingSubscribe): RelayTrack {
    const track = new RelayTrack({
      name: request.track,
      alias: this.nextAlias++,
      clock: this.options.clock,
      counters: this.options.counters,
      onUnused: (unused) => {
        if (this.tracks.get(key) === unused) this.tracks.delete(key)
      },
    })
    this.tracks.set(key, track)
    return track
  }
}

/** Section 3.2: `.` is never used, `.session` is the implementation's own and defines nothing yet. */
function isReserved(namespace: Namespace): boolean {
  const first = namespace[0] && textOf(namespace[0])
  return first === '.' || first === '.session'
}
