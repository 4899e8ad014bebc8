import type { Location } from '../wire/location.ts'
import type { Goaway, RequestError } from '../wire/messages.ts'
import type { Parameters } from '../wire/parameters.ts'
import type { Property } from '../wire/properties.ts'
import type { RequestRefusal } from './refusal.ts'

/** What a subscription that we serve asks of its owner, and tells it. */
export interface PublicationHandler {
  /**
   * REQUEST_UPDATE; the publication's own fields are already changed. A refusal is told to the
   * subscriber and ends the subscription with UPDATE_FAILED (section 10.9.1); `onCancelled` follows.
   */
  onUpdate?:
    | ((parameters: Parameters) => RequestRefusal | null)
    | ((parameters: Parameters) => void)
  /**
   * The Largest Object now, for REQUEST_UPDATE_OK and for filters relative to it. Absent: what it was
   * when the publication was made.
   */
  largest?(): Location | null
  /** EXPIRES of a REQUEST_UPDATE_OK: ms, or null for none (section 10.2.10). */
  expires?(): number | null
  /** The subscriber cancelled, or the session ended. Every stream is reset already. */
  onCancelled?(): void
  /** The subscriber wants no more of a subgroup (STOP_SENDING, section 11.4.3); its stream is reset. */
  onSubgroupStopped?(code: number): void
  /** The subscriber asks to be served elsewhere (section 10.4). */
  onGoaway?(goaway: Goaway): void
}

/** Of a PUBLISH: also the subscriber's answer. */
export interface PublishHandler extends PublicationHandler {
  /** PUBLISH_OK; the publication's own fields are already changed. */
  onAccepted?(parameters: Parameters): void
  /** REQUEST_ERROR, or the request ended without an answer. Every stream is reset already. */
  onRejected?(error: RequestError): void
}

/** What an answer to SUBSCRIBE says of the track (draft-18 section 10.8). */
export interface AcceptOptions {
  /** Not used for another track in this session at the same time (section 11.1). */
  readonly trackAlias: number
  /** Largest location published, or null when nothing was. */
  readonly largest: Location | null
  readonly properties?: readonly Property[]
  /** ms after which we mean to end it. */
  readonly expires?: number
}
