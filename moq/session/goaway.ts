import { SessionCode } from '../wire/codes.ts'
import { ProtocolError } from '../wire/errors.ts'
import type { Goaway } from '../wire/messages.ts'
import type { Clock } from './clock.ts'

/** What the GOAWAYs of a session ask of it. */
export interface GoawayHost {
  readonly role: 'client' | 'server'
  /** Requests of either side's that are open. */
  readonly openRequests: number
  close(code: number, reason: string): void
}

/** Section 10.4. */
const MAX_URI_BYTES = 8192

/** GOAWAY on the control streams of a session, each way at most once (draft-18 section 10.4). */
export class SessionGoaway {
  private readonly host: GoawayHost
  private readonly clock: Clock
  private mine: Goaway | null = null
  private theirs: Goaway | null = null
  private stopTimer: () => void = () => {}

  constructor(host: GoawayHost, clock: Clock) {
    this.host = host
    this.clock = clock
  }

  /** The one that we sent. */
  get sent(): Goaway | null {
    return this.mine
  }

  /** The peer's. */
  get received(): Goaway | null {
    return this.theirs
  }

  /**
   * Makes ours, and starts its timer: when it runs out and requests are open, the session ends.
   * @param requestId the smallest id of the peer's that was not processed
   * @returns null when one was sent before
   * @throws RangeError for a URI of a client's, or above 8192 bytes (our own bug)
   */
  send(newSessionUri: string, timeout: number, requestId: number): Goaway | null {
    if (this.mine) return null
    if (this.host.role === 'client' && newSessionUri !== '') {
      throw new RangeError('a client cannot tell a server where to connect')
    }
    if (new TextEncoder().encode(newSessionUri).length > MAX_URI_BYTES) {
      throw new RangeError(`a GOAWAY has a URI of at most ${MAX_URI_BYTES} bytes`)
    }
    this.mine = { type: 'GOAWAY', newSessionUri, timeout, requestId }
    if (timeout > 0) this.stopTimer = this.clock.after(timeout, () => this.timedOut())
    return this.mine
  }

  /** @throws ProtocolError for a second one, and for a request id that cannot be one of ours */
  receive(message: Goaway): void {
    if (this.theirs) throw new ProtocolError('second GOAWAY')
    const { requestId } = message
    const parity = this.host.role === 'client' ? 0 : 1
    if (requestId !== undefined && requestId % 2 !== parity) {
      throw new ProtocolError(
        `GOAWAY names request ${requestId}, which is not ours`,
        SessionCode.INVALID_REQUEST_ID,
      )
    }
    this.theirs = message
  }

  /** The session is over. */
  cancel(): void {
    this.stopTimer()
  }

  private timedOut(): void {
    if (this.host.openRequests === 0) return
    this.host.close(SessionCode.GOAWAY_TIMEOUT, 'requests are open after the time of our GOAWAY')
  }
}
