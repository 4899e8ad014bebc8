/**
 * Bytes that an operation allocates: the growth of heap and buffers over a run without a garbage
 * collection, the median of several runs. Figures are exact to a few bytes.
 */

import { GCProfiler, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Case } from './subject.ts'

/** How long and over how many operations the growth is taken; more would only meet a collection. */
const MOST_MS = 20
const MOST_OPERATIONS = 20_000
const TRIES = 5

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

/**
 * @param nanoseconds what an operation takes, about
 * @returns null where most tries met a garbage collection
 */
export async function bytesPerOperation(
  subject: Case,
  nanoseconds: number,
): Promise<number | null> {
  const operations = Math.min(MOST_OPERATIONS, (MOST_MS * 1e6) / nanoseconds)
  // A case that is prepared before each batch is measured one batch at a time.
  const most = subject.prepare ? 1 : Math.max(1, Math.floor(operations / subject.operations))
  for (let batches = most; batches >= 1; batches = Math.floor(batches / 4)) {
    const seen: number[] = []
    for (let i = 0; i < TRIES; i++) {
      await subject.prepare?.()
      const bytes = await growth(subject, batches)
      if (bytes !== null) seen.push(bytes / (batches * subject.operations))
    }
    if (seen.length > TRIES / 2) return Math.max(0, median(seen))
  }
  return null
}

async function growth(subject: Case, batches: number): Promise<number | null> {
  // Twice: buffers are freed in the background, and the second waits for what the first began.
  collectGarbage()
  collectGarbage()
  const collections = new GCProfiler()
  collections.start()
  used()
  const overhead = used() - used()
  const before = used()
  for (let i = 0; i < batches; i++) {
    const result = subject.run()
    if (result instanceof Promise) await result
  }
  const bytes = used() - before + overhead
  return collections.stop().statistics.length === 0 ? bytes : null
}

function used(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 1]!
}
