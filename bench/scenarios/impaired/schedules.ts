/** Calls on bad networks: each is a plan and what is wanted of it. */

import type { LinkConditions } from '../../../sfu/simulation/net/link.ts'
import { camera, type PictureSpec, type TrackSpec, VOICE } from '../../load/media/profile.ts'
import type { LoadOptions } from '../../load/options.ts'
import {
  DEFAULT_LATE_MS,
  type LinkPlan,
  type LoadPlan,
  type ParticipantPlan,
  type WatchPlan,
} from '../../load/plan.ts'
import type { Goal, LabelReport } from '../../load/report/figures.ts'
import type { LoadStep } from '../../load/scenario.ts'
import {
  audioInTime,
  audioIntact,
  noFreeze,
  PATH_DELAY_MS,
  phaseOf,
  pictureGap,
  reachedAfter,
  sameBytes,
  sessionsHold,
  settlesAt,
  type Unjudged,
} from './goals.ts'

/** A source of 2 Mbit/s at its largest. */
const SOURCE: readonly TrackSpec[] = [VOICE, ...camera(3)]
const TOP = { rendition: 2, layer: 2 }
/** Of 500 kbit/s and 32 kbit/s of sound: two thirds of the rendition of 500 kbit/s. */
const FITS_500K = { rendition: 1, layer: 1 }

const ROOM = 'bench-impaired'
const RECEIVER = 'receiver'
const WARMUP_MS = 5000
const QUEUE_BYTES = 64_000
const RECOVERY_MS = 5000

interface Receiver {
  readonly label: string
  readonly down: Partial<LinkConditions>
  readonly changes?: LinkPlan['changes']
  readonly watches?: readonly WatchPlan[]
}

type Phase = readonly [name: string, ms: number]
type Judge = NonNullable<LoadStep['judge']>

/** A run, whose phases are as long as the options say. */
export type Schedule = (options: LoadOptions) => LoadStep

export const SCHEDULES: Readonly<Record<string, Schedule>> = {
  step: (options) => {
    const [good, bad, again] = seconds(options, 1, 2, 1.5)
    const [falls, rises] = [good, good + bad]
    const down = { rate: 4_000_000 }
    const changes = [
      { atMs: falls, down: { rate: 500_000 } },
      { atMs: rises, down: { rate: 4_000_000 } },
    ]
    return scheduled('step', options, {
      phases: [
        ['4 Mbit/s', good],
        ['500 kbit/s', bad],
        ['4 Mbit/s again', again],
      ],
      receivers: [{ label: RECEIVER, down, changes }],
      judge: ([receiver]) => {
        const low = phaseOf(receiver!, '500 kbit/s')
        return [
          audioIntact('500 kbit/s', low),
          audioInTime('500 kbit/s', low),
          noFreeze('500 kbit/s', low),
          settlesAt('500 kbit/s', receiver!, falls + bad / 4, rises, FITS_500K),
          reachedAfter('recovery', receiver!, rises, TOP, RECOVERY_MS),
        ]
      },
    })
  },

  loss: (options) => {
    const [each] = seconds(options, 1)
    const shares = [0.01, 0.05, 0.1]
    const nameOf = (share: number) => `${share * 100} % lost`
    return scheduled('loss', options, {
      phases: shares.map((share) => [nameOf(share), each] as const),
      receivers: [
        {
          label: RECEIVER,
          down: { rate: 4_000_000 },
          changes: shares.map((loss, index) => ({ atMs: index * each, down: { loss } })),
        },
      ],
      judge: ([receiver]) =>
        shares.flatMap((share) => {
          const phase = phaseOf(receiver!, nameOf(share))
          const goals = [audioIntact(nameOf(share), phase), noFreeze(nameOf(share), phase)]
          // At 10 % nothing was promised of the picture.
          return share > 0.05 ? goals.slice(0, 1) : goals
        }),
    })
  },

  jitter: (options) => {
    const [each] = seconds(options, 1)
    const jitterMs = 200
    const name = `${jitterMs} ms of jitter`
    return scheduled('jitter', options, {
      phases: [[name, each]],
      receivers: [{ label: RECEIVER, down: { rate: 4_000_000, jitterMs } }],
      judge: ([receiver]) => {
        const phase = phaseOf(receiver!, name)
        return [audioIntact(name, phase), audioInTime(name, phase, jitterMs), noFreeze(name, phase)]
      },
    })
  },

  outage: (options) => {
    const [good, again] = seconds(options, 1, 1.5)
    const gone = 10_000
    const rate = 4_000_000
    return scheduled('outage', options, {
      phases: [
        ['before', good],
        ['nothing passes', gone],
        ['after', again],
      ],
      receivers: [
        {
          label: RECEIVER,
          down: { rate },
          changes: [
            { atMs: good, down: { rate: 0 }, up: { rate: 0 } },
            { atMs: good + gone, down: { rate }, up: { rate } },
          ],
        },
      ],
      judge: ([receiver]) => {
        const lowest = { rendition: 0, layer: 0 }
        return [
          reachedAfter('after the outage', receiver!, good + gone, lowest, 2000),
          reachedAfter('after the outage', receiver!, good + gone, TOP, RECOVERY_MS),
          audioIntact('after the outage', phaseOf(receiver!, 'after')),
        ]
      },
    })
  },

  rates: (options) => {
    const [each] = seconds(options, 2)
    const kilobits = [150, 300, 500, 800, 1200, 2000, 3000, 4000, 8000, 16_000]
    return scheduled('rates', options, {
      phases: [['all', each]],
      receivers: kilobits.map((rate) => ({
        label: `${rate} kbit/s`,
        down: { rate: rate * 1000 },
      })),
      judge: (labels) =>
        labels.flatMap((receiver) => {
          const phase = phaseOf(receiver, 'all')
          return [audioIntact(receiver.label, phase), audioInTime(receiver.label, phase)]
        }),
    })
  },

  flood: (options) => {
    const [each] = seconds(options, 1)
    const [honest, flooder] = ['p0', 'flooder']
    const honestOnly: WatchPlan[] = [{ participant: honest, tracks: SOURCE }]
    const flood = floodOf()
    const both = [...honestOnly, { participant: flooder, tracks: flood }]
    return scheduled('flood', options, {
      phases: [['flood', each]],
      publishers: [
        publisher(honest, 0, SOURCE, options.followsFeedback),
        publisher(flooder, 1, flood, false),
      ],
      receivers: [
        { label: 'watches both', down: { rate: 8_000_000 }, watches: both },
        { label: 'watches one', down: { rate: 8_000_000 }, watches: honestOnly },
      ],
      judge: (labels) =>
        labels.flatMap((receiver) => {
          const phase = phaseOf(receiver, 'flood')
          const goals = [audioIntact(receiver.label, phase), audioInTime(receiver.label, phase)]
          return receiver.label === 'watches one'
            ? [...goals, noFreeze(receiver.label, phase)]
            : goals
        }),
    })
  },

  epoch: (options) => {
    const [each] = seconds(options, 2)
    const changes = [0.25, 0.5, 0.75].map((share) => Math.round(each * share))
    return scheduled('epoch', options, {
      phases: [['three epoch changes', each]],
      epochChanges: changes,
      receivers: Array.from({ length: 4 }, () => ({
        label: RECEIVER,
        down: { rate: 4_000_000 },
      })),
      judge: ([receiver]) => {
        const name = 'three epoch changes'
        const phase = phaseOf(receiver!, name)
        return [audioIntact(name, phase), pictureGap(name, phase, 2 * PATH_DELAY_MS + 200)]
      },
    })
  },
}

interface Parts {
  readonly phases: readonly Phase[]
  readonly receivers: readonly Receiver[]
  /** Default: one, with the source. */
  readonly publishers?: readonly ParticipantPlan[]
  readonly epochChanges?: readonly number[]
  readonly judge: (labels: readonly LabelReport[], report: Unjudged) => Goal[]
}

function scheduled(name: string, options: LoadOptions, parts: Parts): LoadStep {
  const { managed, followsFeedback, mls } = options
  const publishers = parts.publishers ?? [publisher('p0', 0, SOURCE, followsFeedback)]
  const watches: WatchPlan[] = [{ participant: 'p0', tracks: SOURCE }]
  const plan: LoadPlan = {
    name,
    participants: [
      ...publishers,
      ...parts.receivers.map((receiver, index) => ({
        id: `s${index}`,
        leaf: publishers.length + index,
        room: ROOM,
        label: receiver.label,
        publishes: [],
        watches: receiver.watches ?? watches,
        managed,
        followsFeedback: false,
        link: index,
        joinAtMs: 500 + index * 20,
        leaveAtMs: null,
      })),
    ],
    links: parts.receivers.map(({ down, changes = [] }) => ({
      down: { delayMs: PATH_DELAY_MS, queueBytes: QUEUE_BYTES, ...down },
      up: { delayMs: PATH_DELAY_MS },
      changes,
    })),
    warmupMs: WARMUP_MS,
    phases: parts.phases.map(([phase, ms]) => ({ name: phase, ms })),
    epochChanges: parts.epochChanges ?? [],
    mls,
    compareBytes: true,
    lateMs: DEFAULT_LATE_MS,
  }
  const judge: Judge = (labels, report) => [
    ...parts.judge(labels, report),
    sameBytes(report),
    sessionsHold(report),
  ]
  return { plan, judge }
}

function publisher(
  id: string,
  leaf: number,
  publishes: readonly TrackSpec[],
  followsFeedback: boolean,
): ParticipantPlan {
  return {
    id,
    leaf,
    room: ROOM,
    label: 'publishers',
    publishes,
    watches: [],
    managed: false,
    followsFeedback,
    link: null,
    joinAtMs: 0,
    leaveAtMs: null,
  }
}

/** A picture of sixty times what it says of itself. */
function floodOf(): TrackSpec[] {
  const [honest] = camera(1) as [PictureSpec]
  return [VOICE, { ...honest, floods: true, statedBitrate: honest.bitrate, bitrate: 30_000_000 }]
}

/** Times of the length of a phase, ms. */
function seconds<const Times extends readonly number[]>(
  { durationMs }: LoadOptions,
  ...times: Times
): { readonly [Index in keyof Times]: number } {
  return times.map((factor) => Math.round(factor * durationMs)) as {
    readonly [Index in keyof Times]: number
  }
}
