import type { LoadOptions } from '../load/options.ts'
import { MAX_ROOM, roomsOf, steadyPlan } from '../load/people.ts'
import { type LoadPlan, measuredMs, type ParticipantPlan, type WatchPlan } from '../load/plan.ts'
import type { Goal, RunReport } from '../load/report/figures.ts'
import { loadScenario } from '../load/scenario.ts'
import { positiveNumber, UsageError } from '../scenario.ts'

const DEFAULT_STAY_S = 8
/** Between one who leaves a seat and the next who takes it, ms. */
const PAUSE_MS = 200
const STAYING = 'who stays'

/** People who come and go: how soon newcomers see something, and what those who stay notice. */
export const churn = loadScenario({
  name: 'churn',
  summary:
    'Every second publisher and subscriber stays; on the other seats people come and go, each time ' +
    "with a change of the room's MLS group (--mls none: without a group).",
  usage: `[--stay <s, default ${DEFAULT_STAY_S}>]`,
  options: { stay: { type: 'string' } },
  defaults: {
    publishers: 3,
    subscribers: 8,
    rooms: 1,
    profile: 'video',
    renditions: 1,
    managed: false,
    // What X-Wing costs all members would saturate the generator, in which they share a thread.
    mls: 'classical',
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
  const plan = steadyPlan('churn', roomsOf(options, false), options)
  const endMs = plan.warmupMs + measuredMs(plan)
  const seats = new Map<string, number>()
  const people = plan.participants.flatMap((seat): ParticipantPlan[] => {
    const isPublisher = seat.publishes.length > 0
    const index = seats.get(seat.label) ?? 0
    seats.set(seat.label, index + 1)
    if (index % 2 === 0) return [isPublisher ? seat : { ...seat, label: STAYING }]
    // Not all at one moment.
    const first = seat.joinAtMs + (stayMs * (index % 8)) / 8
    const label = isPublisher ? 'publishers who come and go' : 'who comes and goes'
    return visits({ ...seat, label }, first, stayMs, endMs)
  })
  return { ...plan, participants: watching(withLeaves(people)) }
}

function visits(
  seat: ParticipantPlan,
  first: number,
  stayMs: number,
  endMs: number,
): ParticipantPlan[] {
  const all: ParticipantPlan[] = []
  for (let joinAtMs = first; joinAtMs < endMs; joinAtMs += stayMs + PAUSE_MS) {
    all.push({ ...seat, id: `${seat.id}-${all.length}`, joinAtMs, leaveAtMs: joinAtMs + stayMs })
  }
  return all
}

/** Each subscriber watches the publishers who are there while it is, and for as long. */
function watching(people: readonly ParticipantPlan[]): ParticipantPlan[] {
  const publishers = people.filter(({ publishes }) => publishes.length > 0)
  return people.map((person) => {
    if (person.publishes.length > 0) return person
    const there = publishers.filter((other) => other.room === person.room && meet(other, person))
    return { ...person, watches: there.map(watchOf) }
  })
}

function meet(one: ParticipantPlan, other: ParticipantPlan): boolean {
  const leaves = ({ leaveAtMs }: ParticipantPlan) => leaveAtMs ?? Number.POSITIVE_INFINITY
  return one.joinAtMs < leaves(other) && other.joinAtMs < leaves(one)
}

function watchOf({ id, publishes, joinAtMs, leaveAtMs }: ParticipantPlan): WatchPlan {
  const until = leaveAtMs !== null && { untilMs: leaveAtMs }
  return { participant: id, tracks: publishes, fromMs: joinAtMs, ...until }
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

/** A newcomer sees and is seen within so long, p95, ms. */
const SOON_MS = 1000

function goals({ firstPictureMs, keysMs, labels, epochChanges }: Omit<RunReport, 'goals'>): Goal[] {
  const staying = labels.find(({ label }) => label === STAYING)?.phases[0]
  return [
    ...(epochChanges ? [soon('keys of the group, p95', keysMs.p95)] : []),
    soon('first picture, p95', firstPictureMs.p95),
    {
      name: 'audio objects lost by those who stay',
      value: String(staying?.classes.audio?.lost ?? 0),
      wanted: '0',
      met: staying?.classes.audio ? staying.classes.audio.lost === 0 : null,
    },
  ]
}

function soon(name: string, ms: number | null): Goal {
  return {
    name,
    value: ms === null ? 'none' : `${Math.round(ms)} ms`,
    wanted: `under ${SOON_MS} ms`,
    met: ms === null ? null : ms < SOON_MS,
  }
}
