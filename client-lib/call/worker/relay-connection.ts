import { participantNamespace, roomNamespace, speakersTrack } from '../../../moq/media/index.ts'
import {
  type Clock,
  type NamespaceSubscription,
  Session,
  type SessionHandler,
} from '../../../moq/session/index.ts'
import type { CloseInfo, TransportSession } from '../../../moq/transport/transport.ts'
import type { Goaway, RequestError } from '../../../moq/wire/messages.ts'
import type { Namespace } from '../../../moq/wire/names.ts'
import type { Property } from '../../../moq/wire/properties.ts'
import { Liveness } from './liveness.ts'
import { RoundTrip } from './round-trip.ts'

export interface RelayConnectionOptions {
  readonly transport: TransportSession
  readonly way: 'webtransport' | 'websocket'
  /** Options of our SETUP. */
  readonly setup: Property[]
  readonly room: string
  readonly participantId: string
  readonly clock: Clock
  /** What the relay asks of us. */
  readonly requests: Pick<SessionHandler, 'onSubscribe' | 'onFetch' | 'onTrackStatus'>
  /** Both sides have sent SETUP. */
  readonly onReady: () => void
  readonly onNamespace: (namespace: Namespace, present: boolean) => void
  readonly onBug: (error: unknown) => void
}

/** What the one who keeps connections is told of one. */
export interface ConnectionWatcher {
  /** The relay lets us in and has our namespace. */
  onEstablished(): void
  /** The relay refuses what a call cannot do without. */
  onRefused(error: RequestError): void
  /** Not by us. */
  onClosed(info: CloseInfo): void
  /** Nothing comes any more, though we asked; or something comes again. */
  onSilent(silent: boolean): void
  onGoaway(goaway: Goaway): void
}

/** Before the relay is asked again who is there, where it ended that, ms. */
const RETRY_MS = 1000

/** One session with the relay, as a participant of the room. */
export class RelayConnection {
  readonly session: Session
  readonly roundTrip: RoundTrip
  readonly way: 'webtransport' | 'websocket'
  watcher: ConnectionWatcher | null = null
  private readonly liveness: Liveness
  private accepted = false

  constructor(options: RelayConnectionOptions) {
    const { transport, setup, clock, room, participantId, requests } = options
    const { onReady, onNamespace, onBug } = options
    this.way = options.way
    const session = new Session(transport, {
      role: 'client',
      implementation: 'sotto/0',
      setup,
      clock,
      handler: {
        ...requests,
        onReady,
        onGoaway: (goaway) => this.watcher?.onGoaway(goaway),
        onClosed: (info) => this.onClosed(info),
        onInternalError: onBug,
      },
    })
    this.session = session
    const onRejected = (error: RequestError) => this.watcher?.onRefused(error)
    session.publishNamespace(participantNamespace(room, participantId), {
      onRejected,
      onAccepted: () => {
        this.accepted = true
        this.watcher?.onEstablished()
      },
    })
    const watch = () => {
      if (session.closed) return
      const watching: NamespaceSubscription = session.subscribeNamespace(roomNamespace(room), {
        onRejected,
        onNamespace: (namespace) => onNamespace(namespace, true),
        // With the request, or the session, all namespaces are done: that says nothing of who is there.
        onNamespaceDone: (namespace) => {
          if (!watching.over && !session.closed) onNamespace(namespace, false)
        },
        onDone: () => clock.after(RETRY_MS, watch),
      })
    }
    watch()
    this.roundTrip = new RoundTrip({
      session,
      clock,
      track: speakersTrack(room),
      onAnswer: () => this.liveness.heard(),
    })
    this.liveness = new Liveness({
      clock,
      received: () => session.bytesReceived,
      ask: () => this.roundTrip.ask(),
      onChange: (silent) => this.watcher?.onSilent(silent),
    })
  }

  get established(): boolean {
    return this.accepted && !this.session.closed
  }

  get silent(): boolean {
    return this.liveness.isSilent
  }

  /** The network may be another one: finds out soon. */
  check(): void {
    if (!this.session.closed) this.liveness.hurry()
  }

  close(reason: string): void {
    this.stop()
    this.session.close(0, reason)
  }

  private onClosed(info: CloseInfo): void {
    this.stop()
    this.watcher?.onClosed(info)
  }

  private stop(): void {
    this.liveness.close()
    this.roundTrip.close()
  }
}
