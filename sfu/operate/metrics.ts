/**
 * The relay's Prometheus metrics. What they show is counted as plain numbers and read only when
 * somebody asks for `/metrics`: nothing here is called for an object.
 */

import { collectDefaultMetrics, Registry } from 'prom-client'
import { TRAFFIC } from '../forward/traffic.ts'
import type { TrafficTally } from '../forward/traffic-tally.ts'
import { type Counters, makeCounters, transports } from './counters.ts'
import { EventLoopWatch } from './event-loop.ts'
import type { Levels } from './levels.ts'
import { countLimit } from './limit-hits.ts'
import { MetricSet, type Sample } from './metric-set.ts'
import { registerTransportMetrics } from './transport-metrics.ts'

export interface MetricsOptions {
  readonly version: string
  /** Name of the QUIC engine. */
  readonly engine: () => string
  /** Asked once a scrape. */
  readonly levels: () => Levels
  /** Lateness of the event loop from which on it is ill, ms. */
  readonly illLagMs?: number
}

export interface Metrics {
  readonly registry: Registry
  readonly counters: Counters
  readonly loop: EventLoopWatch
  /** Stops watching the event loop. */
  close(): void
}

/** Registers every metric with a registry of its own. */
export function createMetrics(options: MetricsOptions): Metrics {
  const { version, engine, levels, illLagMs } = options
  const registry = new Registry()
  const counters = makeCounters()
  const loop = new EventLoopWatch({
    ...(illLagMs !== undefined && { illLagMs }),
    onIll: () => countLimit(counters.limits, 'loop-lag'),
  })
  collectDefaultMetrics({ register: registry })
  const set = new MetricSet(registry)
  const now = oncePerTurn(levels)
  registerMedia(set, counters, now)
  registerKeys(set, counters, now)
  registerSessions(set, counters, now)
  registerTransportMetrics(set, now)
  registerProcess(set, loop, now)
  const build = () => [{ labels: [version, process.version, engine()], value: 1 }]
  set.samples('gauge', 'build_info', 'Always 1; the labels say what runs.', BUILD, build, 'first')
  return {
    registry,
    counters,
    loop,
    close: () => {
      loop.close()
      registry.clear()
    },
  }
}

const BUILD = ['version', 'node', 'engine']

/** All metrics of a scrape are collected in one turn of the event loop. */
function oncePerTurn<Value>(read: () => Value): () => Value {
  let known: { readonly value: Value } | null = null
  return () => {
    if (known === null) {
      known = { value: read() }
      queueMicrotask(() => {
        known = null
      })
    }
    return known.value
  }
}

function registerMedia(set: MetricSet, counters: Counters, now: () => Levels): void {
  const { received, sent } = counters
  const traffic = (read: (of: TrafficTally, at: number, datagram: boolean) => number) => () =>
    Object.entries({ received, sent }).flatMap(([direction, tally]) =>
      TRAFFIC.flatMap((name, at): Sample[] => [
        { labels: [direction, name, 'stream'], value: read(tally, at, false) },
        { labels: [direction, name, 'datagram'], value: read(tally, at, true) },
      ]),
    )
  const labels = ['direction', 'class', 'delivery']
  const objects = traffic((of, at, datagram) => of.objectsOf(at, datagram))
  set.samples('counter', 'objects', 'Objects received and sent.', labels, objects)
  const bytes = traffic((of, at, datagram) => of.bytesOf(at, datagram))
  set.samples('counter', 'object_bytes', 'Payload bytes of objects.', labels, bytes)
  set.histograms(
    'forward_latency',
    'Time from the first byte of an object to its being handed to the transport.',
    'class',
    () => Object.fromEntries(TRAFFIC.map((name, at) => [name, counters.latency[at]!])),
  )
  const oldest = () =>
    TRAFFIC.map((name, at) => ({ labels: [name], value: now().oldestMs[at]! / 1000 }))
  const age = 'Age of what waits longest.'
  set.samples('gauge', 'queue_oldest_seconds', age, ['class'], oldest, 'max')
  set.counters('objects_dropped', 'Objects not forwarded.', 'reason', () => counters.drops)
  set.counters(
    'objects_dropped_by_class',
    'Objects not forwarded, and subgroups given up.',
    'class',
    () => Object.fromEntries(TRAFFIC.map((name, at) => [name, counters.dropsOf[at]!])),
  )
  set.counter('objects_duplicate', 'Objects that came again.', () => now().duplicates)
  set.counter('malformed_tracks', 'Tracks found malformed.', () => now().malformedTracks)
  set.counter(
    'reports_malformed',
    'Objects of report tracks that are no reports.',
    () => now().malformedReports,
  )
  set.counters(
    'policed_objects',
    'Objects dropped of publishers that send more than they may.',
    'reason',
    () => now().policed,
  )
  set.samples(
    'counter',
    'stream_resets',
    'Streams of subgroups that ended by a reset.',
    ['direction', 'code'],
    () =>
      Object.entries(counters.resets).flatMap(([direction, codes]) =>
        Object.entries(codes).map(([code, value]) => ({ labels: [direction, code], value })),
      ),
  )
  const { renditionSwitches, layerChanges } = counters
  set.counters('rendition_switches', 'Rendition changes.', 'direction', () => renditionSwitches)
  set.counters('layer_changes', 'Changes of temporal layers.', 'direction', () => layerChanges)
  set.gauge('tracks', 'Tracks being published.', () => now().tracks)
  set.gauge('subscriptions', 'Subscriptions being served.', () => now().subscriptions)
  set.gauge('fetches', 'Fetches being answered.', () => now().fetches)
  set.gauge('cache_objects', 'Objects kept or remembered.', () => now().cacheObjects)
  set.gauge('cache_bytes', 'Bytes of objects kept for late joiners.', () => now().cacheBytes)
  set.gauge('cache_limit_bytes', 'Bytes of objects that may be kept.', () => now().most.cacheBytes)
  set.gauge('buffered_bytes', 'Bytes that wait to be sent.', () => now().bufferedBytes)
}

function registerKeys(set: MetricSet, counters: Counters, now: () => Levels): void {
  set.counters(
    'gate_drops',
    'Objects that a subscriber could not decode, or was to have less of.',
    'reason',
    () => now().gateDrops,
  )
  set.counter('gate_openings', 'Times that a key-frame gate opened.', () => now().gates.openings)
  set.counter(
    'gated_seconds',
    'Time for which gates that opened had held a picture back, of all subscribers together.',
    () => now().gates.gatedMs / 1000,
  )
  set.counter(
    'key_frame_requests',
    'Key frames asked of publishers.',
    () => counters.keyFrameRequests,
  )
  set.counter(
    'key_frame_requests_coalesced',
    'Wishes for a key frame that another request stands for.',
    () => counters.keyFrameRequestsCoalesced,
  )
  set.counter(
    'epoch_changes',
    'Times that a room began to send under a newer epoch.',
    () => now().epochs.changes,
  )
  set.histograms(
    'epoch_change',
    'Time from the first object of a room under an epoch to the first of each other sender.',
    null,
    () => ({ all: now().epochs.lag }),
  )
  set.counters(
    'key_troubles',
    'Objects refused for their SFrame header.',
    'reason',
    () => now().keyTroubles,
  )
}

function registerSessions(set: MetricSet, counters: Counters, now: () => Levels): void {
  const { admission } = counters
  set.counters('sessions_opened', 'Sessions begun.', 'transport', () => counters.sessionsOpened)
  set.counters(
    'sessions_closed',
    'Sessions ended, by who ended them.',
    'by',
    () => counters.sessionsClosed,
  )
  set.counters('sessions_refused', 'Sessions refused.', 'reason', () => counters.sessionsRefused)
  set.counters(
    'limit_hits',
    'Requests and streams that hit a limit.',
    'limit',
    () => counters.limits,
  )
  set.counters('tokens', 'Tokens looked at.', 'verdict', () => admission.tokens)
  set.counters(
    'admission_refused',
    'Sessions refused for their token.',
    'cause',
    () => admission.refused,
  )
  set.counters('admission_ended', 'Sessions whose right ended.', 'cause', () => admission.ended)
  set.counter(
    'requests_unauthorized',
    'Requests that no token of their session allows.',
    () => admission.unauthorizedRequests,
  )
  set.samples('gauge', 'sessions', 'Sessions that are open.', ['transport'], () =>
    transports.map((transport) => ({ labels: [transport], value: now().sessions[transport] })),
  )
  set.gauge('sessions_limit', 'Sessions that may be open.', () => now().most.sessions)
  set.gauge('rooms', 'Rooms with someone in them.', () => now().rooms)
  set.gauge('participants', 'Participants in all rooms.', () => now().participants)
  set.gauge('namespaces', 'Namespaces being published.', () => now().namespaces)
  set.gauge('requests', 'Requests to and from all peers that are open.', () => now().requests)
  set.gauge('token_cache_bytes', 'Bytes of registered tokens.', () => now().tokenCacheBytes)
  const revoked = 'Tokens and participants revoked now.'
  // Each process knows all of them.
  set.gauge('revocations', revoked, () => now().revocations, 'max')
}

const QUANTILES = [0.5, 0.9, 0.99, 1]

function registerProcess(set: MetricSet, loop: EventLoopWatch, now: () => Levels): void {
  const taken = oncePerTurn(() => loop.take(QUANTILES))
  set.quantiles(
    'event_loop_lag_seconds',
    'How late the event loop ran since the last scrape.',
    () => Object.fromEntries(QUANTILES.map((of, at) => [of, taken().lagMs[at]! / 1000])),
  )
  set.gauge(
    'event_loop_busy_ratio',
    'Share of the time since the last scrape in which the event loop worked.',
    () => taken().busy,
    'max',
  )
  const ready = '1 while new sessions may be sent here.'
  set.gauge('ready', ready, () => (now().ready ? 1 : 0), 'min')
  set.gauge('draining', '1 while the relay drains.', () => (now().draining ? 1 : 0), 'max')
  set.gauge(
    'certificate_expiry_timestamp_seconds',
    'When the certificate in use expires, since 1970.',
    () => now().certificateExpires / 1000,
    'min',
  )
}
