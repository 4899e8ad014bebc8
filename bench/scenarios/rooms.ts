import { roomsOf, steadyPlan } from '../load/people.ts'
import { loadScenario } from '../load/scenario.ts'

/** Many calls at one time: what a relay takes for each room and participant. */
export const rooms = loadScenario({
  name: 'rooms',
  summary: 'Many small meetings at one time.',
  defaults: {
    publishers: 3,
    subscribers: 0,
    rooms: 10,
    profile: 'video',
    renditions: 1,
    managed: false,
    durationS: 20,
  },
  *steps(options) {
    yield { plan: steadyPlan('rooms', roomsOf(options, true), options) }
  },
})
