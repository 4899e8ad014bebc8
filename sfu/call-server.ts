/**
 * What serves calls: admission, engines, relay and the services of our own, put together and taken down in
 * order. It is all of a worker; a relay of one process has the call page and the ops port beside it.
 */

import type { Logger } from 'pino'
import { DELIVERY_FIELD } from '../moq/delivery/names.ts'
import { systemClock } from '../moq/session/index.ts'
import type { TransportSession } from '../moq/transport/transport.ts'
import { SessionCode } from '../moq/wire/codes.ts'
import type { Setup } from '../moq/wire/messages.ts'
import {
  AdmissionControl,
  type AdmissionEvents,
  type RevokedUntil,
  type SessionAdmission,
} from './admission/index.ts'
import { pemOf, startCallEngines } from './call-engines.ts'
import type { Certificate } from './certificate/index.ts'
import { type Config, version } from './config.ts'
import { budgetOptionsOf } from './config-congestion.ts'
import { admissionLimitsOf, relayLimitsOf, sessionLimitsOf } from './config-limits.ts'
import { roomsBoundsOf } from './config-operate.ts'
import { policeSettingsOf } from './config-police.ts'
import type { SharedDirectory } from './delivery/index.ts'
import { checkSetupTarget, type Engine, type EngineLimitName } from './engine/index.ts'
import type { DebugSource } from './operate/debug.ts'
import type { Levels } from './operate/levels.ts'
import { countLimit, countSessionLimit } from './operate/limit-hits.ts'
import { createMetrics, type Metrics } from './operate/metrics.ts'
import { boundsOfShare, type RoomsSource, type RoomsView, roomsView } from './operate/rooms-view.ts'
import { udpDrops } from './operate/udp-socket.ts'
import {
  dumpRoom,
  type Placement,
  participantsByRoom,
  Relay,
  relayLevels,
  viewRoom,
} from './relay/index.ts'
import { OwnServices } from './services.ts'
import { SessionGate } from './session-gate.ts'
import { SessionRefusals } from './session-refusals.ts'

/** The part of one of several processes that share the rooms. */
export interface Share {
  readonly placement: Placement
  /** What was revoked before this process began. */
  readonly revocations: readonly RevokedUntil[]
  readonly directory: SharedDirectory
}

export class CallServer {
  readonly metrics: Metrics
  private readonly config: Config
  private readonly log: Logger
  private readonly share: Share | null
  private readonly gate: SessionGate
  private readonly refusals: SessionRefusals
  private readonly relay: Relay
  private readonly services: OwnServices
  private readonly engines: Engine[] = []
  private certificate: Certificate | null = null
  /** Null where everybody may enter. Opened before any engine listens. */
  private rights: AdmissionControl | null = null
  private draining: Promise<void> | null = null
  private closing: Promise<void> | null = null

  /** @param share null: all rooms are here */
  constructor(config: Config, log: Logger, share: Share | null = null) {
    this.config = config
    this.log = log
    this.share = share
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
      ...(share && { placement: share.placement }),
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
    this.services = new OwnServices({
      config,
      log,
      relay: this.relay,
      registry: this.metrics.registry,
      shared: share?.directory ?? null,
      onInternalError: (error) => this.onInternalError(error),
    })
  }

  /** Null where everybody may enter, and before the start. */
  get admission(): AdmissionControl | null {
    return this.rights
  }

  /**
   * Listens. When this rejects, `close` is to follow.
   * @returns the UDP and TCP port
   * @throws JwksError, StorageError, EngineError or ConfigError, each with one line for a person
   */
  async start(certificate: Certificate): Promise<number> {
    this.certificate = certificate
    this.rights = await this.openAdmission()
    for (const { revoked, until } of this.share?.revocations ?? []) {
      this.rights?.revoke(revoked, until)
    }
    this.services.openRooms()
    const engine = await this.startEngines(certificate)
    this.services.start()
    return engine.address.port
  }

  /** For connections from now on. */
  setCertificate(certificate: Certificate): void {
    this.certificate = certificate
    for (const engine of this.engines) engine.setCertificate(pemOf(certificate))
  }

  /** Asks callers to leave, and waits for them at most as configured. */
  drain(): Promise<void> {
    this.draining ??= this.drainOnce()
    return this.draining
  }

  /** Closes everything now. */
  close(): Promise<void> {
    this.closing ??= this.closeOnce()
    return this.closing
  }

  // ---- how it is

  /** Why new sessions should not be sent here; empty when they should. */
  notReady(): string[] {
    const reasons: string[] = []
    if (this.draining) reasons.push('draining')
    if (this.engines.length < 2) reasons.push('the relay does not listen yet')
    if (this.certificate && this.certificate.notAfter < Date.now()) {
      reasons.push('the certificate has expired')
    }
    const { illness } = this.metrics.loop
    if (illness !== null) reasons.push(illness)
    return reasons
  }

  /**
   * For `/rooms`.
   * @param asked name of the only room that is wanted, or null for all
   * @param processes of which this is one, that answer together
   */
  viewRooms(asked: string | null, processes = 1): RoomsView {
    const bounds = roomsBoundsOf(this.config)
    const view = roomsView(this.rooms, asked, boundsOfShare(bounds, processes))
    const { limits } = this.metrics.counters
    if (view.leftOut?.rooms || view.leftOut?.groups) countLimit(limits, 'rooms-shown')
    if (view.leftOut?.entries) countLimit(limits, 'rooms-entries')
    return view
  }

  private get rooms(): RoomsSource {
    const { relay } = this
    const participants = participantsByRoom(relay)
    const { groups } = this.services
    return {
      names: () => [...participants.keys()],
      room: (name) => dumpRoom(relay, name, participants.get(name) ?? []),
      groupNames: () => groups?.roomNames() ?? [],
      group: (name) => groups?.dumpRoom(name) ?? null,
    }
  }

  /** For `/debug`. */
  readonly debug: DebugSource = {
    rooms: () =>
      [...participantsByRoom(this.relay)].map(([room, { length }]) => ({
        room,
        participants: length,
      })),
    room: (name) => viewRoom(this.relay, name, systemClock.now()),
  }

  private levels(): Levels {
    const { engines, config } = this
    const [udp, tcp] = engines
    return {
      ...relayLevels(this.relay),
      certificateExpires: this.certificate?.notAfter ?? 0,
      tokenCacheBytes: this.rights?.tokenCacheBytes ?? 0,
      revocations: this.rights?.revocationCount ?? 0,
      ready: this.notReady().length === 0,
      draining: this.draining !== null,
      transportBytes: engines.reduce((bytes, engine) => bytes + engine.stats().bytesHeld, 0),
      udp: udp?.stats() ?? null,
      tcp: tcp?.stats() ?? null,
      udpDrops: udp ? udpDrops(udp.address.port) : null,
      most: { sessions: config.maxSessions, cacheBytes: config.maxCacheBytes },
    }
  }

  // ---- start

  private async openAdmission(): Promise<AdmissionControl | null> {
    const { config, log, metrics } = this
    if (config.auth.kind === 'none') return null
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

  private startEngines(certificate: Certificate): Promise<Engine> {
    return startCallEngines({
      config: this.config,
      log: this.log,
      certificate,
      door: {
        accept: (request) => this.gate.admit(request),
        onSession: (session) => this.onSession(session),
        onRefused: (refusal) => this.refusals.byEngine(refusal),
        onLeft: ({ peer }) => this.gate.closed(peer),
        onFault: (session, error) => this.onInternalError(error, session),
        onLimit: (limit) => this.onEngineLimit(limit),
      },
      onStarted: (engine) => this.engines.push(engine),
    })
  }

  // ---- sessions

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
      this.rights?.admit({
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

  /** @param session that ended by it, where one did */
  private onInternalError(error: unknown, session?: TransportSession): void {
    const fields = session && this.refusals.fieldsOf(session)
    this.log.error({ ...fields, err: error }, 'a session ended by a bug of ours')
  }

  // ---- end

  private async drainOnce(): Promise<void> {
    const { drainTimeoutMs, drainTo } = this.config
    this.gate.close()
    this.log.info({ sessions: this.gate.sessions, drainTimeoutMs }, 'draining')
    this.relay.goaway(drainTimeoutMs, drainTo ?? '')
    await this.gate.whenEmpty(drainTimeoutMs)
  }

  private async closeOnce(): Promise<void> {
    this.gate.close()
    this.rights?.close()
    this.services.close()
    this.relay.closeAll(SessionCode.NO_ERROR, 'the relay stops')
    await Promise.all(this.engines.map((engine) => engine.close()))
    this.metrics.close()
  }
}
