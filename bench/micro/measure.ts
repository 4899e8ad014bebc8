import { bytesPerOperation } from './allocation.ts'
import type { Case, Measurement } from './subject.ts'
import { time } from './timing.ts'

/**
 * Times a case, then counts what it allocates once the compiler has settled.
 * @param timeMs how long to time it
 * @throws what the case throws
 */
export async function measure(subject: Case, timeMs: number): Promise<Measurement> {
  const timing = await time(subject, timeMs)
  const bytes = await bytesPerOperation(subject, timing.nanosecondsPerOperation)
  return { ...timing, bytesPerOperation: bytes }
}
