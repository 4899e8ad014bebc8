/** Which address of the relay a browser is told, and which names its certificate should carry. */

import type { Config } from '../config.ts'
import { hostPort } from './http.ts'

const anyAddress = new Set(['0.0.0.0', '::', '[::]'])

/**
 * The relay's URL for browsers, at the first path that is served and without a slash as its only one.
 * @param port the UDP port that the relay listens on
 * @param askedFor the `Host` header of the page's request: where the relay listens on all addresses,
 *   the one that the browser used for the page is the one that it can reach
 */
export function relayUrl(
  config: Pick<Config, 'host' | 'publicUrl' | 'paths'>,
  port: number,
  askedFor: string | undefined,
): string {
  if (config.publicUrl !== null) return config.publicUrl
  const path = config.paths.includes('/') ? '' : (config.paths[0] ?? '')
  if (!anyAddress.has(config.host)) return `https://${hostPort(config.host, port)}${path}`
  return `https://${hostName(askedFor) ?? 'localhost'}:${port}${path}`
}

/** The same address for the WebSocket fallback. */
export function websocketUrl(relay: string): string {
  return relay.replace(/^https:/, 'wss:')
}

/**
 * The name or address in a `Host` header, or null where there is none. Strict, since it is put into
 * URLs and headers: letters, digits, dots and hyphens, or an IPv6 address in brackets.
 */
export function hostName(header: string | undefined): string | null {
  const [, name] =
    /^([a-z0-9.-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/i.exec(header ?? '') ?? []
  return name?.toLowerCase() ?? null
}

/** Names besides localhost that a certificate made here should be for. */
export function certificateNames(config: Pick<Config, 'host' | 'publicUrl'>): string[] {
  const names = anyAddress.has(config.host) ? [] : [config.host]
  if (config.publicUrl !== null) {
    names.push(new URL(config.publicUrl).hostname.replace(/^\[|\]$/g, ''))
  }
  return names
}
