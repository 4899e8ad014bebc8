/**
 * QUIC clients for Node, over the same connections as the relay's engine: raw MoQT and WebTransport.
 * They serve tests, tools and the load generator; browsers use their own WebTransport.
 */

import { randomBytes } from 'node:crypto'
import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import type { TransportSession } from '../transport.ts'
import { loadQuiche } from './binding.ts'
import { clientConfig } from './config.ts'
import { ConnectError, type ConnectFailure } from './connect-error.ts'
import type { Connection, ConnectionEnd } from './connection.ts'
import { Endpoint } from './endpoint.ts'
import { QuicError } from './quic-error.ts'
import { RawApplication } from './raw.ts'
import {
  type CongestionControl,
  DEFAULT_CONGESTION_CONTROL,
  DEFAULT_QUIC_LIMITS,
  type QuicLimits,
  type QuicLog,
} from './settings.ts'
import { checkTrust, isTrusted, rootsOf, type Trust } from './trust.ts'
import { Http3Client } from './webtransport/client.ts'

export interface ClientOptions {
  /** MoQT versions offered, in order of preference. */
  readonly protocols: readonly string[]
  readonly trust?: Trust
  readonly limits?: Partial<QuicLimits>
  readonly congestionControl?: CongestionControl
  /** Where TLS secrets are written for Wireshark; a prefix. */
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

const SILENT: QuicLog = { debug: () => {}, info: () => {}, warn: () => {} }

/**
 * Connects with the ALPN of a MoQT version. The session's `handler` is set in the tick in which the
 * promise is fulfilled. No 0-RTT is used: nothing is sent that could be replayed.
 * @throws ConnectError if there is no connection
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
 * @throws ConnectError if there is no connection or the server refuses
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
  refused(kind: ConnectFailure, reason: string): void
}

/** @param established speaks over the connection, and answers at the door */
async function open(
  options: ClientOptions,
  host: string,
  port: number,
  alpn: readonly string[],
  established: (connection: Connection, door: Door) => void,
): Promise<TransportSession> {
  const name = `${host.includes(':') ? `[${host}]` : host}:${port}`
  const trust = options.trust ?? { kind: 'roots' }
  const peer = { host: await resolveHost(host), port }
  checkTrust(trust, peer.host)
  const limits = { ...DEFAULT_QUIC_LIMITS, ...options.limits }
  const binding = available(() => loadQuiche())
  const config = clientConfig(binding, rootsOf(trust), {
    alpn,
    limits,
    congestionControl: options.congestionControl ?? DEFAULT_CONGESTION_CONTROL,
    logKeys: options.keyLogFile !== undefined,
  })
  const door: Door = { accepted: () => {}, refused: () => {} }
  const answer = new Promise<TransportSession>((resolve, reject) => {
    door.accepted = resolve
    door.refused = (kind, reason) =>
      reject(new ConnectError(kind, `no session with ${name}: ${reason}`))
  })
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
      if (isTrusted(trust, connection.native.peerCertChain()?.[0], host)) {
        established(connection, door)
        return
      }
      door.refused('certificate', 'the certificate is not the one expected')
      connection.close(true, 0, '')
    },
    onEnded: (connection) => door.refused(...explain(connection)),
    onGone: () => void endpoint.close(),
    onUnknown: () => {},
  }).catch(unavailable)
  try {
    // An address is no server name (RFC 6066, Section 3).
    endpoint.connect(config, peer, isIP(host) ? null : host)
  } catch (error) {
    await endpoint.close()
    throw error
  }
  return answer
}

async function resolveHost(host: string): Promise<string> {
  if (isIP(host)) return host
  try {
    return (await lookup(host)).address
  } catch {
    throw new ConnectError('unreachable', `${host} has no address`)
  }
}

function available<T>(load: () => T): T {
  try {
    return load()
  } catch (error) {
    return unavailable(error)
  }
}

function unavailable(error: unknown): never {
  throw error instanceof QuicError ? new ConnectError('unavailable', error.message) : error
}

/** Why a connection ended before it was a session. */
function explain(connection: Connection): [ConnectFailure, string] {
  const { expired, end } = connection
  if (expired || end === null) return ['timeout', 'the server did not answer in time']
  if (end.by === 'timeout') {
    return connection.isEstablished ? ['lost', end.reason] : ['timeout', end.reason]
  }
  if (end.isApplication) {
    const reason = end.reason || `code 0x${end.code.toString(16)}`
    return [end.by === 'peer' ? 'refused' : 'protocol', reason]
  }
  return explainQuicError(end)
}

/** QUIC's crypto errors are 0x100 and a TLS alert (RFC 9001, Section 4.8). */
function explainQuicError({ code, reason }: ConnectionEnd): [ConnectFailure, string] {
  switch (code) {
    case 0x2:
      return ['refused', reason || 'the server refuses connections']
    case 0x178:
      return [
        'no-common-version',
        'the server speaks none of the protocols offered (no_application_protocol)',
      ]
    case 0x12a:
    case 0x12b:
    case 0x12c:
    case 0x12d:
    case 0x12e:
    case 0x130:
      return ['certificate', 'the certificate is not trusted']
    default:
      return ['lost', `QUIC error 0x${code.toString(16)} ${reason}`.trim()]
  }
}
