/**
 * Puts the rooms of the relay process together: certificate, engines, relay, delivery service, call
 * page and ops port; and takes them down in order.
 */

import { randomBytes } from 'node:crypto'
import { lookup } from 'node:dns/promises'
import { fileURLToPath } from 'node:url'
import type { Logger } from 'pino'
import { DELIVERY_FIELD } from '../moq/delivery/names.ts'
import { systemClock } from '../moq/session/index.ts'
import { createTransportPair } from '../moq/transport/memory.ts'
import type { TransportSession } from '../moq/transport/transport.ts'
import { SessionCode } from '../moq/wire/codes.ts'
import type { Setup } from '../moq/wire/messages.ts'
import { VERSIONS } from '../moq/wire/versions.ts'
import { AdmissionControl, type AdmissionEvents, type SessionAdmission } from './admission/index.ts'
import { type Certificate, CertificateKeeper } from './certificate/index.ts'
import { type Config, ConfigError, configWarnings, isOpenOnLoopback, version } from './config.ts'
import { budgetOptionsOf } from './config-congestion.ts'
import { engineLimitsOf } from './config-connection.ts'
import { sequencerSettingsOf } from './config-delivery.ts'
import { admissionLimitsOf, relayLimitsOf, sessionLimitsOf } from './config-limits.ts'
import { roomsBoundsOf } from './config-operate.ts'
import { policeSettingsOf } from './config-police.ts'
import { DeliveryEndpoint } from './delivery/endpoint.ts'
import { FileStore, Sequencer } from './delivery/index.ts'
import { registerDeliveryMetrics } from './delivery/metrics.ts'
import { createWebSocketEngine } from './engine/fails/index.ts'
import {
  checkSetupTarget,
  createEngine,
  type Engine,
  type EngineLimitName,
  type EngineOptions,
} from './engine/index.ts'
import { FeedbackEndpoint } from './feedback/index.ts'
import { certificateNames, relayUrl, websocketUrl } from './operate/address.ts'
import type { Listening } from './operate/http.ts'
import type { Levels } from './operate/levels.ts'
import { countLimit, countSessionLimit } from './operate/limit-hits.ts'
import { createMetrics, type Metrics } from './operate/metrics.ts'
import { startOpsServer } from './operate/ops.ts'
import { roomsView } from './operate/rooms-view.ts'
import { kernelBufferWarning, udpDrops } from './operate/udp-socket.ts'
import { startWebServer } from './operate/web.ts'
import {
  dumpRoom,
  guardedClock,
  participantsByRoom,
  Relay,
  relayLevels,
  viewRoom,
} from './relay/index.ts'
import { SessionGate } from './session-gate.ts'
import { SessionRefusals } from './session-refusals.ts'

const APP_DIRECTORY = fileURLToPath(new URL('../dist/app', import.meta.url))

export interface RunningServer {
  /** Where each part listens. */
  readonly urls: { readonly relay: string; readonly web: string; readonly ops: string }
  /** Reads the certificate's files and the issuer's keys again (SIGHUP). */
  reload(): Promise<void>
  /** Asks callers to leave, waits for them at most as configured, then closes everything. */
  drain(): Promise<void>
  /** Closes everything now. */
  close(): Promise<void>
  /** Settles when everything is closed, by whatever asked for it (a signal, `POST /drain`). */
  readonly ended: Promise<void>
}

/**
 * Starts the relay. When this rejects, nothing is left open.
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

class Server implements RunningServer {
  private readonly config: Config
  private readonly log: Logger
  private readonly gate: SessionGate
  private readonly metrics: Metrics
  private readonly refusals: SessionRefusals
  private readonly relay: Relay
  private readonly listeners: Listening[] = []
  private readonly engines: Engine[] = []
  private keeper: CertificateKeeper | null = null
  /** Null where everybody may enter. Opened before any engine listens. */
  private admission: AdmissionControl | null = null
  private delivery: DeliveryEndpoint | null = null
  private store: FileStore | null = null
  private feedback: FeedbackEndpoint | null = null
  private readonly end = Promise.withResolvers<void>()
  private draining: Promise<void> | null = null
  private closing: Promise<void> | null = null
  private addresses = { relay: '', web: '', ops: '' }

  constructor(config: Config, log: Logger) {
    this.config = config
    this.log = log
    this.metrics = createMetrics({
      version,
      engine: () => this.engines[0]?.name ?? config.engine,
      levels: () => this.levels(),
      illLagMs: config.illLagMs,
    })
    this.gate = new SessionGate(config, this.metrics.counters)
    this.refusals = new SessionRefusals(log, this.metrics.counters)
    this.relay = new Relay({
      clock: systemClock,
      counters: this.metrics.counters,
      limits: relayLimitsOf(config),
      sessionLimits: sessionLimitsOf(config),
      budget: budgetOptionsOf(config),
      onLimit: (limit) => countLimit(this.metrics.counters.limits, limit),
      police: policeSettingsOf(config),
      onPoliced: (peer, dropped) =>
        log.info(
          { ...this.refusals.fieldsOf(peer.session.transport), dropped },
          'objects of a publisher were dropped: it sends more than it may',
        ),
      // The delivery service then comes from another process.
      foreignServices: config.delivery === 'none' ? [DELIVERY_FIELD] : [],
      onSessionLimit: (limit) => countSessionLimit(this.metrics.counters.limits, limit),
      openAdmission: (events, transport) => this.admit(events, transport),
      // Of WebTransport the engine knows the path before there is a session.
      checkSetup: (setup, transport) => {
        if (transport.kind === 'quic') this.checkSetup(setup, transport)
      },
      onSessionClosed: (peer, info) => {
        this.gate.closed(peer.session.transport.peer)
        this.metrics.counters.sessionsClosed[info.by]++
        log.debug({ ...this.refusals.fieldsOf(peer.session.transport), ...info }, 'session closed')
      },
      onInternalError: (error, session) => this.onInternalError(error, session),
    })
  }

  get urls() {
    return this.addresses
  }

  get ended(): Promise<void> {
    return this.end.promise
  }

  async start(): Promise<void> {
    const { config, log } = this
    for (const warning of configWarnings(config)) log.warn(warning)
    this.admission = await this.openAdmission()
    this.keeper = await CertificateKeeper.open({
      names: certificateNames(config),
      files: certificateFiles(config),
      now: Date.now,
      onProblem: (message) => log.warn(message),
    })
    // Before anybody can come: a data directory that cannot be used is an error of the start.
    const sequencer = config.delivery === 'none' ? null : this.openRooms()
    const engine = await this.startEngines(this.keeper.current)
    if (sequencer) this.startDelivery(sequencer)
    this.startFeedback()
    this.keeper.onRotate((certificate) => this.onRotate(certificate))
    this.addresses = {
      relay: relayUrl(config, engine.address.port, undefined),
      web: await this.startWeb(this.keeper, engine.address.port),
      ops: await this.startOps(),
    }
  }

  async reload(): Promise<void> {
    await Promise.all([this.keeper?.check(), this.admission?.reload()])
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

  private async openAdmission(): Promise<AdmissionControl | null> {
    const { config, log, metrics } = this
    if (config.auth.kind === 'none') {
      if (isOpenOnLoopback(config)) {
        log.info('the relay is open: whoever knows the name of a room may join it')
      }
      return null
    }
    return AdmissionControl.open({
      location: config.auth,
      clock: systemClock,
      wallClock: Date.now,
      onProblem: (sentence) => log.warn(sentence),
      onKeysChanged: (keys) => log.info({ keys }, 'the keys of the token issuer changed'),
      counters: metrics.counters.admission,
      limits: admissionLimitsOf(config),
      proofWindowMs: config.proofWindowMs,
      onTokenCacheFull: () => countLimit(metrics.counters.limits, 'token-cache'),
    })
  }

  private async startEngines(certificate: Certificate): Promise<Engine> {
    const { config, log } = this
    const host = await resolveHost(config.host)
    const options: EngineOptions = {
      host,
      port: config.port,
      certificate: pemOf(certificate),
      protocols: VERSIONS,
      accept: (request) => this.gate.admit(request),
      onSession: (session) => this.onSession(session),
      onRefused: (refusal) => this.refusals.byEngine(refusal),
      onLeft: ({ peer }) => this.gate.closed(peer),
      onFault: (session, error) => this.onInternalError(error, session),
      onLimit: (limit) => this.onEngineLimit(limit),
      served: config,
      log: engineLog(log),
      clock: systemClock,
      randomBytes: (length) => randomBytes(length),
      limits: engineLimitsOf(config),
      congestionControl: config.congestionControl,
      ...(config.keylog !== null && { keyLogFile: config.keylog }),
    }
    const engine = await createEngine(config.engine, options)
    this.engines.push(engine)
    // TCP on the port that UDP was given.
    this.engines.push(await createWebSocketEngine({ ...options, port: engine.address.port }))
    const warning = kernelBufferWarning(engine.stats().kernelBuffer)
    if (warning !== null) log.warn(warning)
    log.debug({ engine: engine.name }, 'engine started')
    return engine
  }

  private onEngineLimit(limit: EngineLimitName): void {
    const { counters } = this.metrics
    countLimit(counters.limits, limit)
    // The engine was full before the gate was asked.
    if (limit === 'sessions') counters.sessionsRefused.limit++
  }

  private onSession(session: TransportSession): void {
    this.metrics.counters.sessionsOpened[session.kind]++
    this.relay.addSession(session)
    const { kind: transport, protocol } = session
    this.log.debug({ ...this.refusals.fieldsOf(session), transport, protocol }, 'session opened')
  }

  private admit(events: AdmissionEvents, transport: TransportSession): SessionAdmission | null {
    return (
      this.admission?.admit({
        ...events,
        onEnded: (end) => {
          this.refusals.byToken(transport, end)
          events.onEnded(end)
        },
      }) ?? null
    )
  }

  private checkSetup(setup: Setup, transport: TransportSession): void {
    try {
      checkSetupTarget(this.config, setup)
    } catch (error) {
      throw this.refusals.bySetup(transport, error)
    }
  }

  private openRooms(): Sequencer {
    const { config, log } = this
    if (config.dataDir !== null) {
      this.store = FileStore.open(config.dataDir, {
        processId: process.pid,
        onRepaired: (what) => log.warn(what),
      })
    }
    const sequencer = new Sequencer(sequencerSettingsOf(config), {
      ...(this.store && { store: this.store }),
      onProblem: (problem) => log.error(problem),
      onInternalError: (err) => log.error({ err }, 'a handshake was lost by a bug of ours'),
    })
    sequencer.restore(Date.now())
    registerDeliveryMetrics(this.metrics.registry, sequencer)
    return sequencer
  }

  /** A service of ours is a client of the relay like any other, in this process. */
  private connectService(): TransportSession {
    const unlimited = Number.POSITIVE_INFINITY
    const pair = createTransportPair({ streamCredit: { uni: unlimited, bidi: unlimited } })
    this.relay.addSession(pair.server, true)
    return pair.client
  }

  private startDelivery(sequencer: Sequencer): void {
    this.delivery = new DeliveryEndpoint({
      transport: this.connectService(),
      sequencer,
      clock: systemClock,
      wallClock: Date.now,
      onRefused: ({ participant, ...refusal }) => {
        this.log.info(refusal, 'handshake refused')
        this.log.debug({ participant, ...refusal }, 'handshake refused')
      },
      onClosed: (reason) => {
        if (!this.closing) this.log.error({ reason }, 'the delivery service lost its session')
      },
    })
  }

  private startFeedback(): void {
    const { meters, speakers } = this.relay
    this.feedback = new FeedbackEndpoint({
      transport: this.connectService(),
      clock: guardedClock(systemClock, (error) => this.onInternalError(error)),
      wallClock: Date.now,
      meters,
      speakers,
      onRejected: (what, { code, reason }) =>
        this.log.error({ code, reason }, `the relay does not allow the feedback service ${what}`),
      onClosed: (reason) => {
        if (!this.closing) this.log.error({ reason }, 'the feedback service lost its session')
      },
    })
  }

  private async startWeb(keeper: CertificateKeeper, port: number): Promise<string> {
    const { config } = this
    const web = await startWebServer({
      host: config.host,
      port: config.httpPort,
      directory: APP_DIRECTORY,
      site: (askedFor) => {
        const relay = relayUrl(config, port, askedFor)
        const certificateHashes = keeper.hashes()
        const site = { relay, websocket: websocketUrl(relay), certificateHashes }
        if (this.admission === null) return { ...site, auth: 'none' }
        return { ...site, auth: 'token', issuerKeys: this.admission.publicKeys }
      },
      certificateHash: () => keeper.current.sha256,
      tls: config.https ? keeper.current : null,
      log: this.log,
    })
    if (config.https) keeper.onRotate((pair) => web.setKeyPair(pair))
    this.listeners.push(web)
    return web.url
  }

  private async startOps(): Promise<string> {
    const { admission } = this
    const ops = await startOpsServer({
      host: this.config.opsHost,
      port: this.config.opsPort,
      registry: this.metrics.registry,
      notReady: () => this.notReady(),
      rooms: (room) => this.rooms(room),
      debug: {
        rooms: () =>
          [...participantsByRoom(this.relay)].map(([room, { length }]) => ({
            room,
            participants: length,
          })),
        room: (name) => viewRoom(this.relay, name, systemClock.now()),
      },
      drain: () => void this.drain(),
      revoke: admission && ((revoked, expires) => admission.revoke(revoked, expires)),
      log: this.log,
    })
    this.listeners.push(ops)
    return ops.url
  }

  private onRotate(certificate: Certificate): void {
    for (const engine of this.engines) engine.setCertificate(pemOf(certificate))
    this.log.info({ sha256: certificate.sha256 }, 'certificate changed')
  }

  // ---- state

  /** @param session that ended by it, where one did */
  private onInternalError(error: unknown, session?: TransportSession): void {
    const fields = session && this.refusals.fieldsOf(session)
    this.log.error({ ...fields, err: error }, 'a session ended by a bug of ours')
  }

  private notReady(): string[] {
    const reasons: string[] = []
    if (this.draining) reasons.push('draining')
    if (this.engines.length < 2) reasons.push('the relay does not listen yet')
    if (this.keeper && this.keeper.current.notAfter < Date.now()) {
      reasons.push('the certificate has expired')
    }
    const { illness } = this.metrics.loop
    if (illness !== null) reasons.push(illness)
    return reasons
  }

  private rooms(asked: string | null) {
    const { relay } = this
    const participants = participantsByRoom(relay)
    const sequencer = this.delivery?.sequencer
    const source = {
      names: () => [...participants.keys()],
      room: (name: string) => dumpRoom(relay, name, participants.get(name) ?? []),
      groupNames: () => sequencer?.roomNames() ?? [],
      group: (name: string) => sequencer?.dumpRoom(name) ?? null,
    }
    const view = roomsView(source, asked, roomsBoundsOf(this.config))
    const { limits } = this.metrics.counters
    if (view.leftOut?.rooms || view.leftOut?.groups) countLimit(limits, 'rooms-shown')
    if (view.leftOut?.entries) countLimit(limits, 'rooms-entries')
    return view
  }

  private levels(): Levels {
    const { engines, config } = this
    const [udp, tcp] = engines
    return {
      ...relayLevels(this.relay),
      certificateExpires: this.keeper?.current.notAfter ?? 0,
      tokenCacheBytes: this.admission?.tokenCacheBytes ?? 0,
      revocations: this.admission?.revocationCount ?? 0,
      ready: this.notReady().length === 0,
      draining: this.draining !== null,
      transportBytes: engines.reduce((bytes, engine) => bytes + engine.stats().bytesHeld, 0),
      udp: udp?.stats() ?? null,
      tcp: tcp?.stats() ?? null,
      udpDrops: udp ? udpDrops(udp.address.port) : null,
      most: { sessions: config.maxSessions, cacheBytes: config.maxCacheBytes },
    }
  }

  // ---- end

  private async drainOnce(): Promise<void> {
    const { drainTimeoutMs, drainTo } = this.config
    this.gate.close()
    this.log.info({ sessions: this.gate.sessions, drainTimeoutMs }, 'draining')
    this.relay.goaway(drainTimeoutMs, drainTo ?? '')
    await this.gate.whenEmpty(drainTimeoutMs)
    await this.close()
  }

  private async closeOnce(): Promise<void> {
    this.gate.close()
    this.keeper?.close()
    this.admission?.close()
    this.delivery?.close()
    this.feedback?.close()
    this.store?.close()
    this.relay.closeAll(SessionCode.NO_ERROR, 'the relay stops')
    await Promise.all([...this.engines, ...this.listeners].map((part) => part.close()))
    this.metrics.close()
    this.end.resolve()
  }
}

function certificateFiles({ tlsCert, tlsKey }: Config) {
  return tlsCert !== null && tlsKey !== null ? { cert: tlsCert, key: tlsKey } : null
}

function pemOf({ cert, key }: Certificate) {
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
