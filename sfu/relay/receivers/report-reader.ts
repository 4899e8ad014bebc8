import {
  decodeReceiverReport,
  MAX_REPORT_BYTES,
  REPORT_TRACK,
  type ReceiverReport,
} from '../../../moq/media/receiver-report.ts'
import type { Clock, Session, Subscription } from '../../../moq/session/index.ts'
import { type Namespace, trackOf } from '../../../moq/wire/names.ts'
import { type MoqObject, ObjectStatus } from '../../../moq/wire/object.ts'

export interface ReportReaderOptions {
  readonly clock: Clock
  readonly session: Session
  /** The participant's, published by that session. */
  readonly namespace: Namespace
  /** Reports that are read, a second and at once. */
  readonly maxPerSecond: number
  readonly onReport: (report: ReceiverReport) => void
  /** There were more. */
  readonly onTooMany: () => void
  /** It is no report. */
  readonly onMalformed: () => void
}

/**
 * The track `report` of one participant, read from the session that publishes the participant
 * (`moq/media/receiver-report.ts`). A session without reports refuses the subscription, and that is
 * all. What is malformed or comes too often is counted and left out; the newest report holds.
 */
export class ReportReader {
  private readonly options: ReportReaderOptions
  private readonly subscription: Subscription
  private newest = -1
  /** Reports that may be read now; grows with the time. */
  private allowed: number
  private allowedAt: number

  constructor(options: ReportReaderOptions) {
    this.options = options
    this.allowed = options.maxPerSecond
    this.allowedAt = options.clock.now()
    const track = trackOf(options.namespace, REPORT_TRACK)
    this.subscription = options.session.subscribe(
      track,
      { forward: true },
      { onObject: (object) => this.onObject(object) },
    )
  }

  close(): void {
    this.subscription.unsubscribe()
  }

  private onObject({ group, status, body, payloadLength }: MoqObject): void {
    // Each report is a group of its own: an older one was overtaken.
    if (status !== ObjectStatus.NORMAL || group <= this.newest) return
    if (!this.mayRead()) {
      this.options.onTooMany()
      return
    }
    const report = read(body, payloadLength)
    if (!report) {
      this.options.onMalformed()
      return
    }
    this.newest = group
    this.options.onReport(report)
  }

  private mayRead(): boolean {
    const { clock, maxPerSecond } = this.options
    const now = clock.now()
    const grown = ((now - this.allowedAt) * maxPerSecond) / 1000
    this.allowed = Math.min(maxPerSecond, this.allowed + grown)
    this.allowedAt = now
    if (this.allowed < 1) return false
    this.allowed--
    return true
  }
}

function read(body: Uint8Array, payloadLength: number): ReceiverReport | null {
  if (payloadLength > MAX_REPORT_BYTES) return null
  try {
    return decodeReceiverReport(body.subarray(body.length - payloadLength))
  } catch {
    return null
  }
}
