import { DoneCode, RequestCode } from '../../moq/wire/codes.ts'
import type { RequestError } from '../../moq/wire/messages.ts'

/** Codes of an upstream's REQUEST_ERROR that mean the same to a subscriber. */
const PASSED_REJECTIONS: ReadonlySet<number> = new Set([
  RequestCode.INTERNAL_ERROR,
  RequestCode.UNAUTHORIZED,
  RequestCode.TIMEOUT,
  RequestCode.NOT_SUPPORTED,
  RequestCode.GOING_AWAY,
  RequestCode.EXCESSIVE_LOAD,
  RequestCode.DOES_NOT_EXIST,
  RequestCode.MALFORMED_TRACK,
  RequestCode.UNSUPPORTED_EXTENSION,
])

/**
 * The code that a subscriber is refused with when the publisher refused the relay (draft-18 section
 * 10.6). What concerns the relay's own tokens or requests is not the subscriber's to know.
 */
export function toldRejection({ code }: RequestError): number {
  // A redirect is not followed and not forwarded: its URI is the upstream's matter.
  if (code === RequestCode.REDIRECT) return RequestCode.DOES_NOT_EXIST
  return PASSED_REJECTIONS.has(code) ? code : RequestCode.INTERNAL_ERROR
}

/** Ends of an upstream that are those of the track. */
const PASSED_ENDS: ReadonlySet<number> = new Set([
  DoneCode.TRACK_ENDED,
  DoneCode.GOING_AWAY,
  DoneCode.EXPIRED,
  DoneCode.EXCESSIVE_LOAD,
  DoneCode.MALFORMED_TRACK,
])

/** The PUBLISH_DONE code for subscribers when the last publisher ended with `status` (section 10.11). */
export function toldEnd(status: number): number {
  // Our subscriptions upstream have no filter whose end could be reached.
  if (status === DoneCode.SUBSCRIPTION_ENDED) return DoneCode.TRACK_ENDED
  return PASSED_ENDS.has(status) ? status : DoneCode.INTERNAL_ERROR
}
