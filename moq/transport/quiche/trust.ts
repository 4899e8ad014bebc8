/** Whether a client trusts the server's certificate. quiche checks a chain, never a name or a hash. */

import { createHash, timingSafeEqual, X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import * as tls from 'node:tls'
import { ConnectError } from './connect-error.ts'

/** How the server's certificate is checked. Default: against the roots that Node trusts. */
export type Trust =
  /** `ca`: PEM texts of the roots that are trusted instead of Node's. */
  | { readonly kind: 'roots'; readonly ca?: string }
  /** SHA-256 of the leaf in DER, as hexadecimal; all else about it is ignored. */
  | { readonly kind: 'hash'; readonly sha256: string }
  /** Not at all; only a server on this machine (127.0.0.0/8, ::1) is connected to so. */
  | { readonly kind: 'none' }

/** PEM texts of the roots that the chain is checked against, or null if it is not checked. */
export function rootsOf(trust: Trust): string | null {
  if (trust.kind !== 'roots') return null
  return trust.ca ?? defaultRoots().join('\n')
}

/** Those of `NODE_EXTRA_CA_CERTS` and `--use-system-ca` are among them where Node tells them. */
function defaultRoots(): readonly string[] {
  return typeof tls.getCACertificates === 'function'
    ? tls.getCACertificates('default')
    : tls.rootCertificates
}

/**
 * @param address the server's IP address
 * @throws ConnectError if no connection may be made in this way
 */
export function checkTrust(trust: Trust, address: string): void {
  if (trust.kind === 'hash' && !/^[0-9a-f]{64}$/i.test(trust.sha256)) {
    throw new ConnectError(
      'certificate',
      'the pinned hash is not a SHA-256 of 64 hexadecimal digits',
    )
  }
  if (trust.kind === 'none' && !isLoopback(address)) {
    throw new ConnectError(
      'certificate',
      `${address} is not this machine: trust its certificate by its roots or by its hash`,
    )
  }
}

/**
 * What TLS itself did not check.
 * @param leaf DER
 * @param host the name or IP address that was asked for
 */
export function isTrusted(trust: Trust, leaf: Uint8Array | undefined, host: string): boolean {
  if (trust.kind === 'none') return true
  if (leaf === undefined) return false
  if (trust.kind === 'hash') {
    const actual = createHash('sha256').update(leaf).digest()
    return timingSafeEqual(actual, Buffer.from(trust.sha256, 'hex'))
  }
  const certificate = new X509Certificate(leaf)
  return (isIP(host) ? certificate.checkIP(host) : certificate.checkHost(host)) !== undefined
}

function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.')
}
