import { loadScenario } from '../../load/scenario.ts'
import { UsageError } from '../../scenario.ts'
import { SCHEDULES } from './schedules.ts'

const NAMES = Object.keys(SCHEDULES)

/** Calls on bad networks: what arrives, and how soon, beside what is wanted. */
export const impaired = loadScenario({
  name: 'impaired',
  summary:
    `Calls on bad networks (${NAMES.join(', ')}), one after the other, each figure beside its goal; ` +
    '--duration is that of one phase.',
  usage: '[--only <names, default all>]',
  options: { only: { type: 'string' } },
  defaults: {
    publishers: 1,
    subscribers: 1,
    rooms: 1,
    profile: 'video',
    renditions: 3,
    managed: true,
    durationS: 10,
  },
  *steps(options, { only }) {
    for (const name of typeof only === 'string' ? only.split(',') : NAMES) {
      const schedule = Object.hasOwn(SCHEDULES, name) ? SCHEDULES[name] : undefined
      if (!schedule) throw new UsageError(`unknown schedule ${name}; there is: ${NAMES.join(', ')}`)
      yield schedule(options)
    }
  },
})
