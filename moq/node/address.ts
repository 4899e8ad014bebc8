/** Reads the URL of a MoQT server (draft-18 section 3.1.1). */

import { ConnectError } from '../transport/quiche/connect-error.ts'

export interface MoqtAddress {
  /** What goes below MoQT: `moqt` URLs are raw QUIC here, `https` ones WebTransport. */
  readonly over: 'quic' | 'webtransport'
  /** Name or IP address, an IPv6 one without brackets. */
  readonly host: string
  /** 443 where the URL has none. */
  readonly port: number
  /** `host[:port]` as the AUTHORITY option has it (section 10.3.1.1). */
  readonly authority: string
  /** Path and, behind `?`, the query, as the PATH option has it (section 10.3.1.2); may be `''`. */
  readonly path: string
  /** The same place as a WebTransport URL (section 3.1.3), without a fragment. */
  readonly https: string
}

/** What RFC 3986 has not in a path or query, section 3.3 and 3.4; it is percent-encoded. */
const NOT_IN_PATH = /[^\w.~!$&'()*+,;=:@/?%-]|%(?![0-9a-f]{2})/giu

/**
 * A fragment is the program's own business and is not sent (section 3.1.2).
 * @throws ConnectError `url` that says what is wrong with it
 */
export function parseAddress(url: string | URL): MoqtAddress {
  const text = String(url)
  const [, scheme, rest] = /^(moqt|https):\/\/(.*)$/isu.exec(text) ?? []
  if (scheme === undefined || rest === undefined) {
    throw new ConnectError('url', `${text} is neither a moqt:// nor an https:// URL`)
  }
  if (/^(?:[/?#:]|$)/u.test(rest)) throw new ConnectError('url', `${text} names no host`)
  // Authority, path and query have the syntax of https (section 3.1.1).
  let parsed: URL
  try {
    parsed = new URL(`https://${rest}`)
  } catch {
    throw new ConnectError('url', `${text} is not a URL`)
  }
  if (parsed.username !== '' || parsed.password !== '') {
    throw new ConnectError('url', 'the URL has a user name or password, which MoQT does not know')
  }
  parsed.hash = ''
  const { hostname, port, pathname, search } = parsed
  // https knows no empty path, moqt does.
  const hasPath = /^[^/?#]*\//u.test(rest)
  const path = (hasPath ? pathname : '') + search
  const explicitPort = /^[^/?#]*:443(?:[/?#]|$)/u.test(rest) ? ':443' : ''
  return {
    over: scheme.toLowerCase() === 'moqt' ? 'quic' : 'webtransport',
    host: hostname.replace(/^\[(.*)\]$/u, '$1'),
    port: Number(port || 443),
    authority: port === '' ? hostname + explicitPort : `${hostname}:${port}`,
    path: path.replaceAll(NOT_IN_PATH, encodeURIComponent),
    https: parsed.href,
  }
}
