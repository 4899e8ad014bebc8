import {
  type Clock,
  type IncomingFetch,
  type IncomingNamespacePublication,
  type IncomingNamespaceSubscription,
  type IncomingPublish,
  type IncomingSubscribe,
  type IncomingTrackStatus,
  type IncomingTracksSubscription,
  Session,
  type SessionHandler,
  type SessionLimitName,
  type SessionLimits,
} from '../../moq/session/index.ts'
import type { CloseInfo, TransportSession } from '../../moq/transport/transport.ts'
import { RequestCode, SessionCode } from '../../moq/wire/codes.ts'
import type { Setup } from '../../moq/wire/messages.ts'
import { type FullTrackName, hasPrefix, type Namespace } from '../../moq/wire/names.ts'
import {
  type AdmissionEvents,
  mayPublishNamespace,
  mayPublishTrack,
  maySubscribe,
  maySubscribeNamespace,
  type SessionAdmission,
} from '../admission/index.ts'
import type { ForwardCounters } from '../forward/counters.ts'
import { EgressScheduler } from '../forward/egress.ts'
import type { Ticked } from './path-ticker.ts'
import { PeerPolice, type PolicePolicy } from './peer-police.ts'
import { isReportTrack, type Receiver } from './receivers/index.ts'
import { isReserved, readerOf } from './reserved.ts'
import { type PathOptions, SubscriberPath } from './subscriber-path.ts'

export interface PeerOptions {
  readonly clock: Clock
  readonly counters: ForwardCounters
  readonly sessionLimits: Partial<SessionLimits>
  readonly maxEgressBytes: number
  /** How the path to the peer is measured; null for a service of our own, which has none. */
  readonly path: PathOptions | null
  /** Makes the session's right; absent where everybody may do everything. */
  readonly openAdmission?: OpenAdmission | undefined
  /** Looks at the peer's SETUP before anything else of the session. */
  readonly checkSetup?: CheckSetup | undefined
  /** What the peer may send as a publisher; absent where that has no bound. */
  readonly police?: PolicePolicy | undefined
  /** A service of our own: it may publish what is reserved, and read everything. */
  readonly service: boolean
  /** See `isReserved`. */
  readonly foreignServices: readonly string[]
  /** A bound of the session was hit; for metrics. */
  readonly onLimit?: (limit: SessionLimitName) => void
  /** A bug of ours that ended the session; logged. */
  readonly onInternalError: (error: unknown) => void
}

/**
 * May refuse a session by its SETUP, such as for a path that is not served (section 10.3.1.2).
 * @throws ProtocolError with which the session ends
 */
export type CheckSetup = (setup: Setup, transport: TransportSession) => void

/** Null where everybody may do everything. */
export type OpenAdmission = (
  events: AdmissionEvents,
  transport: TransportSession,
) => SessionAdmission | null

/** What a peer asks is the relay's to answer. It is asked only for what the peer may do. */
export interface PeerHost {
  onSubscribe(peer: Peer, request: IncomingSubscribe): void
  onPublish(peer: Peer, request: IncomingPublish): void
  onFetch(peer: Peer, request: IncomingFetch): void
  onTrackStatus(peer: Peer, request: IncomingTrackStatus): void
  onPublishNamespace(peer: Peer, request: IncomingNamespacePublication): void
  onSubscribeNamespace(peer: Peer, request: IncomingNamespaceSubscription): void
  onSubscribeTracks(peer: Peer, request: IncomingTracksSubscription): void
  /** The peer's right shrank: what it may not do any more ends. */
  onNarrowed(peer: Peer): void
  /** Something is sent to the peer again, or chosen for it: its path is to be looked at. */
  onBusy(peer: Peer): void
  /** Of what the peer sent, so many objects were dropped since the last time that this was told. */
  onPoliced(peer: Peer, dropped: number): void
  onClosed(peer: Peer, info: CloseInfo): void
}

interface Rejectable {
  reject(code: number, reason: string, retryAfterMs?: number | null): void
}

const IMPLEMENTATION = 'sotto/0'

/** One connected endpoint: its MoQT session, its right, and the scheduler of what is sent to it. */
export class Peer implements Ticked {
  readonly session: Session
  readonly egress: EgressScheduler
  /** What the way to the peer carries; null for a service of our own. */
  readonly path: SubscriberPath | null
  /** Null: the peer may do everything. */
  readonly admission: SessionAdmission | null
  readonly namespaces = new Set<IncomingNamespacePublication>()
  readonly watches = new Set<IncomingNamespaceSubscription>()
  readonly trackWatches = new Set<IncomingTracksSubscription>()
  private readonly relay: PeerHost
  /** What the client said of itself; null before it did. */
  private hello: Setup | null = null
  private follower: Receiver | null = null
  readonly service: boolean
  /** Null: it may send whatever it likes. */
  readonly police: PeerPolice | null
  private readonly foreignServices: readonly string[]

  constructor(transport: TransportSession, relay: PeerHost, options: PeerOptions) {
    this.service = options.service
    this.foreignServices = options.foreignServices
    const { clock: time, police } = options
    this.police = police
      ? new PeerPolice(time, police, (dropped) => relay.onPoliced(this, dropped))
      : null
    this.egress = new EgressScheduler({
      clock: options.clock,
      counters: options.counters,
      maxBytes: options.maxEgressBytes,
      wantRoom: () => {
        transport.wantRoom()
        if (this.path?.isIdle) relay.onBusy(this)
      },
    })
    this.relay = relay
    this.admission =
      options.openAdmission?.(
        {
          onNarrowed: () => this.session.guard(() => relay.onNarrowed(this)),
          onEnded: ({ code, reason }) => this.session.close(code, reason),
          onInternalError: (error) => {
            this.session.close(SessionCode.INTERNAL_ERROR, 'internal error')
            options.onInternalError(error)
          },
        },
        transport,
      ) ?? null
    this.session = new Session(transport, {
      role: 'server',
      implementation: IMPLEMENTATION,
      clock: options.clock,
      limits: options.sessionLimits,
      setup: this.admission?.setupOptions ?? [],
      handler: this.handler(relay, transport, options),
    })
    const { clock, path } = options
    this.path = path && new SubscriberPath(clock, this.session, this.egress, path)
  }

  /** The peer's SETUP; null before it came. */
  get setup(): Setup | null {
    return this.hello
  }

  /** Null while the session leaves no choice to the relay; told of every sample of the path. */
  get receiver(): Receiver | null {
    return this.follower
  }

  set receiver(follower: Receiver | null) {
    this.follower = follower
    if (follower) this.relay.onBusy(this)
  }

  /** Whether looking at the path would tell nothing. */
  get isIdle(): boolean {
    return this.follower === null && (this.path?.isIdle ?? true)
  }

  /** Whether the path is to be looked at more often. */
  get isUrgent(): boolean {
    return this.path?.isUrgent ?? false
  }

  /** Looks at the path. */
  tick(now: number, lagMs: number): void {
    try {
      this.path?.sample(now, lagMs)
      this.follower?.update(now)
    } catch (error) {
      this.session.fault(error)
    }
  }

  mayPublish(track: FullTrackName): boolean {
    if (!this.service && isReserved(track.namespace, this.foreignServices)) return false
    return this.admission === null || mayPublishTrack(this.admission.permissions, track)
  }

  mayPublishNamespace(namespace: Namespace): boolean {
    if (!this.service && isReserved(namespace, this.foreignServices)) return false
    return this.admission === null || mayPublishNamespace(this.admission.permissions, namespace)
  }

  maySubscribe(track: FullTrackName): boolean {
    // What a participant tells the relay is for nobody else.
    if (isReportTrack(track)) return false
    const reader = this.service ? null : readerOf(track)
    if (reader && !this.publishes(reader)) return false
    return this.admission === null || maySubscribe(this.admission.permissions, track)
  }

  maySubscribeNamespace(prefix: Namespace): boolean {
    return this.admission === null || maySubscribeNamespace(this.admission.permissions, prefix)
  }

  /** Whether the session publishes this very namespace. */
  private publishes(namespace: Namespace): boolean {
    for (const { namespace: published } of this.namespaces) {
      if (published.length === namespace.length && hasPrefix(published, namespace)) return true
    }
    return false
  }

  private handler(
    relay: PeerHost,
    transport: TransportSession,
    options: PeerOptions,
  ): SessionHandler {
    const { admission } = this
    return {
      onReady: (setup) => {
        this.hello = setup
        options.checkSetup?.(setup, transport)
        admission?.onSetup(setup.options)
      },
      ...(admission && {
        onTokens: (tokens, decide) => admission.onRequest(tokens, decide),
      }),
      onSubscribe: (request) => {
        if (this.maySubscribe(request.track)) relay.onSubscribe(this, request)
        else this.refuse(request, 'subscribe to this track')
      },
      onPublish: (request) => {
        if (this.mayPublish(request.track)) relay.onPublish(this, request)
        else this.refuse(request, 'publish this track')
      },
      // A joining fetch goes on a subscription that was allowed already.
      onFetch: (request) => {
        const { range } = request
        if (range.kind !== 'standalone' || this.maySubscribe(range.track)) {
          relay.onFetch(this, request)
        } else this.refuse(request, 'fetch from this track')
      },
      onTrackStatus: (request) => {
        if (this.maySubscribe(request.track)) relay.onTrackStatus(this, request)
        else this.refuse(request, 'ask for this track')
      },
      onPublishNamespace: (request) => {
        if (this.mayPublishNamespace(request.namespace)) relay.onPublishNamespace(this, request)
        else this.refuse(request, 'publish this namespace')
      },
      onSubscribeNamespace: (request) => {
        if (this.maySubscribeNamespace(request.prefix)) relay.onSubscribeNamespace(this, request)
        else this.refuse(request, 'subscribe to this namespace')
      },
      onSubscribeTracks: (request) => {
        if (this.maySubscribeNamespace(request.prefix)) relay.onSubscribeTracks(this, request)
        else this.refuse(request, 'subscribe to tracks of this namespace')
      },
      ...(options.onLimit && { onLimit: options.onLimit }),
      onRoom: (bytes) => this.egress.pull(bytes),
      onStreamCredit: () => this.egress.resume(),
      onClosed: (info) => {
        admission?.close()
        this.egress.close()
        relay.onClosed(this, info)
      },
      onInternalError: options.onInternalError,
    }
  }

  private refuse(request: Rejectable, action: string): void {
    const refusal = this.admission?.unauthorized(action)
    if (refusal) request.reject(refusal.code, refusal.reason, refusal.retryAfterMs)
    else request.reject(RequestCode.UNAUTHORIZED, `this session may not ${action}`)
  }
}
