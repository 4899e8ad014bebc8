import { describe, expect, it } from 'vitest'
import type { WorkerResult } from './crew/protocol.ts'
import { Lateness } from './figures/lateness.ts'
import { generatorFigures, saturation } from './saturation.ts'

function workerWith(late: readonly number[], cpuCores = 0.2): WorkerResult {
  const lateness = new Lateness()
  for (const ms of late) lateness.note(ms)
  return { participants: [], labels: [], lateness: lateness.toData(), cpuCores, rssBytes: 1000 }
}

const punctual = new Array<number>(1000).fill(1)

describe('the saturation rule', () => {
  it('lets a generator pass that had time', () => {
    expect(saturation(generatorFigures([workerWith(punctual)], 0.6))).toEqual([])
  })

  it('goes by the worst worker, not by the mean', () => {
    const figures = generatorFigures([workerWith(punctual), workerWith(punctual, 0.99)], 0.6)
    expect(saturation(figures)).toEqual(['a worker took 0.99 cores: give more --workers'])
  })

  it('refuses one whose ticks were late: what it sent was late before the relay saw it', () => {
    const late = [...punctual.slice(30), ...new Array<number>(30).fill(40)]
    expect(saturation(generatorFigures([workerWith(late)], 0.6))).toEqual([
      "a worker's event loop ran 40 ms late (99th percentile)",
      "3.0 % of a worker's ticks were more than 10 ms late",
    ])
  })

  it('refuses a machine without idle time, which the relay needs too', () => {
    expect(saturation(generatorFigures([workerWith(punctual)], 0.97))).toEqual([
      'the machine was busy for 97 % of the time',
    ])
  })

  it('counts a tick that came too early as punctual', () => {
    expect(generatorFigures([workerWith([-3])], 0).lagMsP99).toBe(0)
  })
})
