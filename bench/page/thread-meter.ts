/** What a page's main thread spends, by Chromium's own counters of CPU time (`Performance` of its protocol). */

import type { CDPSession, Page } from 'playwright-core'

/** s of CPU time since the page began. */
export interface ThreadSample {
  readonly atMs: number
  readonly task: number
  /** Is in `task`. */
  readonly script: number
}

/** Shares of one core, 0..1. */
export type ThreadShare = Omit<ThreadSample, 'atMs'>

export class ThreadMeter {
  private readonly session: CDPSession

  private constructor(session: CDPSession) {
    this.session = session
  }

  static async of(page: Page): Promise<ThreadMeter> {
    const session = await page.context().newCDPSession(page)
    await session.send('Performance.enable', { timeDomain: 'threadTicks' })
    return new ThreadMeter(session)
  }

  async sample(): Promise<ThreadSample> {
    const { metrics } = await this.session.send('Performance.getMetrics')
    const metric = (name: string) => metrics.find((one) => one.name === name)?.value ?? 0
    return {
      atMs: performance.now(),
      task: metric('TaskDuration'),
      script: metric('ScriptDuration'),
    }
  }

  async beginProfile(): Promise<void> {
    await this.session.send('Profiler.enable')
    await this.session.send('Profiler.setSamplingInterval', { interval: 500 })
    await this.session.send('Profiler.start')
  }

  /** @returns what `.cpuprofile` files hold */
  async endProfile(): Promise<unknown> {
    const { profile } = await this.session.send('Profiler.stop')
    return profile
  }
}

/** What was spent between two samples. */
export function shareOf(before: ThreadSample, after: ThreadSample): ThreadShare {
  const seconds = (after.atMs - before.atMs) / 1000
  return {
    task: (after.task - before.task) / seconds,
    script: (after.script - before.script) / seconds,
  }
}
