/**
 * Where a client asked to be served: the path and the authority of the URL it was given. WebTransport
 * states them in its CONNECT, raw QUIC in SETUP (draft-18 sections 10.3.1.1 and 10.3.1.2); one rule
 * holds for both.
 */

import { SessionCode } from '../../moq/wire/codes.ts'
import { ProtocolError } from '../../moq/wire/errors.ts'
import type { Setup } from '../../moq/wire/messages.ts'

export interface Target {
  /** Path and query; null where the client stated none. */
  readonly path: string | null
  /** `host[:port]`; null where the client stated none. */
  readonly authority: string | null
}

/** What a relay serves. An empty list means all. */
export interface ServedTargets {
  /** Paths without query, such as `/` or `/call`; `/` also means the empty path. */
  readonly paths: readonly string[]
  /** `host` (at any port) or `host:port`, however they are capitalized. */
  readonly authorities: readonly string[]
}

export const ALL_TARGETS: ServedTargets = { paths: [], authorities: [] }

export interface TargetRefusal {
  /** HTTP status for WebTransport: 404 Not Found, or 421 Misdirected Request. */
  readonly status: 404 | 421
  /** Session termination code for raw QUIC. */
  readonly code: number
  readonly reason: string
}

const PATH_OPTION = 0x01
const AUTHORITY_OPTION = 0x05

/** Reads PATH and AUTHORITY. Whether they may be there, and are well-formed, the session has checked. */
export function targetOf(setup: Setup): Target {
  const text = (type: number) => {
    const value = setup.options.find((option) => option.type === type)?.value
    return value instanceof Uint8Array ? new TextDecoder().decode(value) : null
  }
  return { path: text(PATH_OPTION), authority: text(AUTHORITY_OPTION) }
}

/** @returns null if the target is served; what the client did not state is not held against it */
export function refuseTarget(served: ServedTargets, target: Target): TargetRefusal | null {
  const { path, authority } = target
  if (path !== null && served.paths.length > 0) {
    const asked = path.replace(/\?.*$/s, '') || '/'
    if (!served.paths.includes(asked)) {
      return {
        status: 404,
        code: SessionCode.INVALID_PATH,
        reason: 'nothing is served at this path',
      }
    }
  }
  if (authority !== null && served.authorities.length > 0) {
    const asked = authority.toLowerCase()
    const host = asked.replace(/:\d*$/, '')
    const isOurs = served.authorities.some((ours) => [asked, host].includes(ours.toLowerCase()))
    if (!isOurs) {
      return {
        status: 421,
        code: SessionCode.INVALID_AUTHORITY,
        reason: 'this relay does not serve that authority',
      }
    }
  }
  return null
}

/**
 * For a session's `onReady`, over raw QUIC.
 * @throws ProtocolError INVALID_PATH or INVALID_AUTHORITY, with which the session ends
 */
export function checkSetupTarget(served: ServedTargets, setup: Setup): void {
  const refusal = refuseTarget(served, targetOf(setup))
  if (refusal !== null) throw new ProtocolError(refusal.reason, refusal.code)
}
