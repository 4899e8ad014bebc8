import type { VerificationEvent } from '../verification/index.ts'
import type { Emitter } from './emitter.ts'
import { type JoinStep, JoinTimeline } from './join-times.ts'
import type {
  CallError,
  CallEvents,
  JoinOptions,
  Participant,
  Snapshot,
  TrackInfo,
} from './types.ts'
import type { WorkerStatus } from './worker-protocol.ts'

/** What only the page knows of a track. */
export type Measure = (participant: Participant, track: TrackInfo) => Partial<TrackInfo>

/** What is known of a call now: what the worker reported last, with what only the page knows. */
export class LiveStatus {
  private readonly emitter: Emitter<CallEvents>
  private readonly measure: Measure
  private readonly join = new JoinTimeline()
  private status: WorkerStatus
  private reportedAt = performance.now()
  private lastError: CallError | null = null
  private events: readonly VerificationEvent[] = []

  constructor(
    options: Pick<JoinOptions, 'transport' | 'suite'>,
    emitter: Emitter<CallEvents>,
    measure: Measure,
  ) {
    this.emitter = emitter
    this.measure = measure
    this.status = {
      state: 'joining',
      connected: false,
      transport: options.transport === 'websocket' ? 'websocket' : 'webtransport',
      connection: { reconnects: 0, lostMs: null, lastLostMs: null },
      path: { rttMs: null, queueMs: null },
      epoch: 0,
      suite: { mls: options.suite ?? 'x-wing', sframe: '' },
      verificationCode: '',
      verificationEmoji: [],
      roster: [],
      participants: [],
      activeSpeakers: [],
    }
  }

  get now(): WorkerStatus {
    return this.status
  }

  /** The worker has reported: tells whoever listens what is another than before. */
  take(status: WorkerStatus): void {
    const { status: before, emitter } = this
    this.status = { ...status, participants: this.measured(status.participants) }
    this.reportedAt = performance.now()
    if (status.state !== before.state) emitter.emit('state', status.state)
    if (status.verificationCode !== before.verificationCode) {
      const { epoch, verificationCode } = status
      emitter.emit('epoch', { epoch, verificationCode })
    }
    emitter.emit('participants', this.status.participants)
    if (status.activeSpeakers.join() !== before.activeSpeakers.join()) {
      emitter.emit('activeSpeakers', status.activeSpeakers)
    }
  }

  /** What changed in the group, the newest first. */
  get history(): readonly VerificationEvent[] {
    return this.events
  }

  /** The same with more in it, or with names that were not known before. */
  takeHistory(events: readonly VerificationEvent[]): void {
    const known = this.events[0]?.number ?? 0
    this.events = events
    const fresh = events.filter(({ number }) => number > known).reverse()
    for (const event of fresh) this.emitter.emit('verification', event)
  }

  /** The last report of the call. */
  finish(state: 'left' | 'failed'): void {
    if (this.status.state === 'left' || this.status.state === 'failed') return
    this.status = { ...this.status, state }
    this.emitter.emit('state', state)
  }

  tell(error: CallError): void {
    this.lastError = error
    this.emitter.emit('error', error)
  }

  /** A step of the join. @param at ms, as `performance.now()` */
  reached(step: JoinStep, at?: number): void {
    this.join.reached(step, at)
  }

  snapshot(self: string): Snapshot {
    const { status } = this
    return {
      state: status.state,
      transport: status.transport,
      connection: status.connection,
      path: status.path,
      epoch: status.epoch,
      suite: status.suite,
      verificationCode: status.verificationCode,
      verificationEmoji: status.verificationEmoji,
      self,
      joinMs: this.join.snapshot,
      participants: this.agedParticipants(),
      roster: status.roster,
      verificationHistory: this.events,
      error: this.lastError,
    }
  }

  private measured(participants: readonly Participant[]): Participant[] {
    return participants.map((participant) => ({
      ...participant,
      tracks: participant.tracks.map((track) => ({
        ...track,
        ...this.measure(participant, track),
      })),
    }))
  }

  /** Ages of frames go on between two reports. */
  private agedParticipants(): Participant[] {
    const since = performance.now() - this.reportedAt
    return this.status.participants.map((participant) => ({
      ...participant,
      tracks: participant.tracks.map((track) => ({
        ...track,
        lastFrameAgeMs:
          track.lastFrameAgeMs === null ? null : Math.round(track.lastFrameAgeMs + since),
      })),
    }))
  }
}
