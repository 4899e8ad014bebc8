import type { LoadOptions } from '../load/options.ts'
import { roomsOf, steadyPlan } from '../load/people.ts'
import type { LoadPlan } from '../load/plan.ts'
import { loadScenario } from '../load/scenario.ts'

/** Many who are there and no more: what a session costs by itself. */
export const idle = loadScenario({
  name: 'idle',
  summary: 'Participants who send and watch nothing: the memory and CPU of a session by itself.',
  defaults: {
    publishers: 1,
    subscribers: 500,
    rooms: 1,
    profile: 'audio',
    renditions: 1,
    managed: false,
    durationS: 10,
  },
  *steps(options) {
    yield { plan: idlePlan(options) }
  },
})

/** @throws UsageError when a room is too large */
export function idlePlan(options: LoadOptions): LoadPlan {
  return steadyPlan('idle', roomsOf({ ...options, publishers: 0 }, false), options)
}
