/** What the relay's answers about a token mean for a person. */

import { RequestCode, SessionCode } from '../../../moq/wire/codes.ts'
import type { CallError } from '../types.ts'

type Meaning = 'refused' | 'expired'

const OF_REQUEST: ReadonlyMap<number, Meaning> = new Map([
  [RequestCode.UNAUTHORIZED, 'refused'],
  [RequestCode.MALFORMED_AUTH_TOKEN, 'refused'],
  [RequestCode.EXPIRED_AUTH_TOKEN, 'expired'],
])
const OF_SESSION: ReadonlyMap<number, Meaning> = new Map([
  [SessionCode.UNAUTHORIZED, 'refused'],
  [SessionCode.MALFORMED_AUTH_TOKEN, 'refused'],
  [SessionCode.EXPIRED_AUTH_TOKEN, 'expired'],
])

/** The error of a REQUEST_ERROR (draft-18 section 10.6), or null when it is not about the token. */
export function tokenErrorOfRequest(
  code: number,
  reason: string,
  hasToken: boolean,
): CallError | null {
  return describe(OF_REQUEST.get(code), reason, hasToken)
}

/** The error of a session that the relay closed (section 3.5), or null as above. */
export function tokenErrorOfSession(
  code: number,
  reason: string,
  hasToken: boolean,
): CallError | null {
  return describe(OF_SESSION.get(code), reason, hasToken)
}

function describe(
  meaning: Meaning | undefined,
  reason: string,
  hasToken: boolean,
): CallError | null {
  if (meaning === undefined) return null
  if (!hasToken) {
    const message = 'This relay lets nobody in without a token. Open the link that you were given.'
    return { code: 'token-required', message, detail: reason }
  }
  if (meaning === 'expired') {
    const message = 'The token has expired. Ask for a new link or token.'
    return { code: 'token-expired', message, detail: reason }
  }
  const message = `The token was refused: ${reason}. Ask for a new link or token.`
  return { code: 'token-refused', message, detail: reason }
}
