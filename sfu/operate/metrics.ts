/**
 * The relay's Prometheus metrics. The hot path increments plain numbers in `Counters`; they are
 * turned into metrics only when someone asks for `/metrics`.
 */

import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import type { TransportKind } from '../../moq/transport/transport.ts'
import { type AdmissionCounters, makeAdmissionCounters } from '../admission/index.ts'
import { type LimitHits, makeLimitHits } from './limit-hits.ts'

const directions = ['received', 'sent'] as const
const deliveries = ['stream', 'datagram'] as const
/** Why an object was not forwarded to a subscriber. */
export const dropReasons = [
  /** Past its latency budget. */
  'deadline',
  /** An enhancement layer that the path did not take. */
  'congestion',
  /** It waited when the subscriber was given another rendition, or none. */
  'selection',
  /** The publisher sent more than it may. */
  'policing',
  /** A buffer is full. */
  'overflow',
] as const
/** Why a session or request was refused before it began. */
export const refusals = ['limit', 'version', 'handshake', 'draining'] as const
const closers = ['local', 'peer', 'transport'] as const
const transports = [
  'webtransport',
  'websocket',
  'quic',
  'memory',
] as const satisfies readonly TransportKind[]
const steps = ['up', 'down'] as const

export type DropReason = (typeof dropReasons)[number]
export type Refusal = (typeof refusals)[number]

type Tally<Names extends readonly string[]> = Record<Names[number], number>

/** What happened since the start. Whoever sees it happen increments the number. */
export interface Counters {
  readonly objects: Tally<typeof directions>
  /** Payload bytes of objects. */
  readonly bytes: Tally<typeof directions>
  /** Objects sent, by what carried them. */
  readonly forwarded: Tally<typeof deliveries>
  readonly drops: Tally<typeof dropReasons>
  readonly sessionsOpened: Record<TransportKind, number>
  readonly sessionsClosed: Tally<typeof closers>
  readonly sessionsRefused: Tally<typeof refusals>
  readonly renditionSwitches: Tally<typeof steps>
  readonly layerChanges: Tally<typeof steps>
  readonly admission: AdmissionCounters
  readonly limits: LimitHits
  keyFrameRequests: number
}

/** How things are now; asked for several times at each scrape, so nothing should be counted then. */
export interface Levels {
  readonly sessions: Readonly<Record<TransportKind, number>>
  readonly rooms: number
  readonly participants: number
  readonly tracks: number
  readonly subscriptions: number
  readonly namespaces: number
  /** Requests to and from all peers that are open or have begun. */
  readonly requests: number
  /** FETCHes that are being answered. */
  readonly fetches: number
  /** Bytes of objects kept for late joiners, and objects that are kept or remembered. */
  readonly cacheBytes: number
  readonly cacheObjects: number
  /** Since the start: objects that came twice, and tracks found malformed. */
  readonly duplicates: number
  readonly malformedTracks: number
  /** Since the start: objects of `report` tracks that are no reports. */
  readonly malformedReports: number
  /** Since the start: objects that a gate held back from a subscriber, by reason. */
  readonly gateDrops: Readonly<Record<string, number>>
  /** Since the start: objects of publishers that send more than they may, by reason. */
  readonly policed: Readonly<Record<string, number>>
  /** Since the start: objects refused for their SFrame header, by reason. */
  readonly keyTroubles: Readonly<Record<string, number>>
  /** Since the start, on the paths to all subscribers: padding, probes by result, media held back. */
  readonly paths: {
    readonly paddingBytes: number
    readonly probes: Readonly<Record<string, number>>
    readonly heldMs: number
  }
  /** Bytes that wait for all sessions together. */
  readonly bufferedBytes: number
  /** Bytes that wait in the transports of all sessions or are not acknowledged. */
  readonly transportBytes: number
  /** ms since 1970. */
  readonly certificateExpires: number
  /** Bytes of tokens registered in all sessions together. */
  readonly tokenCacheBytes: number
  readonly revocations: number
  readonly draining: boolean
}

export interface MetricsOptions {
  readonly version: string
  /** Name of the QUIC engine. */
  readonly engine: string
  readonly levels: () => Levels
}

export interface Metrics {
  readonly registry: Registry
  readonly counters: Counters
  /** Stops watching the event loop. */
  close(): void
}

function tally<const Names extends readonly string[]>(names: Names): Tally<Names> {
  return Object.fromEntries(names.map((name) => [name, 0])) as Tally<Names>
}

/** Counters at zero, for the relay and for tests of its parts. */
export function makeCounters(): Counters {
  return {
    objects: tally(directions),
    bytes: tally(directions),
    forwarded: tally(deliveries),
    drops: tally(dropReasons),
    sessionsOpened: tally(transports),
    sessionsClosed: tally(closers),
    sessionsRefused: tally(refusals),
    renditionSwitches: tally(steps),
    layerChanges: tally(steps),
    admission: makeAdmissionCounters(),
    limits: makeLimitHits(),
    keyFrameRequests: 0,
  }
}

/** Registers every metric with a registry of its own. */
export function createMetrics({ version, engine, levels }: MetricsOptions): Metrics {
  const registry = new Registry()
  const counters = makeCounters()
  collectDefaultMetrics({ register: registry })

  const counter = (
    name: string,
    help: string,
    label: string,
    tallied: Record<string, number> | (() => Readonly<Record<string, number>>),
  ) => {
    new Counter({
      name: `sotto_${name}_total`,
      help,
      labelNames: [label],
      registers: [registry],
      collect() {
        this.reset()
        const counts = typeof tallied === 'function' ? tallied() : tallied
        for (const [value, count] of Object.entries(counts)) this.inc({ [label]: value }, count)
      },
    })
  }
  counter('objects', 'Objects received and sent.', 'direction', counters.objects)
  counter('object_bytes', 'Payload bytes of objects.', 'direction', counters.bytes)
  counter('objects_forwarded', 'Objects sent, by carrier.', 'delivery', counters.forwarded)
  counter('objects_dropped', 'Objects not forwarded.', 'reason', counters.drops)
  counter('sessions_opened', 'Sessions established.', 'transport', counters.sessionsOpened)
  counter('sessions_closed', 'Sessions ended, by who ended them.', 'by', counters.sessionsClosed)
  counter('sessions_refused', 'Sessions refused.', 'reason', counters.sessionsRefused)
  counter('rendition_switches', 'Rendition changes.', 'direction', counters.renditionSwitches)
  counter('layer_changes', 'Changes of temporal layers.', 'direction', counters.layerChanges)
  counter('limit_hits', 'Requests and streams that hit a limit.', 'limit', counters.limits)
  counter(
    'gate_drops',
    'Objects that a subscriber could not decode, or was to have less of.',
    'reason',
    () => levels().gateDrops,
  )
  counter(
    'policed_objects',
    'Objects dropped of publishers that send more than they may.',
    'reason',
    () => levels().policed,
  )
  counter(
    'key_troubles',
    'Objects refused for their SFrame header.',
    'reason',
    () => levels().keyTroubles,
  )
  counter('path_probes', 'Probes with padding for more.', 'result', () => levels().paths.probes)
  const { admission } = counters
  counter('tokens', 'Tokens looked at.', 'verdict', admission.tokens)
  counter('admission_refused', 'Sessions refused for their token.', 'cause', admission.refused)
  counter('admission_ended', 'Sessions whose right ended.', 'cause', admission.ended)
  const plain = (name: string, help: string, read: () => number) => {
    new Counter({
      name: `sotto_${name}_total`,
      help,
      registers: [registry],
      collect() {
        this.reset()
        this.inc(read())
      },
    })
  }
  plain(
    'requests_unauthorized',
    'Requests that no token of their session allows.',
    () => admission.unauthorizedRequests,
  )
  plain('objects_duplicate', 'Objects that came again.', () => levels().duplicates)
  plain('malformed_tracks', 'Tracks found malformed.', () => levels().malformedTracks)
  plain(
    'reports_malformed',
    'Objects of report tracks that are no reports.',
    () => levels().malformedReports,
  )
  plain('padding_bytes', 'Bytes of padding sent.', () => levels().paths.paddingBytes)
  plain(
    'held_back_seconds',
    'Time for which media was held back for a full path, of all subscribers together.',
    () => levels().paths.heldMs / 1000,
  )
  plain('key_frame_requests', 'Key frames asked of publishers.', () => counters.keyFrameRequests)

  const gauge = (name: string, help: string, read: (levels: Levels) => number) => {
    new Gauge({
      name: `sotto_${name}`,
      help,
      registers: [registry],
      collect() {
        this.set(read(levels()))
      },
    })
  }
  gauge('rooms', 'Rooms with someone in them.', (now) => now.rooms)
  gauge('participants', 'Participants in all rooms.', (now) => now.participants)
  gauge('tracks', 'Tracks being published.', (now) => now.tracks)
  gauge('subscriptions', 'Subscriptions being served.', (now) => now.subscriptions)
  gauge('namespaces', 'Namespaces being published.', (now) => now.namespaces)
  gauge('requests', 'Requests to and from all peers that are open.', (now) => now.requests)
  gauge('fetches', 'Fetches being answered.', (now) => now.fetches)
  gauge('cache_objects', 'Objects kept or remembered.', (now) => now.cacheObjects)
  gauge('cache_bytes', 'Bytes of objects kept for late joiners.', (now) => now.cacheBytes)
  gauge('buffered_bytes', 'Bytes that wait to be sent.', (now) => now.bufferedBytes)
  gauge(
    'transport_buffered_bytes',
    'Bytes that wait in the transport or are not acknowledged.',
    (now) => now.transportBytes,
  )
  gauge('token_cache_bytes', 'Bytes of registered tokens.', (now) => now.tokenCacheBytes)
  gauge('revocations', 'Tokens and participants revoked now.', (now) => now.revocations)
  gauge('draining', '1 while the relay drains.', (now) => (now.draining ? 1 : 0))
  gauge(
    'certificate_expiry_timestamp_seconds',
    'When the certificate in use expires, since 1970.',
    (now) => now.certificateExpires / 1000,
  )
  new Gauge({
    name: 'sotto_sessions',
    help: 'Sessions that are open.',
    labelNames: ['transport'],
    registers: [registry],
    collect() {
      const { sessions } = levels()
      for (const transport of transports) this.set({ transport }, sessions[transport])
    },
  })
  new Gauge({
    name: 'sotto_build_info',
    help: 'Always 1; the labels say what runs.',
    labelNames: ['version', 'node', 'engine'],
    registers: [registry],
  }).set({ version, node: process.version, engine }, 1)

  const loop = watchEventLoop(registry)
  return {
    registry,
    counters,
    close: () => {
      loop.disable()
      registry.clear()
    },
  }
}

/** Time between two looks at the event loop, ms. */
const resolution = 10
const quantiles = [0.5, 0.9, 0.99, 1]

/** How late timers ran since the last scrape: what a blocked event loop adds to every object. */
function watchEventLoop(registry: Registry): ReturnType<typeof monitorEventLoopDelay> {
  const histogram = monitorEventLoopDelay({ resolution })
  histogram.enable()
  new Gauge({
    name: 'sotto_event_loop_lag_seconds',
    help: 'How late the event loop ran since the last scrape.',
    labelNames: ['quantile'],
    registers: [registry],
    collect() {
      const seen = histogram.count > 0
      for (const quantile of quantiles) {
        // The histogram holds times between two looks, the resolution included.
        const between = seen ? histogram.percentile(quantile * 100) / 1e9 : 0
        this.set({ quantile }, Math.max(0, between - resolution / 1000))
      }
      histogram.reset()
    },
  })
  return histogram
}
