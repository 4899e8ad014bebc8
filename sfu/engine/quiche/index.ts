/**
 * The quiche engine: QUIC by the native binding of `@matrixai/quic`, HTTP/3 and WebTransport by us.
 * One UDP port serves browsers (ALPN `h3`) and native clients (ALPN = MoQT version).
 */

import { isIP } from 'node:net'
import {
  type HostPort,
  loadQuiche,
  type NativeConfig,
  type QuicheBinding,
} from '../../../moq/transport/quiche/binding.ts'
import type { Connection } from '../../../moq/transport/quiche/connection.ts'
import { Endpoint } from '../../../moq/transport/quiche/endpoint.ts'
import { QuicError } from '../../../moq/transport/quiche/quic-error.ts'
import {
  DEFAULT_CONGESTION_CONTROL,
  type QuicSettings,
} from '../../../moq/transport/quiche/settings.ts'
import {
  type Certificate,
  DEFAULT_LIMITS,
  type Engine,
  EngineError,
  type EngineLimits,
  type EngineOptions,
  type EngineStats,
} from '../engine.ts'
import { AddressTokens } from './address-token.ts'
import { Greeter } from './greeter.ts'
import { serverConfig } from './server-config.ts'
import { SessionGate } from './session-gate.ts'

/** MoQT session termination code of an engine that stops (NO_ERROR). */
const STOPPING = 0x0

const FLAWS =
  'CVE-2023-6193, CVE-2024-1410, CVE-2024-1765, CVE-2025-4820, CVE-2025-4821, CVE-2025-7054'

/**
 * Starts the engine.
 * @throws EngineError if the binding is not installed, the port is taken or the certificate is bad
 */
export async function createQuicheEngine(options: EngineOptions): Promise<Engine> {
  if (isIP(options.host) === 0) {
    throw new EngineError(`the host "${options.host}" is not an IP address`)
  }
  let engine: QuicheEngine
  try {
    engine = new QuicheEngine(loadQuiche(), options)
    await engine.listen()
  } catch (error) {
    throw error instanceof QuicError ? new EngineError(error.message, error.code) : error
  }
  if (!isLoopback(options.host)) {
    options.log.warn(
      `the quiche engine has published denial-of-service flaws (quiche 0.18.0: ${FLAWS}); ` +
        'on a network that you do not trust, install ' +
        '@fails-components/webtransport-transport-http3-quiche and use --engine fails',
    )
  }
  return engine
}

class QuicheEngine implements Engine {
  readonly name = 'quiche'
  #binding: QuicheBinding
  #options: EngineOptions
  #limits: EngineLimits
  #settings: QuicSettings
  #config: NativeConfig
  #gate: SessionGate
  #greeter: Greeter
  #endpoint: Endpoint | null = null

  constructor(binding: QuicheBinding, options: EngineOptions) {
    this.#binding = binding
    this.#options = options
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits }
    this.#settings = {
      alpn: [...options.protocols, 'h3'],
      limits: this.#limits,
      congestionControl: options.congestionControl ?? DEFAULT_CONGESTION_CONTROL,
      logKeys: options.keyLogFile !== undefined,
    }
    this.#config = serverConfig(binding, options.certificate, this.#settings)
    this.#gate = new SessionGate(options, this.#limits)
    this.#greeter = new Greeter(
      binding,
      new AddressTokens(options.randomBytes(32), () => options.clock.now()),
      options.addressValidation ?? 'under-load',
      this.#limits.maxHandshakes,
      () => options.onLimit?.('handshakes'),
    )
  }

  async listen(): Promise<void> {
    this.#endpoint = await Endpoint.open({
      host: this.#options.host,
      port: this.#options.port,
      binding: this.#binding,
      limits: this.#limits,
      log: this.#options.log,
      clock: this.#options.clock,
      randomBytes: (length) => this.#options.randomBytes(length),
      keyLogFile: this.#options.keyLogFile,
      onEstablished: (connection) => this.#gate.established(connection),
      onEnded: (connection) => this.#gate.ended(connection),
      onGone: (connection) => this.#gate.ended(connection),
      onUnknown: (packet, from) => this.#greet(packet, from),
    })
  }

  get address(): HostPort {
    return this.#endpoint!.local
  }

  stats(): EngineStats {
    const endpoint = this.#endpoint!
    return {
      ...endpoint.stats,
      ...this.#greeter.stats,
      kernelBuffer: endpoint.kernelBuffer,
      connections: endpoint.size,
      handshakes: this.#gate.young.size,
      sessions: this.#gate.sessions.size,
      bytesHeld: this.#gate.bytesHeld,
      sessionsAccepted: this.#gate.accepted,
      sessionsRefused: this.#gate.refused,
    }
  }

  setCertificate(certificate: Certificate): void {
    this.#config = serverConfig(this.#binding, certificate, this.#settings)
  }

  async close(): Promise<void> {
    for (const session of this.#gate.sessions) session.close(STOPPING, 'the relay is stopping')
    await this.#endpoint!.close()
  }

  #greet(packet: Uint8Array, from: HostPort): void {
    const endpoint = this.#endpoint!
    const reply = this.#greeter.greet(packet, from, this.#gate.young.size, () =>
      endpoint.newConnectionId(),
    )
    if (reply === null) return
    if (reply instanceof Uint8Array) {
      endpoint.sendOnce(reply, from)
      return
    }
    let connection: Connection
    try {
      const { id, firstId, originalId } = reply
      connection = endpoint.accept(this.#config, from, id, firstId, originalId)
    } catch (error) {
      // E.g. an address that the binding does not understand.
      this.#options.log.debug('a connection could not be accepted', {
        peer: `${from.host}:${from.port}`,
        error: error instanceof Error ? error.message : String(error),
      })
      return
    }
    this.#gate.young.add(connection)
    connection.receive(packet, { address: from.host, port: from.port })
  }
}

function isLoopback(host: string): boolean {
  return host === '::1' || host.startsWith('127.')
}
