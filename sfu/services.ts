/**
 * The services of our own: MLS delivery, and feedback to publishers. Each is a client of the relay like any
 * other, in the relay's process.
 */

import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import { systemClock } from '../moq/session/index.ts'
import { createTransportPair } from '../moq/transport/memory.ts'
import type { TransportSession } from '../moq/transport/transport.ts'
import type { Config } from './config.ts'
import { sequencerSettingsOf } from './config-delivery.ts'
import { DeliveryEndpoint } from './delivery/endpoint.ts'
import { FileStore, Sequencer, type SharedDirectory } from './delivery/index.ts'
import { registerDeliveryMetrics } from './delivery/metrics.ts'
import { FeedbackEndpoint } from './feedback/index.ts'
import { guardedClock, type Relay } from './relay/index.ts'

export interface OwnServicesOptions {
  readonly config: Config
  readonly log: Logger
  readonly relay: Relay
  readonly registry: Registry
  /** Where other processes keep rooms in the same data directory. */
  readonly shared: SharedDirectory | null
  readonly onInternalError: (error: unknown) => void
}

export class OwnServices {
  private readonly options: OwnServicesOptions
  private sequencer: Sequencer | null = null
  private store: FileStore | null = null
  private delivery: DeliveryEndpoint | null = null
  private feedback: FeedbackEndpoint | null = null
  private closing = false

  constructor(options: OwnServicesOptions) {
    this.options = options
  }

  /** The rooms' groups; null where another process serves them. */
  get groups(): Pick<Sequencer, 'roomNames' | 'dumpRoom'> | null {
    return this.sequencer
  }

  /**
   * Takes up the groups that were kept. To be called before anybody can come: a data directory that
   * cannot be used is an error of the start.
   * @throws StorageError
   */
  openRooms(): void {
    const { config, log, registry, shared } = this.options
    if (config.delivery === 'none') return
    if (config.dataDir !== null) {
      this.store = FileStore.open(config.dataDir, {
        processId: process.pid,
        onRepaired: (what) => log.warn(what),
        shared,
      })
    }
    const sequencer = new Sequencer(sequencerSettingsOf(config), {
      ...(this.store && { store: this.store }),
      onProblem: (problem) => log.error(problem),
      onInternalError: (err) => log.error({ err }, 'a handshake was lost by a bug of ours'),
    })
    sequencer.restore(Date.now())
    registerDeliveryMetrics(registry, sequencer)
    this.sequencer = sequencer
  }

  start(): void {
    if (this.sequencer) this.delivery = this.startDelivery(this.sequencer)
    this.feedback = this.startFeedback()
  }

  close(): void {
    this.closing = true
    this.delivery?.close()
    this.feedback?.close()
    this.store?.close()
  }

  private connect(): TransportSession {
    const unlimited = Number.POSITIVE_INFINITY
    const pair = createTransportPair({ streamCredit: { uni: unlimited, bidi: unlimited } })
    this.options.relay.addSession(pair.server, true)
    return pair.client
  }

  private startDelivery(sequencer: Sequencer): DeliveryEndpoint {
    const { log } = this.options
    return new DeliveryEndpoint({
      transport: this.connect(),
      sequencer,
      clock: systemClock,
      wallClock: Date.now,
      onRefused: ({ participant, ...refusal }) => {
        log.info(refusal, 'handshake refused')
        log.debug({ participant, ...refusal }, 'handshake refused')
      },
      onClosed: (reason) => {
        if (!this.closing) log.error({ reason }, 'the delivery service lost its session')
      },
    })
  }

  private startFeedback(): FeedbackEndpoint {
    const { log, relay, onInternalError } = this.options
    return new FeedbackEndpoint({
      transport: this.connect(),
      clock: guardedClock(systemClock, onInternalError),
      wallClock: Date.now,
      meters: relay.meters,
      speakers: relay.speakers,
      onRejected: (what, { code, reason }) =>
        log.error({ code, reason }, `the relay does not allow the feedback service ${what}`),
      onClosed: (reason) => {
        if (!this.closing) log.error({ reason }, 'the feedback service lost its session')
      },
    })
  }
}
