import { roomOf, steadyPlan } from '../load/people.ts'
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
    const rooms = Array.from({ length: options.rooms }, (_, room) => `bench-${room}`)
    const people = rooms.flatMap((room) => roomOf(room, options, false))
    yield { plan: steadyPlan('fanout', people, options) }
  },
})
