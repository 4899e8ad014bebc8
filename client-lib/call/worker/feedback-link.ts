import {
  decodePublisherFeedback,
  feedbackTrack,
  MediaFormatError,
  type PublisherFeedback,
} from '../../../moq/media/index.ts'
import type { Clock } from '../../../moq/session/index.ts'
import type { MoqObject } from '../../../moq/wire/object.ts'
import { type CallSession, type CallSubscription, OF_RELAY } from './call-session.ts'

export interface FeedbackLinkOptions {
  readonly session: CallSession
  readonly room: string
  readonly participantId: string
  readonly clock: Clock
  readonly onFeedback: (feedback: PublisherFeedback) => void
}

/** How long the relay may take to have the track, ms. */
const RENDEZVOUS_MS = 5000
/** Pauses before it is asked for again: other relays have no such track, and are not to be pestered. */
const FIRST_RETRY_MS = 2000
const LAST_RETRY_MS = 60_000
/** Larger ones are not looked at: `MAX_FEEDBACK_TRACKS` with the longest names take less. */
const MAX_BYTES = 32 * 1024

/**
 * What the relay tells us of our uplink and of what is wanted (`moq/media/publisher-feedback.ts`). It
 * decides nothing but how well we are seen, so what is no feedback is left out, and a relay that has no
 * such track is asked again now and then.
 */
export class FeedbackLink {
  private readonly options: FeedbackLinkOptions
  private subscription: CallSubscription | null = null
  private cancelRetry: () => void = () => {}
  private retryMs = FIRST_RETRY_MS
  private newest = -1
  private closed = false

  constructor(options: FeedbackLinkOptions) {
    this.options = options
    this.follow()
  }

  close(): void {
    this.closed = true
    this.cancelRetry()
    this.subscription?.unsubscribe()
  }

  private follow(): void {
    const { session, room, participantId } = this.options
    if (this.closed || session.closed) return
    // Groups count anew where another relay answers.
    this.newest = -1
    this.subscription = session.subscribe(
      feedbackTrack(room, participantId),
      {
        filter: { kind: 'largest-object' },
        newGroupRequest: 0,
        rendezvousTimeout: RENDEZVOUS_MS,
        subscriberPriority: 0,
      },
      {
        onObject: (object) => this.onObject(object),
        onRenewed: () => {
          this.newest = -1
        },
        onRejected: () => this.again(),
        onDone: () => this.again(),
      },
      OF_RELAY,
    )
  }

  private again(): void {
    this.cancelRetry = this.options.clock.after(this.retryMs, () => this.follow())
    this.retryMs = Math.min(LAST_RETRY_MS, this.retryMs * 2)
  }

  private onObject({ group, payload, payloadLength }: MoqObject): void {
    if (this.closed || group <= this.newest || payloadLength > MAX_BYTES) return
    const feedback = tryDecode(payload)
    if (!feedback) return
    this.newest = group
    this.retryMs = FIRST_RETRY_MS
    this.options.onFeedback(feedback)
  }
}

function tryDecode(payload: Uint8Array): PublisherFeedback | null {
  try {
    return decodePublisherFeedback(payload)
  } catch (error) {
    if (error instanceof MediaFormatError) return null
    throw error
  }
}
