import { afterEach, describe, expect, it } from 'vitest'
import { ResetCode } from '../../moq/wire/codes.ts'
import type { EngineStats } from '../engine/index.ts'
import { countReset } from '../forward/counters.ts'
import { gateDropCounters } from '../forward/gate/index.ts'
import { keyTroubleCounters } from '../forward/keys/troubles.ts'
import { makePoliceCounters } from '../forward/police/index.ts'
import { TRAFFIC } from '../forward/traffic.ts'
import { makePathTally } from '../relay/path-tally.ts'
import type { Levels } from './levels.ts'
import { countLimit, countSessionLimit } from './limit-hits.ts'
import { createMetrics, type Metrics } from './metrics.ts'
import { blockLoop } from './test-blocked-loop.ts'
import { makeLevels } from './test-levels.ts'

function engineStats(stats: Partial<EngineStats>): EngineStats {
  return {
    ...{ connections: 0, handshakes: 0, sessions: 0, bytesHeld: 0, kernelBuffer: null },
    ...{ sessionsAccepted: 0, sessionsRefused: 0, packetsReceived: 0, packetsSent: 0 },
    ...{ bytesReceived: 0, bytesSent: 0, packetsIgnored: 0, retries: 0, versionNegotiations: 0 },
    ...{ sendErrors: 0, faults: 0, ...stats },
  }
}

let levels: Levels = makeLevels({
  sessions: { webtransport: 3, websocket: 1, quic: 0, memory: 0 },
  rooms: 2,
  participants: 4,
  tracks: 9,
  subscriptions: 27,
  namespaces: 5,
  requests: 31,
  fetches: 3,
  cacheBytes: 1000,
  cacheObjects: 12,
  duplicates: 6,
  malformedTracks: 1,
  gateDrops: { ...gateDropCounters(), 'key-frame': 7 },
  gates: { openings: 3, gatedMs: 1200 },
  policed: { ...makePoliceCounters(), 'session-bytes': 3 },
  paths: {
    ...makePathTally(),
    paddingBytes: 900,
    probes: { success: 2, progress: 0, full: 1, nothing: 0 },
    heldMs: 1500,
    windowLimitedMs: 2500,
    lostPackets: 11,
  },
  keyTroubles: { ...keyTroubleCounters(), replayed: 2 },
  oldestMs: TRAFFIC.map((name) => (name === 'audio' ? 40 : 0)),
  bufferedBytes: 50,
  transportBytes: 70,
  certificateExpires: 1_900_000_000_500,
  tokenCacheBytes: 300,
  revocations: 2,
  udpDrops: 13,
  udp: engineStats({ sendErrors: 4, faults: 2, packetsReceived: 21, packetsIgnored: 5 }),
  tcp: engineStats({ faults: 1, bytesSent: 800 }),
})
let metrics: Metrics

function create(): Metrics {
  metrics = createMetrics({ version: '1.2.3', engine: () => 'quiche', levels: () => levels })
  return metrics
}

afterEach(() => metrics.close())

describe('createMetrics', () => {
  it('turns plain numbers into metrics at each scrape', async () => {
    const { counters, registry } = create()
    const [audio, base] = [TRAFFIC.indexOf('audio'), TRAFFIC.indexOf('base')]
    for (let i = 0; i < 10; i++) counters.received.count(audio, false, 100)
    for (let i = 0; i < 40; i++) counters.sent.count(base, true, 1000)
    counters.drops.deadline++
    counters.sessionsOpened.webtransport++
    counters.keyFrameRequests = 5
    const first = await registry.metrics()
    const sent = '{direction="sent",class="base",delivery="datagram"}'
    const received = '{direction="received",class="audio",delivery="stream"}'
    expect(first).toContain(`sotto_objects_total${received} 10\n`)
    expect(first).toContain(`sotto_objects_total${sent} 40\n`)
    expect(first).toContain(`sotto_object_bytes_total${sent} 40000\n`)
    expect(first).toContain('sotto_objects_dropped_total{reason="deadline"} 1\n')
    expect(first).toContain('sotto_objects_dropped_total{reason="policing"} 0\n')
    expect(first).toContain('sotto_sessions_opened_total{transport="webtransport"} 1\n')
    expect(first).toContain('sotto_key_frame_requests_total 5\n')
    expect(first).toContain('sotto_padding_bytes_total 900\n')
    expect(first).toContain('sotto_path_probes_total{result="success"} 2\n')
    expect(first).toContain('sotto_held_back_seconds_total 1.5\n')
    expect(first).toContain('sotto_sessions{transport="webtransport"} 3\n')
    expect(first).toContain('sotto_rooms 2\n')
    expect(first).toContain('sotto_certificate_expiry_timestamp_seconds 1900000000.5\n')
    const build = `version="1.2.3",node="${process.version}",engine="quiche"`
    expect(first).toContain(`sotto_build_info{${build}} 1\n`)
    expect(first).toContain('process_resident_memory_bytes ')

    counters.sent.count(base, true, 1)
    counters.sent.count(base, true, 1)
    levels = { ...levels, rooms: 0, draining: true }
    const second = await registry.metrics()
    expect(second).toContain(`sotto_objects_total${sent} 42\n`)
    expect(second).toContain(`sotto_objects_total${received} 10\n`)
    expect(second).toContain('sotto_rooms 0\n')
    expect(second).toContain('sotto_draining 1\n')
  })

  it('counts every limit from the start on, and shows how full things are', async () => {
    const { counters, registry } = create()
    countSessionLimit(counters.limits, 'maxRequests')
    countLimit(counters.limits, 'cache-bytes')
    countLimit(counters.limits, 'cache-bytes')
    countLimit(counters.limits, 'idle-time')
    const text = await registry.metrics()
    expect(text).toContain('sotto_limit_hits_total{limit="requests"} 1\n')
    expect(text).toContain('sotto_limit_hits_total{limit="cache-bytes"} 2\n')
    expect(text).toContain('sotto_limit_hits_total{limit="idle-time"} 1\n')
    for (const limit of ['subscriptions', 'object-bytes', 'send-buffer', 'token-cache']) {
      expect(text).toContain(`sotto_limit_hits_total{limit="${limit}"} 0\n`)
    }
    expect(text).toContain('sotto_requests 31\n')
    expect(text).toContain('sotto_namespaces 5\n')
    expect(text).toContain('sotto_fetches 3\n')
    expect(text).toContain('sotto_cache_bytes 1000\n')
    expect(text).toContain('sotto_cache_objects 12\n')
    expect(text).toContain('sotto_buffered_bytes 50\n')
    expect(text).toContain('sotto_transport_buffered_bytes 70\n')
    expect(text).toContain('sotto_objects_duplicate_total 6\n')
    expect(text).toContain('sotto_malformed_tracks_total 1\n')
    expect(text).toContain('sotto_gate_drops_total{reason="key-frame"} 7\n')
    expect(text).toContain('sotto_gate_drops_total{reason="late"} 0\n')
    expect(text).toContain('sotto_policed_objects_total{reason="session-bytes"} 3\n')
    expect(text).toContain('sotto_policed_objects_total{reason="no-base"} 0\n')
    expect(text).toContain('sotto_key_troubles_total{reason="replayed"} 2\n')
  })

  it('tells what admission did', async () => {
    const { counters, registry } = create()
    counters.admission.tokens.valid += 3
    counters.admission.refused.missing++
    counters.admission.ended.expired++
    counters.admission.unauthorizedRequests = 4
    const text = await registry.metrics()
    expect(text).toContain('sotto_tokens_total{verdict="valid"} 3\n')
    expect(text).toContain('sotto_tokens_total{verdict="bad-signature"} 0\n')
    expect(text).toContain('sotto_admission_refused_total{cause="missing"} 1\n')
    expect(text).toContain('sotto_admission_ended_total{cause="expired"} 1\n')
    expect(text).toContain('sotto_requests_unauthorized_total 4\n')
    expect(text).toContain('sotto_token_cache_bytes 300\n')
    expect(text).toContain('sotto_revocations 2\n')
  })

  it('shows latencies, round-trip times and changes of epoch as histograms, in seconds', async () => {
    const { counters, registry } = create()
    const audio = counters.latency[TRAFFIC.indexOf('audio')]!
    for (const ms of [0.1, 0.3, 4, 9000]) audio.observe(ms)
    levels.paths.rtt.observe(30)
    levels.epochs.lag.observe(150)
    const text = await registry.metrics()
    const bucket = (le: string) => `sotto_forward_latency_seconds_bucket{le="${le}",class="audio"}`
    expect(text).toContain('# TYPE sotto_forward_latency_seconds histogram\n')
    expect(text).toContain(`${bucket('0.00025')} 1\n`)
    expect(text).toContain(`${bucket('0.0005')} 2\n`)
    expect(text).toContain(`${bucket('0.005')} 3\n`)
    expect(text).toContain(`${bucket('2')} 3\n`)
    expect(text).toContain(`${bucket('+Inf')} 4\n`)
    expect(text).toContain('sotto_forward_latency_seconds_count{class="audio"} 4\n')
    expect(text).toContain('sotto_forward_latency_seconds_sum{class="audio"} 9.0044\n')
    expect(text).toContain('sotto_path_rtt_seconds_bucket{le="0.05"} 1\n')
    expect(text).toContain('sotto_epoch_change_seconds_sum 0.15\n')
  })

  it('shows what waits, what gates did, how streams ended and what the kernel dropped', async () => {
    const { counters, registry } = create()
    countReset(counters.resets.sent, ResetCode.DELIVERY_TIMEOUT)
    countReset(counters.resets.received, 0x7777)
    const text = await registry.metrics()
    expect(text).toContain('sotto_queue_oldest_seconds{class="audio"} 0.04\n')
    expect(text).toContain('sotto_gate_openings_total 3\n')
    expect(text).toContain('sotto_gated_seconds_total 1.2\n')
    expect(text).toContain('sotto_window_limited_seconds_total 2.5\n')
    expect(text).toContain('sotto_packets_lost_total 11\n')
    const resets = 'sotto_stream_resets_total'
    expect(text).toContain(`${resets}{direction="sent",code="DELIVERY_TIMEOUT"} 1\n`)
    expect(text).toContain(`${resets}{direction="received",code="OTHER"} 1\n`)
    expect(text).toContain('sotto_udp_receive_drops_total 13\n')
    expect(text).toContain('sotto_udp_send_errors_total 4\n')
    expect(text).toContain('sotto_connection_faults_total 3\n')
    expect(text).toContain('sotto_udp_packets_total{direction="received"} 21\n')
    expect(text).toContain('sotto_udp_packets_ignored_total 5\n')
    expect(text).toContain('sotto_websocket_bytes_total{direction="sent"} 800\n')
    expect(text).not.toContain('sotto_udp_buffer_bytes{')
  })

  it('looks at how things are once a scrape', async () => {
    let looks = 0
    metrics = createMetrics({
      version: '1',
      engine: () => 'quiche',
      levels: () => {
        looks++
        return levels
      },
    })
    await metrics.registry.metrics()
    expect(looks).toBe(1)
    await metrics.registry.metrics()
    expect(looks).toBe(2)
  })

  it('sees a blocked event loop', async () => {
    const began = performance.now()
    const { registry } = create()
    await blockLoop()
    const text = await registry.metrics()
    const [, lag] = /sotto_event_loop_lag_seconds\{quantile="1"\} (\S+)/.exec(text) ?? []
    expect(Number(lag)).toBeGreaterThan(0.05)
    const [, busy] = /^sotto_event_loop_busy_ratio (\S+)/m.exec(text) ?? []
    // Of the whole time, which is long on a machine that has other work.
    expect(Number(busy)).toBeGreaterThan(100 / (performance.now() - began))
  })

  it('gives two relays in one process a registry each', async () => {
    const one = create()
    const two = createMetrics({ version: '1', engine: () => 'fails', levels: () => levels })
    one.counters.keyFrameRequests++
    expect(await two.registry.metrics()).toContain('sotto_key_frame_requests_total 0\n')
    two.close()
  })

  it('has names with units and a help for each', async () => {
    const list = await create().registry.getMetricsAsJSON()
    const ours = list.filter(({ name }) => name.startsWith('sotto_'))
    expect(ours.length).toBeGreaterThan(60)
    for (const { name, help, type, values } of ours) {
      // No label of unbounded cardinality: every value is there from the start on, or never.
      expect(values.length, name).toBeLessThan(150)
      expect(help, name).toMatch(/^(\d|[A-Z]).*\.$/)
      expect(name.endsWith('_total'), name).toBe(String(type) === 'counter')
      expect(name).not.toMatch(/_(ms|kb|milliseconds|bits)(_|$)/)
    }
  })
})
