import {
  type Clock,
  type IncomingNamespacePublication,
  type IncomingNamespaceSubscription,
  type IncomingSubscribe,
  type IncomingTrackStatus,
  Session,
  type SessionLimits,
} from '../../moq/session/index.ts'
import type { CloseInfo, TransportSession } from '../../moq/transport/transport.ts'
import type { ForwardCounters } from '../forward/counters.ts'
import { EgressScheduler } from '../forward/egress.ts'

export interface PeerOptions {
  readonly clock: Clock
  readonly counters: ForwardCounters
  readonly sessionLimits: Partial<SessionLimits>
  readonly maxEgressBytes: number
  readonly maxNamespaces: number
  /** A bug of ours that ended the session; logged. */
  readonly onInternalError: (error: unknown) => void
}

/** What a peer asks is the relay's to answer. */
export interface PeerHost {
  onSubscribe(peer: Peer, request: IncomingSubscribe): void
  onTrackStatus(peer: Peer, request: IncomingTrackStatus): void
  onPublishNamespace(peer: Peer, request: IncomingNamespacePublication): void
  onSubscribeNamespace(peer: Peer, request: IncomingNamespaceSubscription): void
  onClosed(peer: Peer, info: CloseInfo): void
}

const IMPLEMENTATION = 'sotto/0'

/** One connected endpoint: its MoQT session and the scheduler of what is sent to it. */
export class Peer {
  readonly session: Session
  readonly egress: EgressScheduler
  readonly maxNamespaces: number
  readonly namespaces = new Set<IncomingNamespacePublication>()
  readonly watches = new Set<IncomingNamespaceSubscription>()

  constructor(transport: TransportSession, relay: PeerHost, options: PeerOptions) {
    this.maxNamespaces = options.maxNamespaces
    this.egress = new EgressScheduler({
      clock: options.clock,
      counters: options.counters,
      maxBytes: options.maxEgressBytes,
      wantRoom: () => transport.wantRoom(),
    })
    this.session = new Session(transport, {
      role: 'server',
      implementation: IMPLEMENTATION,
      clock: options.clock,
      limits: options.sessionLimits,
      handler: {
        onSubscribe: (request) => relay.onSubscribe(this, request),
        onTrackStatus: (request) => relay.onTrackStatus(this, request),
        onPublishNamespace: (request) => relay.onPublishNamespace(this, request),
        onSubscribeNamespace: (request) => relay.onSubscribeNamespace(this, request),
        onRoom: (bytes) => this.egress.pull(bytes),
        onStreamCredit: () => this.egress.resume(),
        onClosed: (info) => relay.onClosed(this, info),
        onInternalError: options.onInternalError,
      },
    })
  }
}
