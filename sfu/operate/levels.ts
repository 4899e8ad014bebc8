import type { EngineStats } from '../engine/index.ts'
import type { RelayLevels } from '../relay/index.ts'

/** How the relay process is at one moment; for metrics. */
export interface Levels extends RelayLevels {
  /** Bytes that wait in the transports of all sessions or are not acknowledged. */
  readonly transportBytes: number
  /** Of the engine on the UDP port; null before it listens. */
  readonly udp: EngineStats | null
  /** Of the WebSocket fallback; null before it listens. */
  readonly tcp: EngineStats | null
  /** Packets that the kernel dropped on the UDP port; null where it does not tell. */
  readonly udpDrops: number | null
  /** What may be there at most: sessions, and bytes of objects kept for late joiners. */
  readonly most: { readonly sessions: number; readonly cacheBytes: number }
  /** ms since 1970. */
  readonly certificateExpires: number
  /** Bytes of tokens registered in all sessions together. */
  readonly tokenCacheBytes: number
  readonly revocations: number
  /** New sessions may be sent here. */
  readonly ready: boolean
  readonly draining: boolean
}
