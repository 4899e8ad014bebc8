import { type DashboardSpec, of, quantile, rate, rateBy } from './panels.ts'

/** What becomes of sound and pictures in the relay, and on the paths to its callers. */
export const media: DashboardSpec = {
  uid: 'sotto-media',
  title: 'Sotto: media',
  description: 'What becomes of sound and pictures in relays, and on the paths to callers.',
  rows: [
    {
      title: 'Forwarding',
      panels: [
        {
          title: 'Received, by class',
          description: 'Objects a second.',
          unit: 'ops',
          queries: [rateBy('class', 'sotto_objects_total', 'direction="received"')],
        },
        {
          title: 'Sent, by class and carrier',
          description: 'Objects a second. `enhancement` layers go as datagrams.',
          unit: 'ops',
          queries: [
            {
              expr: `sum by (class, delivery) (${rate('sotto_objects_total', 'direction="sent"')})`,
              legend: '{{class}} {{delivery}}',
            },
          ],
        },
        {
          title: 'Payload sent, by class',
          description: 'Bits a second.',
          unit: 'bps',
          queries: [
            {
              expr: `8 * sum by (class) (${rate('sotto_object_bytes_total', 'direction="sent"')})`,
              legend: '{{class}}',
            },
          ],
        },
        {
          title: 'Latency p50, by class',
          description: 'From the first byte of an object to its being handed to the transport.',
          unit: 's',
          queries: [quantile(0.5, 'sotto_forward_latency_seconds', ['class'])],
        },
        {
          title: 'Latency p99, by class',
          description: 'The same, of the slowest in a hundred.',
          unit: 's',
          queries: [quantile(0.99, 'sotto_forward_latency_seconds', ['class'])],
        },
        {
          title: 'What waits longest',
          description: 'Age of the oldest object in any queue, by class.',
          unit: 's',
          queries: [
            { expr: `max by (class) (${of('sotto_queue_oldest_seconds')})`, legend: '{{class}}' },
          ],
        },
      ],
    },
    {
      title: 'Lost and left out',
      panels: [
        {
          title: 'Drops, by class',
          description: 'Sound should never be here.',
          unit: 'ops',
          queries: [rateBy('class', 'sotto_objects_dropped_by_class_total')],
        },
        {
          title: 'Drops, by reason',
          description:
            '`deadline`: too old; `congestion`: the path did not take it; `overflow`: a queue was full; `selection`: something else is shown; `policing`: the publisher sent too much.',
          unit: 'ops',
          queries: [rateBy('reason', 'sotto_objects_dropped_total')],
        },
        {
          title: 'Streams reset, by code',
          description: 'By us (sent), by publishers (received), and stopped by subscribers.',
          unit: 'ops',
          queries: [
            {
              expr: `sum by (direction, code) (${rate('sotto_stream_resets_total')})`,
              legend: '{{direction}} {{code}}',
            },
          ],
        },
        {
          title: 'Policing',
          description: 'Objects dropped of publishers that send more than they may.',
          unit: 'ops',
          queries: [rateBy('reason', 'sotto_policed_objects_total')],
        },
        {
          title: 'Duplicates and broken tracks',
          description: 'Objects that came again; tracks found malformed; reports that are none.',
          unit: 'ops',
          queries: ['objects_duplicate', 'malformed_tracks', 'reports_malformed'].map((name) => ({
            expr: `sum(${rate(`sotto_${name}_total`)})`,
            legend: name,
          })),
        },
        {
          title: 'Choices',
          description: 'Changes of rendition and of temporal layers for receivers that report.',
          unit: 'ops',
          queries: [
            {
              ...rateBy('direction', 'sotto_rendition_switches_total'),
              legend: 'rendition {{direction}}',
            },
            { ...rateBy('direction', 'sotto_layer_changes_total'), legend: 'layers {{direction}}' },
          ],
        },
      ],
    },
    {
      title: 'Paths',
      panels: [
        {
          title: 'Round-trip time',
          description: 'Of paths in use.',
          unit: 's',
          queries: [
            quantile(0.5, 'sotto_path_rtt_seconds'),
            quantile(0.95, 'sotto_path_rtt_seconds'),
          ],
        },
        {
          title: 'Packets lost',
          description: 'Share of the packets sent on the UDP port.',
          unit: 'percentunit',
          queries: [
            {
              expr: `sum(${rate('sotto_packets_lost_total')}) / sum(${rate('sotto_udp_packets_total', 'direction="sent"')})`,
              legend: 'lost',
            },
          ],
        },
        {
          title: 'Waiting for room',
          description:
            'Subscribers, on average, whose media waits for the window of the transport, or is held back for a full path.',
          unit: 'short',
          queries: [
            { expr: `sum(${rate('sotto_window_limited_seconds_total')})`, legend: 'window' },
            { expr: `sum(${rate('sotto_held_back_seconds_total')})`, legend: 'held back' },
          ],
        },
        {
          title: 'Padding and probes',
          description: 'What is sent to find out whether a path bears more.',
          unit: 'short',
          queries: [
            { expr: `8 * sum(${rate('sotto_padding_bytes_total')})`, legend: 'padding, bit/s' },
            { ...rateBy('result', 'sotto_path_probes_total'), legend: 'probes: {{result}}' },
          ],
        },
        {
          title: 'UDP',
          description: 'Packets a second.',
          unit: 'pps',
          queries: [rateBy('direction', 'sotto_udp_packets_total')],
        },
        {
          title: 'UDP trouble',
          description:
            'Packets that the kernel dropped or refused, that belong to nobody, and connections that a bug ended.',
          unit: 'ops',
          queries: [
            ...['receive_drops', 'send_errors', 'packets_ignored'].map((name) => ({
              expr: `sum(${rate(`sotto_udp_${name}_total`)})`,
              legend: name,
            })),
            { expr: `sum(${rate('sotto_connection_faults_total')})`, legend: 'faults' },
          ],
        },
      ],
    },
  ],
}
