/**
 * A relay of several processes: this one has certificate, call page and ops port, and keeps the workers,
 * each of which serves the rooms that are its own (see `README.md`).
 */

import type { Logger } from 'pino'
import { systemClock } from '../../moq/session/index.ts'
import { AdmissionControl, type RevocationOutcome, type Revoked } from '../admission/index.ts'
import { startCallPage } from '../call-page.ts'
import type { Certificate, CertificateKeeper } from '../certificate/index.ts'
import type { Config } from '../config.ts'
import { DirectoryLock } from '../delivery/index.ts'
import type { Listening } from '../operate/http.ts'
import { startOpsServer } from '../operate/ops.ts'
import { openCertificate, type RunningServer, tellOf } from '../server.ts'
import { workerUrl } from './addresses.ts'
import { forkWorker } from './fork.ts'
import { MergedMetrics } from './merged-metrics.ts'
import type { Revocation } from './messages.ts'
import { placeOfRoom } from './place.ts'
import { WorkerViews } from './views.ts'
import { WorkerPool } from './worker-pool.ts'

/** What a worker has to close after its callers have gone, ms. */
const CLOSE_MS = 5000
const ANSWER_MS = 5000

/**
 * Starts `config.workers` processes. When this rejects, none is left.
 * @throws as `startServer`, and WorkerError with one line for a person
 */
export async function startWorkers(config: Config, log: Logger): Promise<RunningServer> {
  const parent = new Parent(config, log)
  try {
    await parent.start()
    return parent
  } catch (error) {
    await parent.close()
    throw error
  }
}

class Parent implements RunningServer {
  private readonly config: Config
  private readonly log: Logger
  private readonly pool: WorkerPool
  private readonly views: WorkerViews
  private readonly metrics: MergedMetrics
  private readonly listeners: Listening[] = []
  private readonly end = Promise.withResolvers<string | null>()
  private keeper: CertificateKeeper | null = null
  /** What is revoked, for workers that are started again; null where nobody needs a token. */
  private rights: AdmissionControl | null = null
  private lock: DirectoryLock | null = null
  private addresses = { relay: '', web: '', ops: '' }
  private draining: Promise<void> | null = null
  private closing: Promise<void> | null = null
  private failure: string | null = null

  constructor(config: Config, log: Logger) {
    this.config = config
    this.log = log
    this.pool = new WorkerPool({
      count: config.workers,
      clock: systemClock,
      spawn: (_index, events) => forkWorker(events),
      startOf: (index) => this.startOf(index),
      onGone: (worker, how, restartMs) => this.onGone(worker, how, restartMs),
      onBack: (worker) => log.warn({ worker }, 'the worker serves again'),
      onGivenUp: (reason) => {
        this.failure = reason
        void this.close()
      },
    })
    this.views = new WorkerViews(this.pool, config.workers)
    this.metrics = new MergedMetrics(
      { serving: () => this.pool.serving, restarts: () => this.pool.restarts },
      () => this.pool.askAll({ kind: 'metrics' }, ANSWER_MS),
    )
  }

  get urls() {
    return this.addresses
  }

  get ended(): Promise<string | null> {
    return this.end.promise
  }

  async start(): Promise<void> {
    const { config, log, pool } = this
    tellOf(config, log)
    this.keeper = await openCertificate(config, log)
    if (config.auth.kind !== 'none') {
      this.rights = await AdmissionControl.open({
        location: config.auth,
        clock: systemClock,
        wallClock: Date.now,
        onProblem: (sentence) => log.warn(sentence),
      })
    }
    if (config.dataDir !== null) this.lock = DirectoryLock.take(config.dataDir, process.pid)
    await pool.start()
    this.keeper.onRotate((certificate) => this.onRotate(certificate))
    this.addresses = {
      relay: this.urlOf(0, undefined),
      web: await this.startWeb(this.keeper),
      ops: await this.startOps(),
    }
    log.info({ workers: config.workers, ports: pool.ports }, 'rooms are spread over workers')
  }

  async reload(): Promise<void> {
    this.pool.tell({ type: 'reload' })
    await Promise.all([this.keeper?.check(), this.rights?.reload()])
  }

  drain(): Promise<void> {
    this.draining ??= this.drainOnce()
    return this.draining
  }

  close(): Promise<void> {
    this.closing ??= this.closeOnce()
    return this.closing
  }

  // ---- start

  private startOf(index: number) {
    const { config, keeper, rights } = this
    if (!keeper) throw new Error('workers are started before there is a certificate')
    const { port, keylog } = config
    return {
      config: {
        ...config,
        port: port === 0 ? 0 : port + index,
        keylog: keylog && `${keylog}.worker-${index}`,
      },
      certificate: keeper.current,
      revocations: rights?.revocations ?? [],
    }
  }

  private urlOf(worker: number, askedFor: string | undefined): string {
    return workerUrl(this.config, this.pool.ports, worker, askedFor)
  }

  private async startWeb(keeper: CertificateKeeper): Promise<string> {
    const { config, log } = this
    const { workers } = config
    const web = await startCallPage({
      config,
      log,
      keeper,
      relayOf: (askedFor, room) =>
        this.urlOf(room === null ? 0 : placeOfRoom(room, workers), askedFor),
      relays: (askedFor) =>
        Array.from({ length: workers }, (_, worker) => this.urlOf(worker, askedFor)),
      issuerKeys: () => this.rights?.publicKeys ?? null,
    })
    this.listeners.push(web)
    return web.url
  }

  private async startOps(): Promise<string> {
    const { config, rights, log } = this
    const ops = await startOpsServer({
      host: config.opsHost,
      port: config.opsPort,
      metrics: this.metrics,
      notReady: async () => (this.draining ? ['draining'] : await this.views.notReady()),
      rooms: (room) => this.views.rooms(room),
      debug: {
        page: (query) => this.views.debug('page', query),
        data: (query) => this.views.debug('data', query),
      },
      drain: () => void this.drain(),
      revoke: rights && ((revoked, expires) => this.revoke(rights, revoked, expires)),
      log,
    })
    this.listeners.push(ops)
    return ops.url
  }

  // ---- what happens

  private onRotate(certificate: Certificate): void {
    this.pool.tell({ type: 'certificate', certificate })
    this.log.info({ sha256: certificate.sha256 }, 'certificate changed')
  }

  private onGone(worker: number, how: string, restartMs: number): void {
    this.metrics.gone(worker)
    this.log.error({ worker, how, restartMs }, 'a worker is gone and is started again')
  }

  private async revoke(
    rights: AdmissionControl,
    revoked: Revoked,
    expires: number | null,
  ): Promise<RevocationOutcome> {
    const { pool } = this
    const known = [...(await pool.askAll({ kind: 'expiry', revoked }, ANSWER_MS)).values()]
    const latest = known.reduce<number>((most, one) => Math.max(most, one ?? 0), 0)
    const until = expires ?? (latest > 0 ? latest : null)
    // Here first: a worker that is started meanwhile is told of it.
    const kept = rights.revoke(revoked, until)
    if (!kept.revoked) return kept
    const revocation: Revocation = { revoked, expires: until }
    const answers = await pool.askAll({ kind: 'revoke', revocation }, ANSWER_MS)
    for (let worker = 0; worker < this.config.workers; worker++) {
      if (pool.isServing(worker) && !answers.has(worker)) {
        throw new Error(`worker ${worker} did not say that it took a revocation`)
      }
    }
    const outcomes = [...answers.values()]
    return {
      revoked: outcomes.every((outcome) => outcome.revoked),
      until,
      ended: outcomes.reduce((sum, { ended }) => sum + ended, 0),
    }
  }

  // ---- end

  private async drainOnce(): Promise<void> {
    const { drainTimeoutMs } = this.config
    this.log.info({ drainTimeoutMs }, 'draining')
    await this.pool.finish('drain', drainTimeoutMs + CLOSE_MS)
    await this.close()
  }

  private async closeOnce(): Promise<void> {
    this.keeper?.close()
    this.rights?.close()
    await this.pool.finish('close', CLOSE_MS)
    await Promise.all(this.listeners.map((part) => part.close()))
    this.metrics.close()
    this.lock?.release()
    this.end.resolve(this.failure)
  }
}
