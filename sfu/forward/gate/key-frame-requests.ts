import type { Clock } from '../../../moq/session/index.ts'

export interface KeyFrameRequestOptions {
  readonly clock: Clock
  /** Asks the publisher: NEW_GROUP_REQUEST (draft-18 section 10.2.13). */
  readonly send: () => void
  /** Somebody asked who needs no request of their own: one is to be sent, or was just now. */
  readonly onCoalesced?: (() => void) | undefined
  /** Least time between two requests, ms; default 500. */
  readonly intervalMs?: number
}

export const REQUEST_INTERVAL_MS = 500

/**
 * Requests for a key frame of one track, of all its subscribers: the first is sent at once, and then at
 * most one an interval. What a key frame brings in the meantime is not asked for again.
 */
export class KeyFrameRequests {
  private readonly options: KeyFrameRequestOptions
  private readonly intervalMs: number
  private sentAt = Number.NEGATIVE_INFINITY
  private cancelNext: (() => void) | null = null
  private closed = false

  constructor(options: KeyFrameRequestOptions) {
    this.options = options
    this.intervalMs = options.intervalMs ?? REQUEST_INTERVAL_MS
  }

  /** Somebody cannot go on without a key frame. Cheap when it was asked for already. */
  ask(): void {
    if (this.closed) return
    if (this.cancelNext) {
      this.options.onCoalesced?.()
      return
    }
    const wait = this.sentAt + this.intervalMs - this.options.clock.now()
    if (wait <= 0) this.send()
    else this.cancelNext = this.options.clock.after(wait, () => this.send())
  }

  /** A key frame came: who asked before has it. */
  keyFrameCame(): void {
    if (this.cancelNext) this.options.onCoalesced?.()
    this.cancel()
  }

  close(): void {
    this.closed = true
    this.cancel()
  }

  private cancel(): void {
    this.cancelNext?.()
    this.cancelNext = null
  }

  private send(): void {
    this.cancelNext = null
    this.sentAt = this.options.clock.now()
    this.options.send()
  }
}
