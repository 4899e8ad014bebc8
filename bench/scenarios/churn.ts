import type { LoadOptions } from '../load/options.ts'
import { MAX_ROOM, roomsOf, steadyPlan } from '../load/people.ts'
import type { LoadPlan, ParticipantPlan } from '../load/plan.ts'
import { measuredMs } from '../load/plan.ts'
import type { Goal, RunReport } from '../load/report/figures.ts'
import { loadScenario } from '../load/scenario.ts'
import { positiveNumber, UsageError } from '../scenario.ts'

const DEFAULT_STAY_S = 4
/** Between one who leaves a seat and the next who takes it, ms. */
const PAUSE_MS = 200

/** Subscribers who come and go: how soon newcomers see something, and what those who stay notice. */
export const churn = loadScenario({
  name: 'churn',
  summary:
    'Publishers stay, and so does every second subscriber; on the other seats people come and go.',
  usage: `[--stay <s, default ${DEFAULT_STAY_S}>]`,
  options: { stay: { type: 'string' } },
  defaults: {
    publishers: 3,
    subscribers: 20,
    rooms: 1,
    profile: 'video',
    renditions: 1,
    managed: false,
    durationS: 30,
  },
  *steps(options, values) {
    const stayMs = positiveNumber(values, 'stay', DEFAULT_STAY_S) * 1000
    yield { plan: churnPlan(options, stayMs), judge: (_labels, report) => goals(report) }
  },
})

/**
 * @param stayMs how long one who goes again stays
 * @throws UsageError for more visits than a room has leaves
 */
export function churnPlan(options: LoadOptions, stayMs: number): LoadPlan {
  const plan = steadyPlan('churn', roomsOf({ ...options, impair: null }, false), options)
  const endMs = plan.warmupMs + measuredMs(plan)
  let seat = 0
  const participants = plan.participants.flatMap((participant): ParticipantPlan[] => {
    if (participant.publishes.length > 0) return [participant]
    const index = seat++
    if (index % 2 === 0) return [{ ...participant, label: 'who stays' }]
    // Not all at one moment.
    const first = participant.joinAtMs + (stayMs * (index % 8)) / 8
    return visits(participant, first, stayMs, endMs)
  })
  return { ...plan, participants: withLeaves(participants) }
}

function visits(
  seat: ParticipantPlan,
  first: number,
  stayMs: number,
  endMs: number,
): ParticipantPlan[] {
  const all: ParticipantPlan[] = []
  for (let joinAtMs = first; joinAtMs < endMs; joinAtMs += stayMs + PAUSE_MS) {
    const id = `${seat.id}-${all.length}`
    all.push({ ...seat, id, label: 'who comes and goes', joinAtMs, leaveAtMs: joinAtMs + stayMs })
  }
  return all
}

/** Leaf indexes that are unique in a room again. */
function withLeaves(participants: readonly ParticipantPlan[]): ParticipantPlan[] {
  const next = new Map<string, number>()
  return participants.map((participant) => {
    const leaf = next.get(participant.room) ?? 0
    if (leaf >= MAX_ROOM) throw new UsageError(`more than ${MAX_ROOM} visits to a room`)
    next.set(participant.room, leaf + 1)
    return { ...participant, leaf }
  })
}

const FIRST_PICTURE_MS = 1000

function goals({ firstPictureMs, labels }: Omit<RunReport, 'goals'>): Goal[] {
  const staying = labels.find(({ label }) => label === 'who stays')?.phases[0]
  const { p95 } = firstPictureMs
  return [
    {
      name: 'first picture, p95',
      value: p95 === null ? 'none' : `${Math.round(p95)} ms`,
      wanted: `under ${FIRST_PICTURE_MS} ms`,
      met: p95 === null ? null : p95 < FIRST_PICTURE_MS,
    },
    {
      name: 'audio objects lost by those who stay',
      value: String(staying?.classes.audio?.lost ?? 0),
      wanted: '0',
      met: staying?.classes.audio ? staying.classes.audio.lost === 0 : null,
    },
  ]
}
