import type { TransportSession } from '../transport/transport.ts'
import type { RequestUpdate } from '../wire/messages.ts'
import type { Clock } from './clock.ts'
import type { SessionLimitName, SessionLimits } from './limits.ts'
import type { RequestRefusal } from './refusal.ts'
import type { UpdatedRequest } from './request-rules.ts'
import type { OpenRequest, RequestStream } from './request-stream.ts'

/** What a request, of ours or of the peer's, needs of its session. */
export interface RequestHost {
  readonly transport: TransportSession
  readonly clock: Clock
  readonly limits: SessionLimits
  nextRequestId(): number
  limitHit(limit: SessionLimitName): void
  /** See `ControlBudget`. */
  readonly hasSpare: boolean
  spend(bytes: number): void
  /** A request of the peer's goes on as another object: it counts as open until `requestOver`. */
  requestOpened(request: OpenRequest): void
  requestOver(request: OpenRequest): void
  /**
   * Checks a REQUEST_UPDATE of the peer's and asks the session's owner about its tokens. `decided` is
   * called once, unless the session ends first: at once, or later, and then the stream holds what
   * follows. The request may be over by then. A peer that leaves too many answers unread loses the
   * request instead.
   * @throws ProtocolError for an id or a parameter that must not be
   */
  admitUpdate(
    update: RequestUpdate,
    request: UpdatedRequest,
    stream: RequestStream,
    decided: (refusal: RequestRefusal | null) => void,
  ): void
}
