import { ProtocolError } from '../wire/errors.ts'
import type { FetchRequest } from './fetch-request.ts'

/** The fetches of ours, by the request id that their data streams name (draft-18 section 11.4.4). */
export class FetchTable {
  private readonly active = new Map<number, FetchRequest>()
  /** Fetches that are over and had their stream, newest last: another one is a violation. */
  private readonly answered = new Set<number>()

  add(fetch: FetchRequest): void {
    this.active.set(fetch.requestId, fetch)
  }

  over(fetch: FetchRequest, streamed: boolean): void {
    this.active.delete(fetch.requestId)
    if (!streamed) return
    this.answered.add(fetch.requestId)
    if (this.answered.size > MAX_ANSWERED) this.forgetOldest()
  }

  /**
   * @param nextId our next request id: whatever is not below it was never asked for
   * @returns null for a fetch that was given up: its stream is of no interest
   * @throws ProtocolError for a stream that answers nothing we asked for, or answers it again
   */
  find(requestId: number, nextId: number): FetchRequest | null {
    const fetch = this.active.get(requestId)
    if (fetch) return fetch
    if (requestId >= nextId || requestId % 2 !== nextId % 2) {
      throw new ProtocolError(`fetch stream for request ${requestId}, which we never made`)
    }
    if (this.answered.has(requestId)) {
      throw new ProtocolError(`second stream for FETCH ${requestId}`)
    }
    return null
  }

  clear(): void {
    this.active.clear()
  }

  private forgetOldest(): void {
    for (const oldest of this.answered) {
      this.answered.delete(oldest)
      return
    }
  }
}

const MAX_ANSWERED = 1024
