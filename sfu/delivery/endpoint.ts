/**
 * The delivery service as a MoQT endpoint: a client of a relay like any other, so that it works in
 * the relay's process and against any relay. For each room it publishes (`sotto`, room, `.mls`) and
 * subscribes to the `mls` track of each participant; what to accept is the sequencer's to say.
 */

import {
  deliveryNamespace,
  GROUP_INFO_TRACK,
  LOG_TRACK,
  parseDeliveryNamespace,
  submissionTrack,
} from '../../moq/delivery/index.ts'
import { NAMESPACE_ROOT, parseParticipantNamespace } from '../../moq/media/names.ts'
import {
  type Clock,
  type NamespacePublication,
  Session,
  type Subscription,
  TrackPublisher,
} from '../../moq/session/index.ts'
import type { TransportSession } from '../../moq/transport/transport.ts'
import { DoneCode, RequestCode } from '../../moq/wire/codes.ts'
import { type FullTrackName, type Namespace, namespaceOf, textOf } from '../../moq/wire/names.ts'
import type { RefusalReason } from './refusal.ts'
import { Sequencer } from './sequencer.ts'

export interface DeliveryOptions {
  readonly transport: TransportSession
  readonly clock: Clock
  /** ms since the Unix epoch: log groups are numbered from it. */
  readonly wallClock: () => number
  readonly sequencer?: Sequencer
  /** A submission that was not accepted; for the log. No content of it is given. */
  readonly onRefused?: (refusal: {
    readonly room: string
    readonly participant: string
    readonly reason: RefusalReason
    readonly detail: string
  }) => void
  readonly onClosed?: (reason: string) => void
}

interface Room {
  readonly name: string
  readonly publication: NamespacePublication
  readonly log: TrackPublisher
  readonly groupInfo: TrackPublisher
  /** Submissions of each participant that is there. */
  readonly participants: Map<string, Subscription>
}

const SWEEP_MS = 2000
/** Handshakes go before media. */
const PRIORITY = 0
const NO_PROPERTIES = new Uint8Array(0)
const NO_SUCH_TRACK = 'the delivery service has no such track'

export class DeliveryEndpoint {
  readonly sequencer: Sequencer
  private readonly options: DeliveryOptions
  private readonly session: Session
  private readonly rooms = new Map<string, Room>()
  private nextAlias = 0
  private groupInfoGroup: number
  private stopSweep: () => void

  constructor(options: DeliveryOptions) {
    this.options = options
    this.sequencer = options.sequencer ?? new Sequencer()
    this.groupInfoGroup = options.wallClock()
    this.session = new Session(options.transport, {
      role: 'client',
      implementation: 'sotto-delivery/0',
      clock: options.clock,
      handler: {
        onSubscribe: (request) => {
          const track = this.trackOf(request.track)
          if (track) track.accept(request)
          else request.reject(RequestCode.DOES_NOT_EXIST, NO_SUCH_TRACK)
        },
        onTrackStatus: (request) => {
          const track = this.trackOf(request.track)
          if (track) request.accept(track.status)
          else request.reject(RequestCode.DOES_NOT_EXIST, NO_SUCH_TRACK)
        },
        onClosed: (info) => {
          this.stopSweep()
          options.onClosed?.(info.reason)
        },
      },
    })
    this.session.subscribeNamespace(namespaceOf(NAMESPACE_ROOT), {
      onNamespace: (namespace) => this.onNamespace(namespace, true),
      onNamespaceDone: (namespace) => this.onNamespace(namespace, false),
    })
    this.stopSweep = this.sweepLater()
  }

  close(): void {
    this.session.close(0, 'the delivery service stops')
  }

  private onNamespace(namespace: Namespace, present: boolean): void {
    const place = parseParticipantNamespace(namespace)
    if (!place) return
    const { room: name, participant } = place
    this.sequencer.setPresent(name, participant, present, this.options.wallClock())
    const room = this.rooms.get(name)
    if (present) this.follow(room ?? this.open(name), participant)
    else {
      room?.participants.get(participant)?.unsubscribe()
      room?.participants.delete(participant)
    }
  }

  private open(name: string): Room {
    const room: Room = {
      name,
      publication: this.session.publishNamespace(deliveryNamespace(name), {}),
      log: new TrackPublisher({ trackAlias: this.nextAlias++, priority: PRIORITY }),
      groupInfo: new TrackPublisher({
        trackAlias: this.nextAlias++,
        priority: PRIORITY,
        onGroupRequested: () => this.publishSnapshot(name),
      }),
      participants: new Map(),
    }
    this.rooms.set(name, room)
    return room
  }

  private follow(room: Room, participant: string): void {
    if (room.participants.has(participant)) return
    const subscription = this.session.subscribe(
      submissionTrack(room.name, participant),
      {},
      {
        onObject: (object) => this.onSubmission(room, participant, object.payload),
        // A publisher that is no caller of ours has no such track.
        onRejected: () => room.participants.delete(participant),
        onDone: () => room.participants.delete(participant),
      },
    )
    room.participants.set(participant, subscription)
  }

  private onSubmission(room: Room, participant: string, submission: Uint8Array): void {
    const now = this.options.wallClock()
    const result = this.sequencer.submit(room.name, participant, submission, now)
    if (!result.accepted) {
      const { reason, detail } = result
      this.options.onRefused?.({ room: room.name, participant, reason, detail })
      return
    }
    for (const { group, object, bytes: payload } of result.records) {
      room.log.writeStream(0, { group, object, properties: NO_PROPERTIES, payload })
    }
  }

  private publishSnapshot(name: string): void {
    const room = this.rooms.get(name)
    if (!room) return
    this.groupInfoGroup = Math.max(this.groupInfoGroup + 1, this.options.wallClock())
    room.groupInfo.writeSnapshot(this.groupInfoGroup, NO_PROPERTIES, this.sequencer.snapshot(name))
  }

  private trackOf({ namespace, name }: FullTrackName): TrackPublisher | null {
    const room = this.rooms.get(parseDeliveryNamespace(namespace) ?? '')
    switch (room && textOf(name)) {
      case LOG_TRACK:
        return room!.log
      case GROUP_INFO_TRACK:
        return room!.groupInfo
      default:
        return null
    }
  }

  private sweepLater(): () => void {
    return this.options.clock.after(SWEEP_MS, () => {
      this.sequencer.sweep(this.options.wallClock())
      for (const room of this.rooms.values()) {
        const deserted = room.participants.size === 0
        if (deserted && this.sequencer.snapshot(room.name).length === 0) this.drop(room)
      }
      this.stopSweep = this.sweepLater()
    })
  }

  /** Nobody is there and no group is left. */
  private drop(room: Room): void {
    this.rooms.delete(room.name)
    room.publication.withdraw()
    room.log.done(DoneCode.TRACK_ENDED, 'the room is over')
    room.groupInfo.done(DoneCode.TRACK_ENDED, 'the room is over')
  }
}
