import { roomsOf, steadyPlan } from '../load/people.ts'
import { loadScenario } from '../load/scenario.ts'

/** Many to many: a call in which everybody sends and watches all others. */
export const meeting = loadScenario({
  name: 'meeting',
  summary: 'A room in which all publishers watch each other; subscribers only watch.',
  defaults: {
    publishers: 6,
    subscribers: 0,
    rooms: 1,
    profile: 'video',
    renditions: 1,
    managed: false,
    durationS: 20,
  },
  *steps(options) {
    yield { plan: steadyPlan('meeting', roomsOf(options, true), options) }
  },
})
