/**
 * The transport room's stand-in for a network: two `TransportSession`s joined in memory. Tests use
 * it, and so does the delivery service that runs inside the relay.
 *
 * What one side does reaches the other as a task handed to `schedule`, one task an event, in order;
 * so there is no re-entrance, and a fake clock that runs tasks later gives the pair a latency. Bytes
 * are handed over, not copied.
 */

import { MemorySession, type MemorySide } from './memory-session.ts'
import type { Congestion } from './transport.ts'

export type { MemorySide } from './memory-session.ts'

/** How an in-memory pair of sessions behaves. */
export interface MemoryOptions {
  /**
   * Runs a task later: never before it returns, and tasks in the order they were given.
   * Default: a microtask each.
   */
  schedule?: (task: () => void) => void
  /** Default `moqt-18`. */
  protocol?: string
  /** Path and query as the server sees the request. Default `/`. */
  path?: string
  /** Streams of either side's that may be open at once, each way. Default 100. */
  streamCredit?: { uni?: number; bidi?: number }
  /** Bytes; 0 for a session without datagrams. Default 1200. */
  maxDatagramSize?: number
  /** Says whether a datagram is lost on its way. Default: none is. */
  loseDatagram?: (bytes: Uint8Array, from: MemorySide) => boolean
  /**
   * Bytes given per `onRoom`. A function may answer 0 for a path that is full now: the want then
   * waits for `TransportPair.offerRoom`. Default 64 KiB.
   */
  room?: number | ((side: MemorySide) => number)
  /** What `congestion()` answers. Default: null. */
  congestion?: (side: MemorySide) => Congestion | null
  /**
   * Told when a handler throws; that session then ends with INTERNAL_ERROR. Default: the error
   * leaves the scheduled task.
   */
  onFault?: (error: unknown, side: MemorySide) => void
}

/** Two sessions in one process, each the other's peer. */
export interface TransportPair {
  readonly client: MemorySession
  readonly server: MemorySession
  /** Asks `MemoryOptions.room` again for wants that were answered with 0. */
  offerRoom(): void
}

/** Joins two sessions. Handlers may be set at any time: what arrives before waits. */
export function createTransportPair(options: MemoryOptions = {}): TransportPair {
  const settings = {
    schedule: options.schedule ?? ((task: () => void) => queueMicrotask(task)),
    protocol: options.protocol ?? 'moqt-18',
    path: options.path ?? '/',
    uniCredit: options.streamCredit?.uni ?? 100,
    bidiCredit: options.streamCredit?.bidi ?? 100,
    maxDatagramSize: options.maxDatagramSize ?? 1200,
    loseDatagram: options.loseDatagram ?? (() => false),
    room: options.room ?? 65_536,
    congestion: options.congestion ?? (() => null),
    onFault: options.onFault ?? null,
  }
  const client = new MemorySession('client', settings)
  const server = new MemorySession('server', settings)
  client.join(server)
  server.join(client)
  return {
    client,
    server,
    offerRoom() {
      client.offerRoom()
      server.offerRoom()
    },
  }
}
