import type { AliasSink } from './alias-sink.ts'
import type { Clock } from './clock.ts'
import type { Throttled } from './control-budget.ts'
import type { FetchRequest } from './fetch-request.ts'
import type { SessionLimitName, SessionLimits } from './limits.ts'
import type { MessageParser } from './message-parser.ts'
import type { StreamWatch } from './stream-watch.ts'

/** A stream of the peer's that came before what it belongs to, and is paused for it. */
export interface WaitingStream {
  /** The alias that it waits for; null while it waits for SETUP. */
  readonly waitingAlias: number | null
  /** What it waited for may be there now. */
  resume(): void
  stop(code: number): void
}

/** What the streams of a session ask of it. */
export interface DataStreamHost {
  readonly clock: Clock
  readonly limits: SessionLimits
  readonly watch: StreamWatch
  readonly ready: boolean
  readonly closed: boolean
  /** A data stream or the control stream brought so many bytes. */
  arrived(bytes: number): void
  /** What a callback threw: it ends the session. */
  fault(error: unknown): void
  limitHit(limit: SessionLimitName): void
  /** The peer's control stream came; its messages go to the parser that is returned. */
  controlStream(): MessageParser
  /** @param code what it was reset with; null: it was finished */
  controlStreamEnded(code: number | null): void
  /** The control stream brought bytes; it may be paused for it. */
  controlBytes(stream: Throttled, bytes: number): void
  /** The stream waits, paused, until `resume` is called: for SETUP or for its alias. */
  park(stream: WaitingStream): boolean
  subscriptionFor(alias: number): AliasSink | 'unknown' | 'retired'
  /**
   * @returns null for a fetch that was given up
   * @throws ProtocolError when the stream answers no fetch of ours
   */
  fetchFor(requestId: number): FetchRequest | null
  /** The stream is done with: the peer may open another for it. */
  streamOver(): void
}
