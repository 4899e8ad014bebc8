/**
 * The native HTTP/3 server of `@fails-components/webtransport` (Google's quiche) as an engine. Its
 * native part is an optional dependency; ask `failsNativeInstalled` before.
 */

import {
  DEFAULT_LIMITS,
  type Engine,
  EngineError,
  type EngineLimits,
  type EngineOptions,
} from '../engine.ts'
import { checkCertificate, type FailsCarrier, FailsEngine, messageOf } from './fails-engine.ts'
import { loadFailsPackage } from './package.ts'

/**
 * Starts the engine; `port` is a UDP port.
 * @throws EngineError if the port cannot be had or the certificate cannot be used
 */
export async function createFailsEngine(options: EngineOptions): Promise<Engine> {
  checkCertificate(options.certificate)
  const { Http3Server } = await loadFailsPackage()
  const server = new Http3Server(serverSettings(options, { ...DEFAULT_LIMITS, ...options.limits }))
  try {
    await server.createTransportInt()
  } catch (error) {
    throw new EngineError(`the engine fails cannot start: ${messageOf(error)}`)
  }
  const carrier: FailsCarrier = {
    name: 'fails',
    kind: 'webtransport',
    portKind: 'UDP',
    refuse(event, status) {
      server.transportInt.finishSessionRequest({ ...event, status, path: '/' })
    },
    // Here the session begins, or not, before `finishSessionRequest` returns.
    onLeft(_event, callback) {
      queueMicrotask(() => queueMicrotask(callback))
    },
    isAlive: () => true,
    link: () => null,
    async stop() {
      server.stopServer()
      await server.closed
    },
    stats: () => ({}),
  }
  const engine = new FailsEngine(server, carrier, options)
  await engine.listen()
  return engine
}

function serverSettings(options: EngineOptions, limits: EngineLimits) {
  return {
    host: options.host,
    port: options.port,
    cert: options.certificate.certPem,
    privKey: options.certificate.keyPem,
    secret: Buffer.from(options.randomBytes(32)).toString('hex'),
    maxConnections: limits.maxSessions,
    defaultDatagramsReadableMode: 'bytes' as const,
    initialUnidirectionalStreams: limits.uniStreams,
    initialBidirectionalStreams: limits.bidiStreams,
    initialStreamFlowControlWindow: Math.min(limits.streamWindow, 256 * 1024),
    initialSessionFlowControlWindow: Math.min(limits.connectionWindow, 1024 * 1024),
    streamFlowControlWindowSizeLimit: limits.streamWindow,
    sessionFlowControlWindowSizeLimit: limits.connectionWindow,
  }
}
