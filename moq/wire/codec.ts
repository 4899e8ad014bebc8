/** What a draft's codec does; `versions.ts` has the drafts. */

import type { ControlMessage } from './messages.ts'
import type { Reader } from './reader.ts'

/**
 * What a session does otherwise from draft to draft, beside the bytes. The session asks these and not
 * for a version, so that the next draft says by data what it keeps and what it changes.
 */
export interface DraftRules {
  /** A FIN of the requester's cancels a SUBSCRIBE_NAMESPACE or SUBSCRIBE_TRACKS (draft-18 6.1). */
  readonly requesterFinCancels: boolean
  /**
   * A session has at most one subscription to a track in each role, and a second one is refused with
   * DUPLICATE_SUBSCRIPTION (draft-18 5.1); else there may be several, under one alias or many.
   */
  readonly oneSubscriptionPerTrack: boolean
  /** There is MAX_REQUEST_UPDATES: a peer bounds the updates unanswered on a stream (draft-19 10.3.1.7). */
  readonly boundsRequestUpdates: boolean
  /** EXPIRES may stand in the REQUEST_OK of a namespace or tracks request (draft-19 10.2.15). */
  readonly namespacesExpire: boolean
  /** The first object of a subgroup may have delivery timeouts of its own (draft-19 8). */
  readonly subgroupTimeouts: boolean
  /** A SUBSCRIBE_TRACKS may say the terms of the subscriptions that come of it (draft-19 10.19.1). */
  readonly termsForTracks: boolean
}

/** The control messages of one version of MoQT, and the rules that differ between versions. */
export interface Codec {
  /** The ALPN and `WT-Available-Protocols` value, e.g. `moqt-18`. */
  readonly version: string
  readonly rules: DraftRules
  /** A whole message: type, 16-bit length, payload. */
  encode(message: ControlMessage): Uint8Array
  /**
   * Decodes one message's payload; the reader ends with it.
   * @param context GOAWAY differs by the stream that it comes on
   * @throws ProtocolError for an unknown type, a malformed payload or left-over bytes
   */
  decode(type: number, payload: Reader, context: 'control' | 'request'): ControlMessage
}
