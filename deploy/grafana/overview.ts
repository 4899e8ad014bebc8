import { type DashboardSpec, of, quantile, rate, rateBy } from './panels.ts'

/** Is the relay well, how much does it carry, who is refused. */
export const overview: DashboardSpec = {
  uid: 'sotto-overview',
  title: 'Sotto: overview',
  description: 'Whether relays are well, how much they carry, and who is refused.',
  rows: [
    {
      title: 'Load',
      panels: [
        {
          title: 'Sessions',
          description: 'By transport; `memory` are the services of the relay itself.',
          unit: 'short',
          queries: [
            { expr: `sum by (transport) (${of('sotto_sessions')})`, legend: '{{transport}}' },
            { expr: `sum(${of('sotto_sessions_limit')})`, legend: 'limit' },
          ],
        },
        {
          title: 'Rooms, participants, subscriptions',
          description: 'Rooms with somebody in them.',
          unit: 'short',
          queries: ['rooms', 'participants', 'tracks', 'subscriptions'].map((name) => ({
            expr: `sum(${of(`sotto_${name}`)})`,
            legend: name,
          })),
        },
        {
          title: 'Payload',
          description: 'Of objects, by direction.',
          unit: 'bps',
          queries: [
            {
              expr: `8 * sum by (direction) (${rate('sotto_object_bytes_total')})`,
              legend: '{{direction}}',
            },
          ],
        },
        {
          title: 'Objects',
          description: 'A second, by direction.',
          unit: 'ops',
          queries: [rateBy('direction', 'sotto_objects_total')],
        },
        {
          title: 'Forward latency',
          description:
            'From the first byte of an object to its being handed to the transport. Sound should stay below 3 ms at p99 while the relay has a core to itself.',
          unit: 's',
          queries: [
            quantile(0.5, 'sotto_forward_latency_seconds'),
            quantile(0.99, 'sotto_forward_latency_seconds'),
            quantile(0.99, 'sotto_forward_latency_seconds', ['class']),
          ],
        },
        {
          title: 'Drops',
          description: 'Objects not sent to a subscriber, by reason.',
          unit: 'ops',
          queries: [rateBy('reason', 'sotto_objects_dropped_total')],
        },
      ],
    },
    {
      title: 'Process',
      panels: [
        {
          title: 'Event-loop lag',
          description: 'Everything waits for as long. Above 100 ms for minutes: too much load.',
          unit: 's',
          queries: [
            {
              expr: `max by (quantile) (${of('sotto_event_loop_lag_seconds')})`,
              legend: 'p{{quantile}}',
            },
          ],
        },
        {
          title: 'Busy',
          description: 'Share of one core that each event loop and the whole relay use.',
          unit: 'percentunit',
          queries: [
            {
              expr: `${of('sotto_worker_event_loop_busy_ratio')} or ${of('sotto_event_loop_busy_ratio')}`,
              legend: 'loop {{instance}} {{worker}}',
            },
            { expr: rate('process_cpu_seconds_total'), legend: 'process {{instance}}' },
          ],
        },
        {
          title: 'Memory',
          description: 'Of the process, its cache, and what waits to be sent.',
          unit: 'bytes',
          queries: [
            { expr: of('process_resident_memory_bytes'), legend: 'resident {{instance}}' },
            { expr: of('sotto_cache_bytes'), legend: 'cache {{instance}}' },
            { expr: of('sotto_cache_limit_bytes'), legend: 'cache at most {{instance}}' },
            { expr: of('sotto_buffered_bytes'), legend: 'waiting {{instance}}' },
            { expr: of('sotto_transport_buffered_bytes'), legend: 'in transports {{instance}}' },
          ],
        },
        {
          title: 'Workers',
          description:
            'Of a relay of several processes: those that serve, and those that were started again within an hour.',
          unit: 'short',
          queries: [
            {
              expr: `${of('sotto_workers')} or ${of('sotto_ready')}`,
              legend: 'serve {{instance}}',
            },
            {
              expr: `increase(${of('sotto_worker_restarts_total')}[1h]) or 0 * ${of('sotto_ready')}`,
              legend: 'restarts {{instance}}',
            },
          ],
        },
        {
          title: 'Load of each worker',
          description: 'Sessions and rooms of each process, of several.',
          unit: 'short',
          queries: [
            {
              expr: `${of('sotto_worker_sessions')} or sum by (instance) (${of('sotto_sessions')})`,
              legend: 'sessions {{instance}} {{worker}}',
            },
            {
              expr: `${of('sotto_worker_rooms')} or ${of('sotto_rooms')}`,
              legend: 'rooms {{instance}} {{worker}}',
            },
          ],
        },
        {
          title: 'Ready, draining',
          description: '1 where new sessions may come, and where the relay drains.',
          unit: 'short',
          queries: [
            { expr: of('sotto_ready'), legend: 'ready {{instance}}' },
            { expr: of('sotto_draining'), legend: 'draining {{instance}}' },
          ],
        },
        {
          title: 'Certificate',
          description: 'Time until the certificate in use expires.',
          unit: 's',
          queries: [
            {
              expr: `${of('sotto_certificate_expiry_timestamp_seconds')} - time()`,
              legend: '{{instance}}',
            },
          ],
        },
        {
          title: 'What runs',
          description: 'Version of the relay and of Node, and its QUIC engine.',
          unit: 'short',
          kind: 'table',
          queries: [{ expr: of('sotto_build_info'), legend: '' }],
        },
      ],
    },
    {
      title: 'Door',
      panels: [
        {
          title: 'Sessions opened and ended',
          description: 'A second; ended by whom.',
          unit: 'ops',
          queries: [
            {
              ...rateBy('transport', 'sotto_sessions_opened_total'),
              legend: 'opened {{transport}}',
            },
            { ...rateBy('by', 'sotto_sessions_closed_total'), legend: 'ended by {{by}}' },
          ],
        },
        {
          title: 'Refused',
          description: 'Sessions, by reason; and those refused for their token, by cause.',
          unit: 'ops',
          queries: [
            rateBy('reason', 'sotto_sessions_refused_total'),
            { ...rateBy('cause', 'sotto_admission_refused_total'), legend: 'token: {{cause}}' },
          ],
        },
        {
          title: 'Limits hit',
          description: 'By limit; sfu/LIMITS.md says what each does.',
          unit: 'ops',
          queries: [rateBy('limit', 'sotto_limit_hits_total')],
        },
      ],
    },
  ],
}
