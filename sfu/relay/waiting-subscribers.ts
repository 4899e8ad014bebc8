import type { Clock, IncomingSubscribe } from '../../moq/session/index.ts'
import { RequestCode } from '../../moq/wire/codes.ts'
import type { RequestError } from '../../moq/wire/messages.ts'
import type { Peer } from './peer.ts'
import { PerPeer } from './per-peer.ts'
import { toldRejection } from './rejections.ts'

/** A SUBSCRIBE that is not answered yet. */
export interface WaitingSubscriber {
  readonly peer: Peer
  readonly request: IncomingSubscribe
  /** It waits for a publisher to appear, if there is none (RENDEZVOUS_TIMEOUT, section 10.2.6). */
  patient: boolean
  stopTimer: () => void
}

export interface WaitingHost {
  readonly clock: Clock
  /** One more waits, or one less. */
  onCount(peer: Peer, change: 1 | -1): void
  onRejected(request: IncomingSubscribe): void
}

/** The subscribers of a track that wait for a publisher, for its answer or for its objects. */
export class WaitingSubscribers {
  private readonly host: WaitingHost
  private readonly entries = new PerPeer<WaitingSubscriber>()

  constructor(host: WaitingHost) {
    this.host = host
  }

  get size(): number {
    return this.entries.size
  }

  has(peer: Peer): boolean {
    return this.entries.has(peer)
  }

  /** A copy: those of one session. */
  of(peer: Peer): WaitingSubscriber[] {
    return [...this.entries.of(peer)]
  }

  /** A copy: answering one may remove another. */
  list(): WaitingSubscriber[] {
    return [...this.entries]
  }

  /** @param onImpatient the rendezvous time passed */
  add(
    peer: Peer,
    request: IncomingSubscribe,
    rendezvousMs: number,
    onImpatient: () => void,
  ): WaitingSubscriber {
    const patient = rendezvousMs > 0
    const waiting: WaitingSubscriber = { peer, request, patient, stopTimer: () => {} }
    this.entries.add(waiting)
    this.host.onCount(peer, 1)
    if (patient) {
      waiting.stopTimer = this.host.clock.after(rendezvousMs, () => {
        waiting.patient = false
        onImpatient()
      })
    }
    return waiting
  }

  /** @returns false when it was removed before */
  remove(waiting: WaitingSubscriber): boolean {
    waiting.stopTimer()
    if (!this.entries.delete(waiting)) return false
    this.host.onCount(waiting.peer, -1)
    return true
  }

  reject(
    waiting: WaitingSubscriber,
    code: number,
    reason: string,
    retryAfterMs: number | null = null,
  ): void {
    if (!this.remove(waiting)) return
    waiting.request.reject(code, reason, retryAfterMs)
    this.host.onRejected(waiting.request)
  }

  rejectAll(code: number, reason: string): void {
    for (const waiting of this.list()) this.reject(waiting, code, reason)
  }

  /**
   * No publisher is left to ask: only those wait on who would wait for one to appear.
   * @param refusal of the publishers there were
   */
  rejectImpatient(refusal: RequestError | null): void {
    const code = refusal ? toldRejection(refusal) : RequestCode.DOES_NOT_EXIST
    const reason = refusal?.reason ?? 'nobody publishes this track'
    for (const waiting of this.list()) {
      if (waiting.patient && code === RequestCode.DOES_NOT_EXIST) continue
      this.reject(waiting, code, reason, refusal?.retryAfterMs ?? null)
    }
  }

  /** Whether any wants objects (Forward State 1). */
  get wantObjects(): boolean {
    for (const { request } of this.entries) {
      if (request.parameters.forward ?? true) return true
    }
    return false
  }

  /**
   * The NEW_GROUP_REQUEST that serves all of them: 0 asks for a new group in any case (section
   * 10.2.13); null when nobody asks.
   */
  get newGroupRequest(): number | null {
    let most: number | null = null
    for (const { request } of this.entries) {
      const asked = request.parameters.newGroupRequest
      if (asked === 0) return 0
      if (asked !== undefined) most = Math.max(most ?? 0, asked)
    }
    return most
  }
}
