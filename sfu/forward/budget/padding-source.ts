import type { PullSource } from '../pull-source.ts'
import { TRAFFIC } from '../traffic.ts'
import type { Budget } from './budget.ts'

export interface PaddingHost {
  /** ms */
  now(): number
  /** Bytes handed to the transport since the session began, padding among them. */
  sentBytes(): number
  /** Bytes a datagram may have now; 0 where there are none. */
  maxDatagramSize(): number
  /** `Session.sendPadding`. */
  sendPadding(bytes: number, by: 'datagram' | 'stream'): boolean
}

/** Smallest piece worth a packet of its own, bytes. */
const MIN_PIECE = 200

/**
 * The padding of a subscriber's probes, as the last in its egress scheduler: it is pulled when the
 * transport has room and nothing else waits (draft-18 section 11.5.1). Whoever samples the path wakes
 * it (`EgressScheduler.wake`) after each sample while `Budget.isProbing`.
 */
export class PaddingSource implements PullSource {
  readonly traffic = TRAFFIC.length - 1
  readonly subscriberPriority = 255
  readonly publisherPriority = 255
  private readonly budget: Budget
  private readonly host: PaddingHost

  constructor(budget: Budget, host: PaddingHost) {
    this.budget = budget
    this.host = host
  }

  pull(bytes: number): number {
    const host = this.host
    const due = Math.min(bytes, this.budget.paddingDue(host.now(), host.sentBytes()))
    // Datagrams are not sent again when they are lost: padding that is late is worth nothing.
    const most = host.maxDatagramSize()
    if (most === 0) return due >= MIN_PIECE && host.sendPadding(due, 'stream') ? due : 0
    let sent = 0
    while (due - sent >= MIN_PIECE) {
      const piece = Math.min(most, due - sent)
      if (!host.sendPadding(piece, 'datagram')) break
      sent += piece
    }
    return sent
  }
}
