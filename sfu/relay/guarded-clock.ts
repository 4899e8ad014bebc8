import type { Clock } from '../../moq/session/index.ts'

/**
 * A clock whose tasks may fail: what one throws, a bug of ours, is told and costs the others nothing. A
 * timer has no session that it could end, and without this its error would end the process.
 */
export function guardedClock(clock: Clock, onError: (error: unknown) => void): Clock {
  return {
    now: clock.now.bind(clock),
    after: (ms, task) =>
      clock.after(ms, () => {
        try {
          task()
        } catch (error) {
          onError(error)
        }
      }),
  }
}
