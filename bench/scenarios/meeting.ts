import { roomOf, steadyPlan } from '../load/people.ts'
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
    const rooms = Array.from({ length: options.rooms }, (_, room) => `bench-${room}`)
    const people = rooms.flatMap((room) => roomOf(room, options, true))
    yield { plan: steadyPlan('meeting', people, options) }
  },
})
