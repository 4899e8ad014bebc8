/** How long a case takes; runs in Node and in browsers. */

import { Bench } from 'tinybench'
import type { Case, Measurement } from './subject.ts'

/**
 * Times a case with tinybench.
 * @param timeMs how long to time it
 * @throws what the case throws
 */
export async function time(
  subject: Case,
  timeMs: number,
): Promise<Omit<Measurement, 'bytesPerOperation'>> {
  const bench = new Bench({
    time: timeMs,
    warmupTime: timeMs / 2,
    warmupIterations: 4,
    iterations: 8,
    throws: true,
  })
  await subject.prepare?.()
  const first = subject.run()
  await first
  bench.add(subject.name, () => subject.run(), {
    async: first instanceof Promise,
    beforeEach: () => subject.prepare?.(),
  })
  const [task] = await bench.run()
  const result = task!.result
  if (result.state !== 'completed') throw new Error(`${subject.name}: ${result.state}`)
  // The mean, not the median: what the garbage collector takes is part of the cost.
  const { mean, rme, min } = result.latency
  const nanoseconds = (mean * 1e6) / subject.operations
  const operationsPerSecond = 1e9 / nanoseconds
  return {
    name: subject.name,
    operationsPerSecond,
    nanosecondsPerOperation: nanoseconds,
    leastNanoseconds: (min * 1e6) / subject.operations,
    marginPercent: rme,
    ...(subject.payloadBytes !== undefined && {
      payloadBytes: subject.payloadBytes,
      payloadBytesPerSecond: subject.payloadBytes * operationsPerSecond,
    }),
  }
}
