import { RequestCode } from '../wire/codes.ts'
import type { Redirect, RequestError } from '../wire/messages.ts'

/** Why a request is refused: a REQUEST_ERROR (draft-18 section 10.6). */
export interface RequestRefusal {
  readonly code: number
  readonly reason: string
  /** ms after which it may be tried again; null: never. */
  readonly retryAfterMs: number | null
  /** Where to ask instead (section 10.6.1); only with the code REDIRECT. */
  readonly redirect?: Redirect | undefined
}

/** Section 5.1: one subscription a track, whichever side asked for it. */
export const ALREADY_SUBSCRIBED: RequestRefusal = {
  code: RequestCode.DUPLICATE_SUBSCRIPTION,
  reason: 'this session has a subscription to the track',
  retryAfterMs: null,
}

/** The REQUEST_ERROR that says it; also what an owner is told when the peer sent none. */
export function requestError(refusal: RequestRefusal): RequestError {
  const { code, reason, retryAfterMs, redirect } = refusal
  return { type: 'REQUEST_ERROR', code, retryAfterMs, reason, ...(redirect && { redirect }) }
}
