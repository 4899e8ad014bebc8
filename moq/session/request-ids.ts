import { SessionCode } from '../wire/codes.ts'
import { ProtocolError } from '../wire/errors.ts'

/**
 * Checks the peer's request ids (draft-18 section 10.1): right parity, never twice. Ids arrive out of
 * order because each request has a stream of its own; a watermark keeps the set small.
 */
export class RequestIds {
  private next: number
  private readonly ahead = new Set<number>()

  /** @param first 0 for a client's ids, 1 for a server's */
  constructor(first: 0 | 1) {
    this.next = first
  }

  /** The smallest id that was not taken. */
  get nextId(): number {
    return this.next
  }

  /** @throws ProtocolError (INVALID_REQUEST_ID) */
  take(id: number): void {
    if (id % 2 !== this.next % 2) throw invalid(`request id ${id} has the wrong parity`)
    if (id < this.next || this.ahead.has(id)) throw invalid(`request id ${id} was used before`)
    this.ahead.add(id)
    if (this.ahead.size > MAX_AHEAD) this.skip()
    while (this.ahead.delete(this.next)) this.next += 2
  }

  /** Gives up on what is missing before the middle of those ahead: seldom, so that it costs little. */
  private skip(): void {
    const ids = [...this.ahead].sort((a, b) => a - b)
    const middle = ids[ids.length >> 1]!
    for (const id of ids) if (id < middle) this.ahead.delete(id)
    this.next = middle
  }
}

/**
 * More requests than any peer has in flight out of order: what is missing then was on streams that
 * were reset before it came, and does not come any more.
 */
const MAX_AHEAD = 4096

function invalid(reason: string): ProtocolError {
  return new ProtocolError(reason, SessionCode.INVALID_REQUEST_ID)
}
