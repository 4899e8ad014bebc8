import { type DashboardSpec, of, quantile, rate, rateBy, variable } from './panels.ts'

const OPS = variable('ops')
const ROOM = variable('room', 'percentencode')

/**
 * Metrics have no label for rooms, of which there is no end: a room is looked at on the ops port of
 * its relay. This leads there, beside what else happened at that time.
 */
export const room: DashboardSpec = {
  uid: 'sotto-room',
  title: 'Sotto: a room',
  description: 'From a complaint about a room to what its relay knows of it.',
  inputs: [
    { name: 'ops', label: 'Ops port of the relay', value: 'http://127.0.0.1:9464' },
    { name: 'room', label: 'Room', value: 'demo' },
  ],
  rows: [
    {
      title: 'Room $room',
      panels: [
        {
          title: 'Look inside',
          markdown: [
            `- [Why is a picture bad?](${OPS}/debug?room=${ROOM}): of each subscriber its queues, budget, chosen layers, gates and last drops, now`,
            `- [Participants, speakers, tracks, keys and MLS group](${OPS}/rooms?room=${ROOM}) as JSON`,
            `- [All rooms](${OPS}/rooms), the first hundred`,
            '',
            'Your browser must reach the ops port: through a tunnel (`ssh -L 9464:127.0.0.1:9464`) or `kubectl port-forward`.',
          ].join('\n'),
        },
        {
          title: 'Where rooms are',
          description: 'Rooms and participants of each relay.',
          unit: 'short',
          queries: [
            { expr: of('sotto_rooms'), legend: 'rooms {{instance}}' },
            { expr: of('sotto_participants'), legend: 'participants {{instance}}' },
          ],
        },
        {
          title: 'Is the relay late?',
          description: 'If so, all of its rooms are bad.',
          unit: 's',
          queries: [
            {
              expr: of('sotto_event_loop_lag_seconds', 'quantile="0.99"'),
              legend: 'loop p99 {{instance}}',
            },
            quantile(0.99, 'sotto_forward_latency_seconds', ['instance']),
          ],
        },
      ],
    },
    {
      title: 'What may be wrong, of each relay',
      panels: [
        {
          title: 'No sound?',
          description: 'Sound sent and dropped.',
          unit: 'ops',
          queries: [
            {
              expr: `sum by (instance) (${rate('sotto_objects_total', 'direction="sent",class="audio"')})`,
              legend: 'sent {{instance}}',
            },
            {
              expr: rate('sotto_objects_dropped_by_class_total', 'class="audio"'),
              legend: 'dropped {{instance}}',
            },
          ],
        },
        {
          title: 'Frozen picture?',
          description: 'Pictures held back until a key frame, and requests for one.',
          unit: 'short',
          queries: [
            { expr: rate('sotto_gated_seconds_total'), legend: 'gated {{instance}}' },
            { expr: rate('sotto_key_frame_requests_total'), legend: 'requests {{instance}}' },
          ],
        },
        {
          title: 'Bad keys?',
          description: 'Objects refused for their SFrame header.',
          unit: 'ops',
          queries: [rateBy('reason', 'sotto_key_troubles_total')],
        },
        {
          title: 'Bad network?',
          description: 'Subscribers whose media waits for room, and packets lost a second.',
          unit: 'short',
          queries: [
            { expr: rate('sotto_window_limited_seconds_total'), legend: 'waiting {{instance}}' },
            { expr: rate('sotto_packets_lost_total'), legend: 'lost {{instance}}' },
          ],
        },
        {
          title: 'Cannot join?',
          description: 'Sessions refused, and handshakes refused, by reason.',
          unit: 'ops',
          queries: [
            { ...rateBy('reason', 'sotto_sessions_refused_total'), legend: 'session: {{reason}}' },
            { ...rateBy('reason', 'sotto_delivery_refused_total'), legend: 'MLS: {{reason}}' },
          ],
        },
        {
          title: 'Sends too much?',
          description: 'Objects of publishers dropped by policing, by reason.',
          unit: 'ops',
          queries: [rateBy('reason', 'sotto_policed_objects_total')],
        },
      ],
    },
  ],
}
