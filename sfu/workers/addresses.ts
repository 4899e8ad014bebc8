/** Where each worker is reached: on a port of its own, on the host by which a client reaches any of them. */

import type { Config } from '../config.ts'
import { type Target, targetOf } from '../engine/index.ts'
import { hostName, relayUrl } from '../operate/address.ts'
import type { Peer } from '../relay/index.ts'

type Addressed = Pick<Config, 'host' | 'publicUrl' | 'paths'>

/** A URL with a port that is higher by so much. @param url `https://…` */
function withPort(url: string, more: number): string {
  const parsed = new URL(url)
  const port = Number(parsed.port || 443) + more
  parsed.port = String(port)
  return parsed.href.replace(/\/+$/, '')
}

/**
 * The URL of a worker for browsers.
 * @param ports of all workers
 * @param askedFor the `Host` header of the request, see `relayUrl`
 */
export function workerUrl(
  config: Addressed,
  ports: readonly number[],
  worker: number,
  askedFor: string | undefined,
): string {
  const url = relayUrl(config, ports[worker] ?? 0, askedFor)
  // Behind a public address there is a port for each, too.
  return config.publicUrl === null || worker === 0 ? url : withPort(url, worker)
}

/**
 * The URI of a worker for a client of another one, with the scheme and the path by which it came; null
 * while the ports are not known.
 */
export function workerUri(
  config: Addressed,
  ports: readonly number[],
  worker: number,
  client: Pick<Peer, 'session' | 'setup'>,
): string | null {
  const port = ports[worker]
  if (port === undefined) return null
  const { transport } = client.session
  const scheme = transport.kind === 'quic' ? 'moqt' : 'https'
  if (config.publicUrl !== null) {
    return withPort(config.publicUrl, worker).replace(/^https:/, `${scheme}:`)
  }
  const { authority, path }: Target =
    transport.kind === 'quic' && client.setup
      ? targetOf(client.setup)
      : { authority: transport.authority ?? null, path: transport.path }
  const said = hostName(authority ?? undefined)
  if (said !== null) return `${scheme}://${said}:${port}${path ?? ''}`
  const { host } = new URL(relayUrl(config, port, undefined))
  return `${scheme}://${host}${path ?? ''}`
}
