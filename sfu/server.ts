/**
 * A relay: what serves calls, the call page and the ops port, with one certificate. All of it is in one
 * process; see `workers/` for several.
 */

import type { Logger } from 'pino'
import { startCallPage } from './call-page.ts'
import { CallServer } from './call-server.ts'
import { type Certificate, CertificateKeeper } from './certificate/index.ts'
import { type Config, configWarnings, isOpenOnLoopback } from './config.ts'
import { certificateNames, relayUrl } from './operate/address.ts'
import { debugData, debugPage } from './operate/debug.ts'
import type { Listening } from './operate/http.ts'
import { startOpsServer } from './operate/ops.ts'

export interface RunningServer {
  /** Where each part listens. */
  readonly urls: { readonly relay: string; readonly web: string; readonly ops: string }
  /** Reads the certificate's files and the issuer's keys again (SIGHUP). */
  reload(): Promise<void>
  /** Asks callers to leave, waits for them at most as configured, then closes everything. */
  drain(): Promise<void>
  /** Closes everything now. */
  close(): Promise<void>
  /**
   * Settles when everything is closed, by whatever asked for it (a signal, `POST /drain`): with null, or
   * with what it could not go on for, a sentence for a person.
   */
  readonly ended: Promise<string | null>
}

/**
 * Starts the relay in this process. When this rejects, nothing is left open.
 * @throws ConfigError, CertificateError, JwksError, EngineError or ListenError, each with one line for
 * a person
 */
export async function startServer(config: Config, log: Logger): Promise<RunningServer> {
  const server = new Server(config, log)
  try {
    await server.start()
    return server
  } catch (error) {
    await server.close()
    throw error
  }
}

/** What an operator should know of a configuration, in the log. */
export function tellOf(config: Config, log: Logger): void {
  for (const warning of configWarnings(config)) log.warn(warning)
  if (isOpenOnLoopback(config)) {
    log.info('the relay is open: whoever knows the name of a room may join it')
  }
}

/** The certificate as it is configured. @throws CertificateError */
export function openCertificate(config: Config, log: Logger): Promise<CertificateKeeper> {
  const { tlsCert, tlsKey } = config
  return CertificateKeeper.open({
    names: certificateNames(config),
    files: tlsCert !== null && tlsKey !== null ? { cert: tlsCert, key: tlsKey } : null,
    now: Date.now,
    onProblem: (message) => log.warn(message),
  })
}

class Server implements RunningServer {
  private readonly config: Config
  private readonly log: Logger
  private readonly calls: CallServer
  private readonly listeners: Listening[] = []
  private keeper: CertificateKeeper | null = null
  private readonly end = Promise.withResolvers<null>()
  private closing: Promise<void> | null = null
  private addresses = { relay: '', web: '', ops: '' }

  constructor(config: Config, log: Logger) {
    this.config = config
    this.log = log
    this.calls = new CallServer(config, log)
  }

  get urls() {
    return this.addresses
  }

  get ended(): Promise<null> {
    return this.end.promise
  }

  async start(): Promise<void> {
    const { config, log, calls } = this
    tellOf(config, log)
    this.keeper = await openCertificate(config, log)
    const port = await calls.start(this.keeper.current)
    this.keeper.onRotate((certificate) => this.onRotate(certificate))
    this.addresses = {
      relay: relayUrl(config, port, undefined),
      web: await this.startWeb(this.keeper, port),
      ops: await this.startOps(),
    }
  }

  async reload(): Promise<void> {
    await Promise.all([this.keeper?.check(), this.calls.admission?.reload()])
  }

  async drain(): Promise<void> {
    await this.calls.drain()
    await this.close()
  }

  close(): Promise<void> {
    this.closing ??= this.closeOnce()
    return this.closing
  }

  private async startWeb(keeper: CertificateKeeper, port: number): Promise<string> {
    const { config, calls, log } = this
    const web = await startCallPage({
      config,
      log,
      keeper,
      relayOf: (askedFor) => relayUrl(config, port, askedFor),
      relays: (askedFor) => [relayUrl(config, port, askedFor)],
      issuerKeys: () => calls.admission?.publicKeys ?? null,
    })
    this.listeners.push(web)
    return web.url
  }

  private async startOps(): Promise<string> {
    const { calls, log } = this
    const { admission, debug, metrics } = calls
    const ops = await startOpsServer({
      host: this.config.opsHost,
      port: this.config.opsPort,
      metrics: metrics.registry,
      notReady: () => calls.notReady(),
      rooms: (room) => calls.viewRooms(room),
      debug: {
        page: (query) => debugPage(debug, query),
        data: (query) => debugData(debug, query),
      },
      drain: () => void this.drain(),
      revoke: admission && ((revoked, expires) => admission.revoke(revoked, expires)),
      log,
    })
    this.listeners.push(ops)
    return ops.url
  }

  private onRotate(certificate: Certificate): void {
    this.calls.setCertificate(certificate)
    this.log.info({ sha256: certificate.sha256 }, 'certificate changed')
  }

  private async closeOnce(): Promise<void> {
    this.keeper?.close()
    const parts = [this.calls, ...this.listeners]
    await Promise.all(parts.map((part) => part.close()))
    this.end.resolve(null)
  }
}
