/** Starts the engines of a relay as it is configured: QUIC on the UDP port, WebSocket on the same of TCP. */

import { randomBytes } from 'node:crypto'
import { lookup } from 'node:dns/promises'
import type { Logger } from 'pino'
import { systemClock } from '../moq/session/index.ts'
import { VERSIONS } from '../moq/wire/versions.ts'
import type { Certificate } from './certificate/index.ts'
import { type Config, ConfigError } from './config.ts'
import { engineLimitsOf } from './config-connection.ts'
import { createWebSocketEngine } from './engine/fails/index.ts'
import { createEngine, type Engine, type EngineOptions } from './engine/index.ts'
import { kernelBufferWarning } from './operate/udp-socket.ts'

type Door = Pick<
  EngineOptions,
  'accept' | 'onSession' | 'onRefused' | 'onLeft' | 'onFault' | 'onLimit'
>

export interface CallEnginesOptions {
  readonly config: Config
  readonly log: Logger
  readonly certificate: Certificate
  readonly door: Door
  /** Each engine as it is there, that it can be closed when the next one cannot start. */
  readonly onStarted: (engine: Engine) => void
}

/**
 * @returns the one on UDP
 * @throws EngineError or ConfigError, with one line for a person
 */
export async function startCallEngines(options: CallEnginesOptions): Promise<Engine> {
  const { config, log, certificate, door, onStarted } = options
  const host = await resolveHost(config.host)
  const engineOptions: EngineOptions = {
    host,
    port: config.port,
    certificate: pemOf(certificate),
    protocols: VERSIONS,
    ...door,
    served: config,
    log: engineLog(log),
    clock: systemClock,
    randomBytes: (length) => randomBytes(length),
    limits: engineLimitsOf(config),
    congestionControl: config.congestionControl,
    ...(config.keylog !== null && { keyLogFile: config.keylog }),
  }
  const engine = await createEngine(config.engine, engineOptions)
  onStarted(engine)
  // TCP on the port that UDP was given.
  onStarted(await createWebSocketEngine({ ...engineOptions, port: engine.address.port }))
  const warning = kernelBufferWarning(engine.stats().kernelBuffer)
  if (warning !== null) log.warn(warning)
  log.debug({ engine: engine.name }, 'engine started')
  return engine
}

/** A certificate as engines take it. */
export function pemOf({ cert, key }: Certificate) {
  return { certPem: cert, keyPem: key }
}

/** Engines bind addresses; a name means its first one. */
async function resolveHost(host: string): Promise<string> {
  try {
    return (await lookup(host)).address
  } catch {
    throw new ConfigError(
      `--host ${host} has no address: use an IP address or a name that resolves`,
    )
  }
}

function engineLog(log: Logger) {
  return {
    debug: (message: string, fields?: Record<string, unknown>) => log.debug(fields ?? {}, message),
    info: (message: string, fields?: Record<string, unknown>) => log.info(fields ?? {}, message),
    warn: (message: string, fields?: Record<string, unknown>) => log.warn(fields ?? {}, message),
  }
}
