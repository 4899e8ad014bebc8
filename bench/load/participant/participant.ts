/**
 * One synthetic participant: a session of its own with the relay, over real QUIC, in which it sends
 * what its plan says and takes what it watches.
 */

import { ReceiverReports } from '../../../client-lib/call/worker/receiver-reports.ts'
import { participantNamespace, REPORT_TRACK } from '../../../moq/media/index.ts'
import { connect, type Trust } from '../../../moq/node/index.ts'
import type { IncomingSubscribe, Session } from '../../../moq/session/index.ts'
import type { CloseInfo } from '../../../moq/transport/transport.ts'
import { RequestCode, SessionCode } from '../../../moq/wire/codes.ts'
import { textOf, trackOf } from '../../../moq/wire/names.ts'
import type { SentTrackData } from '../figures/sent-ledger.ts'
import type { EpochSeen, KeysEvents, ParticipantKeys, SendKey } from '../keys/participant-keys.ts'
import type { ParticipantPlan } from '../plan.ts'
import type { ReceivedTrackData } from './received-track.ts'
import { SentTrack } from './sent-track.ts'
import { Uplink } from './uplink.ts'
import { Watching } from './watching.ts'
import { wishesOf } from './wishes.ts'
import type { LabelFigures, World } from './world.ts'

export interface ParticipantTarget {
  readonly url: string
  readonly trust: Trust
}

/** @param trackAlias first one that no track of the participant's has */
export type MakeKeys = (events: KeysEvents, trackAlias: number) => ParticipantKeys

/** What became of a participant; it crosses between processes. */
export interface ParticipantData {
  readonly id: string
  readonly room: string
  readonly label: string
  readonly managed: boolean
  /** From the first packet to an established session, ms; null: it never was. */
  readonly joinMs: number | null
  /** From the first packet to the keys of the room's group; null: there is none, or they never came. */
  readonly keysMs: number | null
  /** From the first packet to the first object that it has a key for, and to the first picture. */
  readonly firstObjectMs: number | null
  readonly firstPictureMs: number | null
  /** When its session was established, ms of the machine's clock. */
  readonly joinedAt: number | null
  /** When it left as planned; null: it stayed. */
  readonly leftAt: number | null
  /** See `ParticipantKeys`. */
  readonly epochs: readonly EpochSeen[]
  /** Why its session failed, and which requests were refused; sentences. */
  readonly faults: readonly string[]
  readonly sent: readonly SentTrackData[]
  readonly received: readonly ReceivedTrackData[]
}

/** More of one participant's faults say nothing new. */
const MAX_FAULTS = 5

export class Participant {
  readonly plan: ParticipantPlan
  private readonly target: ParticipantTarget
  private readonly world: World
  private readonly keys: ParticipantKeys
  private readonly watching: Watching
  private readonly sentTracks: SentTrack[]
  private readonly report: ReceiverReports | null
  private readonly faults: string[] = []
  private session: Session | null = null
  private uplink: Uplink | null = null
  /** From the time at which it was told to join until it leaves. */
  private isThere = false
  private hasKey = false
  private isSending = false
  private begunAt = 0
  private joinedAt: number | null = null
  private leftAt: number | null = null

  constructor(
    plan: ParticipantPlan,
    target: ParticipantTarget,
    world: World,
    figures: LabelFigures,
    makeKeys: MakeKeys,
  ) {
    this.plan = plan
    this.target = target
    this.world = world
    const namespace = participantNamespace(plan.room, plan.id)
    this.sentTracks = plan.publishes.map(
      (spec, number) =>
        new SentTrack({
          participant: plan.id,
          room: plan.room,
          track: trackOf(namespace, spec.name),
          spec,
          number,
          world,
          onGroupRequested: () => this.keys.groupAsked(),
        }),
    )
    const aliases = plan.publishes.length
    this.report = plan.managed ? this.makeReports(aliases) : null
    this.keys = makeKeys(this.keysEvents(), aliases + 1)
    const onFault = (reason: string) => this.fault(reason)
    this.watching = new Watching({ plan, keys: this.keys, world, figures, onFault })
  }

  get joined(): boolean {
    return this.joinedAt !== null && this.leftAt === null
  }

  get objectsSent(): number {
    return this.sentTracks.reduce((sum, { objectsSent }) => sum + objectsSent, 0)
  }

  /** So far, with what came before measuring. */
  get totals(): Watching['totals'] {
    return this.watching.totals
  }

  /** Failures become faults of its result. */
  async join(): Promise<void> {
    const { world } = this
    this.isThere = true
    try {
      await this.keys.prepare()
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
      this.begin(this.session)
    } catch (error) {
      this.fault(error instanceof Error ? error.message : String(error))
    }
  }

  /** See `ParticipantKeys`. */
  async changeEpoch(index: number): Promise<void> {
    if (this.isThere) await this.keys.changeEpoch(index)
  }

  /** Acts on what is due in its pictures; to be called often. */
  poll(now: number): void {
    this.watching.poll(now)
  }

  /** Nothing is sent any more; what is under way still arrives. */
  stopSending(): void {
    this.isSending = false
    this.hasKey = false
    for (const track of this.sentTracks) track.stop()
    this.uplink?.close()
    this.report?.close()
  }

  /** Leaves as somebody who hangs up: the room's group hears of it. */
  async leave(): Promise<void> {
    if (this.leftAt !== null) return
    const now = this.world.clock.now()
    this.isThere = false
    this.stopSending()
    this.endWatching(now)
    this.leftAt = now
    if (this.joinedAt !== null) await this.keys.leave()
    this.end()
  }

  /** Closes what there is; nobody is told. */
  end(): void {
    this.leftAt ??= this.world.clock.now()
    this.keys.close()
    this.session?.close(SessionCode.NO_ERROR, 'the participant leaves')
  }

  /** What still stands still or is silent when measuring ends is counted. */
  endWatching(now: number): void {
    if (this.leftAt === null) this.watching.end(now)
  }

  result(): ParticipantData {
    const { id, room, label, managed } = this.plan
    const isSilent = this.joinedAt === null && this.faults.length === 0
    const { epochs } = this.keys
    return {
      id,
      room,
      label,
      managed,
      joinMs: this.sinceBegin(this.joinedAt),
      keysMs: this.sinceBegin(epochs[0]?.at ?? null),
      firstObjectMs: this.sinceBegin(this.watching.firstObjectAt),
      firstPictureMs: this.sinceBegin(this.watching.firstPictureAt),
      joinedAt: this.joinedAt,
      leftAt: this.leftAt,
      epochs,
      faults: isSilent ? ['no session, and no answer, by the end'] : this.faults,
      sent: this.sentTracks.map((track) => track.sent()),
      received: this.watching.results(),
    }
  }

  private begin(session: Session): void {
    const { plan, world } = this
    if (this.sentTracks.length > 0 || this.report || this.keys.hasTrack) {
      session.publishNamespace(participantNamespace(plan.room, plan.id), {
        onRejected: ({ reason }) => this.fault(`its namespace: ${reason}`),
      })
    }
    this.keys.begin(session)
    this.watching.begin(session)
    if (plan.followsFeedback && plan.publishes.length > 0) {
      const { room, id: participant } = plan
      this.uplink = new Uplink({ session, room, participant, tracks: this.sentTracks, world })
    }
    this.startSending()
  }

  private keysEvents(): KeysEvents {
    return {
      onReceiveKeys: () => this.watching.retry(),
      onSendKey: (key) => this.onSendKey(key),
      onRevoked: () => {
        for (const track of this.sentTracks) track.revokeKey()
      },
      onFault: (reason) => this.fault(reason),
    }
  }

  private onSendKey(key: SendKey): void {
    if (this.leftAt !== null) return
    const taken = this.sentTracks.map((track) => track.useKey(key))
    Promise.all(taken)
      .then(() => {
        this.hasKey = this.leftAt === null
        this.startSending()
      })
      .catch((error: unknown) => this.fault(`its keys: ${String(error)}`))
  }

  /** Once there are a session and a key. */
  private startSending(): void {
    if (this.isSending || !this.hasKey || !this.joined) return
    this.isSending = true
    for (const track of this.sentTracks) track.start()
  }

  /** As the browser library reports. */
  private makeReports(trackAlias: number): ReceiverReports {
    const { clock, wallClock } = this.world
    const wishes = wishesOf(this.plan.watches)
    return new ReceiverReports({
      trackAlias,
      clock,
      wallClock,
      wishes: () => wishes,
      arrivals: (intervalMs) =>
        this.watching.takeArrivals(intervalMs, this.session?.bytesReceived ?? 0),
      onDemand: () => {},
    })
  }

  private onSubscribe(request: IncomingSubscribe): void {
    if (this.keys.accept(request)) return
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
