import { ArrivalMeter } from '../../../client-lib/media/arrival-meter.ts'
import { type Arrivals, participantNamespace } from '../../../moq/media/index.ts'
import type { Session } from '../../../moq/session/index.ts'
import { trackOf } from '../../../moq/wire/names.ts'
import type { ParticipantKeys } from '../keys/participant-keys.ts'
import type { TrackSpec } from '../media/profile.ts'
import type { ParticipantPlan, WatchPlan } from '../plan.ts'
import { ReceivedPicture } from './received-picture.ts'
import { ReceivedTrack, type ReceivedTrackData } from './received-track.ts'
import type { LabelFigures, World } from './world.ts'

export interface WatchingOptions {
  readonly plan: Pick<ParticipantPlan, 'room' | 'watches'>
  readonly keys: ParticipantKeys
  readonly world: World
  readonly figures: LabelFigures
  readonly onFault: (reason: string) => void
}

/** Whom a participant watches, each for as long as the plan says that they are there. */
export class Watching {
  /** So far, with what came before measuring. */
  readonly totals = { received: 0, receivedBytes: 0 }
  private readonly options: WatchingOptions
  private readonly tracks: ReceivedTrack[] = []
  private readonly pictures: ReceivedPicture[] = []
  private readonly meter = new ArrivalMeter()
  private bytesReported = 0
  private cancels: (() => void)[] = []

  constructor(options: WatchingOptions) {
    this.options = options
  }

  begin(session: Session): void {
    for (const watch of this.options.plan.watches) {
      this.at(watch.fromMs ?? 0, () => this.watch(session, watch))
    }
  }

  /** Keys came: what waited for them is tried again. */
  retry(): void {
    for (const track of this.tracks) track.retry()
  }

  /** Acts on what is due in pictures; to be called often. */
  poll(now: number): void {
    for (const picture of this.pictures) picture.poll(now)
  }

  /** What still stands still or is silent when measuring ends is counted. */
  end(now: number): void {
    for (const cancel of this.cancels) cancel()
    this.cancels = []
    for (const track of this.tracks) track.end(now)
    for (const picture of this.pictures) picture.end(now)
  }

  /** For a report to the relay. @param totalBytes that the session received so far */
  takeArrivals(intervalMs: number, totalBytes: number): Arrivals {
    const bytes = totalBytes - this.bytesReported
    this.bytesReported = totalBytes
    return { intervalMs, bytes, ...this.meter.take(this.tracks.map(({ arrivals }) => arrivals)) }
  }

  /** ms of the machine's clock; null: nothing came. */
  get firstObjectAt(): number | null {
    return earliest(this.tracks.map(({ firstAt }) => firstAt))
  }

  get firstPictureAt(): number | null {
    return earliest(this.pictures.map(({ shownAt }) => shownAt))
  }

  results(): ReceivedTrackData[] {
    return this.tracks.map((track) => track.result())
  }

  private watch(session: Session, { participant, tracks, untilMs }: WatchPlan): void {
    const { plan, keys, world, figures, onFault } = this.options
    const pictures = new Map<TrackSpec['kind'], ReceivedPicture>()
    const pictureOf = (kind: TrackSpec['kind']): ReceivedPicture | null => {
      if (kind === 'audio') return null
      const picture = pictures.get(kind) ?? new ReceivedPicture(world, figures)
      pictures.set(kind, picture)
      return picture
    }
    const namespace = participantNamespace(plan.room, participant)
    const received = tracks.map(
      (spec) =>
        new ReceivedTrack({
          session,
          publisher: participant,
          track: trackOf(namespace, spec.name),
          spec,
          keys,
          picture: pictureOf(spec.kind),
          world,
          figures,
          onArrival: (bytes) => {
            this.totals.received++
            this.totals.receivedBytes += bytes
          },
          onRefused: onFault,
        }),
    )
    this.tracks.push(...received)
    this.pictures.push(...pictures.values())
    if (untilMs === undefined) return
    this.at(untilMs, () => {
      const now = world.clock.now()
      for (const track of received) track.end(now)
      for (const picture of pictures.values()) picture.end(now)
    })
  }

  /** @param ms since the start of the run; at once where that is over */
  private at(ms: number, task: () => void): void {
    const { clock, startAt } = this.options.world
    const wait = startAt + ms - clock.now()
    if (wait <= 0) task()
    else this.cancels.push(clock.after(wait, task))
  }
}

function earliest(times: readonly (number | null)[]): number | null {
  const known = times.filter((time) => time !== null)
  return known.length === 0 ? null : Math.min(...known)
}
