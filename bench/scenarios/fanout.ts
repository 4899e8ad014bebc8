import { roomsOf, steadyPlan } from '../load/people.ts'
import { loadScenario } from '../load/scenario.ts'

/** One to many: how much a relay forwards. */
export const fanout = loadScenario({
  name: 'fanout',
  summary: 'One publisher, or a few, and many subscribers who watch all of them.',
  defaults: {
    publishers: 1,
    subscribers: 50,
    rooms: 1,
    profile: 'video',
    renditions: 1,
    managed: false,
    durationS: 20,
  },
  *steps(options) {
    yield { plan: steadyPlan('fanout', roomsOf(options, false), options) }
  },
})
