/** How much a plan is to the processes that play it. */

import type { TrackSpec } from './media/profile.ts'
import { type LoadPlan, measuredMs, type ParticipantPlan } from './plan.ts'

/** Bytes of a fragment that a datagram carries, about. */
const FRAGMENT_BYTES = 1150
/** Objects a second for one process; it bears about 12,000, with no time left. */
const OBJECTS_A_WORKER = 5000

/** Objects a second of a track, about. */
export function objectsPerSecond(spec: TrackSpec): number {
  if (spec.kind === 'audio') return 1000 / spec.frameMs
  return Math.max(spec.framerate, spec.bitrate / 8 / FRAGMENT_BYTES)
}

type Sized = Pick<LoadPlan, 'participants' | 'warmupMs' | 'phases'>

/** Objects a second that all participants together send and receive, about, while it is measured. */
export function sizeOf(plan: Sized): number {
  const begin = plan.warmupMs
  const end = begin + measuredMs(plan)
  const of = (tracks: readonly TrackSpec[]) =>
    tracks.reduce((sum, spec) => sum + objectsPerSecond(spec), 0)
  const there = (joins: number, leaves: number | null | undefined) =>
    Math.max(0, Math.min(end, leaves ?? end) - Math.max(begin, joins)) / (end - begin)
  const one = ({ publishes, watches, joinAtMs, leaveAtMs }: ParticipantPlan) => {
    const sent = of(publishes) * there(joinAtMs, leaveAtMs)
    return watches.reduce((sum, { tracks, fromMs = 0, untilMs = end }) => {
      const until = Math.min(untilMs, leaveAtMs ?? end)
      return sum + of(tracks) * there(Math.max(fromMs, joinAtMs), until)
    }, sent)
  }
  return plan.participants.reduce((sum, participant) => sum + one(participant), 0)
}

/**
 * Processes that a plan is spread over. More of them than cores are of no use.
 * @param cores of the machine
 */
export function workersFor(plan: Sized, cores: number): number {
  return Math.min(Math.max(1, cores), Math.max(1, Math.ceil(sizeOf(plan) / OBJECTS_A_WORKER)))
}
