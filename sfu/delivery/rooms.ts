/**
 * The rooms that the delivery service sees over one session with a relay. For each room it publishes
 * (`sotto`, room, `.mls`) and subscribes to the `mls` track of each participant; what to accept is the
 * sequencer's to say, which outlives the session.
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
  type IncomingFetch,
  type NamespacePublication,
  type Session,
  type SessionHandler,
  type Subscription,
  TrackPublisher,
} from '../../moq/session/index.ts'
import { DoneCode, RequestCode } from '../../moq/wire/codes.ts'
import type { RequestError } from '../../moq/wire/messages.ts'
import { type FullTrackName, type Namespace, namespaceOf, textOf } from '../../moq/wire/names.ts'
import type { LogRecord } from './log.ts'
import { answerLogFetch } from './log-fetch.ts'
import type { RefusalReason } from './refusal.ts'
import type { Sequencer } from './sequencer.ts'

export interface DeliveryRoomsOptions {
  readonly sequencer: Sequencer
  readonly clock: Clock
  /** ms since the Unix epoch: log groups are numbered from it. */
  readonly wallClock: () => number
  /** A submission that was not accepted; for the log. No content of it is given. */
  readonly onRefused?: (refusal: {
    readonly room: string
    readonly participant: string
    readonly reason: RefusalReason
    readonly detail: string
  }) => void
  /** The relay lets the service not see who is there, or not publish for a room. */
  readonly onRejected?: (what: string, error: RequestError) => void
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

export class DeliveryRooms {
  /** For the session that is served. */
  readonly handler: SessionHandler
  private readonly options: DeliveryRoomsOptions
  private readonly sequencer: Sequencer
  private readonly rooms = new Map<string, Room>()
  private session: Session | null = null
  private nextAlias = 0
  private groupInfoGroup: number
  private stopSweep: () => void = () => {}
  private stopFollowing: () => void = () => {}

  constructor(options: DeliveryRoomsOptions) {
    this.options = options
    this.sequencer = options.sequencer
    this.groupInfoGroup = options.wallClock()
    this.handler = {
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
      onFetch: (request) => this.onFetch(request),
    }
  }

  /** Begins to see who is there. Members that do not show up count as gone from now on. */
  serve(session: Session): void {
    this.session = session
    this.stopFollowing = this.sequencer.follow((name, records) => {
      const room = this.rooms.get(name)
      if (room) publish(room, records)
    })
    this.sequencer.expectAll(this.options.wallClock())
    session.subscribeNamespace(namespaceOf(NAMESPACE_ROOT), {
      onNamespace: (namespace) => this.onNamespace(session, namespace, true),
      onNamespaceDone: (namespace) => this.onNamespace(session, namespace, false),
      onRejected: (error) => this.options.onRejected?.('to see who is in a room', error),
    })
    this.stopSweep = this.sweepLater()
  }

  /** The session is over. Whoever was there is not seen to leave. */
  close(): void {
    this.stopSweep()
    this.stopFollowing()
    this.rooms.clear()
    this.session = null
  }

  private onNamespace(session: Session, namespace: Namespace, present: boolean): void {
    const place = parseParticipantNamespace(namespace)
    if (!place || this.session !== session) return
    const { room: name, participant } = place
    this.sequencer.setPresent(name, participant, present, this.options.wallClock())
    const room = this.rooms.get(name)
    if (present) this.follow(session, room ?? this.open(session, name), participant)
    else {
      room?.participants.get(participant)?.unsubscribe()
      room?.participants.delete(participant)
    }
  }

  private open(session: Session, name: string): Room {
    const onRejected = (error: RequestError) =>
      this.options.onRejected?.(`to publish for the room ${name}`, error)
    const room: Room = {
      name,
      publication: session.publishNamespace(deliveryNamespace(name), { onRejected }),
      log: new TrackPublisher({ trackAlias: this.nextAlias++, priority: PRIORITY }),
      groupInfo: new TrackPublisher({
        trackAlias: this.nextAlias++,
        priority: PRIORITY,
        onGroupRequested: () => this.publishSnapshot(name),
      }),
      participants: new Map(),
    }
    this.rooms.set(name, room)
    // Of a session or process before this one: nobody gets them now, but the track is known to be there.
    publish(room, this.sequencer.log(name))
    return room
  }

  private follow(session: Session, room: Room, participant: string): void {
    if (room.participants.has(participant)) return
    const subscription = session.subscribe(
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
    this.sequencer.offer(room.name, participant, submission, now, (result) => {
      if (result.accepted) return
      const { reason, detail } = result
      this.options.onRefused?.({ room: room.name, participant, reason, detail })
    })
  }

  private onFetch(request: IncomingFetch): void {
    const { range } = request
    const track = range.kind === 'standalone' ? range.track : request.joining?.track
    if (track === undefined) {
      request.reject(RequestCode.INVALID_JOINING_REQUEST_ID, 'there is no such subscription')
      return
    }
    const publisher = this.trackOf(track)
    if (!publisher) request.reject(RequestCode.DOES_NOT_EXIST, NO_SUCH_TRACK)
    else if (textOf(track.name) !== LOG_TRACK) {
      request.reject(RequestCode.NOT_SUPPORTED, 'ask for a new group of this track instead')
    } else {
      const records = this.sequencer.log(parseDeliveryNamespace(track.namespace) ?? '')
      const { properties } = publisher.status
      answerLogFetch(request, records, { priority: PRIORITY, properties })
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

function publish(room: Room, records: readonly LogRecord[]): void {
  for (const { group, object, bytes: payload } of records) {
    room.log.writeStream(0, { group, object, properties: NO_PROPERTIES, payload })
  }
}
