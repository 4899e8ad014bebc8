/**
 * QUIC clients for Node, over the same connections as the engine: raw MoQT and WebTransport. They
 * serve tests, tools and the load generator; browsers use their own WebTransport.
 */

import { createHash, randomBytes, timingSafeEqual, X509Certificate } from 'node:crypto'
import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { rootCertificates } from 'node:tls'
import type { TransportSession } from '../../../moq/transport/transport.ts'
import {
  type CongestionControl,
  DEFAULT_LIMITS,
  EngineError,
  type EngineLimits,
  type EngineLog,
} from '../engine.ts'
import { loadQuiche } from './binding.ts'
import { clientConfig } from './config.ts'
import type { Connection } from './connection.ts'
import { Endpoint } from './endpoint.ts'
import { RawApplication } from './raw.ts'
import { Http3Client } from './webtransport/client.ts'

/** How the server's certificate is checked. Default: against the roots that Node trusts. */
export type Trust =
  | { readonly kind: 'roots'; readonly ca?: string }
  /** SHA-256 of the leaf in DER, as hexadecimal; all else about it is ignored. */
  | { readonly kind: 'hash'; readonly sha256: string }
  /** For tests only. */
  | { readonly kind: 'none' }

export interface ClientOptions {
  /** MoQT versions offered, in order of preference. */
  readonly protocols: readonly string[]
  readonly trust?: Trust
  readonly limits?: Partial<EngineLimits>
  readonly congestionControl?: CongestionControl
  readonly keyLogFile?: string
}

export interface QuicClientOptions extends ClientOptions {
  /** Name or IP address. */
  readonly host: string
  readonly port: number
  /** What the session reports as its path; over raw QUIC, MoQT itself sends it. */
  readonly path?: string
}

export interface WebTransportClientOptions extends ClientOptions {
  readonly origin?: string
}

const SILENT: EngineLog = { debug: () => {}, info: () => {}, warn: () => {} }

/**
 * Connects with the ALPN of a MoQT version. The session's `handler` is set in the tick in which the
 * promise is fulfilled.
 * @throws EngineError if there is no connection, with the reason
 */
export function connectQuic(options: QuicClientOptions): Promise<TransportSession> {
  return open(options, options.host, options.port, options.protocols, (connection, door) => {
    const alpn = new TextDecoder().decode(connection.native.applicationProto())
    const application = new RawApplication(connection, alpn, options.path ?? '', () => {})
    connection.application = application
    door.accepted(application.session)
  })
}

/**
 * Connects to an `https` URL and asks for a WebTransport session there. The session's `handler` is
 * set in the tick in which the promise is fulfilled.
 * @throws EngineError if there is no connection or the server refuses, with the reason
 */
export function connectWebTransport(
  url: string,
  options: WebTransportClientOptions,
): Promise<TransportSession> {
  const { hostname, port, host, pathname, search } = new URL(url)
  const target = {
    authority: host,
    path: pathname + search,
    origin: options.origin ?? null,
    protocols: options.protocols,
  }
  const address = hostname.replace(/^\[(.*)\]$/, '$1')
  return open(options, address, Number(port || 443), ['h3'], (connection, door) => {
    connection.application = new Http3Client(connection, monotonicNow, target, door)
  })
}

const monotonicNow = () => performance.now()

interface Door {
  accepted(session: TransportSession): void
  refused(reason: string): void
}

async function open(
  options: ClientOptions,
  host: string,
  port: number,
  alpn: readonly string[],
  established: (connection: Connection, door: Door) => void,
): Promise<TransportSession> {
  const binding = loadQuiche()
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  const trust = options.trust ?? { kind: 'roots' }
  const config = clientConfig(
    binding,
    trust.kind === 'roots' ? (trust.ca ?? rootCertificates.join('\n')) : null,
    {
      alpn,
      limits,
      congestionControl: options.congestionControl ?? 'bbr',
      logKeys: options.keyLogFile !== undefined,
    },
  )
  const peer = { host: isIP(host) ? host : (await lookup(host)).address, port }
  const { promise, resolve, reject } = Promise.withResolvers<TransportSession>()
  const door: Door = {
    accepted: resolve,
    refused: (reason) => reject(new EngineError(`no session with ${host}:${port}: ${reason}`)),
  }
  const endpoint = await Endpoint.open({
    host: isIP(peer.host) === 6 ? '::' : '0.0.0.0',
    port: 0,
    binding,
    limits,
    log: SILENT,
    clock: { now: monotonicNow },
    randomBytes: (length) => randomBytes(length),
    keyLogFile: options.keyLogFile,
    onEstablished: (connection) => {
      if (isTrusted(connection, trust, host)) {
        established(connection, door)
        return
      }
      door.refused('the certificate is not the one expected')
      connection.close(true, 0, '')
    },
    onEnded: ({ end }) => {
      door.refused(end === null ? 'it was lost' : end.reason || explain(end.code))
    },
    onGone: () => void endpoint.close(),
    onUnknown: () => {},
  })
  // An address is no server name (RFC 6066, Section 3).
  endpoint.connect(config, peer, isIP(host) ? null : host)
  return promise
}

/** What TLS itself does not check: quiche checks the chain against the roots, never the name. */
function isTrusted(connection: Connection, trust: Trust, host: string): boolean {
  if (trust.kind === 'none') return true
  const [leaf] = connection.native.peerCertChain() ?? []
  if (leaf === undefined) return false
  if (trust.kind === 'hash') {
    const expected = Buffer.from(trust.sha256, 'hex')
    const actual = createHash('sha256').update(leaf).digest()
    return expected.length === actual.length && timingSafeEqual(actual, expected)
  }
  const certificate = new X509Certificate(leaf)
  return (isIP(host) ? certificate.checkIP(host) : certificate.checkHost(host)) !== undefined
}

/** QUIC's crypto errors are 0x100 and a TLS alert (RFC 9001, Section 4.8). */
function explain(code: number): string {
  switch (code) {
    case 0x178:
      return 'the server speaks none of the protocols offered (no_application_protocol)'
    case 0x12a:
    case 0x12e:
    case 0x130:
      return 'the certificate is not trusted'
    default:
      return `QUIC error 0x${code.toString(16)}`
  }
}
