/**
 * One synthetic participant: a session of its own with the relay, over real QUIC, in which it sends
 * what its plan says and takes what it watches.
 */

import { ReceiverReports } from '../../../client-lib/call/worker/receiver-reports.ts'
import { ArrivalMeter } from '../../../client-lib/media/arrival-meter.ts'
import { type Arrivals, participantNamespace, REPORT_TRACK } from '../../../moq/media/index.ts'
import { connect, type Trust } from '../../../moq/node/index.ts'
import type { IncomingSubscribe, Session } from '../../../moq/session/index.ts'
import type { CloseInfo } from '../../../moq/transport/transport.ts'
import { RequestCode, SessionCode } from '../../../moq/wire/codes.ts'
import { textOf, trackOf } from '../../../moq/wire/names.ts'
import type { EpochSecret, ReceiverContext } from '../../../sframe/index.ts'
import type { SentTrackData } from '../figures/sent-ledger.ts'
import type { TrackSpec } from '../media/profile.ts'
import { testReceiver } from '../media/test-keys.ts'
import type { ParticipantPlan } from '../plan.ts'
import { ReceivedPicture } from './received-picture.ts'
import { ReceivedTrack, type ReceivedTrackData } from './received-track.ts'
import { SentTrack } from './sent-track.ts'
import { wishesOf } from './wishes.ts'
import type { LabelFigures, World } from './world.ts'

export interface ParticipantTarget {
  readonly url: string
  readonly trust: Trust
}

/** What became of a participant; it crosses between processes. */
export interface ParticipantData {
  readonly id: string
  readonly room: string
  readonly label: string
  readonly managed: boolean
  /** From the first packet to an established session, ms; null: it never was. */
  readonly joinMs: number | null
  /** From the first packet to the first object, and to the first picture. */
  readonly firstObjectMs: number | null
  readonly firstPictureMs: number | null
  /** When its session was established, ms of the machine's clock. */
  readonly joinedAt: number | null
  /** When it left as planned; null: it stayed. */
  readonly leftAt: number | null
  /** Why its session failed, and which requests were refused; sentences. */
  readonly faults: readonly string[]
  readonly sent: readonly SentTrackData[]
  readonly received: readonly ReceivedTrackData[]
}

/** More of one participant's faults say nothing new. */
const MAX_FAULTS = 5

export class Participant {
  readonly plan: ParticipantPlan
  /** So far, with what came before measuring. */
  readonly totals = { received: 0, receivedBytes: 0 }
  private readonly target: ParticipantTarget
  private readonly world: World
  private readonly figures: LabelFigures
  private readonly meter = new ArrivalMeter()
  private bytesReported = 0
  private readonly sentTracks: SentTrack[]
  private readonly receivedTracks: ReceivedTrack[] = []
  private readonly pictures: ReceivedPicture[] = []
  private readonly report: ReceiverReports | null
  private readonly faults: string[] = []
  private session: Session | null = null
  private begunAt = 0
  private joinedAt: number | null = null
  private leftAt: number | null = null

  constructor(
    plan: ParticipantPlan,
    target: ParticipantTarget,
    world: World,
    figures: LabelFigures,
  ) {
    this.plan = plan
    this.target = target
    this.world = world
    this.figures = figures
    const namespace = participantNamespace(plan.room, plan.id)
    this.sentTracks = plan.publishes.map(
      (spec, number) =>
        new SentTrack({
          participant: plan.id,
          room: plan.room,
          track: trackOf(namespace, spec.name),
          spec,
          number,
          leaf: plan.leaf,
          world,
        }),
    )
    this.report = plan.managed ? this.makeReports() : null
  }

  get joined(): boolean {
    return this.joinedAt !== null && this.leftAt === null
  }

  get objectsSent(): number {
    return this.sentTracks.reduce((sum, { objectsSent }) => sum + objectsSent, 0)
  }

  /** Failures become faults of its result. @param secret of the epoch that is sent in now */
  async join(secret: EpochSecret): Promise<void> {
    const { plan, world } = this
    try {
      const receiver = await testReceiver(plan.room, world.epochs, plan.leaf)
      await this.useEpoch(secret)
      this.begunAt = world.clock.now()
      this.session = await connect(this.target.url, {
        trust: this.target.trust,
        implementation: 'sotto-bench',
        handler: {
          onSubscribe: (request) => this.onSubscribe(request),
          onClosed: (info) => this.onClosed(info),
          onInternalError: (error) => this.fault(String(error)),
        },
      })
      if (this.leftAt !== null) {
        this.session.close(SessionCode.NO_ERROR, 'too late')
        return
      }
      this.joinedAt = world.clock.now()
      this.begin(this.session, receiver)
    } catch (error) {
      this.fault(error instanceof Error ? error.message : String(error))
    }
  }

  async useEpoch(secret: EpochSecret): Promise<void> {
    await Promise.all(this.sentTracks.map((track) => track.useEpoch(secret)))
  }

  /** Acts on what is due in its pictures; to be called often. */
  poll(now: number): void {
    for (const picture of this.pictures) picture.poll(now)
  }

  /** Nothing is sent any more; what is under way still arrives. */
  stopSending(): void {
    for (const track of this.sentTracks) track.stop()
    this.report?.close()
  }

  leave(): void {
    if (this.leftAt !== null) return
    const now = this.world.clock.now()
    this.stopSending()
    this.endWatching(now)
    this.leftAt = now
    this.session?.close(SessionCode.NO_ERROR, 'the participant leaves')
  }

  /** What still stands still or is silent when measuring ends is counted. */
  endWatching(now: number): void {
    if (this.leftAt !== null) return
    for (const track of this.receivedTracks) track.end(now)
    for (const picture of this.pictures) picture.end(now)
  }

  result(): ParticipantData {
    const { id, room, label, managed } = this.plan
    const isSilent = this.joinedAt === null && this.faults.length === 0
    const firstObjectAt = earliest(this.receivedTracks.map(({ firstAt }) => firstAt))
    const firstPictureAt = earliest(this.pictures.map(({ shownAt }) => shownAt))
    return {
      id,
      room,
      label,
      managed,
      joinMs: this.sinceBegin(this.joinedAt),
      firstObjectMs: this.sinceBegin(firstObjectAt),
      firstPictureMs: this.sinceBegin(firstPictureAt),
      joinedAt: this.joinedAt,
      leftAt: this.leftAt,
      faults: isSilent ? ['no session, and no answer, by the end'] : this.faults,
      sent: this.sentTracks.map((track) => track.sent()),
      received: this.receivedTracks.map((track) => track.result()),
    }
  }

  private begin(session: Session, receiver: ReceiverContext): void {
    const { plan } = this
    if (this.sentTracks.length > 0 || this.report) {
      session.publishNamespace(participantNamespace(plan.room, plan.id), {
        onRejected: ({ reason }) => this.fault(`its namespace: ${reason}`),
      })
    }
    for (const track of this.sentTracks) track.start()
    for (const { participant, tracks } of plan.watches) {
      const pictureOf = new Map<TrackSpec['kind'], ReceivedPicture>()
      for (const spec of tracks) {
        const picture = spec.kind === 'audio' ? null : this.pictureFor(spec.kind, pictureOf)
        this.watch(session, receiver, participant, spec, picture)
      }
    }
  }

  private pictureFor(
    kind: TrackSpec['kind'],
    known: Map<TrackSpec['kind'], ReceivedPicture>,
  ): ReceivedPicture {
    let picture = known.get(kind)
    if (!picture) {
      picture = new ReceivedPicture(this.world, this.figures)
      known.set(kind, picture)
      this.pictures.push(picture)
    }
    return picture
  }

  private watch(
    session: Session,
    receiver: ReceiverContext,
    publisher: string,
    spec: TrackSpec,
    picture: ReceivedPicture | null,
  ): void {
    const { world, figures } = this
    this.receivedTracks.push(
      new ReceivedTrack({
        session,
        publisher,
        track: trackOf(participantNamespace(this.plan.room, publisher), spec.name),
        spec,
        receiver,
        picture,
        world,
        figures,
        onArrival: (bytes) => {
          this.totals.received++
          this.totals.receivedBytes += bytes
        },
        onRefused: (reason) => this.fault(reason),
      }),
    )
  }

  /** As the browser library reports. */
  private makeReports(): ReceiverReports {
    const { clock, wallClock } = this.world
    const wishes = wishesOf(this.plan.watches)
    return new ReceiverReports({
      trackAlias: this.plan.publishes.length,
      clock,
      wallClock,
      wishes: () => wishes,
      arrivals: (intervalMs) => this.arrivals(intervalMs),
      onDemand: () => {},
    })
  }

  private arrivals(intervalMs: number): Arrivals {
    const total = this.session?.bytesReceived ?? 0
    const bytes = total - this.bytesReported
    this.bytesReported = total
    return { intervalMs, bytes, ...this.meter.take(this.receivedTracks.map((t) => t.arrivals)) }
  }

  private onSubscribe(request: IncomingSubscribe): void {
    const name = textOf(request.track.name)
    const track =
      name === REPORT_TRACK ? this.report : this.sentTracks.find(({ spec }) => spec.name === name)
    if (track) track.accept(request)
    else request.reject(RequestCode.DOES_NOT_EXIST, 'no such track')
  }

  private onClosed({ by, reason, code }: CloseInfo): void {
    if (this.leftAt !== null || by === 'local') return
    this.stopSending()
    this.fault(`its session was closed by the ${by}: ${reason || `code ${code}`}`)
  }

  private fault(reason: string): void {
    if (this.faults.length < MAX_FAULTS) this.faults.push(reason)
  }

  private sinceBegin(time: number | null): number | null {
    return time === null ? null : time - this.begunAt
  }
}

function earliest(times: readonly (number | null)[]): number | null {
  const known = times.filter((time) => time !== null)
  return known.length === 0 ? null : Math.min(...known)
}
