/** Metrics of what lies below MoQT: paths, engines and the UDP socket. */

import type { EngineStats } from '../engine/index.ts'
import type { Levels } from './levels.ts'
import type { MetricSet } from './metric-set.ts'

export function registerTransportMetrics(set: MetricSet, now: () => Levels): void {
  registerPaths(set, now)
  registerSocket(set, now)
  const udp = (read: (stats: EngineStats) => number) => () => {
    const { udp: stats } = now()
    return stats === null ? 0 : read(stats)
  }
  set.gauge(
    'connections',
    'QUIC connections.',
    udp(({ connections }) => connections),
  )
  set.gauge(
    'handshakes',
    'QUIC connections that are no session yet.',
    udp((of) => of.handshakes),
  )
  set.counter(
    'retries',
    'Clients asked to prove their address.',
    udp(({ retries }) => retries),
  )
  set.counter(
    'version_negotiations',
    'Clients told which versions of QUIC are spoken.',
    udp((stats) => stats.versionNegotiations),
  )
  set.counter(
    'connection_faults',
    'Connections that ended by a bug of ours or of the QUIC library.',
    () => (now().udp?.faults ?? 0) + (now().tcp?.faults ?? 0),
  )
  set.gauge(
    'transport_buffered_bytes',
    'Bytes that wait in the transport or are not acknowledged.',
    () => now().transportBytes,
  )
  set.counters('websocket_bytes', 'Bytes of the WebSocket fallback.', 'direction', () => ({
    received: now().tcp?.bytesReceived ?? 0,
    sent: now().tcp?.bytesSent ?? 0,
  }))
}

function registerPaths(set: MetricSet, now: () => Levels): void {
  set.histograms(
    'path_rtt',
    'Smoothed round-trip times, of each path in use once a second.',
    null,
    () => ({ all: now().paths.rtt }),
  )
  set.counter(
    'packets_lost',
    'Packets to subscribers that transports found lost.',
    () => now().paths.lostPackets,
  )
  set.counter(
    'window_limited_seconds',
    'Time for which media waited for a transport to have room, of all subscribers together.',
    () => now().paths.windowLimitedMs / 1000,
  )
  set.counter(
    'held_back_seconds',
    'Time for which media was held back for a full path, of all subscribers together.',
    () => now().paths.heldMs / 1000,
  )
  set.counter('padding_bytes', 'Bytes of padding sent.', () => now().paths.paddingBytes)
  set.counters('path_probes', 'Probes with padding for more.', 'result', () => now().paths.probes)
}

function registerSocket(set: MetricSet, now: () => Levels): void {
  set.counters('udp_packets', 'Packets on the UDP port.', 'direction', () => ({
    received: now().udp?.packetsReceived ?? 0,
    sent: now().udp?.packetsSent ?? 0,
  }))
  set.counters('udp_bytes', 'Bytes on the UDP port.', 'direction', () => ({
    received: now().udp?.bytesReceived ?? 0,
    sent: now().udp?.bytesSent ?? 0,
  }))
  set.counter(
    'udp_send_errors',
    'Sends that the operating system refused, and other errors of the socket.',
    () => now().udp?.sendErrors ?? 0,
  )
  set.counter(
    'udp_packets_ignored',
    'Packets that belong to no connection and begin none.',
    () => now().udp?.packetsIgnored ?? 0,
  )
  set.counter(
    'udp_receive_drops',
    'Packets that the kernel dropped as they were not read in time; Linux only.',
    () => now().udpDrops ?? 0,
  )
  set.samples('gauge', 'udp_buffer_bytes', 'Bytes that the kernel holds.', ['direction'], () => {
    const buffer = now().udp?.kernelBuffer
    if (!buffer) return []
    return [
      { labels: ['received'], value: buffer.receive },
      { labels: ['sent'], value: buffer.send },
    ]
  })
}
