/** What SETUP may say (draft-18 section 10.3.1), and by whom. */

import type { TransportKind } from '../transport/transport.ts'
import type { DraftRules } from '../wire/codec.ts'
import { SessionCode } from '../wire/codes.ts'
import { ProtocolError } from '../wire/errors.ts'
import type { Setup } from '../wire/messages.ts'

/** Setup option types that this package knows. */
export const SetupOption = {
  PATH: 0x01,
  AUTHORIZATION_TOKEN: 0x03,
  MAX_AUTH_TOKEN_CACHE_SIZE: 0x04,
  AUTHORITY: 0x05,
  /** From draft-19 on: ranges that the peer may have in the filters of one request; without it none. */
  MAX_FILTER_RANGES: 0x06,
  MOQT_IMPLEMENTATION: 0x07,
  /** From draft-19 on: REQUEST_UPDATEs that may be unanswered on one stream; 0 or none: no limit. */
  MAX_REQUEST_UPDATES: 0x08,
} as const

/** AUTHORIZATION_TOKEN is the one that may be given several times. */
const SINGLE: ReadonlySet<number | bigint> = new Set([
  SetupOption.PATH,
  SetupOption.MAX_AUTH_TOKEN_CACHE_SIZE,
  SetupOption.AUTHORITY,
  SetupOption.MOQT_IMPLEMENTATION,
])

/** The same, where the draft has them; to others they are unknown. */
const SINGLE_BOUNDS: ReadonlySet<number | bigint> = new Set([
  SetupOption.MAX_FILTER_RANGES,
  SetupOption.MAX_REQUEST_UPDATES,
])

/**
 * Checks the peer's SETUP; unknown options are ignored, and may repeat.
 * @param role ours: a server's SETUP has no PATH and no AUTHORITY
 * @throws ProtocolError with the code that the draft gives for it
 */
export function checkSetup(
  setup: Setup,
  role: 'client' | 'server',
  kind: TransportKind,
  rules?: DraftRules,
): void {
  const allowed = role === 'server' && kind === 'quic'
  const seen = new Set<number | bigint>()
  for (const { type, value } of setup.options) {
    const single = SINGLE.has(type) || (rules?.boundsRequestUpdates && SINGLE_BOUNDS.has(type))
    if (single && seen.has(type)) {
      throw new ProtocolError(`SETUP has option 0x${type.toString(16)} twice`)
    }
    seen.add(type)
    if (type === SetupOption.PATH) {
      if (!allowed) throw new ProtocolError('PATH has no place here', SessionCode.INVALID_PATH)
      if (!isPath(ascii(value))) {
        throw new ProtocolError('PATH is not a path', SessionCode.MALFORMED_PATH)
      }
    } else if (type === SetupOption.AUTHORITY) {
      if (!allowed) {
        throw new ProtocolError('AUTHORITY has no place here', SessionCode.INVALID_AUTHORITY)
      }
      if (!isAuthority(ascii(value))) {
        throw new ProtocolError('AUTHORITY is not one', SessionCode.MALFORMED_AUTHORITY)
      }
    }
  }
}

/** MAX_AUTH_TOKEN_CACHE_SIZE of the peer's (section 10.3.1.3): 0 unless it says otherwise. */
export function tokenCacheSize(setup: Setup): number {
  return bound(setup, SetupOption.MAX_AUTH_TOKEN_CACHE_SIZE)
}

/** MAX_REQUEST_UPDATES of the peer's (draft-19 section 10.3.1.7): Infinity unless it says otherwise. */
export function maxRequestUpdates(setup: Setup): number {
  return bound(setup, SetupOption.MAX_REQUEST_UPDATES) || Number.POSITIVE_INFINITY
}

/** MAX_FILTER_RANGES of the peer's (draft-19 section 10.3.1.6): 0 unless it says otherwise. */
export function maxFilterRanges(setup: Setup): number {
  return bound(setup, SetupOption.MAX_FILTER_RANGES)
}

function bound(setup: Setup, option: number): number {
  for (const { type, value } of setup.options) {
    if (type !== option) continue
    return typeof value === 'number' ? value : Number.MAX_SAFE_INTEGER
  }
  return 0
}

// RFC 3986. pchar = unreserved / pct-encoded / sub-delims / ":" / "@"
const PCHAR = "(?:[A-Za-z0-9\\-._~!$&'()*+,;=:@]|%[0-9A-Fa-f]{2})"
const PATH = new RegExp(`^(?:/${PCHAR}*)*(?:\\?(?:${PCHAR}|[/?])*)?$`)
const REG_NAME = "(?:[A-Za-z0-9\\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})*"
const USER_INFO = "(?:[A-Za-z0-9\\-._~!$&'()*+,;=:]|%[0-9A-Fa-f]{2})*@"
const IP_LITERAL = "\\[(?:[0-9A-Fa-f:.]+|[vV][0-9A-Fa-f]+\\.[A-Za-z0-9\\-._~!$&'()*+,;=:]+)\\]"
const AUTHORITY = new RegExp(`^(?:${USER_INFO})?(?:${IP_LITERAL}|${REG_NAME})(?::[0-9]*)?$`)

/** `path-abempty [ "?" query ]` */
function isPath(text: string): boolean {
  return PATH.test(text)
}

function isAuthority(text: string): boolean {
  return AUTHORITY.test(text)
}

/** A URI is ASCII; what is not becomes a character that no rule allows. */
function ascii(value: number | bigint | Uint8Array): string {
  if (!(value instanceof Uint8Array)) return '\u0000'
  let text = ''
  for (const byte of value) text += byte < 0x80 ? String.fromCharCode(byte) : '\u0000'
  return text
}
