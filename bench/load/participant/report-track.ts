import {
  type Arrivals,
  encodeReceiverReport,
  REPORT_TRACK,
  roundedSize,
  type Wish,
} from '../../../moq/media/index.ts'
import { type Clock, type IncomingSubscribe, TrackPublisher } from '../../../moq/session/index.ts'
import { ResetCode } from '../../../moq/wire/codes.ts'
import type { WatchPlan } from '../plan.ts'
import { startTicker } from './ticker.ts'

const REPORT_MS = 200
/** Each so many reports the wishes are in it, changed or not: two seconds. */
const WISHES_EACH = 10
/** Above what it reports of. */
const PRIORITY = 16
/** A report that waits is worth nothing beside a newer one, bytes. */
const MAX_WAITING_BYTES = 4096
const NO_PROPERTIES = new Uint8Array(0)
const MIDDLE = 128

/** The `report` track of a managed participant: what it shows, and what arrives. */
export class ReportTrack {
  readonly name = REPORT_TRACK
  private readonly publisher: TrackPublisher
  private readonly clock: Clock
  private readonly wishes: readonly Wish[]
  private readonly arrivals: () => Arrivals
  private group: number
  private sent = 0
  private stopTicks = () => {}

  /**
   * @param number the MoQT track alias
   * @param firstGroup above all that this participant used before
   */
  constructor(
    clock: Clock,
    number: number,
    firstGroup: number,
    watches: readonly WatchPlan[],
    arrivals: () => Arrivals,
  ) {
    this.clock = clock
    this.group = firstGroup
    this.wishes = wishesOf(watches)
    this.arrivals = arrivals
    this.publisher = new TrackPublisher({
      trackAlias: number,
      priority: PRIORITY,
      onDemand: () => {
        this.sent = 0
      },
    })
  }

  accept(request: IncomingSubscribe): void {
    this.publisher.accept(request)
  }

  start(): void {
    const firstAt = this.clock.now() + REPORT_MS
    this.stopTicks = startTicker(this.clock, firstAt, REPORT_MS, () => this.report())
  }

  stop(): void {
    this.stopTicks()
  }

  private report(): void {
    if (!this.publisher.wanted) return
    if (this.publisher.buffered > MAX_WAITING_BYTES) {
      this.publisher.abandon(0, ResetCode.CANCELLED)
    }
    const wishes = this.sent++ % WISHES_EACH === 0 ? this.wishes : null
    const payload = encodeReceiverReport({ arrivals: this.arrivals(), wishes })
    this.publisher.writeSnapshot(this.group++, NO_PROPERTIES, payload)
  }
}

const SOURCES = ['camera', 'screen'] as const
const KIND_OF = { camera: 'video', screen: 'screen' } as const

/** Every picture as large as it is sent. */
function wishesOf(watches: readonly WatchPlan[]): Wish[] {
  const wishes: Wish[] = []
  for (const { participant, tracks } of watches) {
    for (const source of SOURCES) {
      const kind = KIND_OF[source]
      const pictures = tracks.flatMap((track) => (track.kind === kind ? [track] : []))
      if (pictures.length === 0) continue
      wishes.push({
        participant,
        source,
        width: roundedSize(Math.max(...pictures.map(({ width }) => width))),
        height: roundedSize(Math.max(...pictures.map(({ height }) => height))),
        framerate: 0,
        priority: MIDDLE,
        pinned: false,
        hidden: false,
      })
    }
  }
  return wishes
}
