/** What a refusal is on the wire: for a request (draft-18 section 10.6) or for a session (3.5). */

import { RequestCode, SessionCode } from '../../moq/wire/codes.ts'
import type { TokenRefusal, TokenRefusalCode } from './token-refusal.ts'

/** The fields of a REQUEST_ERROR. */
export interface RequestRefusal {
  readonly code: number
  readonly reason: string
  /** ms, or null when a retry is pointless. */
  readonly retryAfterMs: number | null
}

/** Why a session has no right; `missing`: no token came in time. */
export type EndCause = TokenRefusalCode | 'missing'

/** What to close the session with. */
export interface SessionEnd {
  readonly code: number
  readonly reason: string
  readonly cause: EndCause
  /** It had a valid token before. */
  readonly wasAdmitted: boolean
}

type CodeName = 'MALFORMED_AUTH_TOKEN' | 'EXPIRED_AUTH_TOKEN' | 'UNAUTHORIZED'

const CODES: Record<TokenRefusalCode, CodeName> = {
  malformed: 'MALFORMED_AUTH_TOKEN',
  claims: 'MALFORMED_AUTH_TOKEN',
  expired: 'EXPIRED_AUTH_TOKEN',
  'not-yet': 'UNAUTHORIZED',
  'unknown-key': 'UNAUTHORIZED',
  'bad-signature': 'UNAUTHORIZED',
  revoked: 'UNAUTHORIZED',
  proof: 'UNAUTHORIZED',
}

export function requestRefusal(refusal: TokenRefusal): RequestRefusal {
  const { code, sentence, retryAfterMs } = refusal
  return { code: RequestCode[CODES[code]], reason: sentence, retryAfterMs }
}

export function sessionEnd(refusal: TokenRefusal, wasAdmitted: boolean): SessionEnd {
  const { code: cause, sentence: reason } = refusal
  return { code: SessionCode[CODES[cause]], reason, cause, wasAdmitted }
}
