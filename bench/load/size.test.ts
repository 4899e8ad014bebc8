import { describe, expect, it } from 'vitest'
import { camera, VOICE } from './media/profile.ts'
import { type LoadDefaults, loadOptions } from './options.ts'
import { roomOf, steadyPlan } from './people.ts'
import { objectsPerSecond, sizeOf, workersFor } from './size.ts'

const DEFAULTS: LoadDefaults = {
  publishers: 1,
  subscribers: 10,
  rooms: 1,
  profile: 'audio',
  renditions: 1,
  managed: false,
  durationS: 20,
}

function planOf(subscribers: number) {
  const options = loadOptions({ subscribers: String(subscribers) }, DEFAULTS)
  return steadyPlan('x', roomOf('r', options, false), options)
}

describe('the size of a load', () => {
  it('is the objects that all send and receive, a second', () => {
    expect(objectsPerSecond(VOICE)).toBe(50)
    const [small, , large] = camera(3)
    expect(objectsPerSecond(small!)).toBe(30)
    expect(objectsPerSecond(large!)).toBeCloseTo(217, 0)
    expect(sizeOf(planOf(10))).toBeCloseTo(11 * 50)
  })

  it('counts people for as long as they are there', () => {
    const plan = planOf(1)
    const at = (share: number) => plan.warmupMs + share * 20_000
    const half = plan.participants.map((each) => ({ ...each, joinAtMs: 0, leaveAtMs: at(0.5) }))
    expect(sizeOf({ ...plan, participants: half })).toBeCloseTo(50)
    const late = half.map((each) => ({
      ...each,
      leaveAtMs: null,
      watches: each.watches.map((watch) => ({ ...watch, fromMs: at(0.25), untilMs: at(0.5) })),
    }))
    expect(sizeOf({ ...plan, participants: late })).toBeCloseTo(50 + 12.5)
  })

  it('says over how many processes it is spread, by default as many as there are cores at most', () => {
    expect(workersFor(planOf(10), 2)).toBe(1)
    expect(workersFor(planOf(150), 2)).toBe(2)
    expect(workersFor(planOf(1000), 2)).toBe(2)
    expect(workersFor(planOf(1000), 64)).toBe(11)
    expect(workersFor(planOf(1000), 0)).toBe(1)
  })
})
