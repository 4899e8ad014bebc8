import {
  type Arrivals,
  encodeReceiverReport,
  fittingWishes,
  roundedArrivals,
  type Wish,
} from '../../../moq/media/index.ts'
import {
  type Clock,
  type IncomingSubscribe,
  TrackPublisher,
  type TrackState,
} from '../../../moq/session/index.ts'
import { firstGroupAt } from '../../media/first-group.ts'

export interface ReceiverReportsOptions {
  readonly trackAlias: number
  readonly clock: Clock
  /** ms since the Unix epoch. */
  readonly wallClock: () => number
  /** What the page shows now. */
  readonly wishes: () => readonly Wish[]
  /** What arrived since the last call, over so many ms. */
  readonly arrivals: (intervalMs: number) => Arrivals
  /** Somebody, that is the relay, follows the reports, or nobody does any more. */
  readonly onDemand: (wanted: boolean) => void
}

/** Before all media: a report is little, and an old one is worth nothing. */
const PRIORITY = 8
const ARRIVALS_MS = 200
const WISHES_MS = 2000
/** Tiles change together: so many ms after the first of them, all are told of. */
const GATHER_MS = 30
/** Fits a datagram on every path. */
const MOST_DATAGRAM_BYTES = 1000
const NO_PROPERTIES = new Uint8Array(0)

/**
 * Our track `report`, by which the relay chooses what to forward to us. It is not encrypted, as it is
 * addressed to the relay. Nothing is made while nobody has subscribed to it.
 */
export class ReceiverReports {
  private readonly options: ReceiverReportsOptions
  private readonly publisher: TrackPublisher
  private group: number
  private following = false
  private reportedAt = 0
  private wishesAt = 0
  private stopReports: () => void = () => {}
  private stopGathering: (() => void) | null = null

  constructor(options: ReceiverReportsOptions) {
    this.options = options
    this.group = firstGroupAt(options.wallClock())
    this.publisher = new TrackPublisher({
      trackAlias: options.trackAlias,
      priority: PRIORITY,
      onGroupRequested: () => this.sendWishes(),
      onDemand: (wanted) => this.onDemand(wanted),
    })
  }

  /** Whether the relay follows the reports. */
  get wanted(): boolean {
    return this.following
  }

  /** What a TRACK_STATUS is answered with. */
  get status(): TrackState {
    return this.publisher.status
  }

  accept(request: IncomingSubscribe): void {
    this.publisher.accept(request)
  }

  /** What the page shows is other than before. */
  wishesChanged(): void {
    if (!this.following || this.stopGathering) return
    this.stopGathering = this.options.clock.after(GATHER_MS, () => {
      this.stopGathering = null
      this.sendWishes()
    })
  }

  close(): void {
    this.stopReports()
    this.stopGathering?.()
    this.stopGathering = null
    this.following = false
  }

  private onDemand(wanted: boolean): void {
    if (wanted === this.following) return
    this.close()
    this.following = wanted
    if (wanted) {
      this.reportedAt = this.options.clock.now()
      this.sendWishes()
      this.planReport()
    }
    this.options.onDemand(wanted)
  }

  private planReport(): void {
    this.stopReports = this.options.clock.after(ARRIVALS_MS, () => {
      const now = this.options.clock.now()
      // A worker that was held up tells of more at once.
      const arrivals = this.options.arrivals(now - this.reportedAt)
      this.reportedAt = now
      this.publish({ arrivals: roundedArrivals(arrivals), wishes: null })
      if (now - this.wishesAt >= WISHES_MS) this.sendWishes()
      this.planReport()
    })
  }

  private sendWishes(): void {
    this.wishesAt = this.options.clock.now()
    this.publish({ arrivals: null, wishes: fittingWishes(this.options.wishes()) })
  }

  /** Wishes have to arrive; a lost figure is made good by the next. */
  private publish(report: Parameters<typeof encodeReceiverReport>[0]): void {
    const payload = encodeReceiverReport(report)
    const group = this.group++
    const object = { group, object: 0, properties: NO_PROPERTIES, payload }
    const { publisher } = this
    const byStream = report.wishes !== null || payload.length > MOST_DATAGRAM_BYTES
    if (byStream || !publisher.writeDatagram(object)) publisher.writeStream(0, object)
    publisher.endGroupsBefore(group + 1)
  }
}
