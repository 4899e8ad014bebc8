import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { parseAddress, type Trust } from '../../../moq/node/index.ts'
import type { RelayProcess } from './relay-process.ts'

/** A relay to be loaded, ours or any other that speaks MoQT. */
export interface Target {
  readonly url: string
  readonly trust: Trust
  /** IPv4 address and UDP port, for shaped networks to lead to. */
  readonly host: string
  readonly port: number
  /** Where the rooms are of a relay of several processes; at `url` are those that are not named. */
  readonly roomUrls: ReadonlyMap<string, string>
  /** Null where it runs elsewhere, or nobody said which process it is. */
  readonly pid: number | null
  /** Origin of its ops server; null for one that is not ours. */
  readonly ops: string | null
}

/** @param rooms of which it is asked where they are */
export async function ownTarget(relay: RelayProcess, rooms: Iterable<string>): Promise<Target> {
  const { url, host, port, pid, ops } = relay
  const roomUrls = new Map<string, string>()
  for (const room of rooms) roomUrls.set(room, await relay.urlOf(room))
  // Its certificate is made anew at each start, and it is on this machine.
  return { url, trust: { kind: 'none' }, host, port, roomUrls, pid, ops }
}

/**
 * @param certificate SHA-256 of its certificate in hexadecimal; without it, a relay on this machine is
 * trusted as it is and any other by the roots that Node trusts
 * @throws ConnectError for what is no address of a relay
 */
export async function namedTarget(
  url: string,
  certificate: string | null,
  pid: number | null,
  ops: string | null,
): Promise<Target> {
  const { host, port } = parseAddress(url)
  const address = isIP(host) ? host : (await lookup(host, 4)).address
  const trust = trustOf(address, certificate)
  return { url, trust, host: address, port, roomUrls: new Map(), pid, ops }
}

function trustOf(address: string, certificate: string | null): Trust {
  if (certificate !== null) return { kind: 'hash', sha256: certificate }
  return { kind: address.startsWith('127.') || address === '::1' ? 'none' : 'roots' }
}

/**
 * The target as it is reached through a shaped network on this machine. The certificate cannot be
 * checked by name then.
 */
export function throughLink({ url, trust }: Target, port: number): { url: string; trust: Trust } {
  const { over, path } = parseAddress(url)
  const scheme = over === 'quic' ? 'moqt' : 'https'
  return {
    url: `${scheme}://127.0.0.1:${port}${path}`,
    trust: trust.kind === 'hash' ? trust : { kind: 'none' },
  }
}
