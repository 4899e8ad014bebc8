import type {
  AcceptedSubscription,
  FetchHandler,
  SubscriptionEnd,
} from '../../../moq/session/index.ts'
import type { FetchRange, RequestError } from '../../../moq/wire/messages.ts'
import type { FullTrackName } from '../../../moq/wire/names.ts'
import type { MoqObject } from '../../../moq/wire/object.ts'
import type { Parameters } from '../../../moq/wire/parameters.ts'

/**
 * What is told of a subscription that outlives sessions. That a session ends is not told: the
 * subscription goes on over the next one.
 */
export interface CallSubscriptionHandler {
  onAccepted?(accepted: AcceptedSubscription): void
  onObject(object: MoqObject): void
  /** Of a track of the relay's: it was asked for on another session, where all may count anew. */
  onRenewed?(): void
  onRejected?(error: RequestError): void
  onDone?(done: SubscriptionEnd): void
}

export interface CallSubscription {
  /** It was accepted and has not ended. */
  readonly established: boolean
  update(parameters: Parameters): void
  unsubscribe(): void
}

/** What becomes of a subscription when the call goes over to another session. */
export interface Continuation {
  /**
   * `publisher`: a track of a participant's, which is the same wherever it comes from; what comes twice
   * is delivered once. `relay`: what the relay itself or a service beside it tells, asked for anew.
   */
  readonly source: 'publisher' | 'relay'
  /**
   * Of a `publisher`: groups before the newest of which what was missed is fetched. Default null: what
   * was missed is of no use.
   */
  readonly fillGroups?: number | null
}

/** What the parts of a call need of a session with the relay: a `Session`, or several in a row. */
export interface CallSession {
  /** Nothing can be asked any more. */
  readonly closed: boolean
  subscribe(
    track: FullTrackName,
    parameters: Parameters,
    handler: CallSubscriptionHandler,
    continuation?: Continuation,
  ): CallSubscription
  /** While there is no session, `onReset` follows at once. */
  fetch(range: FetchRange, handler: FetchHandler, parameters?: Parameters): { cancel(): void }
}

export const OF_PUBLISHER: Continuation = { source: 'publisher' }
export const OF_RELAY: Continuation = { source: 'relay' }
