/** Time, passed in: tests and simulations replace it. */
export interface Clock {
  /** ms, monotonic, of any origin. */
  now(): number
  /** Runs `task` once after `ms`; the returned function cancels it. */
  after(ms: number, task: () => void): () => void
}

/** The real clock, of browsers and of Node. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after(ms, task) {
    const timer = setTimeout(task, ms)
    return () => clearTimeout(timer)
  },
}
