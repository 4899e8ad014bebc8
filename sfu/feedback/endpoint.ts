/**
 * What the relay has to say to clients, as a MoQT endpoint in its own process: a client of the relay like
 * any other, over a transport in memory. For each room in which somebody publishes it serves the tracks
 * of `moq/media/relay-tracks.ts`. Who may subscribe is for the relay's admission: the names lie within
 * the room.
 */

import {
  NAMESPACE_ROOT,
  parseParticipantNamespace,
  parseRelayNamespace,
} from '../../moq/media/index.ts'
import { type Clock, Session, type TrackPublisher } from '../../moq/session/index.ts'
import type { TransportSession } from '../../moq/transport/transport.ts'
import { RequestCode } from '../../moq/wire/codes.ts'
import type { RequestError } from '../../moq/wire/messages.ts'
import { type FullTrackName, type Namespace, namespaceOf, textOf } from '../../moq/wire/names.ts'
import type { Speakers } from '../speaker/index.ts'
import type { FeedbackMeters } from './meters.ts'
import { RoomTracks } from './room-tracks.ts'

export interface FeedbackEndpointOptions {
  readonly transport: TransportSession
  readonly clock: Clock
  /** ms since the Unix epoch: groups are numbered from it. */
  readonly wallClock: () => number
  readonly meters: FeedbackMeters
  readonly speakers: Speakers
  /** The relay does not let it see rooms, or publish for one. */
  readonly onRejected?: (what: string, error: RequestError) => void
  readonly onClosed?: (reason: string) => void
}

const IMPLEMENTATION = 'sotto-feedback/0'
const TICK_MS = 100
const TICKS_PER_SWEEP = 50
const NO_SUCH_TRACK = 'the relay has no such track'

export class FeedbackEndpoint {
  private readonly options: FeedbackEndpointOptions
  private readonly session: Session
  private readonly rooms = new Map<string, RoomTracks>()
  private nextAlias = 0
  private ticks = 0
  private stopTicking: (() => void) | null = null
  private readonly stopListening: () => void
  private closed = false

  constructor(options: FeedbackEndpointOptions) {
    this.options = options
    this.session = new Session(options.transport, {
      role: 'client',
      implementation: IMPLEMENTATION,
      clock: options.clock,
      handler: {
        onSubscribe: (request) => {
          const track = this.trackOf(request.track, true)
          if (track) track.accept(request)
          else request.reject(RequestCode.DOES_NOT_EXIST, NO_SUCH_TRACK)
        },
        onTrackStatus: (request) => {
          const track = this.trackOf(request.track, false)
          if (track) request.accept(track.status)
          else request.reject(RequestCode.DOES_NOT_EXIST, NO_SUCH_TRACK)
        },
        onFetch: (request) =>
          request.reject(RequestCode.NOT_SUPPORTED, 'ask for a new group of this track instead'),
        onClosed: (info) => this.onClosed(info.reason),
      },
    })
    this.stopListening = options.speakers.listen((room) => this.rooms.get(room)?.publishSpeakers())
    this.session.subscribeNamespace(namespaceOf(NAMESPACE_ROOT), {
      onNamespace: (namespace) => this.onNamespace(namespace, true),
      onNamespaceDone: (namespace) => this.onNamespace(namespace, false),
      onRejected: (error) => options.onRejected?.('to see who is in a room', error),
    })
  }

  /** Rooms that it publishes for. */
  get roomCount(): number {
    return this.rooms.size
  }

  close(): void {
    this.session.close(0, 'the feedback service stops')
  }

  private onNamespace(namespace: Namespace, present: boolean): void {
    const place = parseParticipantNamespace(namespace)
    if (!place || this.closed) return
    const { room: name, participant } = place
    if (present) {
      this.open(name).participants.add(participant)
      return
    }
    const room = this.rooms.get(name)
    if (!room) return
    room.leave(participant)
    if (room.participants.size > 0) return
    this.rooms.delete(name)
    room.close()
    if (this.rooms.size === 0) this.stop()
  }

  private open(name: string): RoomTracks {
    const known = this.rooms.get(name)
    if (known) return known
    const { wallClock, clock, speakers, meters } = this.options
    const room = new RoomTracks({
      room: name,
      session: this.session,
      nextAlias: () => this.nextAlias++,
      wallClock,
      speakers: () => speakers.of(name),
      meter: (participant) => meters.get(name, participant),
      now: () => clock.now(),
      onRejected: (error) => this.options.onRejected?.(`to publish for the room ${name}`, error),
    })
    this.rooms.set(name, room)
    this.stopTicking ??= clock.after(TICK_MS, this.tick)
    return room
  }

  private readonly tick = () => {
    const { clock } = this.options
    this.stopTicking = clock.after(TICK_MS, this.tick)
    const now = clock.now()
    for (const room of this.rooms.values()) room.publishFeedback(now)
    if (++this.ticks % TICKS_PER_SWEEP === 0) for (const room of this.rooms.values()) room.sweep()
  }

  private trackOf({ namespace, name }: FullTrackName, wanted: boolean): TrackPublisher | null {
    const room = this.rooms.get(parseRelayNamespace(namespace) ?? '')
    return room?.track(textOf(name), wanted) ?? null
  }

  private stop(): void {
    this.stopTicking?.()
    this.stopTicking = null
  }

  private onClosed(reason: string): void {
    this.closed = true
    this.stop()
    this.stopListening()
    this.rooms.clear()
    this.options.onClosed?.(reason)
  }
}
