import type { FailsPonyfill } from '../../moq/transport/fails-client.ts'
import type { W3cWebTransport } from '../../moq/transport/w3c-types.ts'
import { loadPonyfill } from './ponyfill.ts'

export type WebTransportConstructor = new (url: string, options: object) => W3cWebTransport

/** The parts of a browser that connecting uses. */
export interface ConnectPlatform {
  /** Undefined where there is none. */
  WebTransport: WebTransportConstructor | undefined
  loadPonyfill(): Promise<FailsPonyfill>
  /** Runs a callback after so many ms; answers how to take that back. */
  after(ms: number, callback: () => void): () => void
  /** Monotonic time, ms. */
  now(): number
}

/** What this browser has. */
export function browserPlatform(): ConnectPlatform {
  const { WebTransport } = globalThis as { WebTransport?: WebTransportConstructor }
  return {
    WebTransport,
    loadPonyfill,
    after(ms, callback) {
      const timer = setTimeout(callback, ms)
      return () => clearTimeout(timer)
    },
    now: () => performance.now(),
  }
}
