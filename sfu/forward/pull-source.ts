import type { TrafficClass } from './traffic.ts'
import { Turn } from './turns.ts'

/**
 * Something that makes its own bytes when there is room: a FETCH response. It takes turns with the
 * subscriptions of its class and priorities, a few objects at a time.
 */
export interface PullSource {
  readonly traffic: TrafficClass
  /** 0..255; after a change, `EgressScheduler.wake` puts it at its new place. */
  readonly subscriberPriority: number
  /** Publisher priority of the object that comes next, 0..255; 128 where it does not tell. */
  readonly publisherPriority?: number
  /**
   * Writes at most about `bytes`.
   * @returns bytes written; 0 when it has nothing now (`wake` follows when it has); -1 when it needs
   * a stream and there is no stream credit
   */
  pull(bytes: number): number
}

/** A source's place among those that take turns. */
export class SourceTurn extends Turn {
  readonly source: PullSource

  constructor(source: PullSource) {
    super()
    this.source = source
  }
}
