import { Bench } from 'tinybench'
import { bytesPerOperation } from './allocation.ts'
import type { Case, Measurement } from './subject.ts'

/**
 * Times a case with tinybench, then counts what it allocates once the compiler has settled.
 * @param timeMs how long to time it
 * @throws what the case throws
 */
export async function measure(subject: Case, timeMs: number): Promise<Measurement> {
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
  const { mean, rme } = result.latency
  const nanoseconds = (mean * 1e6) / subject.operations
  const operationsPerSecond = 1e9 / nanoseconds
  return {
    name: subject.name,
    operationsPerSecond,
    nanosecondsPerOperation: nanoseconds,
    marginPercent: rme,
    bytesPerOperation: await bytesPerOperation(subject, nanoseconds),
    ...(subject.payloadBytes !== undefined && {
      payloadBytes: subject.payloadBytes,
      payloadBytesPerSecond: subject.payloadBytes * operationsPerSecond,
    }),
  }
}
