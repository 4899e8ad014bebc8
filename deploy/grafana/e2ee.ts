import { type DashboardSpec, of, quantile, rate, rateBy } from './panels.ts'

/** What can be seen of end-to-end encryption without a key. */
export const e2ee: DashboardSpec = {
  uid: 'sotto-e2ee',
  title: 'Sotto: end-to-end encryption',
  description: 'What relays see of end-to-end encryption: headers and handshakes, never a key.',
  rows: [
    {
      title: 'Handshakes (MLS delivery service)',
      panels: [
        {
          title: 'Accepted',
          description: 'Submissions of members, by kind.',
          unit: 'ops',
          queries: [rateBy('kind', 'sotto_delivery_accepted_total')],
        },
        {
          title: 'Conflicts',
          description: 'Commits that lost to another one of the same epoch, to each one accepted.',
          unit: 'short',
          queries: [
            {
              expr: `sum(${rate('sotto_delivery_refused_total', 'reason="stale-epoch"')})`,
              legend: 'lost, a second',
            },
            {
              expr: `sum(${rate('sotto_delivery_repeated_total')})`,
              legend: 'came again, a second',
            },
          ],
        },
        {
          title: 'Rejects',
          description: 'Submissions refused, by reason.',
          unit: 'ops',
          queries: [rateBy('reason', 'sotto_delivery_refused_total')],
        },
        {
          title: 'Groups and members',
          description: 'Of all rooms; `absent` are members that are not there.',
          unit: 'short',
          queries: ['groups', 'members', 'absent', 'waiting'].map((name) => ({
            expr: `sum(${of(`sotto_delivery_${name}`)})`,
            legend: name,
          })),
        },
        {
          title: 'Skipped, disk',
          description: 'Commits that members could not apply; failures of the disk.',
          unit: 'ops',
          queries: ['skipped', 'storage_failures'].map((name) => ({
            expr: `sum(${rate(`sotto_delivery_${name}_total`)})`,
            legend: name,
          })),
        },
      ],
    },
    {
      title: 'Keys, by the headers of objects (SFrame)',
      panels: [
        {
          title: 'Changes of epoch',
          description: 'Rooms that began to send under a newer epoch.',
          unit: 'ops',
          queries: [{ expr: `sum(${rate('sotto_epoch_changes_total')})`, legend: 'changes' }],
        },
        {
          title: 'Time to follow a new epoch',
          description:
            'From the first object under it in a room to the first of each other sender.',
          unit: 's',
          queries: [
            quantile(0.5, 'sotto_epoch_change_seconds'),
            quantile(0.95, 'sotto_epoch_change_seconds'),
          ],
        },
        {
          title: 'KID anomalies',
          description: 'Objects refused for their SFrame header, by reason.',
          unit: 'ops',
          queries: [rateBy('reason', 'sotto_key_troubles_total')],
        },
      ],
    },
    {
      title: 'Key frames',
      panels: [
        {
          title: 'Gates opened',
          description: 'Pictures that began, or went on after a gap or a new epoch.',
          unit: 'ops',
          queries: [{ expr: `sum(${rate('sotto_gate_openings_total')})`, legend: 'opened' }],
        },
        {
          title: 'Time gated',
          description: 'Pictures, on average, that were held back until a key frame came.',
          unit: 'short',
          queries: [{ expr: `sum(${rate('sotto_gated_seconds_total')})`, legend: 'gated' }],
        },
        {
          title: 'Held back by gates',
          description: 'Objects, by reason.',
          unit: 'ops',
          queries: [rateBy('reason', 'sotto_gate_drops_total')],
        },
        {
          title: 'Key-frame requests',
          description: 'Sent to publishers, and wishes that another request stood for.',
          unit: 'ops',
          queries: [
            { expr: `sum(${rate('sotto_key_frame_requests_total')})`, legend: 'sent' },
            {
              expr: `sum(${rate('sotto_key_frame_requests_coalesced_total')})`,
              legend: 'coalesced',
            },
          ],
        },
      ],
    },
    {
      title: 'Tokens',
      panels: [
        {
          title: 'Tokens',
          description: 'Looked at, by verdict.',
          unit: 'ops',
          queries: [rateBy('verdict', 'sotto_tokens_total')],
        },
        {
          title: 'Rights that ended',
          description: 'Sessions, by cause; and requests that no token allows.',
          unit: 'ops',
          queries: [
            rateBy('cause', 'sotto_admission_ended_total'),
            { expr: `sum(${rate('sotto_requests_unauthorized_total')})`, legend: 'requests' },
          ],
        },
      ],
    },
  ],
}
