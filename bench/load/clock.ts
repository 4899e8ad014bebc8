import { type Clock, systemClock } from '../../moq/session/index.ts'

/** Between this process's own origin of time and the machine's. */
const ORIGIN_MS = Number(process.hrtime.bigint()) / 1e6 - performance.now()

/**
 * Monotonic ms that mean the same in every process of this machine, so that a time written in one can
 * be compared in another.
 */
export const machineClock: Clock = {
  now: () => ORIGIN_MS + performance.now(),
  after: systemClock.after,
}
