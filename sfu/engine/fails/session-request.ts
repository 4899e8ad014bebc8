import type { SessionRequest } from '../engine.ts'

/** What the package tells of a client that asks for a session. */
export interface FailsRequest {
  readonly header: object
  readonly peerAddress: string
}

/** Most versions that are read from a request; more are not of interest. */
const MOST_VERSIONS = 32

/** Reads a request; `protocol` is `''` where the client offers no version that we speak. */
export function readSessionRequest(
  request: FailsRequest,
  protocols: readonly string[],
): SessionRequest {
  const header = new Map<string, unknown>(Object.entries(request.header))
  const text = (name: string) => {
    const value = header.get(name)
    return typeof value === 'string' ? value : null
  }
  const offered = readVersions(header.get('wt-available-protocols'))
  return {
    kind: 'webtransport',
    path: text(':path') ?? '/',
    authority: text(':authority') ?? text('host') ?? '',
    origin: text('origin'),
    offered,
    protocol: protocols.find((protocol) => offered.includes(protocol)) ?? '',
    peer: request.peerAddress,
  }
}

/**
 * The versions in `WT-Available-Protocols`: a list that the package has read already, or the header
 * as it came, a list of quoted strings (RFC 9651, section 3.1).
 */
export function readVersions(value: unknown): string[] {
  if (Array.isArray(value)) {
    return value.filter((entry) => typeof entry === 'string').slice(0, MOST_VERSIONS)
  }
  if (typeof value !== 'string') return []
  const versions: string[] = []
  for (const [, quoted] of value.slice(0, 4_096).matchAll(/"((?:[^"\\]|\\.)*)"/g)) {
    if (versions.length < MOST_VERSIONS) versions.push(quoted!.replace(/\\(.)/g, '$1'))
  }
  return versions
}
