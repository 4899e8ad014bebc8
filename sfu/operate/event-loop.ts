/**
 * Watches how late the event loop runs: what a blocked loop adds to every object. One histogram for
 * whoever scrapes, one of the last seconds for whoever asks whether the relay is well.
 */

import { monitorEventLoopDelay, performance } from 'node:perf_hooks'

/** Time between two looks at the loop, ms. */
const RESOLUTION_MS = 10
const HEALTH_MS = 5000
/** A loop is ill whose timers run later than this in one of a hundred cases, ms, unless told. */
export const ILL_LAG_MS = 500

type Delay = ReturnType<typeof monitorEventLoopDelay>

export interface EventLoopOptions {
  /** ms; default `ILL_LAG_MS`. */
  readonly illLagMs?: number
  /** The health of the loop is that of so long, ms; default 5000. */
  readonly healthMs?: number
  /** The last seconds were ill; for metrics. */
  readonly onIll?: () => void
}

export class EventLoopWatch {
  private readonly options: EventLoopOptions
  private readonly scraped = watch()
  private readonly recent = watch()
  private readonly timer: NodeJS.Timeout
  private utilization = performance.eventLoopUtilization()
  private lastP99 = 0

  constructor(options: EventLoopOptions = {}) {
    this.options = options
    this.timer = setInterval(() => this.turn(), options.healthMs ?? HEALTH_MS)
    this.timer.unref()
  }

  /** Null while all is well, else a sentence for `/readyz`. */
  get illness(): string | null {
    return illnessOf(this.lastP99, this.options.illLagMs)
  }

  /**
   * What was seen since the last call.
   * @param quantiles 0..1
   * @returns lag at each of them, ms, and the share of time in which the loop was busy
   */
  take(quantiles: readonly number[]): { readonly lagMs: number[]; readonly busy: number } {
    const lagMs = quantiles.map((quantile) => lagOf(this.scraped, quantile))
    this.scraped.reset()
    const now = performance.eventLoopUtilization()
    const busy = performance.eventLoopUtilization(now, this.utilization).utilization
    this.utilization = now
    return { lagMs, busy }
  }

  close(): void {
    clearInterval(this.timer)
    this.scraped.disable()
    this.recent.disable()
  }

  private turn(): void {
    this.lastP99 = lagOf(this.recent, 0.99)
    this.recent.reset()
    if (this.illness !== null) this.options.onIll?.()
  }
}

/** @param p99 lag of the last seconds, ms; @param most from which on it is ill */
export function illnessOf(p99: number, most = ILL_LAG_MS): string | null {
  if (p99 < most) return null
  return `the event loop runs ${Math.round(p99)} ms late (99th percentile)`
}

function watch(): Delay {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  delay.enable()
  return delay
}

/** The histogram holds times between two looks, the resolution included. */
function lagOf(delay: Delay, quantile: number): number {
  if (delay.count === 0) return 0
  return Math.max(0, delay.percentile(quantile * 100) / 1e6 - RESOLUTION_MS)
}
