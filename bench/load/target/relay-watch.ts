import { machineClock } from '../clock.ts'
import { startTicker } from '../participant/ticker.ts'
import { byLabel, scrape, sumWith } from './metrics.ts'
import { type ProcessSample, sampleProcess } from './processes.ts'

/** How the relay is at one moment; numbers of `/metrics` are null where it has none of ours. */
export interface RelaySample {
  /** ms of the machine's clock. */
  readonly at: number
  readonly process: ProcessSample | null
  /** Objects sent since its start. */
  readonly forwarded: number | null
  /** Objects dropped since its start, by reason. */
  readonly dropped: Readonly<Record<string, number>> | null
  /** How late its event loop ran since the sample before, 99th percentile, ms. */
  readonly lagMs: number | null
  /** Bytes that wait in it. */
  readonly waitingBytes: number | null
}

export interface RelayWatchOptions {
  /** Null for a relay on another machine. */
  readonly pid: number | null
  /** Origin of its ops server, if it is a relay of ours. */
  readonly ops: string | null
}

const PERIOD_MS = 1000

/** Looks at the relay's process and metrics each second. */
export class RelayWatch {
  readonly samples: RelaySample[] = []
  private readonly options: RelayWatchOptions
  private readonly stopTicks: () => void

  constructor(options: RelayWatchOptions) {
    this.options = options
    const first = machineClock.now() + PERIOD_MS
    this.stopTicks = startTicker(machineClock, first, PERIOD_MS, () => void this.look())
  }

  /** One sample, now; it is among `samples` too. */
  async look(): Promise<RelaySample> {
    const { pid, ops } = this.options
    const at = machineClock.now()
    const [process, metrics] = await Promise.all([
      pid === null ? null : sampleProcess(pid),
      ops === null ? null : scrape(ops),
    ])
    const sample: RelaySample = {
      at,
      process,
      forwarded: metrics && sumWith(metrics, 'sotto_objects_total', 'direction="sent"'),
      dropped: metrics && byLabel(metrics, 'sotto_objects_dropped_total'),
      lagMs: inMs(metrics?.get('sotto_event_loop_lag_seconds{quantile="0.99"}')),
      waitingBytes: metrics?.get('sotto_buffered_bytes') ?? null,
    }
    this.samples.push(sample)
    return sample
  }

  stop(): void {
    this.stopTicks()
  }
}

function inMs(seconds: number | undefined): number | null {
  return seconds === undefined ? null : seconds * 1000
}
