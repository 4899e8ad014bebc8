import { count, type LoadOptions } from '../load/options.ts'
import { roomsOf, steadyPlan } from '../load/people.ts'
import type { Goal, RunReport } from '../load/report/figures.ts'
import { type LoadStep, loadScenario } from '../load/scenario.ts'
import { holds, objectiveGoals } from './objective.ts'

const DEFAULT_MOST = 2000
/** After the first failure, the load in the middle is tried so many times. */
const HALVINGS = 2

/** More and more subscribers until a service objective breaks: how many a relay bears. */
export const ramp = loadScenario({
  name: 'ramp',
  summary:
    'Twice as many subscribers each time from --subscribers on, until the relay loses or delays sound, ' +
    'or the generator has no time left; then loads between.',
  usage: `[--most <subscribers, default ${DEFAULT_MOST}>]`,
  options: { most: { type: 'string' } },
  defaults: {
    publishers: 1,
    subscribers: 25,
    rooms: 1,
    profile: 'video',
    renditions: 1,
    managed: false,
    durationS: 10,
  },
  *steps(options, values) {
    yield* climb(options, count(values, 'most', DEFAULT_MOST))
  },
  conclude: (runs) => [conclusion(runs)],
})

/** @param most subscribers, in each room */
export function* climb(options: LoadOptions, most: number): Generator<LoadStep, void, RunReport> {
  let held = 0
  let broke = Number.POSITIVE_INFINITY
  for (let subscribers = Math.max(1, options.subscribers); ; ) {
    const run = yield stepOf(options, subscribers)
    // What a saturated generator saw says nothing of more load either.
    if (holds(run) && run.valid) held = subscribers
    else {
      broke = subscribers
      break
    }
    if (subscribers >= most) return
    subscribers = Math.min(most, subscribers * 2)
  }
  for (let halving = 0; halving < HALVINGS && broke - held > 1; halving++) {
    const middle = Math.floor((held + broke) / 2)
    const run = yield stepOf(options, middle)
    if (holds(run) && run.valid) held = middle
    else broke = middle
  }
}

function stepOf(options: LoadOptions, subscribers: number): LoadStep {
  const people = roomsOf({ ...options, subscribers }, false)
  const pictures = people.reduce(
    (sum, { watches }) =>
      sum + watches.filter(({ tracks }) => tracks.some(({ kind }) => kind !== 'audio')).length,
    0,
  )
  return {
    plan: steadyPlan(`${subscribers} subscribers`, people, { ...options, subscribers }),
    judge: (_labels, report) => objectiveGoals(report, pictures),
  }
}

/** What the ramp found. */
function conclusion(runs: readonly RunReport[]): Goal {
  const held = runs.filter((run) => run.valid && holds(run))
  const largest = held.toSorted((a, b) => b.objects.expected - a.objects.expected)[0]
  // Only a valid run tells of the relay.
  const broke = runs.some((run) => run.valid && !holds(run))
  const saturated = !broke && runs.some(({ valid }) => !valid)
  const limit = broke
    ? 'then the relay broke it'
    : saturated
      ? 'then the generator was saturated'
      : ''
  const value = largest ? `${largest.name}, ${largest.objectsPerSecond} objects/s` : 'none'
  return { name: 'most that kept the objective', value: limit ? `${value}; ${limit}` : value }
}
