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
  /** Null where it runs elsewhere, or nobody said which process it is. */
  readonly pid: number | null
  /** Origin of its ops server; null for one that is not ours. */
  readonly ops: string | null
}

export function ownTarget({ url, host, port, pid, ops }: RelayProcess): Target {
  // Its certificate is made anew at each start, and it is on this machine.
  return { url, trust: { kind: 'none' }, host, port, pid, ops }
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
  return { url, trust: trustOf(address, certificate), host: address, port, pid, ops }
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
