import { seededRandom } from '../../../sfu/simulation/net/random.ts'
import { machineClock } from '../clock.ts'
import { Lateness } from '../figures/lateness.ts'
import { Phases } from '../figures/phases.ts'
import { ReceiverFigures } from '../figures/receiver-figures.ts'
import { Timeline } from '../figures/timeline.ts'
import { GroupKeys } from '../keys/group-keys.ts'
import { NamedKeys } from '../keys/named-keys.ts'
import { type MakeKeys, Participant } from '../participant/participant.ts'
import { SharedOpenings } from '../participant/shared-openings.ts'
import { startTicker } from '../participant/ticker.ts'
import type { LabelFigures, World } from '../participant/world.ts'
import { measuredMs, type ParticipantPlan } from '../plan.ts'
import type { WorkerPlan, WorkerProgress, WorkerResult } from './protocol.ts'

/** How often pictures are looked after, and the event loop is, ms. */
const POLL_MS = 20
const PROGRESS_MS = 1000
/** After measuring, for what is still under way. */
const DRAIN_MS = 2000

/** Plays a worker's part of a plan from its start to its end. */
export class Player {
  private readonly plan: WorkerPlan
  private readonly startAt: number
  private readonly world: World
  private readonly lateness = new Lateness()
  private readonly labels = new Map<string, LabelFigures>()
  private readonly participants: Participant[]
  private readonly stops: (() => void)[] = []
  private epoch = 0
  private cpuCores = 0

  constructor(plan: WorkerPlan, startAt: number) {
    this.plan = plan
    this.startAt = startAt
    this.world = {
      clock: machineClock,
      startAt,
      wallClock: Date.now,
      random: seededRandom(plan.seed),
      phases: new Phases(startAt + plan.warmupMs, plan.phases),
      lateMs: plan.lateMs,
      compareBytes: plan.compareBytes,
      openings: plan.mls === null ? new SharedOpenings() : null,
      lateness: this.lateness,
    }
    this.participants = plan.participants.map((placed) => {
      const figures = this.figuresOf(placed.label)
      return new Participant(placed, placed, this.world, figures, this.keysOf(placed))
    })
  }

  /** @param onProgress called each second */
  async play(onProgress: (progress: WorkerProgress) => void): Promise<WorkerResult> {
    const { phases } = this.world
    this.watchItself()
    this.scheduleParticipants()
    const ticks = startTicker(machineClock, this.startAt, PROGRESS_MS, () =>
      onProgress(this.progress()),
    )
    this.stops.push(ticks)
    await this.until(phases.start)
    const cpu = process.cpuUsage()
    await this.until(phases.end)
    const { user, system } = process.cpuUsage(cpu)
    this.cpuCores = (user + system) / 1000 / (phases.end - phases.start)
    const { rss } = process.memoryUsage()
    // The last moment that is measured.
    for (const participant of this.participants) participant.endWatching(phases.end - 1)
    await this.until(phases.end + DRAIN_MS / 4)
    for (const participant of this.participants) participant.stopSending()
    await this.until(phases.end + DRAIN_MS)
    for (const stop of this.stops) stop()
    const participants = this.participants.map((participant) => participant.result())
    for (const participant of this.participants) participant.end()
    return {
      participants,
      labels: [...this.labels].map(([label, { phases: figures, timeline }]) => ({
        label,
        phases: figures.map((each) => each.toData()),
        timeline: timeline.steps,
      })),
      lateness: this.lateness.toData(),
      cpuCores: this.cpuCores,
      rssBytes: rss,
    }
  }

  private scheduleParticipants(): void {
    for (const participant of this.participants) {
      const { joinAtMs, leaveAtMs } = participant.plan
      this.at(this.startAt + joinAtMs, () => participant.join())
      if (leaveAtMs !== null) this.at(this.startAt + leaveAtMs, () => participant.leave())
    }
    for (const [index, atMs] of this.plan.epochChanges.entries()) {
      this.at(this.world.phases.start + atMs, () => this.changeEpoch(index + 1))
    }
  }

  private async changeEpoch(index: number): Promise<void> {
    this.epoch = index
    await Promise.all(this.participants.map((participant) => participant.changeEpoch(index)))
  }

  private keysOf({ id: participant, room, leaf }: ParticipantPlan): MakeKeys {
    const { mls, epochChanges } = this.plan
    if (mls === null) {
      const epochs = Array.from({ length: epochChanges.length + 1 }, (_, epoch) => epoch)
      const epochNow = () => this.epoch
      return (events) => new NamedKeys({ room, epochs, epochNow, leaf, events })
    }
    const { clock, wallClock, random } = this.world
    return (events, trackAlias) =>
      new GroupKeys({
        ...{ room, participant, suite: mls, trackAlias, clock, wallClock, random, events },
      })
  }

  private watchItself(): void {
    const stop = startTicker(machineClock, machineClock.now() + POLL_MS, POLL_MS, (lateMs) => {
      const now = machineClock.now()
      if (this.world.phases.at(now) >= 0) this.lateness.note(lateMs)
      for (const participant of this.participants) participant.poll(now)
    })
    this.stops.push(stop)
  }

  private figuresOf(label: string): LabelFigures {
    let figures = this.labels.get(label)
    if (!figures) {
      const { phases } = this.world
      figures = {
        phases: Array.from({ length: phases.count }, () => new ReceiverFigures()),
        timeline: new Timeline(phases.start, measuredMs(this.plan)),
      }
      this.labels.set(label, figures)
    }
    return figures
  }

  private progress(): WorkerProgress {
    const totals = { joined: 0, sent: 0, received: 0, receivedBytes: 0 }
    for (const participant of this.participants) {
      if (participant.joined) totals.joined++
      totals.sent += participant.objectsSent
      totals.received += participant.totals.received
      totals.receivedBytes += participant.totals.receivedBytes
    }
    return totals
  }

  private at(time: number, task: () => unknown): void {
    const wait = Math.max(0, time - machineClock.now())
    this.stops.push(machineClock.after(wait, () => void task()))
  }

  private until(time: number): Promise<void> {
    return new Promise((resolve) => {
      machineClock.after(Math.max(0, time - machineClock.now()), resolve)
    })
  }
}
